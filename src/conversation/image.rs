//! Images that models take: types by bytes, never by label, and the words in place of other images.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Content, Data};

/// The image types that models take, for messages.
pub const IMAGE_TYPES: &str = "PNG, JPEG, GIF or WebP";

/// Base64 characters that hold the first 12 bytes, which tell the image types apart.
const SIGNATURE: usize = 16;

/// Longest label or address in the words for an image.
const LONGEST_SOURCE: usize = 200;

impl Data {
    /// MIME type that the bytes have, if they are an image that models take. The label `mime` is ignored.
    pub fn image_type(&self) -> Option<&'static str> {
        let beginning = STANDARD.decode(self.base64.get(..SIGNATURE).unwrap_or(&self.base64)).ok()?;
        match beginning.as_slice() {
            [0x89, b'P', b'N', b'G', ..] => Some("image/png"),
            [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
            [b'G', b'I', b'F', b'8', ..] => Some("image/gif"),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P'] => Some("image/webp"),
            _ => None,
        }
    }

    /// Content that a model can be shown: an image with its true type, the text of other data, else words.
    pub fn into_content(self) -> Content {
        if let Some(mime) = self.image_type() {
            return Content::Data(Data { mime: mime.into(), ..self });
        }
        if self.mime.starts_with("image/") {
            return Content::Text { text: image_left_out(&self.mime) };
        }
        let text = STANDARD.decode(&self.base64).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        match text {
            Some(text) if !text.contains('\0') => Content::Text { text },
            _ => Content::Text { text: format!("[data of type {} left out]", quotable(&self.mime)) },
        }
    }
}

impl Content {
    /// Content that a model can be shown: see [`Data::into_content`].
    #[must_use]
    pub fn showable(self) -> Content {
        match self {
            Content::Text { .. } => self,
            Content::Data(data) => data.into_content(),
        }
    }
}

/// Words in place of an image that models don't take: `[image of type image/bmp left out: ...]`. The same label gives the same
/// words in each turn.
pub fn image_left_out(mime: &str) -> String {
    format!("[image of type {} left out: only {IMAGE_TYPES} can be shown]", quotable(mime))
}

/// Words in place of an image that the client only names: by its address, or by the id of a stored file.
pub fn named_image_left_out(name: &str) -> String {
    format!("[image {} left out: nothing is fetched here]", quotable(name))
}

/// A label or an address of the client on one line, cut to [`LONGEST_SOURCE`] characters.
fn quotable(source: &str) -> String {
    let source = source.trim();
    if source.is_empty() {
        return "unknown".into();
    }
    let is_cut = source.chars().nth(LONGEST_SOURCE).is_some();
    let characters = source.chars().take(LONGEST_SOURCE);
    let mut line: String = characters.map(|c| if c.is_control() { ' ' } else { c }).collect();
    if is_cut {
        line.push_str("...");
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(mime: &str, bytes: &[u8]) -> Data {
        Data { mime: mime.into(), base64: STANDARD.encode(bytes) }
    }

    #[test]
    fn bytes_tell_the_type_and_the_label_does_not() {
        for (bytes, expected) in [
            (b"\x89PNG\r\n\x1a\n and more".as_slice(), Some("image/png")),
            (b"\xff\xd8\xff\xe0", Some("image/jpeg")),
            (b"GIF89a", Some("image/gif")),
            (b"RIFF\x01\x02\x03\x04WEBPVP8 ", Some("image/webp")),
            (b"RIFF\x01\x02\x03\x04WAVEfmt ", None),
            (b"BM\x01\x02\x03\x04", None),
            (b"<svg/>", None),
            (b"\0\0\0\x18ftypheic", None),
            (b"", None),
        ] {
            assert_eq!(data("image/jpg", bytes).image_type(), expected, "{bytes:?}");
        }
    }

    #[test]
    fn data_becomes_an_image_or_text() {
        let text = |text: &str| Content::Text { text: text.into() };
        let png = b"\x89PNG\r\n\x1a\n";
        assert_eq!(data("text/plain", png).into_content(), Content::Data(data("image/png", png)));
        assert_eq!(data("application/json", b"{}").into_content(), text("{}"));
        assert_eq!(
            data("image/svg+xml", b"<svg/>").into_content(),
            text("[image of type image/svg+xml left out: only PNG, JPEG, GIF or WebP can be shown]")
        );
        assert_eq!(
            data("application/zip", b"PK\x03\0").into_content(),
            text("[data of type application/zip left out]")
        );
    }

    #[test]
    fn replacement_text_is_one_short_line() {
        let words = named_image_left_out(&format!("https://example.com/\n{}", "a".repeat(10_000)));
        assert!(words.chars().count() < 260 && !words.contains('\n'), "{words}");
        assert!(image_left_out(" ").starts_with("[image of type unknown left out"));
    }
}

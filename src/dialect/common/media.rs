//! Bytes in requests: checked base64, `data:` URLs, and images, whose type is determined by their bytes.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::conversation::image::{IMAGE_TYPES, image_left_out, named_image_left_out};
use crate::conversation::{Content, Data};
use crate::dialect::common::body_json::shortened;
use crate::failure::Failure;

/// Takes what clients send: with or without padding.
const TOLERANT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Base64 of a mime type, checked, and padded if it wasn't. The failure's path is relative: empty.
pub fn data(mime: &str, base64: &str) -> Result<Data, Failure> {
    // Line breaks come from tools that wrap at 76 characters.
    let base64: String = base64.split_ascii_whitespace().collect();
    let bytes = TOLERANT.decode(&base64).map_err(|error| {
        Failure::invalid("", format!("not base64: {}", error.to_string().trim_end_matches('.')))
    })?;
    if bytes.is_empty() {
        return Err(Failure::invalid("", "the data is empty"));
    }
    let mime = mime.trim().to_ascii_lowercase();
    let padding = (4 - base64.len() % 4) % 4;
    Ok(Data { mime, base64: base64 + &"=".repeat(padding) })
}

/// Handling of content that models can't be shown. Clients resend the whole history, so only the newest user message
/// may be rejected: a rejected old turn would end the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unshowable {
    /// The request fails: the content is in the newest user message, and its author can replace it.
    Reject,
    /// Words describe the content: it is in an older message, or in a tool's result.
    Describe,
}

/// Index of the newest message of the user; `None` if a result of a tool has followed it.
pub fn newest_user_message<T>(
    messages: &[T],
    is_user: impl Fn(&T) -> bool,
    is_result: impl Fn(&T) -> bool,
) -> Option<usize> {
    let last = messages.iter().rposition(|message| is_user(message) || is_result(message))?;
    messages.get(last).is_some_and(is_user).then_some(last)
}

impl Unshowable {
    /// The handling for the message at `index`, if `newest` is the index of the newest one of the user.
    pub fn of_message(index: usize, newest: Option<usize>) -> Unshowable {
        if Some(index) == newest { Unshowable::Reject } else { Unshowable::Describe }
    }

    /// Reads an image in base64. `mime` is the client's label, for messages only.
    pub fn image(self, mime: &str, base64: &str) -> Result<Content, Failure> {
        self.image_or_placeholder(data(mime, base64).and_then(image), || image_left_out(mime))
    }

    /// Reads an image by its URL: a `data:` URL is read, any other only named.
    pub fn image_url(self, url: &str) -> Result<Content, Failure> {
        self.image_or_placeholder(data_url(url).and_then(image), || match url_label(url) {
            Some(label) => image_left_out(label),
            None => named_image_left_out(url),
        })
    }

    /// Handles an image that the client only names: `reason` says why it can't be had.
    pub fn stored_image(self, id: &str, reason: Failure) -> Result<Content, Failure> {
        self.image_or_placeholder(Err(reason), || named_image_left_out(id))
    }

    /// The placeholder of content that can't be shown; fails with `reason` where content may be rejected.
    pub fn or_placeholder(
        self,
        reason: Failure,
        placeholder: impl FnOnce() -> String,
    ) -> Result<Content, Failure> {
        match self {
            Unshowable::Reject => Err(reason),
            Unshowable::Describe => Ok(Content::Text { text: placeholder() }),
        }
    }

    fn image_or_placeholder(
        self,
        image: Result<Data, Failure>,
        placeholder: impl FnOnce() -> String,
    ) -> Result<Content, Failure> {
        match image {
            Ok(image) => Ok(Content::Data(image)),
            Err(reason) => self.or_placeholder(reason, placeholder),
        }
    }
}

/// The image with its true type; fails if models don't take it.
fn image(data: Data) -> Result<Data, Failure> {
    if let Some(mime) = data.image_type() {
        return Ok(Data { mime: mime.into(), ..data });
    }
    let found = match data.mime.as_str() {
        "" => "an unknown kind of image".to_owned(),
        "image/png" | "image/jpeg" | "image/jpg" | "image/gif" | "image/webp" => {
            format!("the bytes are no `{}`", data.mime)
        }
        label => format!("found `{}`", shortened(label)),
    };
    Err(Failure::invalid("", format!("{found}, expected {IMAGE_TYPES}")))
}

/// The MIME type that a `data:` URL claims; `None` for other URLs.
fn url_label(url: &str) -> Option<&str> {
    let head = url.get(5..).filter(|_| is_data_url(url))?;
    head.split([';', ',']).next().filter(|label| label.contains('/') || label.is_empty()).or(Some(""))
}

/// Decodes bytes as text, whatever their declared type; `None` if they are no text.
pub fn text(data: &Data) -> Option<String> {
    if is_pdf(data) {
        // Almost text, but not readable.
        return None;
    }
    String::from_utf8(TOLERANT.decode(&data.base64).ok()?).ok().filter(|text| !text.contains('\0'))
}

/// MIME type of PDF files.
pub const PDF: &str = "application/pdf";

/// Whether a file is a PDF by its label or by its bytes.
pub fn is_pdf(data: &Data) -> bool {
    // `%PDF` in base64.
    data.mime == PDF || data.base64.starts_with("JVBER")
}

/// Whether a URL holds its content.
pub fn is_data_url(url: &str) -> bool {
    url.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"))
}

/// A `data:` URL. Others are refused: the server fetches nothing from the network.
pub fn data_url(url: &str) -> Result<Data, Failure> {
    if !is_data_url(url) {
        return Err(Failure::unsupported(
            "",
            "only data: URLs are taken here, nothing is fetched from the network; \
             send the image as data:image/png;base64,...",
        ));
    }
    let (head, base64) = url
        .get(5..)
        .and_then(|rest| rest.split_once(','))
        .ok_or_else(|| Failure::invalid("", "a data: URL without a comma"))?;
    let mime = match head.rsplit_once(';') {
        Some((mime, coding)) if coding.trim().eq_ignore_ascii_case("base64") => mime,
        _ => return Err(Failure::invalid("", "expected a data: URL in base64: data:image/png;base64,...")),
    };
    // Parameters such as `;charset=utf-8` are no part of the type.
    let mime = mime.split(';').next().unwrap_or_default();
    if !mime.contains('/') {
        return Err(Failure::invalid("", "a data: URL without a type, expected data:image/png;base64,..."));
    }
    data(mime, base64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_urls_are_parsed() {
        let png = Data { mime: "image/png".into(), base64: "iVBORw==".into() };
        for url in [
            "data:image/png;base64,iVBORw==",
            "DATA:image/PNG;charset=utf-8;Base64,iVBORw",
            "data:image/png;base64,iVBO\r\nRw==",
        ] {
            assert_eq!(data_url(url), Ok(png.clone()), "{url}");
        }
    }

    #[test]
    fn image_that_models_do_not_take_is_rejected_or_described() {
        let text = |text: &str| Ok(Content::Text { text: text.into() });
        let png = Content::Data(Data { mime: "image/png".into(), base64: "iVBORw==".into() });
        for handling in [Unshowable::Reject, Unshowable::Describe] {
            assert_eq!(handling.image("image/jpg", "iVBORw"), Ok(png.clone()));
            assert_eq!(handling.image_url("data:text/plain;base64,iVBORw=="), Ok(png.clone()));
        }
        let rejected = |url: &str| Unshowable::Reject.image_url(url).unwrap_err().to_string();
        let described = |url: &str| Unshowable::Describe.image_url(url);
        let svg = "data:image/svg+xml;base64,PHN2Zy8+";
        assert_eq!(rejected(svg), "found `image/svg+xml`, expected PNG, JPEG, GIF or WebP");
        assert_eq!(
            rejected("data:image/png;base64,aGVsbG8="),
            "the bytes are no `image/png`, expected PNG, JPEG, GIF or WebP"
        );
        assert_eq!(
            described(svg),
            text("[image of type image/svg+xml left out: only PNG, JPEG, GIF or WebP can be shown]")
        );
        assert_eq!(
            described("https://example.com/a.png"),
            text("[image https://example.com/a.png left out: nothing is fetched here]")
        );
        // The replacement text never has base64, however malformed the URL is.
        for broken in ["data:AAAA", "data:;base64,****", "data:,AAAA"] {
            assert_eq!(
                described(broken),
                text("[image of type unknown left out: only PNG, JPEG, GIF or WebP can be shown]"),
                "{broken}"
            );
        }
        for (base64, message) in [
            ("aGVsbG8=", "an unknown kind of image, expected PNG, JPEG, GIF or WebP"),
            ("", "the data is empty"),
            ("*", "not base64: Invalid symbol 42, offset 0"),
        ] {
            assert_eq!(Unshowable::Reject.image("", base64).unwrap_err().to_string(), message);
        }
    }

    #[test]
    fn text_is_recognized_by_type_and_valid_utf8() {
        let text = |mime: &str, base64: &str| super::text(&data(mime, base64).unwrap());
        assert_eq!(text("text/plain", "Z3LDvMOf"), Some("grüß".into()));
        assert_eq!(text("", "aGk="), Some("hi".into()));
        assert_eq!(text("application/pdf", "aGk="), None);
        assert_eq!(text("text/plain", "iVBORw=="), None);
        assert_eq!(text("application/zip", "AAAA"), None);
    }

    #[test]
    fn other_urls_are_rejected_with_a_reason() {
        for (url, message) in [
            (
                "https://example.org/a.png",
                "only data: URLs are taken here, nothing is fetched from the network; \
                 send the image as data:image/png;base64,...",
            ),
            ("data:image/png", "a data: URL without a comma"),
            ("data:,hello", "expected a data: URL in base64: data:image/png;base64,..."),
            ("data:;base64,aGk=", "a data: URL without a type, expected data:image/png;base64,..."),
            ("data:image/png;base64,", "the data is empty"),
            ("data:image/png;base64,****", "not base64: Invalid symbol 42, offset 0"),
        ] {
            assert_eq!(data_url(url).unwrap_err().to_string(), message, "{url}");
        }
    }
}

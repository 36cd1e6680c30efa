//! Bytes in requests: base64 that has been looked at, and `data:` URLs.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::conversation::Data;
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

/// Base64 of an image whose bytes alone tell what it is. The failure's path is relative: empty.
pub fn image(base64: &str) -> Result<Data, Failure> {
    let data = data("", base64)?;
    // What tells them apart stands in the first 12 bytes.
    let beginning = TOLERANT.decode(data.base64.get(..16).unwrap_or(&data.base64)).unwrap_or_default();
    let mime = match beginning.as_slice() {
        [0x89, b'P', b'N', b'G', ..] => "image/png",
        [0xff, 0xd8, 0xff, ..] => "image/jpeg",
        [b'G', b'I', b'F', b'8', ..] => "image/gif",
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P'] => "image/webp",
        _ => return Err(Failure::invalid("", "an unknown kind of image, expected PNG, JPEG, GIF or WebP")),
    };
    Ok(Data { mime: mime.into(), ..data })
}

/// Decodes bytes as text, whatever their declared type; `None` if they are no text.
pub fn text(data: &Data) -> Option<String> {
    if data.mime == "application/pdf" {
        // Nearly text, and readable to nobody.
        return None;
    }
    String::from_utf8(TOLERANT.decode(&data.base64).ok()?).ok().filter(|text| !text.contains('\0'))
}

/// A `data:` URL. Others are refused: the server fetches nothing from the network.
pub fn data_url(url: &str) -> Result<Data, Failure> {
    let scheme = url.get(..5).unwrap_or(url);
    if !scheme.eq_ignore_ascii_case("data:") {
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
    fn data_urls_are_taken_apart() {
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
    fn the_bytes_of_an_image_tell_its_type() {
        let mime = |bytes: &[u8]| image(&TOLERANT.encode(bytes)).map(|image| image.mime);
        for (bytes, wanted) in [
            (b"\x89PNG\r\n\x1a\n and more".as_slice(), "image/png"),
            (b"\xff\xd8\xff\xe0", "image/jpeg"),
            (b"GIF89a", "image/gif"),
            (b"RIFF\x01\x02\x03\x04WEBPVP8 ", "image/webp"),
        ] {
            assert_eq!(mime(bytes), Ok(wanted.into()));
        }
        for (base64, said) in [
            ("aGVsbG8=", "an unknown kind of image, expected PNG, JPEG, GIF or WebP"),
            ("", "the data is empty"),
            ("*", "not base64: Invalid symbol 42, offset 0"),
        ] {
            assert_eq!(image(base64).unwrap_err().to_string(), said);
        }
    }

    #[test]
    fn bytes_are_text_or_they_are_not() {
        let text = |mime: &str, base64: &str| super::text(&data(mime, base64).unwrap());
        assert_eq!(text("text/plain", "Z3LDvMOf"), Some("grüß".into()));
        assert_eq!(text("", "aGk="), Some("hi".into()));
        assert_eq!(text("application/pdf", "aGk="), None);
        assert_eq!(text("text/plain", "iVBORw=="), None);
        assert_eq!(text("application/zip", "AAAA"), None);
    }

    #[test]
    fn other_urls_are_refused_with_a_reason() {
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

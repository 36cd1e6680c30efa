//! Content codings of request bodies: reads the `Content-Encoding` header and unpacks. Pure.

use std::io::Read;

use actix_web::http::header::{CONTENT_ENCODING, HeaderMap};
use brotli_decompressor::{BrotliDecompressStream, BrotliResult, BrotliState, StandardAlloc};
use bytes::Bytes;
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use crate::failure::Failure;

/// Maximum number of codings on one body: each multiplies the work that a small body causes.
const MAX_CODINGS: usize = 4;

/// Bytes that the decoders of zstd and brotli write at a time.
const CHUNK: usize = 128 * 1024;

/// Largest window of a zstd frame, in bytes: that of the highest level for a body of the size limit.
const MAX_ZSTD_WINDOW: u64 = 16 * 1024 * 1024;

/// A coding that changes the bytes of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Gzip,
    Deflate,
    Zstd,
    Brotli,
}

/// Reads the codings of a body, in the order in which they were applied.
pub(super) fn of(headers: &HeaderMap) -> Result<Vec<Coding>, Failure> {
    let mut codings = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        let value = String::from_utf8_lossy(value.as_bytes());
        for name in value.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            codings.extend(Coding::named(name)?);
        }
    }
    if codings.len() > MAX_CODINGS {
        let message = format!("found {} codings, expected at most {MAX_CODINGS}", codings.len());
        return Err(Failure::invalid("content-encoding", message));
    }
    Ok(codings)
}

/// Unpacks a body. Fails if it is larger than `limit` bytes, before it is unpacked further than that, or at any
/// stage between two codings.
pub(super) fn unpack(codings: &[Coding], packed: Bytes, limit: usize) -> Result<Bytes, Failure> {
    let mut body = packed;
    for coding in codings.iter().rev() {
        body = coding.unpack(&body, limit)?.into();
    }
    Ok(body)
}

impl Coding {
    /// The coding of this name; `None` for `identity`, which changes nothing.
    fn named(name: &str) -> Result<Option<Coding>, Failure> {
        match name.to_ascii_lowercase().as_str() {
            "identity" => Ok(None),
            "gzip" | "x-gzip" => Ok(Some(Coding::Gzip)),
            "deflate" => Ok(Some(Coding::Deflate)),
            "zstd" => Ok(Some(Coding::Zstd)),
            "br" => Ok(Some(Coding::Brotli)),
            _ => Err(Failure::UnknownCoding { found: name.to_owned() }),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Deflate => "deflate",
            Coding::Zstd => "zstd",
            Coding::Brotli => "brotli",
        }
    }

    fn unpack(self, packed: &[u8], limit: usize) -> Result<Vec<u8>, Failure> {
        let mut unpacked = Vec::new();
        let result = match self {
            Coding::Gzip => unpack_with(MultiGzDecoder::new(packed), limit, &mut unpacked).map(|_| &[][..]),
            Coding::Deflate if has_zlib_header(packed) => {
                unpack_with(ZlibDecoder::new(packed), limit, &mut unpacked).map(ZlibDecoder::into_inner)
            }
            // By the RFC it has zlib's header, but some clients omit that.
            Coding::Deflate => {
                unpack_with(DeflateDecoder::new(packed), limit, &mut unpacked).map(DeflateDecoder::into_inner)
            }
            Coding::Zstd => unpack_zstd(packed, limit, &mut unpacked),
            Coding::Brotli => unpack_brotli(packed, limit, &mut unpacked),
        };
        let why = match result {
            Ok([]) => return Ok(unpacked),
            Ok(_) => "more bytes follow its end".to_owned(),
            Err(UnpackError::TooLarge) => return Err(Failure::BodyTooLarge { limit }),
            Err(UnpackError::Invalid(why)) => why,
        };
        let name = self.name();
        Err(Failure::invalid("", format!("the body is not valid {name}, its content-encoding: {why}")))
    }
}

/// A reason for which a body can't be unpacked.
enum UnpackError {
    TooLarge,
    Invalid(String),
}

impl From<&str> for UnpackError {
    fn from(why: &str) -> UnpackError {
        UnpackError::Invalid(why.to_owned())
    }
}

impl From<std::io::Error> for UnpackError {
    fn from(error: std::io::Error) -> UnpackError {
        UnpackError::Invalid(error.to_string())
    }
}

impl From<FrameDecoderError> for UnpackError {
    /// The decoder's own words are Rust's.
    fn from(_: FrameDecoderError) -> UnpackError {
        "its bytes are wrong or truncated".into()
    }
}

fn unpack_with<R: Read>(mut decoder: R, limit: usize, out: &mut Vec<u8>) -> Result<R, UnpackError> {
    decoder.by_ref().take(limit as u64 + 1).read_to_end(out)?;
    if out.len() > limit { Err(UnpackError::TooLarge) } else { Ok(decoder) }
}

/// A zlib header names method 8, and is a multiple of 31 as a big-endian number.
fn has_zlib_header(packed: &[u8]) -> bool {
    matches!(packed, [first, second, ..] if first & 0x0f == 8 && u16::from_be_bytes([*first, *second]) % 31 == 0)
}

/// Unpacks all frames; returns the rest, which is empty.
fn unpack_zstd<'a>(packed: &'a [u8], limit: usize, out: &mut Vec<u8>) -> Result<&'a [u8], UnpackError> {
    let mut rest = packed;
    let mut decoder = FrameDecoder::new();
    while !rest.is_empty() {
        if zstd_window(rest).is_some_and(|window| window > MAX_ZSTD_WINDOW) {
            return Err("its window is larger than 16 MiB".into());
        }
        match decoder.init(&mut rest) {
            Ok(()) => {}
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                length, ..
            })) => {
                let after = usize::try_from(length).ok().and_then(|length| rest.get(length..));
                rest = after.ok_or("a skippable frame is truncated")?;
                continue;
            }
            Err(error) => return Err(error.into()),
        }
        // The decoder would collect all of a frame that declares its size before it returns a byte.
        if decoder.content_size() > limit as u64 {
            return Err(UnpackError::TooLarge);
        }
        while !decoder.is_finished() {
            decoder.decode_blocks(&mut rest, BlockDecodingStrategy::UptoBytes(CHUNK))?;
            out.extend(decoder.collect().unwrap_or_default());
            if out.len() > limit {
                return Err(UnpackError::TooLarge);
            }
        }
        let declared = decoder.get_checksum_from_data();
        if declared.is_some() && declared != decoder.get_calculated_checksum() {
            return Err("its checksum is wrong".into());
        }
    }
    Ok(rest)
}

/// Bytes that a frame's decoder keeps in memory, by its header (RFC 8878, 3.1.1.1.2); `None` if it keeps the whole
/// content.
fn zstd_window(frame: &[u8]) -> Option<u64> {
    let [0x28, 0xb5, 0x2f, 0xfd, descriptor, window, ..] = frame else { return None };
    let is_single_segment = descriptor & 0x20 != 0;
    let base = 1_u64 << (10 + (window >> 3));
    (!is_single_segment).then_some(base + base / 8 * u64::from(window & 7))
}

/// Unpacks one stream; returns the bytes after it.
fn unpack_brotli<'a>(packed: &'a [u8], limit: usize, out: &mut Vec<u8>) -> Result<&'a [u8], UnpackError> {
    let alloc = StandardAlloc::default;
    let mut state = BrotliState::new(alloc(), alloc(), alloc());
    let mut chunk = vec![0; CHUNK];
    let (mut available, mut read, mut total) = (packed.len(), 0, 0);
    loop {
        let (mut space, mut written) = (chunk.len(), 0);
        let result = BrotliDecompressStream(
            &mut available,
            &mut read,
            packed,
            &mut space,
            &mut written,
            &mut chunk,
            &mut total,
            &mut state,
        );
        out.extend_from_slice(chunk.get(..written).unwrap_or_default());
        if out.len() > limit {
            return Err(UnpackError::TooLarge);
        }
        match result {
            BrotliResult::ResultSuccess => return Ok(packed.get(read..).unwrap_or_default()),
            BrotliResult::NeedsMoreOutput => {}
            BrotliResult::NeedsMoreInput => return Err("it is truncated".into()),
            BrotliResult::ResultFailure => return Err("its bytes are wrong".into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    const PLAIN: &[u8] = br#"[{"a": 1}, {"a": 1}, {"a": 1}]"#;

    fn hex(digits: &str) -> Vec<u8> {
        let digit = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap();
        (0..digits.len()).step_by(2).map(digit).collect()
    }

    fn samples() -> [(Coding, Vec<u8>); 6] {
        [
            (Coding::Gzip, hex("1f8b08000000000002038bae564a54b25230acd551c064c5020025cea0131e000000")),
            (Coding::Deflate, hex("789c8bae564a54b25230acd551c064c50200792407c9")),
            (Coding::Deflate, hex("8bae564a54b25230acd551c064c50200")),
            (Coding::Zstd, hex("28b52ffd0000950000605b7b2261223a20317d2c205d0100f58a17")),
            (Coding::Zstd, hex("28b52ffd241e950000605b7b2261223a20317d2c205d0100f58a1761d33f28")),
            (Coding::Brotli, hex("8b0e805b7b2261223a20317d2c207b2261223a20317d2c207b2261223a20317d5d03")),
        ]
    }

    fn codings(value: &str) -> Result<Vec<Coding>, Failure> {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_ENCODING, HeaderValue::from_str(value).unwrap());
        of(&headers)
    }

    #[test]
    fn names_are_read_in_any_case_and_in_order() {
        for (value, expected) in [
            ("", vec![]),
            ("identity", vec![]),
            ("GZIP", vec![Coding::Gzip]),
            ("x-gzip ,, Zstd", vec![Coding::Gzip, Coding::Zstd]),
            ("deflate, identity, br", vec![Coding::Deflate, Coding::Brotli]),
        ] {
            assert_eq!(codings(value), Ok(expected), "{value}");
        }
        let mut headers = HeaderMap::new();
        headers.append(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
        headers.append(CONTENT_ENCODING, HeaderValue::from_static("br"));
        assert_eq!(of(&headers), Ok(vec![Coding::Gzip, Coding::Brotli]));
    }

    #[test]
    fn unknown_coding_and_too_many_codings_are_errors() {
        assert_eq!(codings("gzip, rot13"), Err(Failure::UnknownCoding { found: "rot13".into() }));
        let failure = codings("br,br,br,br,br").unwrap_err();
        assert_eq!(failure.to_string(), "content-encoding: found 5 codings, expected at most 4");
    }

    #[test]
    fn every_coding_is_unpacked() {
        for (coding, packed) in samples() {
            assert_eq!(unpack(&[coding], packed.into(), PLAIN.len()).unwrap(), PLAIN, "{coding:?}");
        }
    }

    #[test]
    fn limit_counts_unpacked_bytes() {
        for (coding, packed) in samples() {
            let limit = PLAIN.len() - 1;
            let failure = unpack(&[coding], packed.into(), limit).unwrap_err();
            assert_eq!(failure, Failure::BodyTooLarge { limit }, "{coding:?}");
        }
    }

    #[test]
    fn bytes_that_are_not_of_the_coding_are_errors() {
        for (coding, packed) in samples() {
            let cut = packed[..packed.len() - 1].to_vec();
            let longer = [packed.as_slice(), b"{}"].concat();
            for wrong in [cut, longer, PLAIN.to_vec(), Vec::from(*b"\xef\xbb\xbf{}")] {
                let failure = unpack(&[coding], wrong.clone().into(), 1000).unwrap_err();
                assert_eq!(failure.status(), 400, "{coding:?} {wrong:?} {failure}");
            }
        }
    }

    #[test]
    fn reasons_are_words_and_not_the_values_of_a_decoder() {
        for (coding, packed) in samples() {
            for at in 0..packed.len() {
                for change in [1, 0x80, 0xff] {
                    let mut wrong = packed.clone();
                    wrong[at] ^= change;
                    wrong.truncate(packed.len() - usize::from(change == 0x80));
                    let Err(failure) = unpack(&[coding], wrong.into(), 1000) else { continue };
                    let text = failure.to_string();
                    assert!(!text.contains(['(', '{', '"', '[', '_', '\n']), "{coding:?}, byte {at}: {text}");
                }
            }
        }
    }

    #[test]
    fn zstd_frames_are_joined_and_skippable_ones_skipped() {
        let frame = &samples()[3].1;
        let skippable = b"\x50\x2a\x4d\x18\x02\x00\x00\x00xx";
        let packed = [frame, skippable.as_slice(), frame].concat();
        assert_eq!(unpack(&[Coding::Zstd], packed.into(), 1000).unwrap(), [PLAIN, PLAIN].concat());
    }
}

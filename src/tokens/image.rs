//! Tokens of an image, by the rule of OpenAI's service: tiles of 512 pixels after scaling down.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// For every image.
const IMAGE: u64 = 85;
/// For each tile.
const TILE: u64 = 170;
/// The long side is scaled down to this.
const LONG_SIDE: f64 = 2048.0;
/// The short side is scaled to this.
const SHORT_SIDE: f64 = 768.0;
const TILE_SIDE: f64 = 512.0;

/// The most an image can cost: the long side at its limit, the short one at its.
const DEAREST: u64 = IMAGE + 4 * 2 * TILE;

/// The tokens of an image. One that can't be measured counts as the dearest.
pub fn tokens(base64: &str) -> u64 {
    head(base64)
        .and_then(|bytes| dimensions(&bytes))
        .map_or(DEAREST, |(width, height)| of_size(width, height))
}

fn of_size(width: u32, height: u32) -> u64 {
    let (width, height) = (f64::from(width), f64::from(height));
    let scaled = |side: f64, scale: f64| (side * scale).round().max(1.0);
    let scale = (LONG_SIDE / width.max(height)).min(1.0);
    let (width, height) = (scaled(width, scale), scaled(height, scale));
    let scale = SHORT_SIDE / width.min(height);
    let tiles = (scaled(width, scale) / TILE_SIDE).ceil() * (scaled(height, scale) / TILE_SIDE).ceil();
    // An image one pixel high would be scaled up without limit.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let tiles = tiles.clamp(1.0, 1e6) as u64;
    IMAGE + tiles * TILE
}

/// As much of the image as its size may stand in; cameras put 64 kB and more before it.
fn head(base64: &str) -> Option<Vec<u8>> {
    const LONGEST: usize = 512 * 1024;
    let whole = base64.len() <= LONGEST;
    let head = if whole { base64 } else { base64.get(..LONGEST)? };
    STANDARD.decode(head).ok()
}

fn dimensions(bytes: &[u8]) -> Option<(u32, u32)> {
    let size = match bytes {
        [0x89, b'P', b'N', b'G', ..] => Some((big_u32(bytes, 16)?, big_u32(bytes, 20)?)),
        [b'G', b'I', b'F', ..] => Some((little_u16(bytes, 6)?, little_u16(bytes, 8)?)),
        [0xFF, 0xD8, ..] => jpeg(bytes),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => webp(bytes),
        _ => None,
    };
    size.filter(|(width, height)| *width > 0 && *height > 0)
}

/// The size stands in the frame header, after any number of other segments.
fn jpeg(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut at = 2;
    loop {
        let marker = *bytes.get(at + 1)?;
        match marker {
            // Filling bytes, and markers without a segment.
            0xFF => at += 1,
            0x01 | 0xD0..=0xD9 => at += 2,
            0xC0..=0xCF if !matches!(marker, 0xC4 | 0xC8 | 0xCC) => {
                return Some((big_u16(bytes, at + 7)?, big_u16(bytes, at + 5)?));
            }
            _ => at += 2 + usize::try_from(big_u16(bytes, at + 2)?).ok()?,
        }
    }
}

fn webp(bytes: &[u8]) -> Option<(u32, u32)> {
    match bytes.get(12..16)? {
        b"VP8 " => Some((little_u16(bytes, 26)? & 0x3FFF, little_u16(bytes, 28)? & 0x3FFF)),
        b"VP8L" => {
            let bits = little_u16(bytes, 21)? | little_u16(bytes, 23)? << 16;
            Some(((bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1))
        }
        b"VP8X" => {
            let side = |at| Some((little_u16(bytes, at)? | u32::from(*bytes.get(at + 2)?) << 16) + 1);
            Some((side(24)?, side(27)?))
        }
        _ => None,
    }
}

fn big_u32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(big_u16(bytes, at)? << 16 | big_u16(bytes, at + 2)?)
}

fn big_u16(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(*bytes.get(at)?) << 8 | u32::from(*bytes.get(at + 1)?))
}

fn little_u16(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from(*bytes.get(at + 1)?) << 8 | u32::from(*bytes.get(at)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn png(width: u32, height: u32) -> Vec<u8> {
        let mut bytes = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
        bytes.extend(width.to_be_bytes());
        bytes.extend(height.to_be_bytes());
        bytes
    }

    #[test]
    fn image_costs_its_tiles() {
        for (width, height, wanted) in [
            (1, 1, 85 + 4 * 170),
            (768, 768, 85 + 4 * 170),
            (1024, 1024, 85 + 4 * 170),
            (1024, 768, 85 + 4 * 170),
            (1920, 1080, 85 + 6 * 170),
            (4096, 4096, 85 + 4 * 170),
            (4096, 1536, DEAREST),
        ] {
            assert_eq!(tokens(&STANDARD.encode(png(width, height))), wanted, "{width}x{height}");
        }
    }

    #[test]
    fn size_is_read_from_every_format() {
        let gif = b"GIF89a\x40\x01\xF0\0rest".to_vec();
        let jpeg = b"\xFF\xD8\xFF\xE0\0\x04ab\xFF\xFF\xC2\0\x11\x08\0\xF0\x01\x40rest".to_vec();
        let lossy = b"RIFF....WEBPVP8 ....\0\0\0\x9D\x01\x2A\x40\x01\xF0\0".to_vec();
        let bits: u32 = 0x13F | 0xEF << 14;
        let lossless = [b"RIFF....WEBPVP8L....\x2F".as_slice(), &bits.to_le_bytes()].concat();
        let extended = b"RIFF....WEBPVP8X....\0\0\0\0\x3F\x01\0\xEF\0\0".to_vec();
        for bytes in [png(320, 240), gif, jpeg, lossy, lossless, extended] {
            assert_eq!(dimensions(&bytes), Some((320, 240)), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn image_of_unknown_size_has_the_maximum_cost() {
        for bytes in ["".as_bytes(), b"<svg/>", &png(0, 7), b"\xFF\xD8\xFF"] {
            assert_eq!(tokens(&STANDARD.encode(bytes)), DEAREST, "{}", bytes.escape_ascii());
        }
        assert_eq!(tokens("not base64"), DEAREST);
    }

    proptest::proptest! {
        #[test]
        fn measuring_never_panics(kind in 0usize..4, rest: Vec<u8>) {
            let heads: [&[u8]; 4] = [b"\x89PNG", b"GIF", b"\xFF\xD8", b"RIFF....WEBPVP8X"];
            tokens(&STANDARD.encode([heads[kind], &rest].concat()));
        }

        #[test]
        fn every_size_has_a_cost(width: u32, height: u32) {
            proptest::prop_assert!(tokens(&STANDARD.encode(png(width, height))) > IMAGE);
        }
    }
}

//! Sealed texts: what a client keeps for the next request, as one opaque word of base64. All of the text is inside, so that no
//! memory of the server is needed to open it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::checksum::checksum;

/// Length of the checksum in bytes: a text is damaged by accident, not forged.
const CHECKSUM: usize = 8;

/// Seals a text. `magic` begins it: distinguishes it from what other services seal, and names the version of its form.
pub fn seal(magic: &[u8], text: &str) -> String {
    let sum: [u8; CHECKSUM] = checksum(text.as_bytes());
    STANDARD.encode([magic, &sum, text.as_bytes()].concat())
}

/// Opens a text that was sealed with this magic; `None` if it is another one, or damaged.
pub fn open(magic: &[u8], sealed: &str) -> Option<String> {
    let bytes = STANDARD.decode(sealed.trim()).ok()?;
    let (sum, text) = bytes.strip_prefix(magic)?.split_at_checked(CHECKSUM)?;
    let text = (checksum::<CHECKSUM>(text) == *sum).then(|| text.to_vec())?;
    String::from_utf8(text).ok()
}

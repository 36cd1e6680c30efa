//! Captured bodies of a request and its response: the beginning of each.

use crate::bridge::protocol;

/// Captured bytes of each body: enough for a long conversation of an agent.
const KEPT: usize = 512 * 1024;

/// Most memory of all captured bodies together, in bytes; only while the user wants to see them. The oldest go first.
pub(super) const MAX_CAPTURED: usize = 32 * 1024 * 1024;

/// Both sides of a request.
#[derive(Default)]
pub(super) struct CapturedExchange {
    /// Name and value of the headers that came.
    pub headers: Vec<(String, String)>,
    pub request: BodyPrefix,
    pub response: BodyPrefix,
}

impl CapturedExchange {
    /// Memory of both bodies, in bytes.
    pub fn memory(&self) -> usize {
        self.request.bytes.capacity() + self.response.bytes.capacity()
    }
}

/// The beginning of a body.
#[derive(Default)]
pub(super) struct BodyPrefix {
    bytes: Vec<u8>,
    total: u64,
}

impl BodyPrefix {
    /// More of the body.
    pub fn add(&mut self, bytes: &[u8]) {
        self.total += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let room = KEPT - self.bytes.len();
        self.bytes.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
    }

    /// The captured part, for the panel. Half a character at the cut is left out.
    pub fn to_protocol(&self) -> protocol::CapturedBody {
        let truncated = self.total > self.bytes.len() as u64;
        let mut text = String::from_utf8_lossy(&self.bytes).into_owned();
        if truncated && text.ends_with(char::REPLACEMENT_CHARACTER) {
            text.pop();
        }
        protocol::CapturedBody { text, bytes: self.total, truncated }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_body_is_kept_whole() {
        let mut kept = BodyPrefix::default();
        kept.add(b"Gr\xc3");
        kept.add(b"\xbc\xc3\x9fe");
        assert_eq!(
            kept.to_protocol(),
            protocol::CapturedBody { text: "Grüße".into(), bytes: 7, truncated: false }
        );
    }

    #[test]
    fn long_body_is_cut_between_characters() {
        let mut kept = BodyPrefix::default();
        kept.add(b"x");
        for _ in 0..KEPT {
            kept.add("é".as_bytes());
        }
        let protocol::CapturedBody { text, bytes, truncated } = kept.to_protocol();
        assert_eq!((text.len(), bytes, truncated), (KEPT - 1, 2 * KEPT as u64 + 1, true));
        assert!(text.ends_with('é'));
    }
}

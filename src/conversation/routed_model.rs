//! The id of the model that `auto` was routed to: a short text that is copied like a number.

use std::fmt;

use serde::{Serialize, Serializer};

/// Longest id that is kept, in bytes; a longer one is cut.
const MAX_LENGTH: usize = 47;

/// Id of the model that `auto` was routed to, as the provider names it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RoutedModel {
    bytes: [u8; MAX_LENGTH],
    length: u8,
}

impl RoutedModel {
    /// The id without characters that a header can't hold; `None` for an empty one.
    pub fn new(id: &str) -> Option<RoutedModel> {
        let (mut bytes, mut length) = ([0; MAX_LENGTH], 0);
        let plain = id.bytes().filter(u8::is_ascii_graphic);
        for (place, byte) in bytes.iter_mut().zip(plain) {
            *place = byte;
            length += 1;
        }
        (length > 0).then_some(RoutedModel { bytes, length })
    }

    /// The id.
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..usize::from(self.length)).unwrap_or_default();
        std::str::from_utf8(bytes).unwrap_or_default()
    }
}

impl fmt::Debug for RoutedModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl Serialize for RoutedModel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn id_is_limited_to_header_characters() {
        let text = |id: &str| RoutedModel::new(id).map(|model| model.as_str().to_owned());
        assert_eq!(text("gpt-5-codex"), Some("gpt-5-codex".into()));
        assert_eq!(text("a\r\nb é"), Some("ab".into()));
        assert_eq!(text(&"x".repeat(100)), Some("x".repeat(MAX_LENGTH)));
        assert_eq!((text(""), text("\n")), (None, None));
    }
}

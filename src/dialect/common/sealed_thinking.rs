//! Sealed reasoning: the id and the metadata of a provider's reasoning as one opaque text, which clients keep and send
//! back. It holds everything itself, so that it outlives the server.
//!
//! Signatures of other servers, and damaged ones, mean nothing to a provider behind VS Code: they are ignored.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::checksum::checksum;
use crate::conversation::Thinking;

/// Begin of each sealed reasoning. No colon is in base64, so that texts which a client has joined can be separated.
const PREFIX: &str = "copilot-proxy:r1:";

/// Signature of reasoning that no provider takes back, for dialects that know none without.
pub const NOTHING_SEALED: &str = "copilot-proxy:";

/// Bytes of the digest that reveals damage.
const CHECKSUM: usize = 6;

/// Content of a sealed reasoning.
#[derive(Serialize, Deserialize)]
struct Sealed {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    /// Length of the text in bytes, for dialects that join the texts of a whole response.
    length: usize,
}

/// Seals a whole reasoning; `None` if its provider doesn't take it back.
pub fn seal(thinking: &Thinking) -> Option<String> {
    seal_with_length(thinking, thinking.text.len())
}

/// Seals a reasoning whose text, of this many bytes, has been passed on already.
pub fn seal_with_length(thinking: &Thinking, length: usize) -> Option<String> {
    if !thinking.is_sealed() {
        return None;
    }
    let sealed = Sealed {
        id: thinking.id.clone(),
        metadata: thinking.metadata.clone(),
        model: thinking.model.as_deref().map(str::to_owned),
        length,
    };
    let json = serde_json::to_vec(&sealed).ok()?;
    let mut bytes = checksum::<CHECKSUM>(&json).to_vec();
    bytes.extend(json);
    Some(format!("{PREFIX}{}", STANDARD.encode(bytes)))
}

/// Reads a reasoning that a client sends back: its text, and the seal beside it. `None` if there is neither.
pub fn open(text: String, sealed: Option<&str>) -> Option<Thinking> {
    let thinking = match sealed.and_then(unseal) {
        Some((_, thinking)) => Thinking { text, ..thinking },
        None => Thinking::text(text),
    };
    (!thinking.is_empty()).then_some(thinking)
}

/// Reads the reasoning of a whole response: the joined text, and one or more seals, which may be joined too. Where the
/// text is not as long as the seals say, it belongs to the first of them.
pub fn open_joined<'a>(text: String, seals: impl IntoIterator<Item = &'a str>) -> Vec<Thinking> {
    let single = |joined: &'a str| joined.split(PREFIX).skip(1).map(|rest| format!("{PREFIX}{rest}"));
    let mut opened: Vec<(usize, Thinking)> =
        seals.into_iter().flat_map(single).filter_map(|sealed| unseal(&sealed)).collect();
    if opened.is_empty() {
        return open(text, None).into_iter().collect();
    }
    let is_cut_as_sealed = opened.len() > 1
        && opened.iter().map(|(length, _)| *length).fold(0, usize::saturating_add) == text.len();
    let mut rest = text.as_str();
    for (length, thinking) in &mut opened {
        let end = if is_cut_as_sealed { *length } else { rest.len() };
        let (own, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        own.clone_into(&mut thinking.text);
        rest = after;
    }
    opened.into_iter().map(|(_, thinking)| thinking).collect()
}

/// The length of the text and the reasoning without it.
fn unseal(sealed: &str) -> Option<(usize, Thinking)> {
    let bytes = STANDARD.decode(sealed.strip_prefix(PREFIX)?).ok()?;
    let (sum, json) = bytes.split_at_checked(CHECKSUM)?;
    if checksum::<CHECKSUM>(json) != *sum {
        return None;
    }
    let Sealed { id, metadata, model, length } = serde_json::from_slice(json).ok()?;
    Some((length, Thinking { text: String::new(), id, metadata, model: model.map(Into::into) }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn signed(text: &str, id: &str, signature: &str) -> Thinking {
        let metadata = json!({ "encrypted_content": signature, "vscode_thinking_origin_api": "messages" });
        Thinking {
            text: text.into(),
            id: Some(id.into()),
            metadata: metadata.as_object().cloned(),
            model: Some("claude-sonnet-4.5".into()),
        }
    }

    #[test]
    fn sealed_reasoning_is_restored_unchanged() {
        for thinking in [
            signed("Hm", "thinking_0", "sig=="),
            signed("", "rs_1", "é"),
            Thinking { id: Some("1".into()), ..Thinking::text("Hm") },
            Thinking { metadata: Some(Map::new()), ..Thinking::default() },
        ] {
            let sealed = seal(&thinking);
            assert!(sealed.is_some());
            assert_eq!(open(thinking.text.clone(), sealed.as_deref()), Some(thinking));
        }
    }

    #[test]
    fn reasoning_without_metadata_is_not_sealed() {
        assert_eq!(seal(&Thinking::text("Hm")), None);
        assert_eq!(open("Hm".into(), None), Some(Thinking::text("Hm")));
        assert_eq!(open(String::new(), None), None);
    }

    #[test]
    fn foreign_and_damaged_seals_are_ignored() {
        let sealed = seal(&signed("Hm", "thinking_0", "sig")).unwrap();
        let truncated = sealed.get(..sealed.len() - 4).unwrap();
        let changed = sealed.replace('J', "K");
        assert_ne!(changed, sealed);
        for foreign in
            ["", "copilot-proxy:", "copilot-proxy:rs_1", "EqQBCgIYAhIM1gbcDa9G", truncated, &changed]
        {
            assert_eq!(open("Hm".into(), Some(foreign)), Some(Thinking::text("Hm")), "{foreign}");
            assert_eq!(open(String::new(), Some(foreign)), None, "{foreign}");
        }
    }

    #[test]
    fn joined_seals_are_split_by_their_lengths() {
        let all =
            [signed("Hé", "thinking_0", "a"), signed("", "thinking_1", "b"), signed("so", "thinking_2", "c")];
        let seals: Vec<String> = all.iter().filter_map(seal).collect();
        assert_eq!(open_joined("Héso".into(), seals.iter().map(String::as_str)), all);
        assert_eq!(open_joined("Héso".into(), [seals.concat().as_str()]), all);
        let trimmed = open_joined("H so".into(), seals.iter().map(String::as_str));
        assert_eq!(
            trimmed.iter().map(|thinking| thinking.text.as_str()).collect::<Vec<_>>(),
            ["H so", "", ""]
        );
        assert_eq!(open_joined("Hm".into(), ["foreign"]), [Thinking::text("Hm")]);
    }

    proptest! {
        #[test]
        fn opening_never_panics(text in "\\PC*", sealed in "\\PC*") {
            open(text.clone(), Some(&format!("{PREFIX}{sealed}")));
            open_joined(text, [sealed.as_str()]);
        }
    }
}

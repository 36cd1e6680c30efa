//! A thinking block's signature: how a provider's id of a thought travels to the client and back.

use crate::conversation::Thinking;

/// Tells our signatures from those of Anthropic's own service, whose sessions people carry on here: to a
/// provider behind VS Code these would be ids of thoughts it never had.
const OURS: &str = "copilot-proxy:";

/// The signature of a thought; a thought without an id has one too, since the API knows none without.
pub fn say(id: Option<&str>) -> String {
    format!("{OURS}{}", id.unwrap_or_default())
}

/// The thought that a client sends back; none where neither words nor an id of ours are left of it.
pub fn read(text: String, signature: Option<&str>) -> Option<Thinking> {
    let id = signature
        .and_then(|signature| signature.strip_prefix(OURS))
        .filter(|id| !id.is_empty())
        .map(str::to_owned);
    (!text.is_empty() || id.is_some()).then_some(Thinking { text, id })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_comes_back_as_it_went() {
        for id in [None, Some("rs_1:a"), Some("copilot-proxy:")] {
            let thought = Thinking { text: "Hm".into(), id: id.map(str::to_owned) };
            assert_eq!(read("Hm".into(), Some(&say(id))), Some(thought));
        }
    }

    #[test]
    fn foreign_signatures_are_no_ids() {
        let thought = Thinking { text: "Hm".into(), id: None };
        for signature in [None, Some(""), Some("EqQBCgIYAhIM1gbcDa9GJwZA2b3hGgxBdjrkzLoky3dl1pk")] {
            assert_eq!(read("Hm".into(), signature), Some(thought.clone()), "{signature:?}");
        }
    }

    #[test]
    fn nothing_is_no_thought_but_an_id_alone_is() {
        assert_eq!(read(String::new(), Some(&say(None))), None);
        assert_eq!(
            read(String::new(), Some(&say(Some("a")))),
            Some(Thinking { text: String::new(), id: Some("a".into()) })
        );
    }
}

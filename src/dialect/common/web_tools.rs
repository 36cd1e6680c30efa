//! Tools of the web as functions, which is all that a model behind VS Code knows, and the sealed form in which a client keeps
//! a result for the next request.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::checksum::checksum;
use crate::conversation::Tool;
use crate::conversation::web::WebKind;

/// Begins every sealed result: distinguishes it from what other services seal, and names the version of its form.
const MAGIC: &[u8] = b"copilot-proxy web 1\n";

/// Length of the checksum in bytes: a result is damaged by accident, not forged.
const CHECKSUM: usize = 8;

/// Usual name of a function.
pub fn name(kind: WebKind) -> &'static str {
    match kind {
        WebKind::Search => "web_search",
        WebKind::Fetch => "web_fetch",
    }
}

/// A name that no tool of the request has.
pub fn free_name(kind: WebKind, tools: &[Tool]) -> String {
    let usual = name(kind);
    let mut names = std::iter::once(usual.to_owned())
        .chain((2..=tools.len() + 2).map(|number| format!("{usual}_{number}")));
    let is_free = |name: &String| tools.iter().all(|tool| tool.name != *name);
    // One of these names is free, since there are more than tools.
    names.find(is_free).unwrap_or_default()
}

/// The function that stands for a tool. Its words stay the same from turn to turn, whatever tools the editor has.
pub fn tool(kind: WebKind, name: String) -> Tool {
    let (description, subject, meaning) = match kind {
        WebKind::Search => (
            "Searches the web. Returns titles, URLs and extracts of pages. Use it for what may have changed since your \
             training, and for facts that you aren't sure of.",
            "query",
            "The words to search for",
        ),
        WebKind::Fetch => ("Reads a page of the web and returns its text.", "url", "The address of the page"),
    };
    Tool {
        name,
        description: description.to_owned(),
        input_schema: Some(json!({
            "type": "object",
            "properties": { subject: { "type": "string", "description": meaning } },
            "required": [subject],
        })),
    }
}

/// Seals the text of a result: all of it is inside, so that no memory of the server is needed to open it.
pub fn seal(text: &str) -> String {
    let sum: [u8; CHECKSUM] = checksum(text.as_bytes());
    STANDARD.encode([MAGIC, &sum, text.as_bytes()].concat())
}

/// Opens a sealed result; `None` if another service sealed it, or if it is damaged.
pub fn open(sealed: &str) -> Option<String> {
    let bytes = STANDARD.decode(sealed.trim()).ok()?;
    let (sum, text) = bytes.strip_prefix(MAGIC)?.split_at_checked(CHECKSUM)?;
    let text = (checksum::<CHECKSUM>(text) == *sum).then(|| text.to_vec())?;
    String::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_result_opens_to_the_same_text() {
        for text in ["", "grüße\n\u{2028}"] {
            assert_eq!(open(&seal(text)).as_deref(), Some(text));
        }
        for other in ["", "EqgfCioIARgB", "é", &seal("x")[..20], &format!("{}AAAA", seal("x"))] {
            assert_eq!(open(other), None, "{other}");
        }
    }

    #[test]
    fn name_of_another_tool_is_not_taken() {
        let own = [tool(WebKind::Search, "web_search".into()), tool(WebKind::Search, "web_search_2".into())];
        assert_eq!(free_name(WebKind::Search, &[]), "web_search");
        assert_eq!(free_name(WebKind::Search, &own), "web_search_3");
        assert_eq!(free_name(WebKind::Fetch, &own), "web_fetch");
    }
}

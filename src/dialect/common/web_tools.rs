//! Tools of the web as functions, which is all that a model behind VS Code knows, and the sealed form in which a client keeps
//! a result for the next request.

use serde_json::json;

use super::sealed_text;
use crate::conversation::Tool;
use crate::conversation::web::{WebKind, WebTool};

/// Begins every sealed result: distinguishes it from what other services seal, and names the version of its form.
const MAGIC: &[u8] = b"copilot-proxy web 1\n";

/// Usual name of a function.
pub fn name(kind: WebKind) -> &'static str {
    match kind {
        WebKind::Search => "web_search",
        WebKind::Fetch => "web_fetch",
    }
}

/// Adds the function that stands for a tool, under a name that no other one has; returns the tool with it.
pub fn add(kind: WebKind, tool: WebTool, tools: &mut Vec<Tool>) -> WebTool {
    let name = free_name(kind, tools);
    tools.push(self::tool(kind, name.clone()));
    WebTool { name, ..tool }
}

/// A name that no tool of the request has.
fn free_name(kind: WebKind, tools: &[Tool]) -> String {
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

/// Seals the text of a result.
pub fn seal(text: &str) -> String {
    sealed_text::seal(MAGIC, text)
}

/// Opens a sealed result; `None` if another service sealed it, or if it is damaged.
pub fn open(sealed: &str) -> Option<String> {
    sealed_text::open(MAGIC, sealed)
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

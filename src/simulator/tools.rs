//! The simulated editor's tools: what they are and what comes of them. Pure; `answer` waits for the slow one.

use std::time::Duration;

use serde_json::{Value, json};

use crate::bridge::protocol::{EditorTool, InvokeTool, ProviderError};
use crate::conversation::{Content, Data, Tool};
use crate::simulator::fake_workspace;

/// Blue, 8 x 8.
const PICTURE: &str =
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEElEQVR42mNgqDqDHQ0tCQClmVGBuJBw8wAAAABJRU5ErkJggg==";

/// Long enough to be seen waiting, short enough to be waited for.
const A_WHILE: Duration = Duration::from_secs(1);

/// Outcome of a tool.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolOutcome {
    /// It takes this long.
    pub after: Duration,
    /// Its result.
    pub content: Vec<Content>,
}

/// All tools, as the editor lists them.
pub fn all() -> Vec<EditorTool> {
    let path = |about: &str| json!({"path": {"type": "string", "description": about}});
    vec![
        tool(
            "get_open_editors",
            ["vscode", "editor"],
            "Lists the files open in the editor, the active one first.",
            object(&json!({}), []),
        ),
        tool(
            "list_directory",
            ["vscode", "workspace"],
            "Lists the files and folders in a folder of the workspace; folders end with a slash.",
            object(&path("From the workspace's root, which is listed without it."), []),
        ),
        tool(
            "read_file",
            ["vscode", "workspace"],
            "Reads a file of the workspace.",
            object(&path("From the workspace's root, for example src/main.rs."), ["path"]),
        ),
        tool(
            "get_time",
            ["clock"],
            "Tells the time: in the simulated editor it is always the same.",
            object(&json!({}), []),
        ),
        tool(
            "take_screenshot",
            ["vscode", "image"],
            "Takes a picture of the editor: in the simulated one, a blue square.",
            object(&json!({}), []),
        ),
        tool(
            "wait_a_while",
            ["test"],
            "Answers late.",
            object(
                &json!({"milliseconds": {"type": "integer", "minimum": 0, "description": "How late: 1000 if absent."}}),
                [],
            ),
        ),
        tool(
            "always_fails",
            ["test"],
            "Fails.",
            object(&json!({"message": {"type": "string", "description": "How to fail."}}), []),
        ),
        tool(
            "demo_web_search",
            ["web"],
            "Searches the web: in the simulated editor it always finds the same two pages.",
            object(&json!({"query": {"type": "string", "description": "Words to search for."}}), ["query"]),
        ),
        tool(
            "demo_fetch_page",
            ["web"],
            "Reads a page of the web: in the simulated editor all have the same text.",
            object(&json!({"url": {"type": "string", "description": "Address of the page."}}), ["url"]),
        ),
    ]
}

/// Runs a tool. As in VS Code, only the tool itself checks its input.
pub fn invoke(asked: &InvokeTool) -> Result<ToolOutcome, ProviderError> {
    let InvokeTool { name, input } = asked;
    let path = input.get("path").and_then(Value::as_str);
    match name.as_str() {
        "get_open_editors" => Ok(text("src/main.rs\nREADME.md")),
        "list_directory" => {
            let path = path.unwrap_or_default();
            let names =
                fake_workspace::list(path).ok_or_else(|| error(format!("there is no folder `{path}`")))?;
            Ok(text(names.join("\n")))
        }
        "read_file" => {
            let path = path.ok_or_else(|| error("path: missing, expected the path of a file"))?;
            fake_workspace::read(path).map(text).ok_or_else(|| error(format!("there is no file `{path}`")))
        }
        "get_time" => Ok(text("2026-01-01T12:00:00Z")),
        "take_screenshot" => {
            let picture = Data { mime: "image/png".into(), base64: PICTURE.into() };
            let mut outcome = text("The editor, as it looks now:");
            outcome.content.push(Content::Data(picture));
            Ok(outcome)
        }
        "wait_a_while" => {
            let asked = input.get("milliseconds").and_then(Value::as_u64);
            let after = asked.map_or(A_WHILE, Duration::from_millis);
            Ok(ToolOutcome { after, ..text(format!("waited {} ms", after.as_millis())) })
        }
        "always_fails" => {
            Err(error(input.get("message").and_then(Value::as_str).unwrap_or("failed, as it always does")))
        }
        "demo_web_search" => {
            let query = input.get("query").and_then(Value::as_str).ok_or_else(|| error("query: missing"))?;
            Ok(text(format!(
                "Title: About {query}\nURL: https://example.com/about\nDescription: A page about {query}.\n\n\
                 Title: More on {query}\nURL: https://docs.example.org/more\nDescription: All of {query}."
            )))
        }
        "demo_fetch_page" => {
            let url = input.get("url").and_then(Value::as_str).ok_or_else(|| error("url: missing"))?;
            Ok(text(format!("# Example Page\n\nThis is the text of {url}.")))
        }
        unknown => Err(error(format!("Tool {unknown} was not contributed"))),
    }
}

fn tool<const N: usize>(name: &str, tags: [&str; N], description: &str, schema: Value) -> EditorTool {
    let tool = Tool { name: name.into(), description: description.into(), input_schema: Some(schema) };
    EditorTool { tool, tags: tags.map(Into::into).into() }
}

fn object<const N: usize>(properties: &Value, required: [&str; N]) -> Value {
    let required: Vec<_> = required.into();
    json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false})
}

fn text(text: impl Into<String>) -> ToolOutcome {
    ToolOutcome { after: Duration::ZERO, content: vec![Content::Text { text: text.into() }] }
}

fn error(message: impl Into<String>) -> ProviderError {
    ProviderError { name: "Error".into(), code: None, message: message.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(name: &str, input: Value) -> Result<ToolOutcome, String> {
        invoke(&InvokeTool { name: name.into(), input }).map_err(|error| error.message)
    }

    #[test]
    fn tools_read_the_fake_workspace() {
        assert_eq!(run("get_open_editors", json!({})), Ok(text("src/main.rs\nREADME.md")));
        assert_eq!(run("list_directory", json!({})), Ok(text("README.md\ndocs/\nsrc/")));
        assert_eq!(run("list_directory", json!({"path": "src"})), Ok(text("greeting.rs\nmain.rs")));
        assert_eq!(
            run("read_file", json!({"path": "docs/notes.md"})),
            Ok(text("- Say hello to everybody\n- Say it twice\n"))
        );
        assert_eq!(run("get_time", json!({})), Ok(text("2026-01-01T12:00:00Z")));
    }

    #[test]
    fn result_can_be_an_image_or_delayed() {
        let picture = run("take_screenshot", json!({})).unwrap().content.pop();
        assert!(matches!(picture, Some(Content::Data(Data { mime, .. })) if mime == "image/png"));
        let late = ToolOutcome { after: Duration::from_millis(7), ..text("waited 7 ms") };
        assert_eq!(run("wait_a_while", json!({"milliseconds": 7})), Ok(late));
    }

    #[test]
    fn tool_failures_have_messages() {
        for (name, input, wanted) in [
            ("list_directory", json!({"path": "nowhere"}), "there is no folder `nowhere`"),
            ("read_file", json!({"path": "src"}), "there is no file `src`"),
            ("read_file", json!({"path": 1}), "path: missing, expected the path of a file"),
            ("always_fails", json!({}), "failed, as it always does"),
            ("always_fails", json!({"message": "no"}), "no"),
            ("nonsense", json!({}), "Tool nonsense was not contributed"),
        ] {
            assert_eq!(run(name, input), Err(wanted.into()));
        }
    }

    #[test]
    fn every_tool_that_is_listed_can_be_run() {
        for EditorTool { tool, tags } in all() {
            let outcome = run(&tool.name, json!({"path": "README.md", "query": "x", "url": "x"}));
            assert!(outcome != Err(format!("Tool {} was not contributed", tool.name)), "{}", tool.name);
            assert!(!tags.is_empty());
        }
    }
}

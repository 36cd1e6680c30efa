//! Selects editor tools by tag and name, decides which auto mode may run, and merges them with a request's own tools.
//! Pure.

use std::collections::HashSet;

use wildmatch::WildMatch;

use crate::bridge::protocol::{AutoTools, EditorTool};
use crate::conversation::Tool;
use crate::failure::Failure;

/// Most tools that Copilot's provider takes in a request.
pub const MAX_TOOLS: usize = 128;

/// Selects the tools that have all `tags` and whose name matches the pattern: `*` and `?` are wildcards, case is
/// ignored.
pub fn matching<'a>(tools: &'a [EditorTool], tags: &[&str], name: Option<&str>) -> Vec<&'a EditorTool> {
    let name = WildMatch::new_case_insensitive(name.unwrap_or("*"));
    let tagged = |tool: &EditorTool| tags.iter().all(|required| tool.tags.iter().any(|tag| tag == required));
    tools.iter().filter(|tool| tagged(tool) && name.matches(&tool.tool.name)).collect()
}

/// Whether the user's settings let a tool run without a client that runs it: in auto mode and over MCP.
fn may_run(name: &str, auto_tools: &AutoTools) -> bool {
    let any = |patterns: &[String]| {
        patterns.iter().any(|pattern| WildMatch::new_case_insensitive(pattern).matches(name))
    };
    any(&auto_tools.allow) && !any(&auto_tools.deny)
}

/// The tools of a window that may be run: not those that the user denies, nor those that need VS Code's own chat.
pub fn runnable(tools: Vec<EditorTool>, unusable: &HashSet<String>, auto_tools: &AutoTools) -> Vec<Tool> {
    let may_run = |name: &str| !unusable.contains(name) && may_run(name, auto_tools);
    tools.into_iter().map(|tool| tool.tool).filter(|tool| may_run(&tool.name)).collect()
}

/// Appends editor tools to the request's own; a tool whose name is taken is left out.
pub fn merged(own: Vec<Tool>, editor_tools: impl IntoIterator<Item = Tool>) -> Vec<Tool> {
    let mut names: HashSet<String> = own.iter().map(|tool| tool.name.clone()).collect();
    let mut merged = own;
    merged.extend(editor_tools.into_iter().filter(|tool| names.insert(tool.name.clone())));
    merged
}

/// Fails if a request has more tools than the provider takes, with a clearer error than the provider's.
pub fn check_count(tools: &[Tool]) -> Result<(), Failure> {
    if tools.len() > MAX_TOOLS {
        let found = tools.len();
        return Err(Failure::invalid(
            "tools",
            format!("found {found} tools, a request can have at most {MAX_TOOLS}"),
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tool(name: &str, description: &str) -> Tool {
        Tool { name: name.into(), description: description.into(), input_schema: None }
    }

    fn editor_tools() -> Vec<EditorTool> {
        [
            ("get_open_editors", &["vscode", "editor"] as &[&str]),
            ("list_directory", &["vscode"]),
            ("mcp_files_List", &["mcp"]),
            ("get_time", &[]),
        ]
        .map(|(name, tags)| EditorTool {
            tool: tool(name, ""),
            tags: tags.iter().map(ToString::to_string).collect(),
        })
        .into()
    }

    fn check(tags: &[&str], name: Option<&str>, expected: &[&str]) {
        let tools = editor_tools();
        let found: Vec<&str> =
            matching(&tools, tags, name).into_iter().map(|tool| tool.tool.name.as_str()).collect();
        assert_eq!(found, expected, "{tags:?} {name:?}");
    }

    #[test]
    fn tools_are_selected_by_all_tags_and_by_name() {
        check(&[], None, &["get_open_editors", "list_directory", "mcp_files_List", "get_time"]);
        check(&["vscode"], None, &["get_open_editors", "list_directory"]);
        check(&["editor", "vscode"], None, &["get_open_editors"]);
        check(&["vscode", "mcp"], None, &[]);
        check(&[], Some("get_*"), &["get_open_editors", "get_time"]);
        check(&[], Some("*LIST*"), &["list_directory", "mcp_files_List"]);
        check(&[], Some("get_t?me"), &["get_time"]);
        check(&["vscode"], Some("get*"), &["get_open_editors"]);
    }

    #[test]
    fn pattern_must_match_the_whole_name() {
        check(&[], Some("list"), &[]);
        check(&[], Some("list_*"), &["list_directory"]);
        check(&[], Some(""), &[]);
        check(&[], Some("get_time"), &["get_time"]);
        check(&[], Some("get_tim[e]"), &[]);
    }

    #[test]
    fn own_tool_has_priority_over_an_editor_tool_of_that_name() {
        let own = vec![tool("get_time", "mine"), tool("b", "")];
        let found = merged(own, [tool("a", ""), tool("get_time", "the editor's"), tool("a", "again")]);
        assert_eq!(found, [tool("get_time", "mine"), tool("b", ""), tool("a", "")]);
    }

    #[test]
    fn auto_mode_runs_allowed_tools_that_are_not_denied() {
        let auto_tools = |allow: &[&str], deny: &[&str]| AutoTools {
            allow: allow.iter().map(ToString::to_string).collect(),
            deny: deny.iter().map(ToString::to_string).collect(),
        };
        for (auto_tools, expected) in [
            (AutoTools::default(), true),
            (auto_tools(&[], &[]), false),
            (auto_tools(&["get_*"], &[]), true),
            (auto_tools(&["get_*"], &["*_Time"]), false),
            (auto_tools(&["*"], &["mcp_*"]), true),
            (auto_tools(&["time"], &[]), false),
        ] {
            assert_eq!(may_run("get_time", &auto_tools), expected, "{auto_tools:?}");
        }
    }

    #[test]
    fn more_than_128_tools_are_rejected() {
        let tools: Vec<Tool> = (0..129).map(|number| tool(&number.to_string(), "")).collect();
        assert_eq!(check_count(&tools[..128]), Ok(()));
        assert_eq!(
            check_count(&tools),
            Err(Failure::invalid("tools", "found 129 tools, a request can have at most 128"))
        );
    }
}

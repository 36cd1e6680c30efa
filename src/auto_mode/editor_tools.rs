//! The editor's tools in a request: added to its own, and selected for auto mode. Pure.

use std::collections::HashSet;

use super::round_store::RoundStore;
use crate::bridge::Editor;
use crate::bridge::protocol::AutoTools;
use crate::conversation::{Conversation, Tool};
use crate::dialect::{RequestExtensions, Rounds, ToolExecution};
use crate::failure::Failure;
use crate::tools::executor::EditorTools;
use crate::tools::{may_run, merged};

/// The part of a request that auto mode needs: where tools run, which may, and how often.
pub struct AutoMode {
    pub(super) editor: Editor,
    pub(super) runnable: HashSet<String>,
    pub(super) rounds: Rounds,
}

/// Whether a request needs the editor's tools at all.
pub fn wanted(extensions: RequestExtensions) -> bool {
    extensions.use_vscode_tools || extensions.tool_execution == ToolExecution::Auto
}

/// Adds the editor's tools to a conversation as the request asks; returns auto mode where it is on.
pub fn attach(
    conversation: &mut Conversation,
    extensions: RequestExtensions,
    offered: EditorTools,
    auto_tools: &AutoTools,
    store: &RoundStore,
) -> Result<Option<AutoMode>, Failure> {
    let auto = extensions.tool_execution == ToolExecution::Auto;
    if auto && conversation.options.choices.is_some_and(|choices| choices.get() > 1) {
        return Err(Failure::unsupported("n", "auto mode gives one response; use 1"));
    }
    let EditorTools { editor, tools, unusable } = offered;
    let may_run = |name: &str| !unusable.contains(name) && may_run(name, auto_tools);
    let tools: Vec<Tool> =
        tools.into_iter().map(|tool| tool.tool).filter(|tool| !auto || may_run(&tool.name)).collect();
    let runnable = tools.iter().map(|tool| tool.name.clone()).collect();
    if extensions.use_vscode_tools {
        conversation.tools = merged(std::mem::take(&mut conversation.tools), tools);
    }
    if !auto {
        return Ok(None);
    }
    conversation.messages = store.restore(std::mem::take(&mut conversation.messages));
    Ok(Some(AutoMode { editor, runnable, rounds: extensions.max_tool_rounds }))
}

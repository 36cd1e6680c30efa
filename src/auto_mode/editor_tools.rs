//! Adds the editor's tools to a request and selects those that auto mode may run. Pure.

use std::collections::HashSet;

use super::round_store::{HistoryHash, RoundStore};
use crate::bridge::Editor;
use crate::bridge::protocol::AutoTools;
use crate::conversation::{Conversation, Tool};
use crate::dialect::{RequestExtensions, Rounds, ToolExecution};
use crate::failure::Failure;
use crate::tools::executor::EditorTools;
use crate::tools::{merged, runnable};

/// Parameters of auto mode for one request.
pub struct AutoMode {
    /// Editor that runs the tools.
    pub(super) editor: Editor,
    /// Names of the tools that may run.
    pub(super) runnable: HashSet<String>,
    /// Limit of the rounds.
    pub(super) rounds: Rounds,
    /// Hash of the messages, as the client sent them.
    pub(super) history: HistoryHash,
}

/// Whether a request needs the editor's tools, so that they must be read.
pub fn are_needed(extensions: RequestExtensions) -> bool {
    extensions.use_vscode_tools || extensions.tool_execution == ToolExecution::Auto
}

/// Adds the editor's tools to a conversation if the request asks for them. Returns the parameters of auto mode if it is
/// on.
pub fn attach(
    conversation: &mut Conversation,
    extensions: RequestExtensions,
    editor_tools: EditorTools,
    auto_tools: &AutoTools,
    store: &RoundStore,
) -> Result<Option<AutoMode>, Failure> {
    let auto = extensions.tool_execution == ToolExecution::Auto;
    if auto && conversation.options.choices.is_some_and(|choices| choices.get() > 1) {
        return Err(Failure::unsupported("n", "auto mode gives one response; use 1"));
    }
    let EditorTools { editor, tools, unusable } = editor_tools;
    let tools: Vec<Tool> = if auto {
        runnable(tools, &unusable, auto_tools)
    } else {
        tools.into_iter().map(|tool| tool.tool).collect()
    };
    let runnable = tools.iter().map(|tool| tool.name.clone()).collect();
    if extensions.use_vscode_tools {
        conversation.tools = merged(std::mem::take(&mut conversation.tools), tools);
    }
    if !auto {
        return Ok(None);
    }
    let (messages, history) = store.restore(std::mem::take(&mut conversation.messages));
    conversation.messages = messages;
    Ok(Some(AutoMode { editor, runnable, rounds: extensions.max_tool_rounds, history }))
}

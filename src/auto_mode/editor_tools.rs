//! Adds the editor's tools to a request and selects those that auto mode may run. Pure.

use std::collections::HashSet;

use super::round_store::{HistoryHash, RoundStore};
use super::web_session::WebSession;
use crate::bridge::Editor;
use crate::bridge::protocol::AutoTools;
use crate::conversation::{Conversation, Tool};
use crate::dialect::{RequestExtensions, Rounds, ToolExecution};
use crate::failure::Failure;
use crate::tools::executor::EditorTools;
use crate::tools::{merged, runnable};

/// Parameters of auto mode for one request.
pub struct AutoMode {
    /// Editor that runs the tools; absent where only web tools run.
    pub(super) editor: Option<Editor>,
    /// Names of the tools that may run, without the web tools.
    pub(super) runnable: HashSet<String>,
    /// Limit of the rounds.
    pub(super) rounds: Rounds,
    /// Hash of the messages, as the client sent them.
    pub(super) history: HistoryHash,
    /// Web tools of the request.
    pub(super) web: WebSession,
}

/// Whether a request needs the editor's tools, so that they must be read.
pub fn are_needed(extensions: RequestExtensions) -> bool {
    extensions.use_vscode_tools || extensions.tool_execution == ToolExecution::Auto
}

/// Adds the editor's tools to a conversation if the request asks for them. Returns the editor and the names of the tools
/// that may run if auto mode is on.
pub fn merge(
    conversation: &mut Conversation,
    extensions: RequestExtensions,
    editor_tools: EditorTools,
    auto_tools: &AutoTools,
) -> Option<(Editor, HashSet<String>)> {
    let auto = extensions.tool_execution == ToolExecution::Auto;
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
    auto.then_some((editor, runnable))
}

/// Prepares auto mode for a conversation that has its tools: restores the rounds of earlier responses.
pub async fn prepare(
    conversation: &mut Conversation,
    extensions: RequestExtensions,
    attached: Option<(Editor, HashSet<String>)>,
    mut web: WebSession,
    store: &RoundStore,
) -> Result<AutoMode, Failure> {
    if conversation.options.choices.is_some_and(|choices| choices.get() > 1) {
        return Err(Failure::unsupported("n", "auto mode and web search give one response; use 1"));
    }
    web.check_demands(conversation).await?;
    let (editor, runnable) = attached.unzip();
    let (messages, history) = store.restore(std::mem::take(&mut conversation.messages));
    conversation.messages = messages;
    let runnable = runnable.unwrap_or_default();
    Ok(AutoMode { editor, runnable, rounds: extensions.max_tool_rounds, history, web })
}

//! What a request gets of the editor's tools, before it is asked.

use std::collections::HashSet;

use actix_web::HttpRequest;

use super::AppState;
use super::access::Client;
use super::tools::offered;
use crate::auto_mode::Plan;
use crate::bridge::Editor;
use crate::completion::PreparedCompletion;
use crate::conversation::{Conversation, Tool};
use crate::dialect::{RequestExtensions, Rounds, ToolExecution};
use crate::failure::Failure;
use crate::tools::executor::Offer;
use crate::tools::{may_run, merged};

/// What auto mode works with.
pub(super) struct AutoMode {
    window: Editor,
    runnable: HashSet<String>,
    limit: Rounds,
}

/// Adds the editor's tools to a conversation, where the request asks for them; auto mode runs those it returns.
pub(super) async fn attach(
    conversation: &mut Conversation,
    extras: RequestExtensions,
    request: &HttpRequest,
    client: Client,
    state: &AppState,
) -> Result<Option<AutoMode>, Failure> {
    let auto = extras.tool_execution == ToolExecution::Auto;
    if !auto && !extras.use_vscode_tools {
        return Ok(None);
    }
    let Offer { host, tools, unusable } = offered(request, &client, state).await?;
    let auto_tools = state.completions.user_settings.read().auto_tools.clone();
    let runs = |name: &str| auto && !unusable.contains(name) && may_run(name, &auto_tools);
    let tools = tools.into_iter().map(|tool| tool.tool).filter(|tool| !auto || runs(&tool.name));
    let names: HashSet<String>;
    if extras.use_vscode_tools {
        let tools: Vec<Tool> = tools.collect();
        names = tools.iter().map(|tool| tool.name.clone()).collect();
        conversation.tools = merged(std::mem::take(&mut conversation.tools), tools);
    } else {
        names = tools.map(|tool| tool.name).collect();
    }
    if !auto {
        return Ok(None);
    }
    if conversation.options.choices.is_some_and(|choices| choices.get() > 1) {
        return Err(Failure::unsupported("n", "auto mode gives one answer"));
    }
    conversation.messages = state.kept.restore(std::mem::take(&mut conversation.messages));
    Ok(Some(AutoMode { window: host, runnable: names, limit: extras.max_tool_rounds }))
}

impl AutoMode {
    /// The session that starts with a question that has been made ready.
    pub(super) fn plan(
        self,
        asked: PreparedCompletion,
        conversation: Conversation,
        state: &AppState,
    ) -> Plan {
        Plan {
            completions: state.completions.clone(),
            asked,
            conversation,
            executor: state.executor.clone(),
            host: self.window,
            runnable: self.runnable,
            limit: self.limit,
            kept: state.kept.clone(),
        }
    }
}

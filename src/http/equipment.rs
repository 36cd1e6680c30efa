//! What a request gets of the editor's tools, before it is asked.

use std::collections::HashSet;

use actix_web::HttpRequest;

use super::House;
use super::guard::Caller;
use super::tools::offered;
use crate::actors::session::Plan;
use crate::actors::tool_executor::Offer;
use crate::asking::Asked;
use crate::bridge::Host;
use crate::conversation::{Conversation, Tool};
use crate::dialect::{Extras, Rounds, ToolExecution};
use crate::failure::Failure;
use crate::tools::{may_run, merged};

/// What auto mode works with.
pub(super) struct Equipment {
    window: Host,
    runnable: HashSet<String>,
    limit: Rounds,
}

/// Adds the editor's tools to a conversation, where the request asks for them; auto mode runs those it returns.
pub(super) async fn equip(
    conversation: &mut Conversation,
    extras: Extras,
    request: &HttpRequest,
    caller: Caller,
    house: &House,
) -> Result<Option<Equipment>, Failure> {
    let auto = extras.tool_execution == ToolExecution::Auto;
    if !auto && !extras.use_vscode_tools {
        return Ok(None);
    }
    let Offer { host, tools, unusable } = offered(request, &caller, house).await?;
    let auto_tools = house.asking.preferences.read().auto_tools.clone();
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
    conversation.messages = house.kept.restore(std::mem::take(&mut conversation.messages));
    Ok(Some(Equipment { window: host, runnable: names, limit: extras.max_tool_rounds }))
}

impl Equipment {
    /// The session that starts with a question that has been made ready.
    pub(super) fn plan(self, asked: Asked, conversation: Conversation, house: &House) -> Plan {
        Plan {
            asking: house.asking.clone(),
            asked,
            conversation,
            executor: house.executor.clone(),
            host: self.window,
            runnable: self.runnable,
            limit: self.limit,
            kept: house.kept.clone(),
        }
    }
}

//! The control flow of auto mode: runs a completion, then the editor tools that the model called, then the next
//! completion, until there is a final response.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use actix::Addr;
use futures_util::StreamExt;
use futures_util::future::{join, join_all};
use parking_lot::Mutex;
use tokio::sync::mpsc::Sender;

use super::editor_tools::AutoMode;
use super::round_store::{ResponseEnd, RoundStore};
use super::tool_call::run_tool;
use super::web_session::WebSession;
use crate::bridge::Editor;
use crate::bridge::protocol::AutoModeStatus;
use crate::completion::{CompletionRequest, CompletionService, Events, StartedCompletion};
use crate::conversation::{
    Conversation, Event, Finish, Message, Part, Role, Round, ToolCall, ToolChoice, ToolRan, ToolResult, Usage,
};
use crate::dialect::Rounds;
use crate::failure::Failure;
use crate::tools::ToolExecutor;

/// Services that a tool loop uses; cheap to clone.
#[derive(Clone)]
pub(super) struct LoopServices {
    /// Runs models.
    pub completions: CompletionService,
    /// Runs the editor's tools.
    pub executor: Addr<ToolExecutor>,
    /// Stores finished rounds for the client's next request.
    pub rounds: Arc<RoundStore>,
}

type EventSender = Sender<Result<Event, Failure>>;

/// Progress of a tool loop: the loop writes it, its session reads it.
#[derive(Clone, Default)]
pub(super) struct Progress(Arc<Mutex<AutoModeStatus>>);

impl Progress {
    pub fn status(&self) -> AutoModeStatus {
        self.0.lock().clone()
    }

    fn start_round(&self, round: u32) {
        *self.0.lock() = AutoModeStatus { round, running_tools: Vec::new() };
    }

    fn start_tools(&self, calls: &[ToolCall]) {
        self.0.lock().running_tools = calls.iter().map(|call| call.name.clone()).collect();
    }

    fn end_tool(&self, name: &str) {
        let tools = &mut self.0.lock().running_tools;
        if let Some(index) = tools.iter().position(|tool| tool == name) {
            tools.remove(index);
        }
    }
}

/// Runs a request to its last event. A round is one response with tool calls, and their results.
pub(super) async fn run_tool_loop(
    services: LoopServices,
    auto_mode: AutoMode,
    first: StartedCompletion,
    mut conversation: Conversation,
    events: &EventSender,
    progress: &Progress,
) -> Result<(), Failure> {
    let AutoMode { editor, runnable, rounds, history, mut web } = auto_mode;
    let LoopServices { completions, executor, rounds: store } = services;
    // The model stays: another one would lose the provider's cache, and may not read this one's thinking.
    let StartedCompletion { request_id, model, client, session, meter, events: mut response, .. } = first;
    let mut total = Usage::default();
    let mut finished_rounds = Vec::new();
    let mut costs: Vec<Round> = Vec::new();
    // All that the client gets.
    let mut text = String::new();
    for round in 1.. {
        progress.start_round(round);
        // Its permit is free when this returns, before the next completion waits for one.
        let turn = stream_turn(response, &runnable, &mut web, events).await?;
        let (credits, premium_requests) = meter.lap();
        costs.push(Round {
            round,
            model: turn
                .usage
                .routed_model
                .as_ref()
                .map_or(model.id.as_str(), |routed| routed.as_str())
                .into(),
            input: turn.usage.input,
            output: turn.usage.output,
            credits,
            premium_requests,
        });
        total = total.and(turn.usage.clone());
        for part in &turn.parts {
            if let Part::Text { text: piece } = part {
                text.push_str(piece);
            }
        }
        let is_over_limit = matches!(rounds, Rounds::UpTo(limit) if round > limit.get());
        if turn.editor_calls.is_empty() || is_over_limit || turn.finish != Finish::ToolCalls {
            let finish = if is_over_limit { Finish::Length } else { turn.finish };
            if !finished_rounds.is_empty() {
                let end = match call_ids(&turn.client_calls) {
                    ids if ids.is_empty() => ResponseEnd::Text(history, text),
                    ids => ResponseEnd::ClientCalls(ids),
                };
                store.insert(end, finished_rounds);
            }
            let total = Usage { rounds: Some(costs.into()), web: web.requests, ..total };
            return finish_response(turn.client_calls, finish, total, events).await;
        }

        progress.start_tools(&turn.editor_calls);
        let results =
            run_calls(round, &turn.editor_calls, (&executor, editor.as_ref()), &mut web, events, progress)
                .await?;
        let (calls, results) = round_messages(turn.parts, turn.editor_calls, results);
        finished_rounds.extend([calls.clone(), results.clone()]);
        if !turn.client_calls.is_empty() {
            store.insert(ResponseEnd::ClientCalls(call_ids(&turn.client_calls)), finished_rounds);
            let total = Usage { rounds: Some(costs.into()), web: web.requests, ..total };
            return finish_response(turn.client_calls, Finish::ToolCalls, total, events).await;
        }
        conversation.messages.extend([calls, results]);
        // A required call has been made. The response after the last round must be text.
        let last = matches!(rounds, Rounds::UpTo(limit) if round == limit.get());
        conversation.tool_choice = match conversation.tool_choice {
            _ if last => ToolChoice::None,
            ToolChoice::Allowed { names, .. } => ToolChoice::Allowed { names, is_required: false },
            _ => ToolChoice::Auto,
        };
        let next = CompletionRequest::same_model(
            request_id.clone(),
            model.id.clone(),
            client.clone(),
            session.clone(),
            meter.clone(),
            conversation.clone(),
        );
        response = completions.start(next, |_| ()).await?.events;
    }
    Ok(())
}

/// One response of the model, read to its end.
#[derive(Default)]
struct Turn {
    /// Text and thinking in their order.
    parts: Vec<Part>,
    /// Calls of editor tools that may run.
    editor_calls: Vec<ToolCall>,
    /// Calls of all other tools, which the client runs.
    client_calls: Vec<ToolCall>,
    finish: Finish,
    usage: Usage,
}

/// Passes on text and thinking of a response while it streams, and collects its calls.
async fn stream_turn(
    mut response: Events,
    runnable: &HashSet<String>,
    web: &mut WebSession,
    events: &EventSender,
) -> Result<Turn, Failure> {
    let mut turn = Turn::default();
    while let Some(event) = response.next().await {
        match event? {
            Event::ToolCall(call) if web.has(&call.name) || runnable.contains(&call.name) => {
                turn.editor_calls.push(call);
            }
            Event::ToolCall(call) => turn.client_calls.push(call),
            Event::Finish(finish, usage) => {
                turn.finish = finish;
                turn.usage = usage;
            }
            Event::Text(text) => {
                turn.parts.push(Part::text(text.clone()));
                let mut cited = Vec::new();
                web.citations.text(text, |event| cited.push(event));
                for event in cited {
                    send(events, event).await?;
                }
            }
            Event::Thinking(thinking) => {
                match turn.parts.last_mut() {
                    Some(Part::Thinking(last)) if thinking.continues(last) => last.append(&thinking),
                    _ => turn.parts.push(Part::Thinking(thinking.clone())),
                }
                send(events, Event::Thinking(thinking)).await?;
            }
            other @ (Event::ToolRan(_) | Event::WebRan(_) | Event::Citation(_) | Event::Context(_)) => {
                send(events, other).await?;
            }
        }
    }
    let mut cited = Vec::new();
    web.citations.end_text(|event| cited.push(event));
    for event in cited {
        send(events, event).await?;
    }
    Ok(turn)
}

/// Runs the calls of one round, all at once, by the executor and in the editor. Returns their results, in the order of the
/// calls.
async fn run_calls(
    round: u32,
    calls: &[ToolCall],
    (executor, editor): (&Addr<ToolExecutor>, Option<&Editor>),
    web: &mut WebSession,
    events: &EventSender,
    progress: &Progress,
) -> Result<Vec<ToolResult>, Failure> {
    let (web_calls, editor_calls): (Vec<&ToolCall>, Vec<&ToolCall>) =
        calls.iter().partition(|call| web.has(&call.name));
    // Without an editor there are no calls of its tools.
    let runs =
        editor_calls.into_iter().filter_map(|call| Some(run_call(executor, editor?, round, call, progress)));
    let web_calls = web_calls.into_iter().cloned().collect();
    let (ran, web_ran) = join(join_all(runs), web.run(round, web_calls)).await;
    let mut results: HashMap<String, ToolResult> = HashMap::new();
    for ran in ran {
        results.insert(ran.call.id.clone(), ran.result.clone());
        send(events, Event::ToolRan(ran)).await?;
    }
    for web_ran in &web_ran {
        results.insert(web_ran.call().id.clone(), web_ran.result().clone());
        progress.end_tool(&web_ran.call().name);
    }
    if !web_ran.is_empty() {
        send(events, Event::WebRan(web_ran)).await?;
    }
    Ok(calls.iter().filter_map(|call| results.get(&call.id).cloned()).collect())
}

/// Runs one call in the editor and measures it.
async fn run_call(
    executor: &Addr<ToolExecutor>,
    editor: &Editor,
    round: u32,
    call: &ToolCall,
    progress: &Progress,
) -> ToolRan {
    let (result, time) = run_tool(executor, editor, call).await;
    progress.end_tool(&call.name);
    ToolRan { round, call: call.clone(), result, time }
}

/// Ends the client's response with the calls that the client runs.
async fn finish_response(
    client_calls: Vec<ToolCall>,
    finish: Finish,
    total: Usage,
    events: &EventSender,
) -> Result<(), Failure> {
    for call in client_calls {
        send(events, Event::ToolCall(call)).await?;
    }
    send(events, Event::Finish(finish, total)).await
}

async fn send(events: &EventSender, event: Event) -> Result<(), Failure> {
    events.send(Ok(event)).await.map_err(|_| Failure::Stopping)
}

/// Makes the messages of a round: the model's parts and calls, then the results of the calls.
fn round_messages(
    mut parts: Vec<Part>,
    calls: Vec<ToolCall>,
    results: Vec<ToolResult>,
) -> (Message, Message) {
    parts.extend(calls.into_iter().map(Part::ToolCall));
    let results = results.into_iter().map(Part::ToolResult).collect();
    (
        Message { role: Role::Assistant, name: None, parts },
        Message { role: Role::User, name: None, parts: results },
    )
}

fn call_ids(calls: &[ToolCall]) -> Vec<String> {
    calls.iter().map(|call| call.id.clone()).collect()
}

//! Auto mode: asks a model, runs the editor's tools that it calls, and asks again, until there is an answer.
//!
//! The actor is one request's lifetime; the story itself is `rounds`, which reads from top to bottom.

use std::collections::HashSet;
use std::sync::Arc;

use actix::{Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, WrapFuture};
use futures_util::StreamExt;
use futures_util::future::join_all;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::bridge::Editor;
use crate::completion::{CompletionRequest, CompletionService, Events, PreparedCompletion};
use crate::conversation::{
    Conversation, Event, Finish, Message, Part, Role, ToolCall, ToolChoice, ToolRan, ToolResult, Usage,
};
use crate::dialect::Rounds;
use crate::failure::Failure;
use crate::tools::executor::{StartTool, ToolExecutor};

mod round_store;

pub use round_store::RoundStore;

/// Events that may wait for the client; while they do, the model is not read.
const AHEAD: usize = 16;

/// What an auto-mode request is made of.
pub struct Plan {
    /// Asks the model again after each round.
    pub completions: CompletionService,
    /// The first question, ready to be sent.
    pub asked: PreparedCompletion,
    /// What it was made of.
    pub conversation: Conversation,
    /// Runs tools.
    pub executor: Addr<ToolExecutor>,
    /// Where they run.
    pub host: Editor,
    /// The names of those that may.
    pub runnable: HashSet<String>,
    /// How often.
    pub limit: Rounds,
    /// Finished rounds of answers that the client is to continue.
    pub kept: Arc<RoundStore>,
}

/// One auto-mode request, for as long as it lives.
struct Session {
    plan: Option<Plan>,
    events: Sender<Result<Event, Failure>>,
}

/// Starts a session. Its events come like any other answer's; dropping them cancels model and tools.
pub fn start(plan: Plan) -> Events {
    let (events, told) = channel(AHEAD);
    Session { plan: Some(plan), events }.start();
    Box::pin(futures_util::stream::unfold(told, |mut told: Receiver<_>| async move {
        told.recv().await.map(|event| (event, told))
    }))
}

impl Actor for Session {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        let Some(plan) = self.plan.take() else { return };
        let events = self.events.clone();
        let story = async move {
            tokio::select! {
                told = rounds(plan, &events) => if let Err(failure) = told {
                    // The client may have gone meanwhile.
                    let _ = events.send(Err(failure)).await;
                },
                () = events.closed() => log::info!("auto mode: the client has gone"),
            }
        };
        context.spawn(story.into_actor(self).map(|(), _, context| context.stop()));
    }
}

async fn rounds(plan: Plan, events: &Sender<Result<Event, Failure>>) -> Result<(), Failure> {
    let Plan { completions, mut asked, mut conversation, executor, host, runnable, limit, kept } = plan;
    let model = asked.model.id.clone();
    let mut total = Usage::default();
    let mut finished = Vec::new();
    for round in 1.. {
        let turn = listen(asked.answer(), &runnable, events).await?;
        // Its turn is over before the next is waited for.
        drop(asked);
        total = total.and(turn.usage);
        let used_up = matches!(limit, Rounds::UpTo(limit) if round > limit.get());
        if turn.ours.is_empty() || used_up || turn.finish != Finish::ToolCalls {
            let finish = if used_up { Finish::Length } else { turn.finish };
            return hand_back(turn.theirs, finish, total, events).await;
        }

        let run = turn.ours.iter().map(|call| run(&executor, &host, call.clone()));
        let results = join_all(run).await;
        for (call, result) in turn.ours.iter().zip(&results) {
            let ran = ToolRan { round, call: call.clone(), result: result.clone() };
            tell(events, Event::ToolRan(ran)).await?;
        }
        let (said, heard) = messages(turn.said, turn.ours, results);
        if !turn.theirs.is_empty() {
            finished.extend([without_words(said), heard]);
            kept.keep(turn.theirs.iter().map(|call| call.id.clone()).collect(), finished);
            return hand_back(turn.theirs, Finish::ToolCalls, total, events).await;
        }
        conversation.messages.extend([said.clone(), heard.clone()]);
        finished.extend([without_words(said), heard]);
        // What had to be called has been; the last turn is to say something.
        let last = matches!(limit, Rounds::UpTo(limit) if round == limit.get());
        conversation.tool_choice = if last { ToolChoice::None } else { ToolChoice::Auto };
        asked = completions
            .ask(CompletionRequest {
                model: Some(model.clone()),
                leniently: false,
                conversation: conversation.clone(),
            })
            .await?;
    }
    Ok(())
}

/// What a model said in one turn.
#[derive(Default)]
struct Turn {
    said: Vec<Part>,
    ours: Vec<ToolCall>,
    theirs: Vec<ToolCall>,
    finish: Finish,
    usage: Usage,
}

/// Tells the words of a turn as they come and keeps its calls.
async fn listen(
    mut answer: Events,
    runnable: &HashSet<String>,
    events: &Sender<Result<Event, Failure>>,
) -> Result<Turn, Failure> {
    let mut turn = Turn::default();
    while let Some(event) = answer.next().await {
        match event? {
            Event::ToolCall(call) if runnable.contains(&call.name) => turn.ours.push(call),
            Event::ToolCall(call) => turn.theirs.push(call),
            Event::Finish(finish, usage) => {
                turn.finish = finish;
                turn.usage = usage;
            }
            Event::Text(text) => {
                turn.said.push(Part::text(text.clone()));
                tell(events, Event::Text(text)).await?;
            }
            Event::Thinking(thinking) => {
                turn.said.push(Part::Thinking(thinking.clone()));
                tell(events, Event::Thinking(thinking)).await?;
            }
            other @ Event::ToolRan(_) => tell(events, other).await?,
        }
    }
    Ok(turn)
}

async fn run(executor: &Addr<ToolExecutor>, host: &Editor, call: ToolCall) -> ToolResult {
    let id = call.id.clone();
    match executor.send(StartTool { host: host.clone(), call }).await {
        Ok(run) => run.result().await,
        Err(error) => ToolResult {
            id,
            content: vec![crate::conversation::Content::Text { text: error.to_string() }],
            is_error: true,
        },
    }
}

/// The client goes on from here.
async fn hand_back(
    theirs: Vec<ToolCall>,
    finish: Finish,
    total: Usage,
    events: &Sender<Result<Event, Failure>>,
) -> Result<(), Failure> {
    for call in theirs {
        tell(events, Event::ToolCall(call)).await?;
    }
    tell(events, Event::Finish(finish, total)).await
}

async fn tell(events: &Sender<Result<Event, Failure>>, event: Event) -> Result<(), Failure> {
    events.send(Ok(event)).await.map_err(|_| Failure::Stopping)
}

/// A round as the model hears of it: what it said and called, and what came of the calls.
fn messages(said: Vec<Part>, calls: Vec<ToolCall>, results: Vec<ToolResult>) -> (Message, Message) {
    let calls = calls.into_iter().map(Part::ToolCall);
    let said = said.into_iter().chain(calls).collect();
    let results = results.into_iter().map(Part::ToolResult).collect();
    (
        Message { role: Role::Assistant, name: None, parts: said },
        Message { role: Role::User, name: None, parts: results },
    )
}

/// The words of a finished round reach the client and come back from it: only calls and results are kept.
fn without_words(mut said: Message) -> Message {
    said.parts.retain(|part| matches!(part, Part::ToolCall(_)));
    said
}

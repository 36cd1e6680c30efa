//! The actor of one auto-mode request: it runs the tool loop, reports its status and can be stopped.

use std::collections::HashMap;
use std::sync::Arc;

use actix::{
    Actor, ActorContext, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, MessageResult,
    WrapFuture,
};
use futures_util::stream::unfold;
use parking_lot::Mutex;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::editor_tools::AutoMode;
use super::tool_loop::{LoopServices, Progress, run_tool_loop};
use crate::bridge::protocol::AutoModeStatus;
use crate::completion::{Events, StartedCompletion};
use crate::conversation::{Conversation, Event};
use crate::failure::Failure;

/// Most events that wait for the client; the model's stream is not read while the buffer is full.
const BUFFERED_EVENTS: usize = 16;

/// Running sessions by the id of their request.
#[derive(Clone, Default)]
pub(super) struct Sessions(Arc<Mutex<HashMap<String, Addr<SessionActor>>>>);

impl Sessions {
    /// All running sessions.
    pub fn all(&self) -> Vec<(String, Addr<SessionActor>)> {
        self.0.lock().iter().map(|(id, session)| (id.clone(), session.clone())).collect()
    }
}

/// Reads the status of a session.
#[derive(Message)]
#[rtype(result = "AutoModeStatus")]
pub(super) struct GetStatus;

/// Stops a session: model and tools are cancelled, the client gets `Failure::Stopping`.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Stop;

/// Runs one auto-mode request.
pub(super) struct SessionActor {
    request_id: String,
    sessions: Sessions,
    events: Sender<Result<Event, Failure>>,
    progress: Progress,
    /// Taken when the actor starts.
    work: Option<(LoopServices, AutoMode, StartedCompletion, Conversation)>,
}

/// Starts the session of a request; dropping the events ends it.
pub(super) fn start(
    services: LoopServices,
    sessions: &Sessions,
    auto_mode: AutoMode,
    first: StartedCompletion,
    conversation: Conversation,
) -> Events {
    let (events, received) = channel(BUFFERED_EVENTS);
    let request_id = first.request_id.to_string();
    let session = SessionActor {
        request_id: request_id.clone(),
        sessions: sessions.clone(),
        events,
        progress: Progress::default(),
        work: Some((services, auto_mode, first, conversation)),
    };
    sessions.0.lock().insert(request_id, session.start());
    Box::pin(unfold(received, |mut received: Receiver<_>| async move {
        received.recv().await.map(|event| (event, received))
    }))
}

impl Actor for SessionActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        let Some((services, auto_mode, first, conversation)) = self.work.take() else { return };
        let (events, progress) = (self.events.clone(), self.progress.clone());
        let request_id = self.request_id.clone();
        let session = async move {
            tokio::select! {
                result = run_tool_loop(services, auto_mode, first, conversation, &events, &progress) => {
                    if let Err(failure) = result {
                        // The client may have disconnected meanwhile.
                        let _ = events.send(Err(failure)).await;
                    }
                }
                () = events.closed() => log::info!("auto mode: client disconnected request={request_id}"),
            }
        };
        context.spawn(session.into_actor(self).map(|(), _, context| context.stop()));
    }

    fn stopped(&mut self, _: &mut Context<Self>) {
        self.sessions.0.lock().remove(&self.request_id);
    }
}

impl Handler<GetStatus> for SessionActor {
    type Result = MessageResult<GetStatus>;

    fn handle(&mut self, _: GetStatus, _: &mut Context<Self>) -> Self::Result {
        MessageResult(self.progress.status())
    }
}

impl Handler<Stop> for SessionActor {
    type Result = ();

    fn handle(&mut self, _: Stop, context: &mut Context<Self>) {
        log::info!("auto mode: stopped by the user request={}", self.request_id);
        let events = self.events.clone();
        // Stopping drops the tool loop, and with it the model's response and the running tools.
        tokio::task::spawn_local(async move {
            let _ = events.send(Err(Failure::Stopping)).await;
        });
        context.stop();
    }
}

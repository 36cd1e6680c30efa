//! Events that the bridge reports to the rest of the server.

use std::sync::Arc;

use tokio::sync::mpsc::{Sender, UnboundedSender};
use tokio::sync::oneshot;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::editor::{Editor, EditorId};
use super::protocol::{
    ChangeBudget, GetUsage, LogLine, ModelInfo, PersonKey, ReadLog, Run, RunKey, UserSettings, Window,
};

/// Id of a program that `copilot-proxy run` started; counted up since the server started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProgramId(pub(super) u32);

/// Event of the bridge: an editor attached, sent a message about the connection, or detached.
pub enum BridgeEvent {
    /// An editor has attached; its window as the hello describes it.
    Attached(Editor, Window),
    /// An editor sent the list of its models.
    Models(EditorId, Vec<ModelInfo>),
    /// The focus or the folders of an editor's window changed.
    Window(EditorId, Window),
    /// An editor sent the user's settings: all of them, changed or not.
    UserSettings(UserSettings),
    /// An editor sent the user's keys: all of them, changed or not.
    Keys(Vec<PersonKey>),
    /// `copilot-proxy run` asks for a key for the program that it starts.
    ProgramAttached(ProgramId, Run, oneshot::Sender<RunKey>),
    /// That program has ended.
    ProgramDetached(ProgramId),
    /// `copilot-proxy logs` reads the log; its reading ends when the sender is dropped.
    ReadLog(ReadLog, Sender<LogLine>),
    /// The user starts the server: open the HTTP port.
    Start,
    /// The user stops the server: close the HTTP port.
    Stop,
    /// A newer editor asks this server to hand over to its own.
    Handover,
    /// An editor opened (`true`) or closed its panel.
    Watch(EditorId, bool),
    /// An editor asks for the captured bodies of the request with this id.
    GetExchange(EditorId, String),
    /// An editor asks for the sums of the usage.
    GetUsage(EditorId, GetUsage),
    /// The user stops the request with this id.
    StopRequest(String),
    /// The user changes a budget.
    ChangeBudget(ChangeBudget),
    /// An editor's connection has ended.
    Detached(EditorId),
}

/// Most events of one editor that wait to be handled. Its connection is not read until there is a place, so that a flood of
/// one editor delays those of others by this many at most.
const MAX_WAITING: usize = 64;

/// An event that waits to be handled.
pub struct QueuedEvent {
    /// The event.
    pub event: BridgeEvent,
    /// The place in the queue that is free again once the event is handled.
    _place: Option<OwnedSemaphorePermit>,
}

/// Sender of one editor's events.
pub(super) struct EventSender {
    queue: UnboundedSender<QueuedEvent>,
    places: Arc<Semaphore>,
}

impl EventSender {
    pub fn new(queue: UnboundedSender<QueuedEvent>) -> EventSender {
        EventSender { queue, places: Arc::new(Semaphore::new(MAX_WAITING)) }
    }

    /// Queues an event; waits for a place.
    pub async fn send(&self, event: BridgeEvent) {
        // The semaphore is never closed.
        let place = self.places.clone().acquire_owned().await.ok();
        // Fails only while the server is ending.
        let _ = self.queue.send(QueuedEvent { event, _place: place });
    }

    /// Queues the first or last event of a connection, which needs no place.
    pub fn send_now(&self, event: BridgeEvent) {
        let _ = self.queue.send(QueuedEvent { event, _place: None });
    }
}

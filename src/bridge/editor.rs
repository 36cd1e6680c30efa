//! The handle on an attached editor: runs models and tools in it.

use std::fmt;
use std::sync::Arc;

#[cfg(test)]
use bytes::BytesMut;
#[cfg(test)]
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::watch;

use super::outbox::Outbox;
use super::pending_requests::PendingRequests;
use super::protocol::{AskOrigin, Chat, InvokeTool, ToEditor};
use super::response_stream::{PendingResponse, ResponseStream};
#[cfg(test)]
use super::{frames::Incoming, protocol::FromEditor};
use crate::failure::Failure;

/// Pings in a row that may go unanswered before an editor counts as unresponsive. Ticks are counted, not time:
/// after a suspend all clocks jump, but no tick was missed.
const MISSED_PINGS: u32 = 3;

/// Pings in a row after which a running tool call fails: a minute, so that a tool that keeps the extension host busy is not
/// taken for one that never ends.
const MISSED_PINGS_OF_A_CALL: u32 = 12;

/// Id of an attached editor; counted up since the server started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EditorId(u32);

impl fmt::Display for EditorId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// Handle on an attached editor; cheap to clone.
#[derive(Clone)]
pub struct Editor {
    id: EditorId,
    pub(super) pending: Arc<PendingRequests>,
    outbox: Outbox,
    pub(super) unanswered_pings: watch::Sender<u32>,
}

impl Editor {
    pub(super) fn new(id: u32, outbox: Outbox) -> Editor {
        Editor {
            id: EditorId(id),
            pending: PendingRequests::new(outbox.clone()),
            outbox,
            unanswered_pings: watch::Sender::default(),
        }
    }

    /// Id of the editor; also in log lines.
    pub fn id(&self) -> EditorId {
        self.id
    }

    /// Sends a request to a model.
    pub fn chat(&self, chat: &Arc<Chat>) -> Result<ResponseStream, Failure> {
        ResponseStream::open(&self.pending, chat)
    }

    /// Lists the editor's tools as they are now.
    pub fn list_tools(&self) -> Result<PendingResponse, Failure> {
        PendingResponse::open(&self.pending, &ToEditor::ListTools)
    }

    /// Asks for the tools that there are, without starting MCP servers for them.
    pub fn poll_tools(&self) -> Result<PendingResponse, Failure> {
        PendingResponse::open(&self.pending, &ToEditor::PollTools)
    }

    /// Calls a tool of the editor.
    pub fn invoke_tool(&self, name: String, input: serde_json::Value) -> Result<PendingResponse, Failure> {
        PendingResponse::open(&self.pending, &ToEditor::InvokeTool(InvokeTool { name, input }))
    }

    /// Asks the user whether web pages of an origin may use the models.
    pub fn ask_origin(&self, origin: String) -> Result<PendingResponse, Failure> {
        PendingResponse::open(&self.pending, &ToEditor::AskOrigin(AskOrigin { origin }))
    }

    /// Sends a message about the connection as a whole; does nothing if the editor is gone.
    pub fn notify(&self, message: &ToEditor) {
        self.outbox.notify(0, message);
    }

    /// Fails all running requests of the editor and cancels them.
    pub fn fail_all(&self, failure: &Failure) {
        self.pending.fail_all(failure, false);
    }

    /// Number of the editor's running requests.
    pub fn open_requests(&self) -> usize {
        self.pending.count()
    }

    /// Whether the editor answers pings. One that is halted in a debugger does not, and is chosen last.
    pub fn is_responsive(&self) -> bool {
        *self.unanswered_pings.borrow() < MISSED_PINGS
    }

    /// Waits until the editor has missed so many pings that its tool calls are given up.
    pub async fn halted(&self) {
        // Fails only when the sender is gone, which this handle holds.
        let _ = self.unanswered_pings.subscribe().wait_for(|missed| *missed >= MISSED_PINGS_OF_A_CALL).await;
    }
}

#[cfg(test)]
impl Editor {
    /// An editor without a connection, for tests of code that sends requests to one. Returns the frames it is sent, too.
    pub(crate) fn unconnected() -> (Editor, UnboundedReceiver<BytesMut>) {
        let (outbox, queue) = Outbox::new();
        (Editor::new(1, outbox), queue.into_receiver())
    }

    /// Handles a message as if the editor had sent it; requests are numbered from 1.
    pub(crate) fn receive(&self, request: u32, message: FromEditor) {
        self.pending.receive(request, Incoming::Message(message));
    }
}

//! The table of the requests of one editor that wait for a response.
//!
//! `connection` puts in what the editor sends and never waits; the handles of `response_stream` take out, each at its own
//! pace.

use std::collections::HashMap;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::BytesMut;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::error::BridgeError;
use super::frames::Incoming;
use super::history::SentItems;
use super::outbox::Outbox;
use super::protocol::{Chat, FromEditor, ToEditor};
use super::stream_buffer::StreamBuffer;
use crate::conversation::Part;
use crate::failure::Failure;

/// Receiver of the one message that answers a request.
pub(super) type ResponseReceiver = oneshot::Receiver<Result<FromEditor, BridgeError>>;

/// All open requests of one editor, by the number of their stream.
pub(super) struct PendingRequests {
    table: Mutex<Table>,
    outbox: Outbox,
    /// Items of histories that the editor holds.
    sent: Mutex<SentItems>,
}

#[derive(Default)]
struct Table {
    /// Number of the stream that was opened last.
    last: u32,
    open: HashMap<u32, Pending>,
    /// Set when the editor is gone: later requests fail at once.
    closed: bool,
}

enum Pending {
    /// Answered with a stream of parts.
    Stream(PendingStream),
    /// Answered with one message.
    Single(oneshot::Sender<Result<FromEditor, BridgeError>>),
}

/// A stream of parts.
struct PendingStream {
    buffer: StreamBuffer,
    /// The request, to be sent again if the editor lacks items of it; `None` once it was, or has an answer.
    chat: Option<Arc<Chat>>,
}

impl PendingRequests {
    pub(super) fn new(outbox: Outbox) -> Arc<PendingRequests> {
        Arc::new(PendingRequests { table: Mutex::default(), outbox, sent: Mutex::default() })
    }

    /// Adds a request that is answered with a stream of parts; returns its number.
    pub(super) fn open_stream(&self, chat: Arc<Chat>) -> Result<u32, Failure> {
        self.open(Pending::Stream(PendingStream { buffer: StreamBuffer::default(), chat: Some(chat) }))
    }

    /// Adds a request that is answered with one message; returns its number and the receiver of that message.
    pub(super) fn open_single(&self) -> Result<(u32, ResponseReceiver), Failure> {
        let (sender, receiver) = oneshot::channel();
        Ok((self.open(Pending::Single(sender))?, receiver))
    }

    fn open(&self, pending: Pending) -> Result<u32, Failure> {
        let mut table = self.table.lock();
        if table.closed {
            return Err(Failure::EditorGone);
        }
        // 0 is the connection; a number still in use after four billion requests is skipped.
        loop {
            table.last = table.last.wrapping_add(1);
            if table.last != 0 && !table.open.contains_key(&table.last) {
                break;
            }
        }
        let stream = table.last;
        table.open.insert(stream, pending);
        Ok(stream)
    }

    /// Sends a request that was added.
    pub(super) fn send(&self, stream: u32, request: &ToEditor) -> Result<(), Failure> {
        self.outbox.request(stream, request)
    }

    /// Sends a request to a model that was added, without what the editor holds of its history.
    pub(super) fn send_chat(&self, stream: u32, chat: &Arc<Chat>) -> Result<(), Failure> {
        let mut bytes = BytesMut::new();
        // The frames of two requests must be sent in the order in which they were made.
        let mut sent = self.sent.lock();
        let put = sent.put_chat(stream, chat, &mut bytes).map_err(Failure::internal);
        let queued = put.and_then(|()| self.outbox.request_frames(stream, bytes));
        if queued.is_err() {
            sent.clear();
        }
        queued
    }

    /// Sends a request once more and whole.
    fn send_again(&self, stream: u32) -> bool {
        let chat = match self.table.lock().open.get_mut(&stream) {
            Some(Pending::Stream(pending)) => pending.chat.take(),
            Some(Pending::Single(_)) | None => return false,
        };
        log::info!("history sent again, the editor had dropped it stream={stream}");
        self.sent.lock().clear();
        let sent = match chat {
            Some(chat) => self.send_chat(stream, &chat),
            None => Err(Failure::internal("the editor lacks a history that it was just sent")),
        };
        sent.is_ok() || self.finish(stream, Err(BridgeError::Failed(Failure::EditorGone)))
    }

    /// Number of open requests.
    pub(super) fn count(&self) -> usize {
        self.table.lock().open.len()
    }

    /// Handles what the editor sends about a request; returns whether it is open. What comes about others came late and is
    /// ignored.
    pub(super) fn receive(&self, stream: u32, incoming: Incoming<FromEditor>) -> bool {
        match incoming {
            Incoming::Text(text) => self.push(stream, |buffer| buffer.push_text(text)),
            Incoming::Thinking(text) => self.push(stream, |buffer| buffer.push_thinking(text)),
            Incoming::Message(FromEditor::ThinkingId(thinking)) => self.push(stream, |buffer| {
                buffer.set_thinking_id(thinking.id);
                None
            }),
            Incoming::Message(FromEditor::Part(part)) => {
                self.push(stream, |buffer| buffer.push_part(part.part))
            }
            Incoming::Message(FromEditor::HistoryMissing) => self.send_again(stream),
            // Only editors are sent histories.
            Incoming::IncompleteHistory => false,
            Incoming::Message(FromEditor::End) => self.finish(stream, Ok(FromEditor::End)),
            Incoming::Message(FromEditor::Failed(error)) => {
                self.finish(stream, Err(BridgeError::Editor(error)))
            }
            Incoming::Message(response) => self.finish(stream, Ok(response)),
        }
    }

    fn push(&self, stream: u32, push: impl FnOnce(&mut StreamBuffer) -> Option<ToEditor>) -> bool {
        let mut table = self.table.lock();
        let Some(Pending::Stream(pending)) = table.open.get_mut(&stream) else { return false };
        pending.chat = None;
        let buffer = &mut pending.buffer;
        let is_open = buffer.is_open();
        if let Some(message) = push(buffer) {
            self.outbox.notify(stream, &message);
        }
        is_open
    }

    fn finish(&self, stream: u32, end: Result<FromEditor, BridgeError>) -> bool {
        let mut table = self.table.lock();
        if let Some(Pending::Stream(PendingStream { buffer, .. })) = table.open.get_mut(&stream) {
            let is_open = buffer.is_open();
            buffer.finish(end.map(|_| ()));
            is_open
        } else if let Some(Pending::Single(sender)) = table.open.remove(&stream) {
            // Fails if the receiver was dropped, which cancels the request by itself.
            let _ = sender.send(end);
            true
        } else {
            false
        }
    }

    /// Takes the next part of a stream; its end removes it.
    pub(super) fn poll_next(
        &self,
        stream: u32,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Part, BridgeError>>> {
        let mut table = self.table.lock();
        let Some(Pending::Stream(PendingStream { buffer, .. })) = table.open.get_mut(&stream) else {
            return Poll::Ready(None);
        };
        let (polled, message) = buffer.poll_next(context);
        if let Some(message) = message {
            self.outbox.notify(stream, &message);
        }
        if matches!(polled, Poll::Ready(None | Some(Err(_)))) {
            table.open.remove(&stream);
        }
        polled
    }

    /// Fails every open request; later ones fail at once if the editor is `gone`.
    pub(super) fn fail_all(&self, failure: &Failure, gone: bool) {
        let streams: Vec<u32> = {
            let mut table = self.table.lock();
            table.closed |= gone;
            table.open.keys().copied().collect()
        };
        for stream in streams {
            if !gone {
                self.outbox.notify(stream, &ToEditor::Cancel);
            }
            self.finish(stream, Err(BridgeError::Failed(failure.clone())));
        }
    }

    /// Removes a request that no longer has a reader, and cancels it if its response has not ended.
    pub(super) fn abandon(&self, stream: u32) {
        let was_open = match self.table.lock().open.remove(&stream) {
            Some(Pending::Stream(pending)) => pending.buffer.is_open(),
            Some(Pending::Single(_)) => true,
            None => false,
        };
        if was_open {
            self.outbox.notify(stream, &ToEditor::Cancel);
        }
    }
}

//! The requests of one editor that wait for a response.
//!
//! The reader puts in what the editor sends and never waits; each `ResponseStream` takes out at its own pace and has its
//! own byte budget: past the first limit the editor is asked to pause, past the second the stream fails alone.
//! Dropping a `ResponseStream` or a `PendingResponse` cancels the request.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_util::Stream;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::outbox::Outbox;
use super::protocol::{FromEditor, ProviderError, ToEditor};
use crate::conversation::{Part, Thinking};
use crate::failure::Failure;

/// Unread bytes at which the editor is asked to pause this answer.
const PAUSE_AT: usize = 256 * 1024;

/// Unread bytes below which it may go on.
const RESUME_AT: usize = 64 * 1024;

/// Unread bytes at which the answer fails: the editor did not pause, and memory is not unbounded.
const FAIL_AT: usize = 8 * 1024 * 1024;

/// Reasons for the end of a response.
#[derive(Clone, Debug, PartialEq)]
pub enum BridgeError {
    /// The provider's error; `completion` classifies it.
    Editor(ProviderError),
    /// The bridge or the server ended it.
    Failed(Failure),
}

/// All open requests of one editor.
pub(super) struct PendingRequests {
    table: Mutex<Table>,
    outbox: Outbox,
}

#[derive(Default)]
struct Table {
    last: u32,
    open: HashMap<u32, Pending>,
    /// Set when the editor is gone: later requests fail at once.
    closed: bool,
}

enum Pending {
    ForAnswer(StreamBuffer),
    ForReply(oneshot::Sender<Result<FromEditor, BridgeError>>),
}

/// Parts that have arrived and were not read yet.
#[derive(Default)]
struct StreamBuffer {
    parts: VecDeque<Part>,
    bytes: usize,
    end: Option<Result<(), BridgeError>>,
    paused: bool,
    thought: Option<String>,
    reader: Option<Waker>,
}

impl PendingRequests {
    pub(super) fn new(outbox: Outbox) -> Arc<PendingRequests> {
        Arc::new(PendingRequests { table: Mutex::default(), outbox })
    }

    /// Sends a request that is answered with a stream of parts.
    pub(super) fn open_stream(
        self: &Arc<PendingRequests>,
        question: &ToEditor,
    ) -> Result<ResponseStream, Failure> {
        let stream = self.open(Pending::ForAnswer(StreamBuffer::default()))?;
        let response = ResponseStream { pending: self.clone(), stream };
        self.outbox.send(stream, question)?;
        Ok(response)
    }

    /// Sends a request that is answered with one message.
    pub(super) fn open_request(
        self: &Arc<PendingRequests>,
        request: &ToEditor,
    ) -> Result<PendingResponse, Failure> {
        let (sender, receiver) = oneshot::channel();
        let stream = self.open(Pending::ForReply(sender))?;
        let reply = PendingResponse { pending: self.clone(), stream, receiver };
        self.outbox.send(stream, request)?;
        Ok(reply)
    }

    fn open(&self, waiting: Pending) -> Result<u32, Failure> {
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
        table.open.insert(stream, waiting);
        Ok(stream)
    }

    /// Number of open requests.
    pub(super) fn count(&self) -> usize {
        self.table.lock().open.len()
    }

    /// Words of an answer. Those not yet read are joined, but a lone blank stays alone: whether it is dropped
    /// is decided by what follows it.
    pub(super) fn text(&self, stream: u32, text: String) {
        self.push(stream, text.len(), |answer| match answer.parts.back_mut() {
            Some(Part::Text { text: last }) if last != " " && text != " " => last.push_str(&text),
            _ => answer.parts.push_back(Part::Text { text }),
        });
    }

    /// Words of a thought.
    pub(super) fn thinking(&self, stream: u32, text: String) {
        self.push(stream, text.len(), |answer| {
            let id = answer.thought.clone();
            answer.parts.push_back(Part::Thinking(Thinking { text, id }));
        });
    }

    /// Passes on any other message about a request. One about a request that is not open any more is late, not wrong.
    pub(super) fn message(&self, stream: u32, message: FromEditor) {
        match message {
            FromEditor::ThinkingId(thought) => {
                self.push(stream, 0, |answer| answer.thought = Some(thought.id));
            }
            FromEditor::Part(part) => {
                self.push(stream, size(&part.part), |answer| answer.parts.push_back(part.part));
            }
            FromEditor::End => self.end(stream, Ok(FromEditor::End)),
            FromEditor::Failed(error) => self.end(stream, Err(BridgeError::Editor(error))),
            reply => self.end(stream, Ok(reply)),
        }
    }

    fn push(&self, stream: u32, bytes: usize, put: impl FnOnce(&mut StreamBuffer)) {
        let mut table = self.table.lock();
        let Some(Pending::ForAnswer(answer)) = table.open.get_mut(&stream) else { return };
        if answer.end.is_some() {
            return;
        }
        put(answer);
        answer.bytes += bytes;
        if answer.bytes > FAIL_AT {
            answer.end = Some(Err(BridgeError::Failed(Failure::ClientTooSlow)));
            self.outbox.notify(stream, &ToEditor::Cancel);
        } else if answer.bytes > PAUSE_AT && !answer.paused {
            answer.paused = true;
            self.outbox.notify(stream, &ToEditor::Pause);
        }
        if let Some(reader) = answer.reader.take() {
            reader.wake();
        }
    }

    fn end(&self, stream: u32, end: Result<FromEditor, BridgeError>) {
        let mut table = self.table.lock();
        if let Some(Pending::ForAnswer(answer)) = table.open.get_mut(&stream) {
            answer.end.get_or_insert(end.map(|_| ()));
            if let Some(reader) = answer.reader.take() {
                reader.wake();
            }
        } else if let Some(Pending::ForReply(sender)) = table.open.remove(&stream) {
            // An error means that nobody waits any more.
            let _ = sender.send(end);
        }
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
            self.end(stream, Err(BridgeError::Failed(failure.clone())));
        }
    }

    fn abandon(&self, stream: u32) {
        let still_talking = match self.table.lock().open.remove(&stream) {
            Some(Pending::ForAnswer(answer)) => answer.end.is_none(),
            Some(Pending::ForReply(_)) => true,
            None => false,
        };
        if still_talking {
            self.outbox.notify(stream, &ToEditor::Cancel);
        }
    }
}

fn size(part: &Part) -> usize {
    match part {
        Part::Text { text } => text.len(),
        Part::Data(data) => data.base64.len(),
        Part::Thinking(thinking) => thinking.text.len(),
        Part::ToolCall(call) => call.input.to_string().len(),
        Part::ToolResult(_) => 0,
    }
}

/// An answer on its way. Ends after its last part or with the reason why no more comes. Dropping it cancels.
pub struct ResponseStream {
    pending: Arc<PendingRequests>,
    stream: u32,
}

impl Stream for ResponseStream {
    type Item = Result<Part, BridgeError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut table = self.pending.table.lock();
        let Some(Pending::ForAnswer(answer)) = table.open.get_mut(&self.stream) else {
            return Poll::Ready(None);
        };
        if let Some(part) = answer.parts.pop_front() {
            answer.bytes = answer.bytes.saturating_sub(size(&part));
            if answer.paused && answer.bytes < RESUME_AT && answer.end.is_none() {
                answer.paused = false;
                self.pending.outbox.notify(self.stream, &ToEditor::Resume);
            }
            return Poll::Ready(Some(Ok(part)));
        }
        match answer.end.take() {
            None => {
                answer.reader = Some(context.waker().clone());
                Poll::Pending
            }
            Some(end) => {
                table.open.remove(&self.stream);
                Poll::Ready(end.err().map(Err))
            }
        }
    }
}

impl Drop for ResponseStream {
    fn drop(&mut self) {
        self.pending.abandon(self.stream);
    }
}

/// A single message on its way. Dropping it cancels.
pub struct PendingResponse {
    pending: Arc<PendingRequests>,
    stream: u32,
    receiver: oneshot::Receiver<Result<FromEditor, BridgeError>>,
}

impl PendingResponse {
    /// Waits for the response.
    pub async fn get(mut self) -> Result<FromEditor, BridgeError> {
        (&mut self.receiver).await.unwrap_or(Err(BridgeError::Failed(Failure::EditorGone)))
    }
}

impl Drop for PendingResponse {
    fn drop(&mut self) {
        self.pending.abandon(self.stream);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, StreamExt};

    use super::*;
    use crate::bridge::frames::{FrameReader, Incoming};

    fn open() -> (Arc<PendingRequests>, ResponseStream, tokio::sync::mpsc::UnboundedReceiver<bytes::BytesMut>)
    {
        let (outbox, sent) = Outbox::new();
        let pending = PendingRequests::new(outbox);
        let response = pending.open_stream(&ToEditor::ListTools).unwrap();
        (pending, response, sent)
    }

    /// Decodes everything that was sent to the editor.
    async fn said(mut sent: tokio::sync::mpsc::UnboundedReceiver<bytes::BytesMut>) -> Vec<ToEditor> {
        let mut messages = Vec::new();
        while let Ok(bytes) = sent.try_recv() {
            let mut reader: FrameReader<&[u8], ToEditor> = FrameReader::new(&bytes);
            while let Ok(Some((1, Incoming::Message(message)))) = reader.next().await {
                messages.push(message);
            }
        }
        messages
    }

    #[tokio::test]
    async fn unread_words_are_joined_but_a_lone_blank_stays_alone() {
        let (pending, response, _sent) = open();
        for text in ["a", "b", " ", "c", "d"] {
            pending.text(1, text.into());
        }
        pending.message(1, FromEditor::End);
        let parts: Vec<_> = response.map(Result::unwrap).collect().await;
        assert_eq!(parts, [Part::text("ab"), Part::text(" "), Part::text("cd")]);
    }

    #[tokio::test]
    async fn letting_go_cancels_unless_the_answer_has_ended() {
        let (_lines, response, sent) = open();
        drop(response);
        assert_eq!(said(sent).await, [ToEditor::ListTools, ToEditor::Cancel]);

        let (pending, response, sent) = open();
        pending.message(1, FromEditor::End);
        drop(response);
        assert_eq!(said(sent).await, [ToEditor::ListTools]);
    }

    #[tokio::test]
    async fn an_unread_answer_is_paused_then_resumed_as_it_is_read() {
        let (pending, mut response, sent) = open();
        pending.text(1, "x".repeat(PAUSE_AT + 1));
        pending.text(1, " ".into());
        assert!(response.next().now_or_never().is_some());
        assert_eq!(said(sent).await, [ToEditor::ListTools, ToEditor::Pause, ToEditor::Resume]);
    }

    #[tokio::test]
    async fn an_answer_nobody_reads_fails_alone() {
        let (pending, response, sent) = open();
        pending.text(1, "x".repeat(FAIL_AT + 1));
        let parts: Vec<_> = response.collect().await;
        assert_eq!(parts.get(1), Some(&Err(BridgeError::Failed(Failure::ClientTooSlow))));
        assert_eq!(said(sent).await, [ToEditor::ListTools, ToEditor::Cancel]);
    }

    #[tokio::test]
    async fn when_the_editor_goes_all_that_waits_fails_and_so_does_what_comes_later() {
        let (pending, mut response, _sent) = open();
        let reply = pending.open_request(&ToEditor::ListTools).unwrap();
        pending.fail_all(&Failure::EditorGone, true);
        assert_eq!(response.next().await, Some(Err(BridgeError::Failed(Failure::EditorGone))));
        assert_eq!(reply.get().await, Err(BridgeError::Failed(Failure::EditorGone)));
        assert_eq!(pending.open_request(&ToEditor::ListTools).err(), Some(Failure::EditorGone));
    }
}

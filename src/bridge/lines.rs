//! Who waits for which answer of one editor.
//!
//! The reader puts in what the editor says and waits for nobody; each `Line` takes out at its own pace and keeps
//! its own account: past the first budget the editor is asked to pause, past the second the line fails alone.
//! Dropping a `Line` or a `Reply` cancels the request.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_util::Stream;
use parking_lot::Mutex;
use tokio::sync::oneshot;

use super::outbox::Outbox;
use super::protocol::{FromHost, HostError, ToHost};
use crate::conversation::{Part, Thinking};
use crate::failure::Failure;

/// Unread bytes at which the editor is asked to pause this answer.
const PAUSE_AT: usize = 256 * 1024;

/// Unread bytes below which it may go on.
const RESUME_AT: usize = 64 * 1024;

/// Unread bytes at which the answer fails: the editor did not pause, and memory is not unbounded.
const FAIL_AT: usize = 8 * 1024 * 1024;

/// Why no more comes on a line.
#[derive(Clone, Debug, PartialEq)]
pub enum Broken {
    /// The editor says the request failed; `asking` knows what the error means.
    Editor(HostError),
    /// The bridge or the server ended it.
    Failed(Failure),
}

/// All open requests of one editor.
pub(super) struct Lines {
    table: Mutex<Table>,
    outbox: Outbox,
}

#[derive(Default)]
struct Table {
    last: u32,
    open: HashMap<u32, Waiting>,
    /// Set when the editor is gone: later requests fail at once.
    closed: bool,
}

enum Waiting {
    ForAnswer(Answer),
    ForReply(oneshot::Sender<Result<FromHost, Broken>>),
}

/// What has come of an answer and was not read yet.
#[derive(Default)]
struct Answer {
    parts: VecDeque<Part>,
    bytes: usize,
    end: Option<Result<(), Broken>>,
    paused: bool,
    thought: Option<String>,
    reader: Option<Waker>,
}

impl Lines {
    pub(super) fn new(outbox: Outbox) -> Arc<Lines> {
        Arc::new(Lines { table: Mutex::default(), outbox })
    }

    /// Sends a request that is answered with a stream of parts.
    pub(super) fn ask(self: &Arc<Lines>, question: &ToHost) -> Result<Line, Failure> {
        let stream = self.open(Waiting::ForAnswer(Answer::default()))?;
        let line = Line { lines: self.clone(), stream };
        self.outbox.say(stream, question)?;
        Ok(line)
    }

    /// Sends a request that is answered with one message.
    pub(super) fn request(self: &Arc<Lines>, request: &ToHost) -> Result<Reply, Failure> {
        let (sender, receiver) = oneshot::channel();
        let stream = self.open(Waiting::ForReply(sender))?;
        let reply = Reply { lines: self.clone(), stream, receiver };
        self.outbox.say(stream, request)?;
        Ok(reply)
    }

    fn open(&self, waiting: Waiting) -> Result<u32, Failure> {
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

    /// How many requests are open.
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

    /// Any other message about a request. Those about a request that nobody waits for are late, not wrong.
    pub(super) fn message(&self, stream: u32, message: FromHost) {
        match message {
            FromHost::Thought(thought) => self.push(stream, 0, |answer| answer.thought = Some(thought.id)),
            FromHost::Part(part) => {
                self.push(stream, size(&part.part), |answer| answer.parts.push_back(part.part));
            }
            FromHost::End => self.end(stream, Ok(FromHost::End)),
            FromHost::Failed(error) => self.end(stream, Err(Broken::Editor(error))),
            reply => self.end(stream, Ok(reply)),
        }
    }

    fn push(&self, stream: u32, bytes: usize, put: impl FnOnce(&mut Answer)) {
        let mut table = self.table.lock();
        let Some(Waiting::ForAnswer(answer)) = table.open.get_mut(&stream) else { return };
        if answer.end.is_some() {
            return;
        }
        put(answer);
        answer.bytes += bytes;
        if answer.bytes > FAIL_AT {
            answer.end = Some(Err(Broken::Failed(Failure::ClientTooSlow)));
            self.outbox.tell(stream, &ToHost::Cancel);
        } else if answer.bytes > PAUSE_AT && !answer.paused {
            answer.paused = true;
            self.outbox.tell(stream, &ToHost::Pause);
        }
        if let Some(reader) = answer.reader.take() {
            reader.wake();
        }
    }

    fn end(&self, stream: u32, end: Result<FromHost, Broken>) {
        let mut table = self.table.lock();
        if let Some(Waiting::ForAnswer(answer)) = table.open.get_mut(&stream) {
            answer.end.get_or_insert(end.map(|_| ()));
            if let Some(reader) = answer.reader.take() {
                reader.wake();
            }
        } else if let Some(Waiting::ForReply(sender)) = table.open.remove(&stream) {
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
                self.outbox.tell(stream, &ToHost::Cancel);
            }
            self.end(stream, Err(Broken::Failed(failure.clone())));
        }
    }

    fn let_go(&self, stream: u32) {
        let still_talking = match self.table.lock().open.remove(&stream) {
            Some(Waiting::ForAnswer(answer)) => answer.end.is_none(),
            Some(Waiting::ForReply(_)) => true,
            None => false,
        };
        if still_talking {
            self.outbox.tell(stream, &ToHost::Cancel);
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
pub struct Line {
    lines: Arc<Lines>,
    stream: u32,
}

impl Stream for Line {
    type Item = Result<Part, Broken>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut table = self.lines.table.lock();
        let Some(Waiting::ForAnswer(answer)) = table.open.get_mut(&self.stream) else {
            return Poll::Ready(None);
        };
        if let Some(part) = answer.parts.pop_front() {
            answer.bytes = answer.bytes.saturating_sub(size(&part));
            if answer.paused && answer.bytes < RESUME_AT && answer.end.is_none() {
                answer.paused = false;
                self.lines.outbox.tell(self.stream, &ToHost::Resume);
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

impl Drop for Line {
    fn drop(&mut self) {
        self.lines.let_go(self.stream);
    }
}

/// A single message on its way. Dropping it cancels.
pub struct Reply {
    lines: Arc<Lines>,
    stream: u32,
    receiver: oneshot::Receiver<Result<FromHost, Broken>>,
}

impl Reply {
    /// What the editor replied.
    pub async fn get(mut self) -> Result<FromHost, Broken> {
        (&mut self.receiver).await.unwrap_or(Err(Broken::Failed(Failure::EditorGone)))
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.lines.let_go(self.stream);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, StreamExt};

    use super::*;
    use crate::bridge::frames::{Reader, Said};

    fn open() -> (Arc<Lines>, Line, tokio::sync::mpsc::UnboundedReceiver<bytes::BytesMut>) {
        let (outbox, sent) = Outbox::new();
        let lines = Lines::new(outbox);
        let line = lines.ask(&ToHost::ListTools).unwrap();
        (lines, line, sent)
    }

    /// All that was said to the editor.
    async fn said(mut sent: tokio::sync::mpsc::UnboundedReceiver<bytes::BytesMut>) -> Vec<ToHost> {
        let mut messages = Vec::new();
        while let Ok(bytes) = sent.try_recv() {
            let mut reader: Reader<&[u8], ToHost> = Reader::new(&bytes);
            while let Ok(Some((1, Said::Message(message)))) = reader.next().await {
                messages.push(message);
            }
        }
        messages
    }

    #[tokio::test]
    async fn unread_words_are_joined_but_a_lone_blank_stays_alone() {
        let (lines, line, _sent) = open();
        for text in ["a", "b", " ", "c", "d"] {
            lines.text(1, text.into());
        }
        lines.message(1, FromHost::End);
        let parts: Vec<_> = line.map(Result::unwrap).collect().await;
        assert_eq!(parts, [Part::text("ab"), Part::text(" "), Part::text("cd")]);
    }

    #[tokio::test]
    async fn letting_go_cancels_unless_the_answer_has_ended() {
        let (_lines, line, sent) = open();
        drop(line);
        assert_eq!(said(sent).await, [ToHost::ListTools, ToHost::Cancel]);

        let (lines, line, sent) = open();
        lines.message(1, FromHost::End);
        drop(line);
        assert_eq!(said(sent).await, [ToHost::ListTools]);
    }

    #[tokio::test]
    async fn an_unread_answer_is_paused_then_resumed_as_it_is_read() {
        let (lines, mut line, sent) = open();
        lines.text(1, "x".repeat(PAUSE_AT + 1));
        lines.text(1, " ".into());
        assert!(line.next().now_or_never().is_some());
        assert_eq!(said(sent).await, [ToHost::ListTools, ToHost::Pause, ToHost::Resume]);
    }

    #[tokio::test]
    async fn an_answer_nobody_reads_fails_alone() {
        let (lines, line, sent) = open();
        lines.text(1, "x".repeat(FAIL_AT + 1));
        let parts: Vec<_> = line.collect().await;
        assert_eq!(parts.get(1), Some(&Err(Broken::Failed(Failure::ClientTooSlow))));
        assert_eq!(said(sent).await, [ToHost::ListTools, ToHost::Cancel]);
    }

    #[tokio::test]
    async fn when_the_editor_goes_all_that_waits_fails_and_so_does_what_comes_later() {
        let (lines, mut line, _sent) = open();
        let reply = lines.request(&ToHost::ListTools).unwrap();
        lines.fail_all(&Failure::EditorGone, true);
        assert_eq!(line.next().await, Some(Err(Broken::Failed(Failure::EditorGone))));
        assert_eq!(reply.get().await, Err(Broken::Failed(Failure::EditorGone)));
        assert_eq!(lines.request(&ToHost::ListTools).err(), Some(Failure::EditorGone));
    }
}

//! The unread parts of one response, with their byte budget: past the first limit the editor has to pause, past the
//! second the response fails. Pure: it returns the message that the editor must get, and the table sends it.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use super::error::BridgeError;
use super::protocol::ToEditor;
use crate::conversation::{Part, Thinking};
use crate::failure::Failure;

/// Unread bytes at which the editor is asked to pause this response.
pub(super) const PAUSE_AT: usize = 256 * 1024;

/// Unread bytes below which a paused response is resumed.
const RESUME_BELOW: usize = 64 * 1024;

/// Unread bytes at which the response fails: the editor did not pause, and memory is limited.
pub(super) const FAIL_AT: usize = 8 * 1024 * 1024;

/// Parts that have arrived and were not read yet.
#[derive(Default)]
pub(super) struct StreamBuffer {
    parts: VecDeque<Part>,
    /// Memory that `parts` take.
    bytes: usize,
    /// Set once no more parts come.
    end: Option<Result<(), BridgeError>>,
    paused: bool,
    /// Id of the thinking that arrives now.
    thinking_id: Option<String>,
    reader: Option<Waker>,
}

impl StreamBuffer {
    /// Whether more parts may come.
    pub fn is_open(&self) -> bool {
        self.end.is_none()
    }

    /// Adds text. Unread texts are joined, but a lone blank stays alone: whether it is dropped depends on the part
    /// that follows it.
    pub fn push_text(&mut self, text: String) -> Option<ToEditor> {
        match self.parts.back_mut() {
            Some(Part::Text { text: last }) if self.end.is_none() && last != " " && text != " " => {
                last.push_str(&text);
                self.added(text.len())
            }
            _ => self.push_part(Part::Text { text }),
        }
    }

    /// Adds text of the thinking whose id was set last.
    pub fn push_thinking(&mut self, text: String) -> Option<ToEditor> {
        let id = self.thinking_id.clone();
        self.push_part(Part::Thinking(Thinking { id, ..Thinking::text(text) }))
    }

    /// Sets the id of the thinking that follows.
    pub fn set_thinking_id(&mut self, id: String) {
        self.thinking_id = Some(id);
    }

    /// Adds any other part.
    pub fn push_part(&mut self, part: Part) -> Option<ToEditor> {
        if !self.is_open() {
            return None;
        }
        let memory = part.memory();
        self.parts.push_back(part);
        self.added(memory)
    }

    /// Ends the response after the parts that are here. The first end counts.
    pub fn finish(&mut self, end: Result<(), BridgeError>) {
        self.end.get_or_insert(end);
        self.wake();
    }

    /// Takes the next part, with the message that the editor must get for it. After `Ready(None)` and after an error
    /// nothing follows.
    pub fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> (Poll<Option<Result<Part, BridgeError>>>, Option<ToEditor>) {
        if let Some(part) = self.parts.pop_front() {
            self.bytes = self.bytes.saturating_sub(part.memory());
            let resumes = self.paused && self.bytes < RESUME_BELOW && self.is_open();
            self.paused &= !resumes;
            return (Poll::Ready(Some(Ok(part))), resumes.then_some(ToEditor::Resume));
        }
        match &self.end {
            None => {
                self.reader = Some(context.waker().clone());
                (Poll::Pending, None)
            }
            Some(end) => (Poll::Ready(end.clone().err().map(Err)), None),
        }
    }

    /// Counts bytes that were added.
    fn added(&mut self, bytes: usize) -> Option<ToEditor> {
        self.bytes += bytes;
        let message = if self.bytes > FAIL_AT {
            self.end = Some(Err(BridgeError::Failed(Failure::ClientTooSlow)));
            Some(ToEditor::Cancel)
        } else if self.bytes > PAUSE_AT && !self.paused {
            self.paused = true;
            Some(ToEditor::Pause)
        } else {
            None
        };
        self.wake();
        message
    }

    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

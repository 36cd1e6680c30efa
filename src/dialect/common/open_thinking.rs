//! Thinking whose text is passed on piece by piece, until its seal is known: for dialects that put the seal on what follows it.

use super::sealed_thinking;
use crate::conversation::Thinking;

/// The pieces of one thinking until something else follows, without the text.
#[derive(Debug, Default)]
pub struct OpenThinking {
    thinking: Thinking,
    /// Length of the text, in bytes.
    length: usize,
}

impl OpenThinking {
    /// Adds a piece. Returns the seal of the thinking before it, if this piece begins another.
    pub fn add(&mut self, piece: &Thinking) -> Option<String> {
        let before = if piece.continues(&self.thinking) { None } else { self.seal() };
        self.thinking.append_seal(piece);
        self.length += piece.text.len();
        before
    }

    /// Ends the thinking; `None` if there is none, or if its provider doesn't take it back.
    pub fn seal(&mut self) -> Option<String> {
        let thinking = std::mem::take(&mut self.thinking);
        let length = std::mem::take(&mut self.length);
        sealed_thinking::seal_with_length(&thinking, length)
    }
}

//! Sealed thinking in a chat completion. The API has no place for it: it stands where clients of `OpenRouter` and of
//! Copilot look for theirs, and send it back.

use serde::Serialize;

use crate::conversation::Thinking;
use crate::dialect::common::sealed_thinking;

/// One sealed thinking, in the form of `OpenRouter`.
#[derive(Debug, Serialize)]
pub struct ReasoningDetail {
    #[serde(rename = "type")]
    kind: &'static str,
    /// Id of the tool call that the thinking led to, by which some clients keep it.
    id: Option<String>,
    data: String,
    format: &'static str,
    index: usize,
}

/// The pieces of one thinking until something else follows, without the text.
#[derive(Debug, Default)]
pub struct OpenThinking {
    thinking: Thinking,
    /// Length of the text, in bytes.
    length: usize,
    /// Number of the next detail.
    next: usize,
}

impl OpenThinking {
    /// Adds a piece. Returns the seal of the thinking before it, if this piece begins another.
    pub fn add(&mut self, piece: &Thinking) -> Option<ReasoningDetail> {
        let before = if piece.continues(&self.thinking) { None } else { self.seal(None) };
        self.thinking.append_seal(piece);
        self.length += piece.text.len();
        before
    }

    /// Ends the thinking; `call_id` is the tool call that follows it.
    pub fn seal(&mut self, call_id: Option<&str>) -> Option<ReasoningDetail> {
        let thinking = std::mem::take(&mut self.thinking);
        let length = std::mem::take(&mut self.length);
        let data = sealed_thinking::seal_with_length(&thinking, length)?;
        let index = self.next;
        self.next += 1;
        let id = call_id.map(str::to_owned);
        Some(ReasoningDetail { kind: "reasoning.encrypted", id, data, format: "unknown", index })
    }
}

impl ReasoningDetail {
    /// The seal alone.
    pub fn data(&self) -> &str {
        &self.data
    }
}

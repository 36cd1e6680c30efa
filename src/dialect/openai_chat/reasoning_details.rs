//! Sealed thinking in a chat completion. The API has no place for it: it stands where clients of `OpenRouter` and of
//! Copilot look for theirs, and send it back.

use serde::Serialize;

use crate::conversation::Thinking;
use crate::dialect::common::open_thinking::OpenThinking;

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

/// The thinking of a response and the number of its details so far.
#[derive(Debug, Default)]
pub struct ThinkingDetails {
    thinking: OpenThinking,
    /// Number of the next detail.
    next: usize,
}

impl ThinkingDetails {
    /// Adds a piece. Returns the seal of the thinking before it, if this piece begins another.
    pub fn add(&mut self, piece: &Thinking) -> Option<ReasoningDetail> {
        self.thinking.add(piece).map(|data| self.detail(data, None))
    }

    /// Ends the thinking; `call_id` is the tool call that follows it.
    pub fn seal(&mut self, call_id: Option<&str>) -> Option<ReasoningDetail> {
        self.thinking.seal().map(|data| self.detail(data, call_id))
    }

    fn detail(&mut self, data: String, call_id: Option<&str>) -> ReasoningDetail {
        let index = self.next;
        self.next += 1;
        let id = call_id.map(str::to_owned);
        ReasoningDetail { kind: "reasoning.encrypted", id, data, format: "unknown", index }
    }
}

impl ReasoningDetail {
    /// The seal alone.
    pub fn data(&self) -> &str {
        &self.data
    }
}

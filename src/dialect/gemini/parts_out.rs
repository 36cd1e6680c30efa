//! Parts of a candidate, made from its events. A seal of thinking stands on the part that follows it, as in Google's own
//! responses: clients that don't keep thinking keep that part.

use super::response::Part;
use crate::conversation::{Event, Thinking};
use crate::dialect::common::open_thinking::OpenThinking;

/// Position in a candidate.
#[derive(Debug, Default)]
pub struct PartMaker {
    thinking: OpenThinking,
    shows_thoughts: bool,
}

impl PartMaker {
    /// A candidate that has not begun.
    pub fn new(shows_thoughts: bool) -> PartMaker {
        PartMaker { thinking: OpenThinking::default(), shows_thoughts }
    }

    /// The parts of an event.
    pub fn parts(&mut self, event: &Event) -> Vec<Part> {
        match event {
            Event::Text(text) if text.is_empty() => Vec::new(),
            Event::Text(text) => vec![Part::text(text, self.thinking.seal())],
            Event::Thinking(piece) => self.thought(piece),
            Event::ToolCall(call) => vec![Part::call(call, self.thinking.seal())],
            Event::ToolRan(_) | Event::WebRan(_) | Event::Finish(..) => {
                sealed(self.thinking.seal()).collect()
            }
            // A citation is no part; only requests of other APIs ask for the other.
            Event::Citation(_) | Event::Context(_) => Vec::new(),
        }
    }

    fn thought(&mut self, piece: &Thinking) -> Vec<Part> {
        let before = sealed(self.thinking.add(piece));
        let is_shown = self.shows_thoughts && !piece.text.is_empty();
        before.chain(is_shown.then(|| Part::thought(&piece.text))).collect()
    }
}

/// An empty text that carries a seal, where no other part follows the thinking.
fn sealed(seal: Option<String>) -> impl Iterator<Item = Part> {
    seal.map(|seal| Part::text("", Some(seal))).into_iter()
}

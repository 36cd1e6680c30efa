//! Pairs tool calls with their results, when clients reuse ids, omit results or send them late.

use std::collections::{HashMap, VecDeque};

use crate::conversation::Part;

/// The place of each call's result and of each result's call, by the place of the part; both in `parts`, whose
/// speakers say where a turn ends.
pub fn partners<'a>(parts: impl Iterator<Item = (Speaker, &'a Part)>) -> HashMap<usize, usize> {
    let mut partners = HashMap::new();
    let mut open: HashMap<&str, OpenCalls> = HashMap::new();
    let mut turn = 0;
    let mut last = Speaker::User;
    for (place, (speaker, part)) in parts.enumerate() {
        if (last, speaker) == (Speaker::User, Speaker::Assistant) {
            turn += 1;
        }
        last = speaker;
        match part {
            Part::ToolCall(call) => open.entry(&call.id).or_default().add(turn, place),
            Part::ToolResult(result) => {
                if let Some(call) = open.get_mut(result.id.as_str()).and_then(OpenCalls::answered) {
                    partners.insert(call, place);
                    partners.insert(place, call);
                }
            }
            Part::Text { .. } | Part::Data(_) | Part::Thinking(_) => {}
        }
    }
    partners
}

/// The author of a part, whatever message it came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Speaker {
    /// Text and files of the user, results of tools.
    User,
    /// Words, thoughts and calls of the model.
    Assistant,
}

/// Calls with the same id that have no result yet.
#[derive(Default)]
struct OpenCalls {
    /// The turns with such calls, oldest first, each with the places of its calls in order; none is empty.
    turns: Vec<(u32, VecDeque<usize>)>,
}

impl OpenCalls {
    fn add(&mut self, turn: u32, place: usize) {
        match self.turns.last_mut() {
            Some((latest, places)) if *latest == turn => places.push_back(place),
            _ => self.turns.push((turn, VecDeque::from([place]))),
        }
    }

    /// Takes the call that a result belongs to: of the latest turn's, the first.
    fn answered(&mut self) -> Option<usize> {
        let (_, places) = self.turns.last_mut()?;
        let place = places.pop_front();
        if places.is_empty() {
            self.turns.pop();
        }
        place
    }
}

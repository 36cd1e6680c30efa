//! Pairs tool calls with their results, when clients reuse ids, omit results or send them late.

use std::collections::HashMap;

use crate::conversation::Part;

/// The place of each call's result and of each result's call, by the place of the part; both in `parts`, whose
/// speakers say where a turn ends.
pub fn partners<'a>(parts: impl Iterator<Item = (Speaker, &'a Part)>) -> HashMap<usize, usize> {
    let mut partners = HashMap::new();
    let mut open: HashMap<&str, Vec<OpenCall>> = HashMap::new();
    let mut turn = 0;
    let mut last = Speaker::User;
    for (place, (speaker, part)) in parts.enumerate() {
        if (last, speaker) == (Speaker::User, Speaker::Assistant) {
            turn += 1;
        }
        last = speaker;
        match part {
            Part::ToolCall(call) => open.entry(&call.id).or_default().push(OpenCall { turn, place }),
            Part::ToolResult(result) => {
                if let Some(call) = open.get_mut(result.id.as_str()).and_then(answered) {
                    partners.insert(call.place, place);
                    partners.insert(place, call.place);
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

#[derive(Clone, Copy)]
struct OpenCall {
    turn: u32,
    place: usize,
}

/// Of calls with the same id a result belongs to the latest turn's, and there to the first.
fn answered(calls: &mut Vec<OpenCall>) -> Option<OpenCall> {
    let latest = calls.last()?.turn;
    let first = calls.iter().position(|call| call.turn == latest)?;
    Some(calls.remove(first))
}

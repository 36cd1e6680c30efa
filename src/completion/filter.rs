//! The interface of filters over the events of a response, which plain completions and auto mode share.

use std::ops::ControlFlow;

use crate::conversation::Event;

/// A pure filter over the events of one answer. `Event::Finish` comes last and flushes whatever was held back.
pub trait Filter {
    /// Takes an event, appends what goes on to `out`.
    fn event(&mut self, event: Event, out: &mut Vec<Event>) -> ControlFlow<()>;
}

#[cfg(test)]
pub(crate) mod tests {
    //! Helpers for the tests of all filters.

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::conversation::{Finish, Thinking, ToolCall, Usage};

    pub fn text(text: &str) -> Event {
        Event::Text(text.into())
    }

    pub fn thinking(text: &str) -> Event {
        Event::Thinking(Thinking { text: text.into(), id: None })
    }

    pub fn call(id: &str) -> Event {
        Event::ToolCall(ToolCall { id: id.into(), name: "read".into(), input: json!({}) })
    }

    pub fn finish(finish: Finish) -> Event {
        Event::Finish(finish, Usage::default())
    }

    pub fn end() -> Event {
        finish(Finish::Stop)
    }

    /// Runs a filter over events; it gets none after it has returned `Break`.
    pub fn run(filter: &mut impl Filter, events: impl IntoIterator<Item = Event>) -> Vec<Event> {
        let mut out = Vec::new();
        for event in events {
            if filter.event(event, &mut out) == ControlFlow::Break(()) {
                break;
            }
        }
        out
    }

    /// Joins consecutive text and thinking and drops empty ones, as a reader of the whole response sees them.
    pub fn joined(events: impl IntoIterator<Item = Event>) -> Vec<Event> {
        let mut joined: Vec<Event> = Vec::new();
        for event in events {
            match (joined.last_mut(), event) {
                (Some(Event::Text(before)), Event::Text(text)) => before.push_str(&text),
                (Some(Event::Thinking(before)), Event::Thinking(more)) if before.id == more.id => {
                    before.text.push_str(&more.text);
                }
                (_, event) => joined.push(event),
            }
        }
        joined.retain(|event| *event != text("") && *event != thinking(""));
        joined
    }

    /// The same events, each text and thought cut after so many characters, over and over.
    pub fn cut(events: &[Event], sizes: &[usize]) -> Vec<Event> {
        let mut sizes = sizes.iter().copied().cycle();
        let mut pieces = |whole: &str| {
            let mut rest = whole.chars().peekable();
            let mut pieces = Vec::new();
            while rest.peek().is_some() {
                pieces.push(rest.by_ref().take(sizes.next().unwrap_or(1).max(1)).collect::<String>());
            }
            pieces
        };
        let mut cut = Vec::new();
        for event in events {
            match event {
                Event::Text(text) => cut.extend(pieces(text).into_iter().map(Event::Text)),
                Event::Thinking(Thinking { text, id }) => cut.extend(
                    pieces(text).into_iter().map(|text| Event::Thinking(Thinking { text, id: id.clone() })),
                ),
                other => cut.push(other.clone()),
            }
        }
        cut
    }

    /// Positions of a cut.
    pub fn sizes() -> impl Strategy<Value = Vec<usize>> {
        proptest::collection::vec(1usize..8, 1..8)
    }

    /// An answer, its texts of these words.
    pub fn answer(words: &'static str) -> impl Strategy<Value = Vec<Event>> {
        let event = prop_oneof![
            4 => words.prop_map(Event::Text),
            1 => words.prop_map(|text| Event::Thinking(Thinking { text, id: None })),
            1 => Just(call("1")),
        ];
        proptest::collection::vec(event, 0..6).prop_map(|mut events| {
            events.push(end());
            events
        })
    }
}

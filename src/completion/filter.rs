//! The trait of the filters over the events of a response, and helpers for their tests.

use std::ops::ControlFlow;

use crate::conversation::Event;

/// A pure filter over the events of one response. `Event::Finish` comes last and flushes all text that was held back.
pub trait Filter {
    /// Takes an event and appends the resulting events to `out`. `Break` means that the response is complete: `out`
    /// ends with its finish.
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
        Event::Thinking(Thinking::text(text))
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

    /// Runs a filter over events until it returns `Break`.
    pub fn run(filter: &mut impl Filter, events: impl IntoIterator<Item = Event>) -> Vec<Event> {
        let mut out = Vec::new();
        for event in events {
            if filter.event(event, &mut out) == ControlFlow::Break(()) {
                break;
            }
        }
        out
    }

    /// Joins consecutive parts of text and of thinking, and removes empty ones, as in a whole response.
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

    /// Cuts text and thinking into pieces of these numbers of characters, repeated in turn.
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
                Event::Thinking(thinking) => cut.extend(
                    pieces(&thinking.text)
                        .into_iter()
                        .map(|text| Event::Thinking(Thinking { text, ..thinking.clone() })),
                ),
                other => cut.push(other.clone()),
            }
        }
        cut
    }

    /// Sizes of pieces, in characters, for `cut`.
    pub fn sizes() -> impl Strategy<Value = Vec<usize>> {
        proptest::collection::vec(1usize..8, 1..8)
    }

    /// A response whose text and thinking match the regular expression `text`.
    pub fn response(text: &'static str) -> impl Strategy<Value = Vec<Event>> {
        let event = prop_oneof![
            4 => text.prop_map(Event::Text),
            1 => text.prop_map(|text| Event::Thinking(Thinking::text(text))),
            1 => Just(call("1")),
        ];
        proptest::collection::vec(event, 0..6).prop_map(|mut events| {
            events.push(end());
            events
        })
    }
}

//! Counts the usage of a response if the provider doesn't report it.

use std::ops::ControlFlow;

use super::filter::Filter;
use crate::conversation::{Event, Usage, UsageSource};
use crate::tokens;
use crate::tokens::pretokens::{self, IncrementalCounter};

/// Most uncounted text to keep, in bytes. To count so much takes some milliseconds; longer text is counted while it
/// streams.
const MAX_KEPT: usize = 64 * 1024;

/// Counts output tokens and fills in the usage of the finish. It is the last filter, so that it counts the text that
/// the client gets.
#[derive(Clone, Debug)]
pub struct UsageCounter {
    /// Input tokens.
    input: u64,
    text: TextCount,
    thinking: TextCount,
    /// Tokens of the tool calls.
    calls: u64,
}

/// The text of a response and its number of tokens.
#[derive(Clone, Debug)]
enum TextCount {
    /// Counted while it streams.
    Counted(IncrementalCounter),
    /// Kept to be counted if the provider's report doesn't come, as when the response is cut before its end.
    Kept(String),
}

impl TextCount {
    fn push(&mut self, text: &str) {
        match self {
            TextCount::Counted(counter) => counter.push(text),
            TextCount::Kept(kept) => {
                kept.push_str(text);
                if kept.len() > MAX_KEPT {
                    let mut counter = IncrementalCounter::default();
                    counter.push(kept);
                    *self = TextCount::Counted(counter);
                }
            }
        }
    }

    fn count(&self) -> u64 {
        match self {
            TextCount::Counted(counter) => counter.count(),
            TextCount::Kept(kept) => pretokens::count(kept),
        }
    }
}

impl UsageCounter {
    /// A counter for a request of `input` tokens; `is_reported` says whether the model reports its usage.
    pub fn new(input: u64, is_reported: bool) -> UsageCounter {
        let count = if is_reported {
            TextCount::Kept(String::new())
        } else {
            TextCount::Counted(IncrementalCounter::default())
        };
        UsageCounter { input, text: count.clone(), thinking: count, calls: 0 }
    }

    fn counted(&self) -> Usage {
        let reasoning = self.thinking.count();
        Usage {
            input: self.input,
            output: self.text.count() + self.calls + reasoning,
            reasoning,
            source: UsageSource::Counted,
            ..Usage::default()
        }
    }
}

impl Filter for UsageCounter {
    fn event(&mut self, event: Event, out: &mut Vec<Event>) -> ControlFlow<()> {
        match &event {
            Event::Text(text) => self.text.push(text),
            Event::Thinking(thinking) => self.thinking.push(&thinking.text),
            Event::ToolCall(call) => self.calls += tokens::count_call(&call.name, &call.input),
            // A call that ran in the editor was counted in its own round.
            Event::ToolRan(_)
            | Event::WebRan(_)
            | Event::Citation(_)
            | Event::Context(_)
            | Event::Finish(..) => {}
        }
        out.push(match event {
            Event::Finish(finish, usage) if usage.source == UsageSource::Counted => {
                Event::Finish(finish, Usage { routed_model: usage.routed_model, ..self.counted() })
            }
            other => other,
        });
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::completion::filter::tests::{call, cut, end, response, run, sizes, text, thinking};
    use crate::conversation::Finish;

    #[test]
    fn reported_usage_is_kept() {
        let reported = Usage { input: 7, output: 8, source: UsageSource::Reported, ..Usage::default() };
        let events = [text("a"), Event::Finish(Finish::Stop, reported)];
        assert_eq!(run(&mut UsageCounter::new(3, true), events.clone()), events);
    }

    #[test]
    fn unreported_usage_is_counted() {
        let call_tokens = tokens::count_call("read", &json!({}));
        let counted = Usage { input: 3, output: 4 + call_tokens, reasoning: 2, ..Usage::default() };
        let events = [thinking("one two"), text("three"), text(" four"), call("1")];
        let expected: Vec<Event> =
            events.iter().cloned().chain([Event::Finish(Finish::Stop, counted)]).collect();
        assert_eq!(run(&mut UsageCounter::new(3, false), events.into_iter().chain([end()])), expected);
    }

    #[test]
    fn missing_report_of_a_long_response_is_replaced_by_the_count() {
        let long = "one two three four. ".repeat(MAX_KEPT / 15);
        let events = [text(&long), text("five"), end()];
        let counted = |is_reported| run(&mut UsageCounter::new(1, is_reported), events.clone()).pop();
        assert_eq!(counted(true), counted(false));
    }

    proptest! {
        #[test]
        fn count_does_not_depend_on_part_borders(
            events in response("([a-zA-Z ]|[0-9'é\n日]){0,40}"),
            sizes in sizes(),
        ) {
            let whole = run(&mut UsageCounter::new(1, false), events.clone()).pop();
            prop_assert_eq!(&run(&mut UsageCounter::new(1, false), cut(&events, &sizes)).pop(), &whole);
            // The same if a report was expected and has not come.
            prop_assert_eq!(run(&mut UsageCounter::new(1, true), cut(&events, &sizes)).pop(), whole);
        }
    }
}

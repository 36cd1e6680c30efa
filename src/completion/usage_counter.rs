//! Counts the usage of a response that the provider doesn't report.

use std::ops::ControlFlow;

use super::filter::Filter;
use crate::conversation::{Event, Usage, UsageSource};
use crate::tokens;
use crate::tokens::pretokens::{self, IncrementalCounter};

/// Words that are kept are counted at once if they have to be, which takes some milliseconds for so many bytes; where
/// more come, they are counted as they come.
const KEPT_AT_MOST: usize = 64 * 1024;

/// Counts output tokens and fills in the usage at the end. It is the last filter, so that it sees what the client
/// sees.
#[derive(Clone, Debug)]
pub struct UsageCounter {
    input: u64,
    said: Words,
    thought: Words,
    called: u64,
}

/// Words of an answer.
#[derive(Clone, Debug)]
enum Words {
    /// Counted as they come.
    Counted(IncrementalCounter),
    /// Probably never counted: the provider will say what they cost, unless the answer is cut before its end.
    Kept(String),
}

impl Words {
    fn push(&mut self, text: &str) {
        match self {
            Words::Counted(meter) => meter.push(text),
            Words::Kept(kept) => {
                kept.push_str(text);
                if kept.len() > KEPT_AT_MOST {
                    let mut meter = IncrementalCounter::default();
                    meter.push(kept);
                    *self = Words::Counted(meter);
                }
            }
        }
    }

    fn count(&self) -> u64 {
        match self {
            Words::Counted(meter) => meter.count(),
            Words::Kept(kept) => pretokens::count(kept),
        }
    }
}

impl UsageCounter {
    /// A counter for a request of `input` tokens to a model that reports its usage, or doesn't.
    pub fn of_input(input: u64, is_reported: bool) -> UsageCounter {
        let words = if is_reported {
            Words::Kept(String::new())
        } else {
            Words::Counted(IncrementalCounter::default())
        };
        UsageCounter { input, said: words.clone(), thought: words, called: 0 }
    }

    fn counted(&self) -> Usage {
        let reasoning = self.thought.count();
        Usage {
            input: self.input,
            output: self.said.count() + self.called + reasoning,
            reasoning,
            source: UsageSource::Counted,
            ..Usage::default()
        }
    }
}

impl Filter for UsageCounter {
    fn event(&mut self, event: Event, out: &mut Vec<Event>) -> ControlFlow<()> {
        match &event {
            Event::Text(text) => self.said.push(text),
            Event::Thinking(thinking) => self.thought.push(&thinking.text),
            Event::ToolCall(call) => self.called += tokens::count_call(&call.name, &call.input),
            // What runs in the editor was said in a round of its own, and counted there.
            Event::ToolRan(_) | Event::Finish(..) => {}
        }
        out.push(match event {
            Event::Finish(finish, usage) if usage.source == UsageSource::Counted => {
                Event::Finish(finish, self.counted())
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
    use crate::completion::filter::tests::{answer, call, cut, end, run, sizes, text, thinking};
    use crate::conversation::Finish;

    #[test]
    fn what_the_provider_reports_stands() {
        let reported = Usage { input: 7, output: 8, source: UsageSource::Reported, ..Usage::default() };
        let events = [text("a"), Event::Finish(Finish::Stop, reported)];
        assert_eq!(run(&mut UsageCounter::of_input(3, true), events.clone()), events);
    }

    #[test]
    fn what_nobody_reports_is_counted() {
        let called = tokens::count_call("read", &json!({}));
        let counted = Usage { input: 3, output: 4 + called, reasoning: 2, ..Usage::default() };
        let said = [thinking("one two"), text("three"), text(" four"), call("1")];
        let wanted: Vec<Event> = said.iter().cloned().chain([Event::Finish(Finish::Stop, counted)]).collect();
        assert_eq!(run(&mut UsageCounter::of_input(3, false), said.into_iter().chain([end()])), wanted);
    }

    #[test]
    fn a_long_answer_without_the_report_that_was_expected_is_counted_all_the_same() {
        let words = "one two three four. ".repeat(KEPT_AT_MOST / 15);
        let said = [text(&words), text("five"), end()];
        let counted = |is_reported| run(&mut UsageCounter::of_input(1, is_reported), said.clone()).pop();
        assert_eq!(counted(true), counted(false));
    }

    proptest! {
        #[test]
        fn the_count_is_the_same_wherever_text_is_cut(events in answer("([a-zA-Z ]|[0-9'é\n日]){0,40}"), sizes in sizes()) {
            let whole = run(&mut UsageCounter::of_input(1, false), events.clone()).pop();
            prop_assert_eq!(&run(&mut UsageCounter::of_input(1, false), cut(&events, &sizes)).pop(), &whole);
            // So it is where the report that was expected has not come.
            prop_assert_eq!(run(&mut UsageCounter::of_input(1, true), cut(&events, &sizes)).pop(), whole);
        }
    }
}

//! What an answer cost, where the provider does not say.

use super::filter::{Filter, Flow};
use crate::conversation::{Event, Usage, UsageSource};
use crate::tokens;
use crate::tokens::pieces::Meter;

/// Counts what comes out and fills the usage of the end. It stands last, so that it hears what the client hears.
#[derive(Clone, Debug)]
pub struct CountUsage {
    input: u64,
    said: Meter,
    thought: Meter,
    called: u64,
}

impl CountUsage {
    /// For a question that counts so much.
    pub fn of_input(input: u64) -> CountUsage {
        CountUsage { input, said: Meter::default(), thought: Meter::default(), called: 0 }
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

impl Filter for CountUsage {
    fn event(&mut self, event: Event, out: &mut Vec<Event>) -> Flow {
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
        Flow::More
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::asking::filter::tests::{answer, call, cut, end, run, sizes, text, thinking};
    use crate::conversation::Finish;

    #[test]
    fn what_the_provider_reports_stands() {
        let reported = Usage { input: 7, output: 8, source: UsageSource::Reported, ..Usage::default() };
        let events = [text("a"), Event::Finish(Finish::Stop, reported)];
        assert_eq!(run(&mut CountUsage::of_input(3), events.clone()), events);
    }

    #[test]
    fn what_nobody_reports_is_counted() {
        let called = tokens::count_call("read", &json!({}));
        let counted = Usage { input: 3, output: 4 + called, reasoning: 2, ..Usage::default() };
        let said = [thinking("one two"), text("three"), text(" four"), call("1")];
        let wanted: Vec<Event> = said.iter().cloned().chain([Event::Finish(Finish::Stop, counted)]).collect();
        assert_eq!(run(&mut CountUsage::of_input(3), said.into_iter().chain([end()])), wanted);
    }

    proptest! {
        #[test]
        fn the_count_is_the_same_wherever_text_is_cut(events in answer("([a-zA-Z ]|[0-9'é\n日]){0,40}"), sizes in sizes()) {
            let whole = run(&mut CountUsage::of_input(1), events.clone()).pop();
            prop_assert_eq!(run(&mut CountUsage::of_input(1), cut(&events, &sizes)).pop(), whole);
        }
    }
}

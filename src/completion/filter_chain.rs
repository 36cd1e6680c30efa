//! The filters of a response, in their order. Pure.

use std::ops::ControlFlow;

use super::blank::BlankText;
use super::filter::Filter;
use super::json_output::JsonOutput;
use super::max_tokens::MaxTokens;
use super::single_tool_call::SingleToolCall;
use super::stop_sequences::StopSequences;
use super::usage_counter::UsageCounter;
use crate::conversation::{Event, Finish, Options, Usage};

/// Filters one after the other, each hearing what the one before lets go on.
#[derive(Default)]
pub struct FilterChain {
    filters: Vec<Box<dyn Filter>>,
    input: Vec<Event>,
    output: Vec<Event>,
}

impl FilterChain {
    /// The filters for these options. `schema_tool` is the tool that carries the JSON schema of the response;
    /// `counted_input` is the input's size for a model that doesn't report its usage; `is_reported` says whether it
    /// does.
    pub fn of(
        options: &Options,
        schema_tool: Option<&str>,
        counted_input: u64,
        is_reported: bool,
    ) -> FilterChain {
        let mut filters: Vec<Box<dyn Filter>> = vec![Box::new(BlankText::default())];
        // Before the others: they are about content, and this is what makes it.
        if let Some(tool) = schema_tool {
            filters.push(Box::new(JsonOutput::of_tool(tool)));
        }
        if !options.stop.is_empty() {
            filters.push(Box::new(StopSequences::at(options.stop.iter().cloned())));
        }
        if let Some(tokens) = options.max_tokens {
            filters.push(Box::new(MaxTokens::to(tokens)));
        }
        if options.one_call_at_most {
            filters.push(Box::new(SingleToolCall::default()));
        }
        // After all others: it counts what the client hears.
        filters.push(Box::new(UsageCounter::of_input(counted_input, is_reported)));
        FilterChain { filters, ..FilterChain::default() }
    }

    /// The answer is cut here by a failure. What was held back was output before it and goes on; if that makes the
    /// answer complete, its end goes on too.
    pub fn flush(&mut self, out: &mut Vec<Event>) -> ControlFlow<()> {
        let flow = self.event(Event::Finish(Finish::Stop, Usage::default()), out);
        if flow == ControlFlow::Continue(()) {
            // The end that never came.
            out.pop();
        }
        flow
    }
}

impl Filter for FilterChain {
    fn event(&mut self, event: Event, out: &mut Vec<Event>) -> ControlFlow<()> {
        let mut flow = ControlFlow::Continue(());
        self.input.push(event);
        for filter in &mut self.filters {
            for event in self.input.drain(..) {
                if filter.event(event, &mut self.output) == ControlFlow::Break(()) {
                    flow = ControlFlow::Break(());
                    break;
                }
            }
            std::mem::swap(&mut self.input, &mut self.output);
        }
        out.append(&mut self.input);
        flow
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::completion::filter::tests::{call, finish, joined, run, text};
    use crate::conversation::ToolCall;
    use crate::tokens::count_text;

    fn check(
        options: &Options,
        schema_tool: Option<&str>,
        events: impl IntoIterator<Item = Event>,
        wanted: impl Into<Vec<Event>>,
    ) {
        assert_eq!(joined(run(&mut FilterChain::of(options, schema_tool, 7, false), events)), wanted.into());
    }

    fn counted(how: Finish, output: u64) -> Event {
        Event::Finish(how, Usage { input: 7, output, ..Usage::default() })
    }

    #[test]
    fn without_wishes_an_answer_is_only_counted() {
        check(
            &Options::default(),
            None,
            [text("one"), text(" two"), finish(Finish::Stop)],
            [text("one two"), counted(Finish::Stop, 2)],
        );
    }

    #[test]
    fn a_cut_answer_is_counted_as_it_was_heard() {
        let options =
            Options { stop: vec!["STOP".into(), "END".into()], max_tokens: Some(3), ..Options::default() };
        check(
            &options,
            None,
            [text("one E"), text("ND two three four"), finish(Finish::Stop)],
            [text("one "), counted(Finish::StopSequence("END".into()), count_text("one "))],
        );
        check(
            &options,
            None,
            [text("one two three four END"), finish(Finish::Stop)],
            [text("one two three"), counted(Finish::Length, 3)],
        );
    }

    #[test]
    fn what_is_held_back_of_an_answer_that_fails_goes_on() {
        let options = Options { stop: vec!["END".into()], max_tokens: Some(4), ..Options::default() };
        let cut = |output: [Event; 2]| {
            let mut chain = FilterChain::of(&options, None, 7, false);
            let mut events = run(&mut chain, output);
            let flow = chain.flush(&mut events);
            (joined(events), flow)
        };
        assert_eq!(
            cut([text("one two E"), text("N")]),
            (vec![text("one two EN")], ControlFlow::Continue(()))
        );
        // All that the client wanted had been output before it failed.
        let complete = vec![text("one two three four"), counted(Finish::Length, 4)];
        assert_eq!(cut([text("one two three four"), text(" five")]), (complete, ControlFlow::Break(())));
    }

    #[test]
    fn a_limit_cuts_the_content_that_a_schema_gives() {
        let answer = ToolCall { id: "1".into(), name: "answer".into(), input: json!({"a": "one two three"}) };
        let options = Options { max_tokens: Some(4), ..Options::default() };
        check(
            &options,
            Some("answer"),
            [text("Sure, here it is:"), Event::ToolCall(answer), finish(Finish::ToolCalls)],
            [text(r#"{"a":"one"#), counted(Finish::Length, 4)],
        );
    }

    #[test]
    fn blanks_and_further_calls_are_dropped() {
        let options = Options { one_call_at_most: true, ..Options::default() };
        let output = 1 + crate::tokens::count_call("read", &json!({}));
        check(
            &options,
            None,
            [text("one"), text(" "), call("1"), text(" "), call("2"), finish(Finish::ToolCalls)],
            [text("one"), call("1"), counted(Finish::ToolCalls, output)],
        );
    }
}

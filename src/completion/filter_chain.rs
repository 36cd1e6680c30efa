//! The filters of a response, in their order. Pure.

use std::ops::ControlFlow;

use super::blank_text::BlankText;
use super::dropped_calls::{AllowedCalls, DroppedCalls};
use super::filter::Filter;
use super::json_output::JsonOutput;
use super::max_tokens::MaxTokens;
use super::price::{CostEstimate, Price};
use super::required_output::RequiredOutput;
use super::single_tool_call::SingleToolCall;
use super::stop_sequences::StopSequences;
use super::usage_counter::UsageCounter;
use crate::bridge::protocol::ModelInfo;
use crate::conversation::{Event, Finish, Options, Usage};

/// Filters in a row: each gets the events that the one before it passes on.
#[derive(Default)]
pub struct FilterChain {
    filters: Vec<Box<dyn Filter>>,
    input: Vec<Event>,
    output: Vec<Event>,
}

impl FilterChain {
    /// The filters for these options and requirements. Calls that the client must not get are recorded in `dropped`.
    /// `counted_input` are the input tokens for a model that doesn't report its usage.
    pub fn new(
        options: &Options,
        required: &RequiredOutput,
        dropped: &DroppedCalls,
        counted_input: u64,
        model: &ModelInfo,
    ) -> FilterChain {
        let mut filters: Vec<Box<dyn Filter>> = vec![Box::new(BlankText::default())];
        if let Some(names) = required.allowed_calls() {
            filters.push(Box::new(AllowedCalls::new(&names, dropped.clone())));
        }
        // Before the filters of content, since it makes the content.
        if let Some(tool) = required.json_tool() {
            filters.push(Box::new(JsonOutput::new(tool)));
        }
        if !options.stop.is_empty() {
            filters.push(Box::new(StopSequences::new(options.stop.iter().cloned())));
        }
        if let Some(tokens) = options.max_tokens {
            filters.push(Box::new(MaxTokens::new(tokens)));
        }
        if options.single_tool_call {
            filters.push(Box::new(SingleToolCall::new(dropped.clone())));
        }
        // After all others, so that it counts the text that the client gets.
        filters.push(Box::new(UsageCounter::new(counted_input, model.reports_usage)));
        if let Some(price) = Price::of(model) {
            filters.push(Box::new(CostEstimate(price)));
        }
        // Every stream has these for as long as it runs; nearly always one event passes at a time.
        FilterChain { filters, input: Vec::with_capacity(1), output: Vec::with_capacity(1) }
    }

    /// Flushes the text that is held back when a failure ends the response, and returns the usage until then. Returns
    /// `Break`, with a finish in `out`, if that text completes the response.
    pub fn flush(&mut self, out: &mut Vec<Event>) -> ControlFlow<(), Usage> {
        if self.event(Event::Finish(Finish::Stop, Usage::default()), out).is_break() {
            return ControlFlow::Break(());
        }
        // The finish was only made to flush the filters.
        match out.pop() {
            Some(Event::Finish(_, usage)) => ControlFlow::Continue(usage),
            _ => ControlFlow::Continue(Usage::default()),
        }
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
    use crate::completion::required_output::RequiredContent;
    use crate::conversation::ToolCall;
    use crate::tokens::count_text;

    fn check(
        options: &Options,
        output_tool: Option<&str>,
        events: impl IntoIterator<Item = Event>,
        expected: impl Into<Vec<Event>>,
    ) {
        assert_eq!(joined(run(&mut chain(options, output_tool), events)), expected.into());
    }

    fn chain(options: &Options, output_tool: Option<&str>) -> FilterChain {
        let content = output_tool.map_or(RequiredContent::Anything, |tool| RequiredContent::Json {
            tool: tool.into(),
            schema: json!({}),
        });
        let required = RequiredOutput { content, ..RequiredOutput::default() };
        FilterChain::new(options, &required, &DroppedCalls::default(), 7, &ModelInfo::default())
    }

    fn counted(finish: Finish, output: u64) -> Event {
        Event::Finish(finish, Usage { input: 7, output, ..Usage::default() })
    }

    #[test]
    fn without_options_a_response_is_only_counted() {
        check(
            &Options::default(),
            None,
            [text("one"), text(" two"), finish(Finish::Stop)],
            [text("one two"), counted(Finish::Stop, 2)],
        );
    }

    #[test]
    fn truncated_response_is_counted_as_sent() {
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
    fn failure_flushes_held_text() {
        let options = Options { stop: vec!["END".into()], max_tokens: Some(4), ..Options::default() };
        let cut = |output: [Event; 2]| {
            let mut chain = chain(&options, None);
            let mut events = run(&mut chain, output);
            let flow = chain.flush(&mut events).map_continue(|usage| usage.output);
            (joined(events), flow)
        };
        assert_eq!(
            cut([text("one two E"), text("N")]),
            (vec![text("one two EN")], ControlFlow::Continue(count_text("one two EN")))
        );
        // The limit was reached before the failure, so the response is complete.
        let complete = vec![text("one two three four"), counted(Finish::Length, 4)];
        assert_eq!(cut([text("one two three four"), text(" five")]), (complete, ControlFlow::Break(())));
    }

    #[test]
    fn max_tokens_truncates_json_output() {
        let call = ToolCall { id: "1".into(), name: "answer".into(), input: json!({"a": "one two three"}) };
        let options = Options { max_tokens: Some(4), ..Options::default() };
        check(
            &options,
            Some("answer"),
            [text("Sure, here it is:"), Event::ToolCall(call), finish(Finish::ToolCalls)],
            [text(r#"{"a":"one"#), counted(Finish::Length, 4)],
        );
    }

    #[test]
    fn blanks_and_further_calls_are_removed() {
        let options = Options { single_tool_call: true, ..Options::default() };
        let output = 1 + crate::tokens::count_call("read", &json!({}));
        check(
            &options,
            None,
            [text("one"), text(" "), call("1"), text(" "), call("2"), finish(Finish::ToolCalls)],
            [text("one"), call("1"), counted(Finish::ToolCalls, output)],
        );
    }
}

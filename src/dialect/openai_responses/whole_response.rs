//! Builds a whole response from the same events that a stream encodes.

use serde_json::{Value, json};

use super::ResponseOptions;
use super::output_builder::OutputBuilder;
use super::response_object::Response;
use crate::conversation::{Event, Finish, Usage};
use crate::dialect::ResponseMeta;
use crate::dialect::common::extensions::ResponseExtensions;

/// Collects the output of a response; the API has one choice only.
pub fn output(meta: &ResponseMeta, options: &ResponseOptions, choice_events: &[Vec<Event>]) -> OutputBuilder {
    let mut output = OutputBuilder::new(meta, options);
    for event in choice_events.iter().take(1).flatten() {
        output.event(event, &mut |_| {});
    }
    output
}

/// Builds the whole response.
pub fn response(meta: &ResponseMeta, options: &ResponseOptions, choice_events: &[Vec<Event>]) -> Value {
    of_output(meta, options, choice_events, &output(meta, options, choice_events))
}

/// Builds the response of an output that has been collected already.
pub fn of_output(
    meta: &ResponseMeta,
    options: &ResponseOptions,
    choice_events: &[Vec<Event>],
    output: &OutputBuilder,
) -> Value {
    let (finish, usage) = end(choice_events);
    let extra = ResponseExtensions { tools: output.ran(), ..ResponseExtensions::last(&usage) };
    json!(Response::in_progress(meta, &options.echo, output.items()).ended(&finish, usage, extra))
}

/// The end of the response, and its usage.
pub fn end(choice_events: &[Vec<Event>]) -> (Finish, Usage) {
    let mut events = choice_events.iter().take(1).flatten();
    let end = events.find_map(|event| match event {
        Event::Finish(finish, usage) => Some((finish.clone(), usage.clone())),
        _ => None,
    });
    end.unwrap_or_default()
}

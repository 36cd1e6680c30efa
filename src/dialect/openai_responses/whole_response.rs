//! Builds a whole response from the same events that a stream encodes.

use serde_json::{Value, json};

use super::ResponseOptions;
use super::output_builder::OutputBuilder;
use super::response_object::Response;
use crate::conversation::{Event, Finish, Usage};
use crate::dialect::ResponseMeta;
use crate::dialect::common::extensions::ResponseExtensions;

/// Collects the output of a response; the API has one choice only.
pub fn output(meta: &ResponseMeta, options: &ResponseOptions, answers: &[Vec<Event>]) -> OutputBuilder {
    let mut answer = OutputBuilder::new(meta, options);
    for event in answers.iter().take(1).flatten() {
        answer.event(event, &mut |_| {});
    }
    answer
}

/// Builds the whole response.
pub fn response(meta: &ResponseMeta, options: &ResponseOptions, answers: &[Vec<Event>]) -> Value {
    of_output(meta, options, answers, &output(meta, options, answers))
}

/// Builds the response of an output that has been collected already.
pub fn of_output(
    meta: &ResponseMeta,
    options: &ResponseOptions,
    answers: &[Vec<Event>],
    answer: &OutputBuilder,
) -> Value {
    let (finish, usage) = end(answers);
    let extra = ResponseExtensions { tools: answer.ran(), ..ResponseExtensions::last(&usage) };
    json!(Response::in_progress(meta, &options.echo, answer.items()).ended(&finish, usage, extra))
}

/// The end of the response, and its usage.
pub fn end(answers: &[Vec<Event>]) -> (Finish, Usage) {
    let mut events = answers.iter().take(1).flatten();
    let end = events.find_map(|event| match event {
        Event::Finish(finish, usage) => Some((finish.clone(), *usage)),
        _ => None,
    });
    end.unwrap_or_default()
}

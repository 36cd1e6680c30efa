//! A whole response: the same events, folded.

use serde_json::{Value, json};

use super::Form;
use super::answer::Answer;
use super::response::Response;
use crate::conversation::{Event, Finish, Usage};
use crate::dialect::About;
use crate::dialect::common::extra::Extra;

/// The answer in the end; the API asks for one only.
pub fn gather(about: &About, form: &Form, answers: &[Vec<Event>]) -> Answer {
    let mut answer = Answer::new(about, form.names.clone());
    for event in answers.iter().take(1).flatten() {
        answer.event(event, &mut |_| {});
    }
    answer
}

/// Says the answer.
pub fn reply(about: &About, form: &Form, answers: &[Vec<Event>]) -> Value {
    told(about, form, answers, &gather(about, form, answers))
}

/// Says an answer that has been gathered already.
pub fn told(about: &About, form: &Form, answers: &[Vec<Event>], answer: &Answer) -> Value {
    let (finish, usage) = answers
        .iter()
        .take(1)
        .flatten()
        .find_map(|event| match event {
            Event::Finish(finish, usage) => Some((finish, *usage)),
            _ => None,
        })
        .unwrap_or((&Finish::Stop, Usage::default()));
    let extra = Extra { usage: Some(usage.source), tools: answer.ran() };
    json!(Response::in_progress(about, &form.echo, answer.items()).ended(finish, usage, extra))
}

//! OpenAI responses: `POST /v1/responses`, what Codex speaks.
//!
//! `wire` is the request as it is sent; `read` and its neighbours make a conversation of it, with what
//! `memory` kept of earlier answers. `answer` gathers the events of an answer into output items, `stream` says
//! each step of that, `reply` only the end, both with the object of `response`.

use std::sync::Arc;

use serde_json::Value;

use crate::conversation::{Event, Message};
use crate::dialect::common::openai_error;
use crate::dialect::{About, Ask, Dialect, Refusal};
use crate::failure::Failure;

mod answer;
mod content;
mod input;
mod memory;
mod names;
mod output;
mod read;
mod reply;
mod response;
mod stream;
mod stream_event;
mod tools;
mod wire;

#[cfg(test)]
mod tests;

pub use memory::Memory;

/// The dialect.
pub struct OpenAiResponses;

/// What of a request decides the answer's form.
#[derive(Clone)]
pub struct Form {
    /// What every answer repeats of the request.
    echo: Arc<response::Echo>,
    /// What the client calls the tools.
    names: Arc<names::Names>,
    /// What has been said up to this answer, for later requests; none if the client wants nothing kept.
    said: Option<Arc<Vec<Message>>>,
}

impl Dialect for OpenAiResponses {
    const NAME: &'static str = "openai-responses";
    const REMEMBERS: bool = true;

    type Form = Form;
    type Memory = Memory;
    type Encoder = stream::Steps;

    fn read(body: &[u8], memory: &Memory) -> Result<(Ask, Form), Failure> {
        read::read(body, memory)
    }

    fn encoder(about: &About, form: &Form) -> stream::Steps {
        stream::Steps::new(about, form)
    }

    fn reply(about: &About, form: &Form, answers: &[Vec<Event>]) -> Value {
        reply::reply(about, form, answers)
    }

    fn refuse(failure: &Failure) -> Refusal {
        openai_error::refusal(failure)
    }

    fn remember(memory: &Memory, about: &About, form: &Form, answers: &[Vec<Event>]) {
        if let Some(said) = &form.said {
            let answer = reply::gather(about, form, answers);
            let told = reply::told(about, form, answers, &answer).to_string();
            memory.keep(response::id(about), said, answer.into_messages(), told);
        }
    }
}

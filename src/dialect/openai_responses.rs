//! OpenAI's Responses API: `POST /v1/responses`, which Codex uses.
//!
//! `wire` is the request as it is sent; `read` and its neighbours make a conversation of it, with what
//! `memory` kept of earlier answers. `answer` gathers the events of an answer into output items, `stream` says
//! each step of that, `reply` only the end, both with the object of `response`.

use std::sync::Arc;

use serde_json::Value;

use crate::conversation::{Event, Message};
use crate::dialect::common::openai_error;
use crate::dialect::{Dialect, ErrorResponse, ParsedRequest, ResponseMeta};
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

/// OpenAI's Responses API.
pub struct OpenAiResponses;

/// Options of the request that shape the response.
#[derive(Clone)]
pub struct ResponseOptions {
    /// Fields that every response repeats.
    echo: Arc<response::Echo>,
    /// The client's names of its tools.
    names: Arc<names::Names>,
    /// The input of this response, for later requests; `None` if the client wants nothing stored.
    said: Option<Arc<Vec<Message>>>,
}

impl Dialect for OpenAiResponses {
    const NAME: &'static str = "openai-responses";
    const STORES_RESPONSES: bool = true;

    type ResponseOptions = ResponseOptions;
    type Memory = Memory;
    type Encoder = stream::Steps;

    fn read(body: &[u8], memory: &Memory) -> Result<(ParsedRequest, ResponseOptions), Failure> {
        read::read(body, memory)
    }

    fn encoder(meta: &ResponseMeta, options: &ResponseOptions) -> stream::Steps {
        stream::Steps::new(meta, options)
    }

    fn response(meta: &ResponseMeta, options: &ResponseOptions, answers: &[Vec<Event>]) -> Value {
        reply::response(meta, options, answers)
    }

    fn error_response(failure: &Failure) -> ErrorResponse {
        openai_error::error_response(failure)
    }

    fn store(memory: &Memory, meta: &ResponseMeta, options: &ResponseOptions, answers: &[Vec<Event>]) {
        if let Some(said) = &options.said {
            let answer = reply::gather(meta, options, answers);
            let told = reply::told(meta, options, answers, &answer).to_string();
            memory.keep(response::id(meta), said, answer.into_messages(), told);
        }
    }
}

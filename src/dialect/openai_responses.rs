//! OpenAI's Responses API: `POST /v1/responses`, which Codex uses.
//!
//! `wire` is the request as it is sent; `read` and its neighbours make a conversation of it, with what
//! `memory` kept of earlier answers. `answer` gathers the events of an answer into output items, `stream` says
//! each step of that, `reply` only the end, both with the object of `response`.

use std::sync::Arc;

use serde_json::Value;

use crate::conversation::{Event, Message};
use crate::dialect::common::openai_error;
use crate::dialect::{Dialect, ErrorResponse, ParsedRequest, RequestHead, ResponseMeta};
use crate::failure::Failure;

mod content;
mod encoder;
mod input_items;
mod output_builder;
mod output_items;
mod read;
mod response_object;
mod stored_responses;
mod stream_event;
mod tool_names;
mod tools;
mod whole_response;
mod wire;

#[cfg(test)]
mod tests;

pub use stored_responses::Memory;

/// OpenAI's Responses API.
pub struct OpenAiResponses;

/// Options of the request that shape the response.
#[derive(Clone)]
pub struct ResponseOptions {
    /// Fields that every response repeats.
    echo: Arc<response_object::Echo>,
    /// The client's names of its tools.
    names: Arc<tool_names::ToolNames>,
    /// The input of this response, for later requests; `None` if the client wants nothing stored.
    said: Option<Arc<Vec<Message>>>,
}

impl Dialect for OpenAiResponses {
    const NAME: &'static str = "openai-responses";
    const STORES_RESPONSES: bool = true;

    type ResponseOptions = ResponseOptions;
    type Memory = Memory;
    type Encoder = encoder::Steps;

    fn read(
        _head: &RequestHead,
        body: &[u8],
        memory: &Memory,
    ) -> Result<(ParsedRequest, ResponseOptions), Failure> {
        read::read(body, memory)
    }

    fn encoder(meta: &ResponseMeta, options: &ResponseOptions) -> encoder::Steps {
        encoder::Steps::new(meta, options)
    }

    fn response(meta: &ResponseMeta, options: &ResponseOptions, answers: &[Vec<Event>]) -> Value {
        whole_response::response(meta, options, answers)
    }

    fn error_response(failure: &Failure) -> ErrorResponse {
        openai_error::error_response(failure)
    }

    fn store(memory: &Memory, meta: &ResponseMeta, options: &ResponseOptions, answers: &[Vec<Event>]) {
        if let Some(said) = &options.said {
            let answer = whole_response::gather(meta, options, answers);
            let told = whole_response::told(meta, options, answers, &answer).to_string();
            memory.keep(response_object::id(meta), said, answer.into_messages(), told);
        }
    }
}

//! OpenAI's Responses API: `POST /v1/responses`, which Codex uses.
//!
//! `wire` is the request as it is sent; `read` and its neighbours make a conversation of it, with what
//! `memory` kept of earlier answers. `output_builder` collects the events of a response into output items; `encoder` writes each
//! step, `whole_response` only the result, both with the object of `response_object`.

use std::sync::Arc;

use serde_json::Value;

use crate::conversation::{Event, Message};
use crate::dialect::common::openai_error;
use crate::dialect::{Dialect, ErrorResponse, ParsedRequest, RequestHead, ResponseMeta};
use crate::failure::Failure;

mod client_tools;
mod compact_endpoint;
mod compaction_items;
mod content;
mod encoder;
mod input_items;
pub mod input_list;
pub mod input_tokens;
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

pub use compact_endpoint::Compact;
use compaction_items::UserMessages;
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
    /// Parts of the model's reasoning that the client wants.
    reasoning: ReasoningOutput,
    /// The input of this response, for later requests; `None` if the client wants nothing stored.
    stored: Option<StoredInput>,
    /// The user's messages, if the response is a summary of the conversation.
    compaction: Option<UserMessages>,
    /// Whether a search's item lists the pages that were found.
    shows_sources: bool,
}

/// The input of a response that is to be stored.
#[derive(Clone)]
struct StoredInput {
    /// The conversation up to the response.
    messages: Arc<Vec<Message>>,
    /// The items of the request, as a JSON list.
    items: Arc<str>,
}

/// Parts of the model's reasoning that the client wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ReasoningOutput {
    /// Its text.
    summary: bool,
    /// Its seal, to be sent back: `include` holds `reasoning.encrypted_content`.
    encrypted: bool,
}

impl Dialect for OpenAiResponses {
    const NAME: &'static str = "openai-responses";
    const STORES_RESPONSES: bool = true;

    type ResponseOptions = ResponseOptions;
    type Memory = Memory;
    type Encoder = encoder::StreamEncoder;

    fn read(
        _head: &RequestHead,
        body: &[u8],
        memory: &Memory,
    ) -> Result<(ParsedRequest, ResponseOptions), Failure> {
        read::read(body, memory, read::Purpose::Respond)
    }

    fn encoder(meta: &ResponseMeta, options: &ResponseOptions) -> encoder::StreamEncoder {
        encoder::StreamEncoder::new(meta, options)
    }

    fn response(meta: &ResponseMeta, options: &ResponseOptions, choice_events: &[Vec<Event>]) -> Value {
        whole_response::response(meta, options, choice_events)
    }

    fn error_response(failure: &Failure) -> ErrorResponse {
        openai_error::error_response(failure)
    }

    fn store(memory: &Memory, meta: &ResponseMeta, options: &ResponseOptions, choice_events: &[Vec<Event>]) {
        if let Some(StoredInput { messages, items }) = &options.stored {
            let output = whole_response::output(meta, options, choice_events);
            let object = whole_response::of_output(meta, options, choice_events, &output).to_string();
            let before = if output.replaces_earlier() {
                let system = messages.iter().take(compaction_items::system_messages(messages));
                &Arc::new(system.cloned().collect())
            } else {
                messages
            };
            memory.keep(response_object::id(meta), before, output.into_messages(), object, items);
        }
    }
}

//! OpenAI chat completions: `POST /v1/chat/completions`.
//!
//! `wire` is the request as it is sent, `read` and its neighbours make a conversation of it; `encoder` and
//! `whole_response` write the same events as chunks and as a whole, with the types of `message_parts`.

use std::collections::HashSet;
use std::sync::Arc;

use serde_json::Value;

use crate::conversation::Event;
use crate::dialect::common::openai_error;
use crate::dialect::{Dialect, ErrorResponse, ParsedRequest, RequestHead, ResponseMeta};
use crate::failure::Failure;

mod annotations;
mod encoder;
mod history;
pub mod message_parts;
pub mod models;
mod read;
mod reasoning_details;
#[cfg(test)]
mod tests;
mod tools;
mod whole_response;
mod wire;

// Ollama's API offers tools in the same form.
pub use tools::read_functions;
pub use wire::Tool;

/// OpenAI's chat completions.
pub struct OpenAiChat;

/// Options of the request that shape the response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseOptions {
    /// `stream_options.include_usage`: whether the stream has a chunk with the usage.
    pub include_usage: bool,
    /// Form of tool calls.
    pub calls: Calls,
    /// Names of the tools that take free text.
    pub custom: Arc<HashSet<String>>,
    /// Number of choices.
    pub choices: usize,
}

impl Default for ResponseOptions {
    fn default() -> ResponseOptions {
        ResponseOptions { include_usage: false, calls: Calls::Tools, custom: Arc::default(), choices: 1 }
    }
}

/// Form of tool calls: that in which the client offered its tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// `tool_calls`, of today's API.
    Tools,
    /// `function_call`: one at most, without an id, for clients from before `tools`.
    Function,
}

impl Dialect for OpenAiChat {
    const NAME: &'static str = "openai-chat";

    type ResponseOptions = ResponseOptions;
    type Memory = ();
    type Encoder = encoder::Chunks;

    fn read(_head: &RequestHead, body: &[u8], (): &()) -> Result<(ParsedRequest, ResponseOptions), Failure> {
        read::read(body)
    }

    fn encoder(meta: &ResponseMeta, options: &ResponseOptions) -> encoder::Chunks {
        encoder::Chunks::new(meta, options.clone())
    }

    fn response(meta: &ResponseMeta, options: &ResponseOptions, choice_events: &[Vec<Event>]) -> Value {
        whole_response::response(meta, options, choice_events)
    }

    fn response_body(meta: &ResponseMeta, options: &ResponseOptions, choice_events: &[Vec<Event>]) -> String {
        whole_response::body(meta, options, choice_events)
    }

    fn error_response(failure: &Failure) -> ErrorResponse {
        openai_error::error_response(failure)
    }
}

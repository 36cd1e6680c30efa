//! Google's Gemini API: `POST /v1beta/models/{model}:generateContent`, `:streamGenerateContent`, `:countTokens`, and models
//! in its form.
//!
//! The model and the method are in the path (`call`). `wire` is the request as it is sent; `read` makes a conversation of it
//! with `contents`, `parts`, `tools`, `schema` and `generation_config`. `parts_out` turns events into parts; `encoder` writes
//! them as a stream, `whole_response` collects them, both with the types of `response`. `grounding` tells which pages of the web
//! they rest on.

use serde_json::Value;

use crate::conversation::Event;
use crate::dialect::{Dialect, ErrorResponse, ParsedRequest, RequestHead, ResponseMeta};
use crate::failure::Failure;

mod call;
mod contents;
pub mod count_tokens;
mod encoder;
mod error_response;
mod generation_config;
mod grounding;
pub mod models;
mod parts;
mod parts_out;
mod read;
mod repeated;
mod response;
mod schema;
#[cfg(test)]
mod tests;
mod tools;
mod whole_response;
mod wire;

/// Google's Gemini API.
pub struct Gemini;

/// Options of the request that shape the response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResponseOptions {
    /// Form of a stream.
    pub form: StreamForm,
    /// Whether thinking is shown: `includeThoughts`.
    pub shows_thoughts: bool,
    /// Number of candidates.
    pub candidates: usize,
}

/// Form of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StreamForm {
    /// A JSON array that grows.
    #[default]
    JsonArray,
    /// Server-sent events: `?alt=sse`.
    ServerSentEvents,
}

impl Dialect for Gemini {
    const NAME: &'static str = "gemini";

    type ResponseOptions = ResponseOptions;
    type Memory = ();
    type Encoder = encoder::Chunks;

    fn read(head: &RequestHead, body: &[u8], (): &()) -> Result<(ParsedRequest, ResponseOptions), Failure> {
        read::read(head, body)
    }

    fn stream_content_type(options: &ResponseOptions) -> &'static str {
        match options.form {
            StreamForm::JsonArray => "application/json; charset=utf-8",
            StreamForm::ServerSentEvents => super::EVENT_STREAM,
        }
    }

    fn encoder(meta: &ResponseMeta, options: &ResponseOptions) -> encoder::Chunks {
        encoder::Chunks::new(meta, *options)
    }

    fn response(meta: &ResponseMeta, options: &ResponseOptions, choice_events: &[Vec<Event>]) -> Value {
        whole_response::response(meta, *options, choice_events)
    }

    fn error_response(failure: &Failure) -> ErrorResponse {
        error_response::error_response(failure)
    }

    fn is_told_in_response(failure: &Failure) -> bool {
        error_response::prompt_feedback(failure).is_some()
    }
}

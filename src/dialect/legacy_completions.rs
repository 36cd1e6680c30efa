//! OpenAI's old completions: `POST /v1/completions`, a prompt in and its continuation out, no tools.
//!
//! The cost, the errors and what is refused are those of chat.

use serde_json::Value;

use crate::conversation::Event;
use crate::dialect::common::openai_error;
use crate::dialect::{Dialect, ErrorResponse, ParsedRequest, RequestHead, ResponseMeta};
use crate::failure::Failure;

mod encoder;
mod read;
#[cfg(test)]
mod tests;

/// OpenAI's legacy completions.
pub struct Completions;

/// Options of the request that shape the response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseOptions {
    /// `stream_options.include_usage`: whether the stream has a chunk with the usage.
    pub include_usage: bool,
    /// `echo`: the answer begins with this, the prompt.
    pub echo: Option<String>,
    /// Number of choices.
    pub choices: usize,
}

impl Dialect for Completions {
    const NAME: &'static str = "completions";

    type ResponseOptions = ResponseOptions;
    type Memory = ();
    type Encoder = encoder::CompletionChunks;

    fn read(_head: &RequestHead, body: &[u8], (): &()) -> Result<(ParsedRequest, ResponseOptions), Failure> {
        read::read(body)
    }

    fn encoder(meta: &ResponseMeta, options: &ResponseOptions) -> encoder::CompletionChunks {
        encoder::CompletionChunks::new(meta, options.clone())
    }

    fn response(meta: &ResponseMeta, options: &ResponseOptions, choice_events: &[Vec<Event>]) -> Value {
        encoder::response(meta, options, choice_events)
    }

    fn error_response(failure: &Failure) -> ErrorResponse {
        openai_error::error_response(failure)
    }
}

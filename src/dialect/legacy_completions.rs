//! OpenAI's old completions: `POST /v1/completions`, a prompt in and its continuation out, no tools.
//!
//! The cost, the errors and what is refused are those of chat.

use serde_json::Value;

use crate::conversation::Event;
use crate::dialect::common::openai_error;
use crate::dialect::{Dialect, ErrorResponse, ParsedRequest, ResponseMeta};
use crate::failure::Failure;

mod answer;
mod read;
#[cfg(test)]
mod tests;

/// The dialect.
pub struct Completions;

/// What of a request decides the answer's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseOptions {
    /// `stream_options.include_usage`: the stream has a chunk that tells the cost.
    pub include_usage: bool,
    /// `echo`: the answer begins with this, the prompt.
    pub echo: Option<String>,
    /// How many answers were asked for.
    pub choices: usize,
}

impl Dialect for Completions {
    const NAME: &'static str = "completions";

    type ResponseOptions = ResponseOptions;
    type Memory = ();
    type Encoder = answer::Chunks;

    fn read(body: &[u8], (): &()) -> Result<(ParsedRequest, ResponseOptions), Failure> {
        read::read(body)
    }

    fn encoder(meta: &ResponseMeta, options: &ResponseOptions) -> answer::Chunks {
        answer::Chunks::new(meta, options.clone())
    }

    fn response(meta: &ResponseMeta, options: &ResponseOptions, answers: &[Vec<Event>]) -> Value {
        answer::response(meta, options, answers)
    }

    fn error_response(failure: &Failure) -> ErrorResponse {
        openai_error::error_response(failure)
    }
}

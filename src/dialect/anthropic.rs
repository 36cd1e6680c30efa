//! Anthropic's Messages API: `POST /v1/messages`, `POST /v1/messages/count_tokens`, and models in its form.
//!
//! `wire` is the request as it is sent; `read` makes a conversation of it with `history`, `blocks`, `contents` and
//! `tools`. `block_events` turns events into steps block by block; `encoder` writes them as a stream, `whole_response` collects
//! them, both with the types of `message`.

use serde_json::Value;

use crate::conversation::Event;
use crate::dialect::{Dialect, ErrorResponse, ParsedRequest, RequestHead, ResponseMeta, UnknownModel};
use crate::failure::Failure;

mod block_content;
mod block_events;
mod blocks;
mod builtin_tools;
mod context_management;
pub mod count_tokens;
mod encoder;
mod error_response;
mod history;
mod message;
pub mod models;
mod read;
#[cfg(test)]
mod tests;
mod tools;
mod web_blocks;
mod whole_response;
mod wire;

/// Anthropic's Messages API.
pub struct Anthropic;

/// Options of the request that shape the response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResponseOptions {
    /// Display of thinking.
    pub thoughts: Thoughts,
    /// Handling of the context, if the request has `context_management`.
    pub context: Option<ContextOptions>,
}

/// Handling of the context.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ContextOptions {
    /// Whether the response ends after a compaction, so that the client can add to the summary.
    pub pauses: bool,
}

/// Display of thinking.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Thoughts {
    /// Thinking that has text. The client asked for none, and some read the first block as the answer.
    #[default]
    Unasked,
    /// All thinking: with its text, or redacted where the provider keeps the text to itself.
    Shown,
    /// Thinking blocks without text: `thinking.display` is `omitted`.
    Signed,
    /// Nothing: `thinking` is `disabled`, yet some models think unasked.
    Hidden,
}

impl Dialect for Anthropic {
    const NAME: &'static str = "anthropic";
    // Claude Code sends its own names.
    const UNKNOWN_MODEL: UnknownModel = UnknownModel::Nearest;

    type ResponseOptions = ResponseOptions;
    type Memory = ();
    type Encoder = encoder::Stream;

    fn read(_head: &RequestHead, body: &[u8], (): &()) -> Result<(ParsedRequest, ResponseOptions), Failure> {
        read::read(body)
    }

    fn encoder(meta: &ResponseMeta, options: &ResponseOptions) -> encoder::Stream {
        encoder::Stream::new(meta, *options)
    }

    fn response(meta: &ResponseMeta, options: &ResponseOptions, choice_events: &[Vec<Event>]) -> Value {
        whole_response::response(meta, *options, choice_events)
    }

    fn error_response(failure: &Failure) -> ErrorResponse {
        error_response::error_response(failure)
    }
}

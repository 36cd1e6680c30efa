//! Ollama's API: `POST /api/chat` and `POST /api/generate`, which differ only in their request fields and in the
//! field of the response's text.
//!
//! `wire` is the request as it is sent, `read` and `history` make a conversation of it; `encoder` writes the events
//! as lines of JSON and as a whole response. `models` has the bodies of `GET /api/tags` and `POST /api/show`.

use std::marker::PhantomData;

use serde_json::Value;

use crate::conversation::Event;
use crate::dialect::{Dialect, ErrorResponse, ParsedRequest, RequestHead, ResponseMeta};
use crate::failure::Failure;

mod encoder;
mod error_response;
mod history;
pub mod models;
mod read;
#[cfg(test)]
mod tests;
mod timestamp;
mod wire;

/// The version of Ollama whose API this is, for clients that need a minimum: VS Code wants 0.6.4, others look
/// for 0.14 before they use the Anthropic API, which is served here too. Not the newest: later ones have features
/// that VS Code lacks. The response of `/api/version` also names this server.
pub const VERSION: &str = "0.14.2";

/// Content type of a stream: a JSON object on each line.
pub const NDJSON: &str = "application/x-ndjson";

/// Body of Ollama's `GET /`, which some clients search for.
pub const GREETING: &str = "for programs that look for the words: Ollama is running";

/// The dialect at one of its two endpoints.
pub struct Ollama<E>(PhantomData<E>);

/// Differences of the two endpoints.
pub trait Endpoint: 'static {
    /// Field of a response's text.
    const TEXT_FIELD: TextField;

    /// Reads the endpoint's own fields.
    fn read(request: wire::Request) -> Result<read::Asked, Failure>;
}

/// `POST /api/chat`, with messages.
pub struct Chat;

/// `POST /api/generate`, with a prompt.
pub struct Generate;

/// Field of a response's text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextField {
    /// `message.content`, of a chat.
    InMessage,
    /// `response`, of a generation.
    InResponse,
}

/// Options of the request that shape the response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseOptions {
    /// Field of the text.
    pub text_field: TextField,
    /// Whether thinking is shown.
    pub shows_thoughts: bool,
    /// For a request without messages: whether the model should be loaded or unloaded.
    pub instead: Option<Instead>,
}

/// Purpose of a request without messages. Only VS Code loads models, so both do nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instead {
    /// Load the model.
    Load,
    /// Unload it.
    Unload,
}

impl Endpoint for Chat {
    const TEXT_FIELD: TextField = TextField::InMessage;

    fn read(request: wire::Request) -> Result<read::Asked, Failure> {
        read::chat(request)
    }
}

impl Endpoint for Generate {
    const TEXT_FIELD: TextField = TextField::InResponse;

    fn read(request: wire::Request) -> Result<read::Asked, Failure> {
        read::generate(request)
    }
}

impl<E: Endpoint> Dialect for Ollama<E> {
    const NAME: &'static str = "ollama";
    fn stream_content_type(_options: &ResponseOptions) -> &'static str {
        NDJSON
    }

    type ResponseOptions = ResponseOptions;
    type Memory = ();
    type Encoder = encoder::LineEncoder;

    fn read(_head: &RequestHead, body: &[u8], (): &()) -> Result<(ParsedRequest, ResponseOptions), Failure> {
        read::read::<E>(body)
    }

    fn encoder(meta: &ResponseMeta, options: &ResponseOptions) -> encoder::LineEncoder {
        encoder::LineEncoder::new(meta, *options)
    }

    fn response(meta: &ResponseMeta, options: &ResponseOptions, choice_events: &[Vec<Event>]) -> Value {
        encoder::response(meta, *options, choice_events)
    }

    fn error_response(failure: &Failure) -> ErrorResponse {
        error_response::error_response(failure)
    }
}

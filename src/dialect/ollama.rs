//! Ollama's API: `POST /api/chat` and `POST /api/generate`, which differ in what they are asked and in where an
//! answer's words stand, and in nothing else.
//!
//! `wire` is the request as it is sent, `read` and `history` make a conversation of it; `answer` says the events
//! in lines of JSON and whole. `models` is what `GET /api/tags` and `POST /api/show` say.

use std::marker::PhantomData;

use serde_json::Value;

use crate::conversation::Event;
use crate::dialect::{Dialect, ErrorResponse, ParsedRequest, ResponseMeta};
use crate::failure::Failure;

mod answer;
mod error_response;
mod history;
pub mod models;
mod read;
#[cfg(test)]
mod tests;
mod time;
mod wire;

/// The version of Ollama whose API this is, for clients that ask for a least one: VS Code wants 0.6.4, others look
/// for 0.14 before they use the Anthropic door, which stands here too. Not the newest: later ones offer what VS Code
/// has nothing for. That this is no Ollama stands beside it.
pub const VERSION: &str = "0.14.2";

/// For clients that look for these words at `GET /`, where Ollama says nothing else.
pub const GREETING: &str = "for programs that look for the words: Ollama is running";

/// The dialect, as it is spoken at one of its doors.
pub struct Ollama<D>(PhantomData<D>);

/// What tells the doors apart.
pub trait Door: 'static {
    /// Where an answer's words stand.
    const WORDS: Words;

    /// What is asked, and how.
    fn read(request: wire::Request) -> Result<read::Asked, Failure>;
}

/// `POST /api/chat`.
pub struct Chat;

/// `POST /api/generate`.
pub struct Generate;

/// Where an answer's words stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// `message.content`.
    InMessage,
    /// `response`.
    InResponse,
}

/// What of a request decides the answer's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseOptions {
    /// Where the words stand.
    pub words: Words,
    /// The client wants to see thoughts.
    pub shows_thoughts: bool,
    /// Who asks nothing only wants the model to be there, or no longer: this says which.
    pub instead: Option<Instead>,
}

/// What a request without a question is for. Models come and go by VS Code's will alone, so both do nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instead {
    /// The model is to be loaded.
    Load,
    /// It is to be dropped.
    Unload,
}

impl Door for Chat {
    const WORDS: Words = Words::InMessage;

    fn read(request: wire::Request) -> Result<read::Asked, Failure> {
        read::chat(request)
    }
}

impl Door for Generate {
    const WORDS: Words = Words::InResponse;

    fn read(request: wire::Request) -> Result<read::Asked, Failure> {
        read::generate(request)
    }
}

impl<D: Door> Dialect for Ollama<D> {
    const NAME: &'static str = "ollama";
    const STREAM_CONTENT_TYPE: &'static str = "application/x-ndjson";

    type ResponseOptions = ResponseOptions;
    type Memory = ();
    type Encoder = answer::PendingRequests;

    fn read(body: &[u8], (): &()) -> Result<(ParsedRequest, ResponseOptions), Failure> {
        read::read::<D>(body)
    }

    fn encoder(meta: &ResponseMeta, options: &ResponseOptions) -> answer::PendingRequests {
        answer::PendingRequests::new(meta, *options)
    }

    fn response(meta: &ResponseMeta, options: &ResponseOptions, answers: &[Vec<Event>]) -> Value {
        answer::response(meta, *options, answers)
    }

    fn error_response(failure: &Failure) -> ErrorResponse {
        error_response::error_response(failure)
    }
}

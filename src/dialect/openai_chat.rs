//! OpenAI chat completions: `POST /v1/chat/completions`.
//!
//! `wire` is the request as it is sent, `read` and its neighbours make a conversation of it; `stream` and
//! `reply` say the same events in chunks and whole, in the words of `answer`.

use serde_json::Value;

use crate::conversation::Event;
use crate::dialect::common::openai_error;
use crate::dialect::{About, Ask, Dialect, Refusal};
use crate::failure::Failure;

pub mod answer;
mod history;
mod read;
mod reply;
mod stream;
#[cfg(test)]
mod tests;
mod tools;
mod wire;

// Ollama's API offers tools in the same form.
pub use tools::read_tools;
pub use wire::Tool;

/// The dialect.
pub struct OpenAiChat;

/// What of a request decides the answer's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// `stream_options.include_usage`: the stream has a chunk that tells the cost.
    pub include_usage: bool,
    /// How calls are said.
    pub calls: Calls,
    /// How many answers were asked for.
    pub choices: usize,
}

impl Default for Form {
    fn default() -> Form {
        Form { include_usage: false, calls: Calls::Tools, choices: 1 }
    }
}

/// How calls are said: as the client offered its tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Calls {
    /// `tool_calls`.
    Tools,
    /// `function_call`: one at most, without an id, for clients from before `tools`.
    Function,
}

impl Dialect for OpenAiChat {
    const NAME: &'static str = "openai-chat";

    type Form = Form;
    type Memory = ();
    type Encoder = stream::Chunks;

    fn read(body: &[u8], (): &()) -> Result<(Ask, Form), Failure> {
        read::read(body)
    }

    fn encoder(about: &About, form: &Form) -> stream::Chunks {
        stream::Chunks::new(about, *form)
    }

    fn reply(about: &About, form: &Form, answers: &[Vec<Event>]) -> Value {
        reply::reply(about, *form, answers)
    }

    fn refuse(failure: &Failure) -> Refusal {
        openai_error::refusal(failure)
    }
}

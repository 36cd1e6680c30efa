//! OpenAI's old completions: `POST /v1/completions`, a prompt in and its continuation out, no tools.
//!
//! The cost, the errors and what is refused are those of chat.

use serde_json::Value;

use crate::conversation::Event;
use crate::dialect::common::openai_error;
use crate::dialect::{About, Ask, Dialect, Refusal};
use crate::failure::Failure;

mod answer;
mod read;
#[cfg(test)]
mod tests;

/// The dialect.
pub struct Completions;

/// What of a request decides the answer's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// `stream_options.include_usage`: the stream has a chunk that tells the cost.
    pub include_usage: bool,
    /// `echo`: the answer begins with this, the prompt.
    pub echo: Option<String>,
    /// How many answers were asked for.
    pub choices: usize,
}

impl Dialect for Completions {
    const NAME: &'static str = "completions";

    type Form = Form;
    type Memory = ();
    type Encoder = answer::Chunks;

    fn read(body: &[u8], (): &()) -> Result<(Ask, Form), Failure> {
        read::read(body)
    }

    fn encoder(about: &About, form: &Form) -> answer::Chunks {
        answer::Chunks::new(about, form.clone())
    }

    fn reply(about: &About, form: &Form, answers: &[Vec<Event>]) -> Value {
        answer::reply(about, form, answers)
    }

    fn refuse(failure: &Failure) -> Refusal {
        openai_error::refusal(failure)
    }
}

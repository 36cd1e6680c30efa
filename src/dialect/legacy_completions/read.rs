//! Parses the body of a completion request.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::ResponseOptions;
use crate::conversation::{Conversation, Message, Options, Role};
use crate::dialect::ParsedRequest;
use crate::dialect::common::body_json::read_json;
use crate::dialect::common::one_or_many::OneOrMany;
use crate::dialect::common::{model_list, option_limits, whole_number};
use crate::failure::Failure;

/// The models are chat models: left to themselves they would discuss the prompt.
const INSTRUCTION: &str = "The user's message is the beginning of a text, or an instruction. Reply with nothing \
    but what comes right after it: no greeting, no comment, no repetition of it, no code fence around it.";

/// OpenAI's default of `max_tokens` is 16; here an absent one is no limit, since clients that omit it want a whole
/// text.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Request {
    model: Option<String>,
    models: Option<Vec<String>>,
    prompt: OneOrMany<String>,
    suffix: Option<String>,
    echo: Option<bool>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,

    temperature: Option<f64>,
    top_p: Option<f64>,
    frequency_penalty: Option<f64>,
    presence_penalty: Option<f64>,
    #[serde(default, deserialize_with = "whole_number::optional")]
    seed: Option<i64>,
    #[serde(default, deserialize_with = "whole_number::optional")]
    max_tokens: Option<u64>,
    stop: Option<OneOrMany<String>>,
    #[serde(default, deserialize_with = "whole_number::optional")]
    n: Option<u64>,

    #[serde(default, deserialize_with = "whole_number::optional")]
    best_of: Option<u64>,
    #[serde(default, deserialize_with = "whole_number::optional")]
    logprobs: Option<u64>,
    logit_bias: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct StreamOptions {
    include_usage: Option<bool>,
}

/// Reads a body.
pub fn read(body: &[u8]) -> Result<(ParsedRequest, ResponseOptions), Failure> {
    let request = read_json::<Request>(body)?;
    refuse_what_changes_the_meaning(&request)?;

    let prompt = the_prompt(request.prompt)?;
    let options = Options {
        temperature: option_limits::within("temperature", request.temperature, 0.0..=2.0)?,
        top_p: option_limits::within("top_p", request.top_p, 0.0..=1.0)?,
        frequency_penalty: option_limits::within("frequency_penalty", request.frequency_penalty, -2.0..=2.0)?,
        presence_penalty: option_limits::within("presence_penalty", request.presence_penalty, -2.0..=2.0)?,
        seed: request.seed,
        // 0 is legal: with `echo` the response is the prompt alone.
        max_tokens: request.max_tokens,
        stop: option_limits::stop("stop", request.stop.map_or_else(Vec::new, OneOrMany::into_list))?,
        choices: option_limits::choices("n", request.n)?,
        ..Options::default()
    };
    let response_options = ResponseOptions {
        include_usage: request.stream_options.is_some_and(|options| options.include_usage == Some(true)),
        echo: (request.echo == Some(true)).then(|| prompt.clone()),
        choices: options.choices.map_or(1, |choices| usize::from(choices.get())),
    };
    let messages = vec![Message::text(Role::System, INSTRUCTION), Message::text(Role::User, prompt)];
    let parsed = ParsedRequest {
        model: request.model.filter(|model| !model.is_empty()),
        models: model_list::read(request.models)?,
        conversation: Conversation { messages, options, ..Conversation::default() },
        stream: request.stream.unwrap_or_default(),
        ..ParsedRequest::default()
    };
    Ok((parsed, response_options))
}

fn the_prompt(prompt: OneOrMany<String>) -> Result<String, Failure> {
    let mut prompts = prompt.into_list().into_iter();
    match (prompts.next(), prompts.next()) {
        (Some(prompt), None) if !prompt.is_empty() => Ok(prompt),
        (_, None) => Err(Failure::invalid("prompt", "empty, expected a text to go on with")),
        (_, Some(_)) => Err(Failure::unsupported(
            "prompt",
            "only one prompt can be answered at a time; send the others in requests of their own",
        )),
    }
}

/// Fields that no model behind VS Code can honour: to ignore them would be to answer another question.
fn refuse_what_changes_the_meaning(request: &Request) -> Result<(), Failure> {
    if request.suffix.as_ref().is_some_and(|suffix| !suffix.is_empty()) {
        return Err(Failure::unsupported("suffix", option_limits::NO_MIDDLE));
    }
    if request.logprobs.is_some() {
        return Err(Failure::unsupported("logprobs", option_limits::NO_PROBABILITIES));
    }
    if request.best_of.is_some_and(|best_of| best_of > request.n.unwrap_or(1)) {
        return Err(Failure::unsupported(
            "best_of",
            "the best can't be chosen, VS Code's models tell no token probabilities; ask for all with n",
        ));
    }
    option_limits::no_bias(request.logit_bias.as_ref())
}

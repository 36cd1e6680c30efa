//! Reads a request of either endpoint.

use serde_json::{Map, Value};

use super::wire::{self, Request, Think};
use super::{Endpoint, Instead, ResponseOptions, history};
use crate::conversation::{Conversation, Message, Options, Output, Role, ThinkingMode, Tool};
use crate::dialect::common::body_json::read_json;
use crate::dialect::common::media::Unshowable;
use crate::dialect::common::one_or_many::OneOrMany;
use crate::dialect::common::string_or_object::WordOrObject;
use crate::dialect::common::{model_list, option_limits};
use crate::dialect::openai_chat::read_functions;
use crate::dialect::{ParsedRequest, RequestExtensions};
use crate::failure::Failure;

/// The fields of a request; without messages no model runs.
#[derive(Default)]
pub struct Asked {
    messages: Vec<Message>,
    tools: Vec<Tool>,
    extensions: RequestExtensions,
}

/// Reads a body.
pub fn read<E: Endpoint>(body: &[u8]) -> Result<(ParsedRequest, ResponseOptions), Failure> {
    let mut request = read_json::<Request>(body)?;
    if request.logprobs == Some(true) || request.top_logprobs.is_some_and(|number| number > 0) {
        return Err(Failure::unsupported("logprobs", option_limits::NO_PROBABILITIES));
    }
    let model = request.model.take().filter(|model| !model.is_empty());
    let models = model_list::read(request.models.take())?;
    // Streaming is the default, in this API only.
    let stream = request.stream != Some(false);
    let shows_thoughts = request.think != Some(Think::No);
    let instead = if is_zero(request.keep_alive.as_ref()) { Instead::Unload } else { Instead::Load };
    let options = options(request.options.take(), request.think.take(), request.format.take())?;

    let Asked { messages, tools, extensions } = E::read(request)?;
    let only_model = messages.is_empty();
    let response_options =
        ResponseOptions { text_field: E::TEXT_FIELD, shows_thoughts, instead: only_model.then_some(instead) };
    let conversation = Conversation { messages, tools, options, ..Conversation::default() };
    // Programs load a model with an empty request.
    Ok((
        ParsedRequest {
            model,
            models,
            conversation,
            stream: stream && !only_model,
            only_model,
            extensions,
            ..ParsedRequest::default()
        },
        response_options,
    ))
}

/// Reads a chat.
pub fn chat(request: Request) -> Result<Asked, Failure> {
    Ok(Asked {
        messages: history::read(request.messages.unwrap_or_default())?,
        tools: read_functions(request.tools)?,
        extensions: RequestExtensions::from_fields(
            request.use_vscode_tools,
            request.tool_execution,
            request.max_tool_rounds,
        ),
    })
}

/// Reads a generation.
pub fn generate(request: Request) -> Result<Asked, Failure> {
    refuse_what_changes_the_meaning(&request)?;
    let prompt = history::message_of(Role::User, request.prompt, request.images, Unshowable::Reject)?;
    if prompt.parts.is_empty() {
        return Ok(Asked::default());
    }
    let system = request.system.filter(|system| !system.is_empty());
    let system = system.map(|system| Message::text(Role::System, system));
    Ok(Asked { messages: system.into_iter().chain([prompt]).collect(), ..Asked::default() })
}

/// Rejects fields that no model of VS Code can honor and that change the meaning of the response.
fn refuse_what_changes_the_meaning(request: &Request) -> Result<(), Failure> {
    let is_there = |text: &Option<String>| text.as_ref().is_some_and(|text| !text.is_empty());
    if is_there(&request.suffix) {
        return Err(Failure::unsupported("suffix", option_limits::NO_MIDDLE));
    }
    if is_there(&request.template) {
        return Err(Failure::unsupported("template", NO_TEMPLATE));
    }
    if request.raw == Some(true) {
        return Err(Failure::unsupported("raw", NO_TEMPLATE));
    }
    if request.context.as_ref().is_some_and(|context| !context.is_empty()) {
        return Err(Failure::unsupported(
            "context",
            "an earlier conversation can't be sent as tokens; send all messages to /api/chat",
        ));
    }
    Ok(())
}

const NO_TEMPLATE: &str =
    "VS Code's models take messages, which their providers put into templates of their own";

fn options(
    options: Option<wire::Options>,
    think: Option<Think>,
    format: Option<WordOrObject<String, Map<String, Value>>>,
) -> Result<Options, Failure> {
    let options = options.unwrap_or_default();
    Ok(Options {
        // Ollama's server has no bounds, the services behind VS Code have.
        temperature: option_limits::clamped(options.temperature, 0.0..=2.0),
        top_p: option_limits::clamped(options.top_p, 0.0..=1.0),
        frequency_penalty: option_limits::clamped(options.frequency_penalty, -2.0..=2.0),
        presence_penalty: option_limits::clamped(options.presence_penalty, -2.0..=2.0),
        seed: options.seed,
        max_tokens: options
            .num_predict
            .and_then(|number| u64::try_from(number).ok())
            .filter(|number| *number > 0),
        stop: option_limits::stop("options.stop", options.stop.map_or_else(Vec::new, OneOrMany::into_list))?,
        thinking: match think {
            None => ThinkingMode::Unset,
            Some(Think::No) => ThinkingMode::Off,
            Some(Think::Yes | Think::Level(_)) => ThinkingMode::On,
        },
        reasoning_effort: match think {
            Some(Think::Level(level)) => Some(level),
            Some(Think::Yes | Think::No) | None => None,
        },
        output: output(format)?,
        ..Options::default()
    })
}

fn output(format: Option<WordOrObject<String, Map<String, Value>>>) -> Result<Output, Failure> {
    match format {
        None => Ok(Output::Text),
        Some(WordOrObject::Word(word)) => match word.as_str() {
            "" => Ok(Output::Text),
            "json" => Ok(Output::Json),
            other => {
                Err(Failure::invalid("format", format!("found `{other}`, expected `json` or a JSON schema")))
            }
        },
        Some(WordOrObject::Object(schema)) if schema.is_empty() => Ok(Output::Json),
        Some(WordOrObject::Object(schema)) => {
            Ok(Output::Schema { name: "answer".into(), description: None, schema: Value::Object(schema) })
        }
    }
}

/// Whether a duration is zero: `0`, `"0"`, `"0s"`.
fn is_zero(time: Option<&Value>) -> bool {
    match time {
        Some(Value::Number(seconds)) => seconds.as_f64() == Some(0.0),
        Some(Value::String(time)) => {
            time.trim_end_matches(|unit: char| unit.is_alphabetic()).parse() == Ok(0.0)
        }
        _ => false,
    }
}

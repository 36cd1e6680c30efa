//! Parses the body of a chat request.

use std::sync::Arc;

use serde_json::Value;

use super::tools::{OfferedTools, ReadTools};
use super::{Calls, ResponseOptions, history, wire};
use crate::conversation::web::{WebKind, WebTool, WebTools};
use crate::conversation::{Conversation, Options, Output};
use crate::dialect::common::body_json::read_json;
use crate::dialect::common::one_or_many::OneOrMany;
use crate::dialect::common::{model_list, option_limits, web_tools};
use crate::dialect::{ParsedRequest, RequestExtensions};
use crate::failure::Failure;

/// Reads a body.
pub fn read(body: &[u8]) -> Result<(ParsedRequest, ResponseOptions), Failure> {
    let request = read_json::<wire::Request>(body)?;
    refuse_what_changes_the_meaning(&request)?;

    let extensions = RequestExtensions::from_fields(
        request.use_vscode_tools,
        request.tool_execution,
        request.max_tool_rounds,
    );
    let calls = match (&request.tools, &request.functions) {
        (None, Some(_)) => Calls::Function,
        _ => Calls::Tools,
    };
    let options = Options {
        temperature: option_limits::within("temperature", request.temperature, 0.0..=2.0)?,
        top_p: option_limits::within("top_p", request.top_p, 0.0..=1.0)?,
        frequency_penalty: option_limits::within("frequency_penalty", request.frequency_penalty, -2.0..=2.0)?,
        presence_penalty: option_limits::within("presence_penalty", request.presence_penalty, -2.0..=2.0)?,
        seed: request.seed,
        max_tokens: option_limits::tokens("max_completion_tokens", request.max_completion_tokens)?
            .or(option_limits::tokens("max_tokens", request.max_tokens)?),
        stop: option_limits::stop("stop", request.stop.map_or_else(Vec::new, OneOrMany::into_list))?,
        reports_stop_sequence: false,
        thinking: option_limits::thinking(request.reasoning_effort.as_deref()),
        reasoning_effort: request.reasoning_effort,
        verbosity: request.verbosity,
        single_tool_call: request.parallel_tool_calls == Some(false) || calls == Calls::Function,
        output: read_format(request.response_format)?,
        choices: option_limits::choices("n", request.n)?,
        ..Options::default()
    };
    let ReadTools { mut tools, custom, choice: tool_choice } = OfferedTools {
        tools: request.tools,
        choice: request.tool_choice,
        functions: request.functions,
        function_call: request.function_call,
        more_will_come: extensions.use_vscode_tools,
    }
    .read()?;
    let mut web = WebTools::default();
    if request.web_search_options.is_some() {
        let search = WebTool { path: "web_search_options".into(), ..WebTool::default() };
        web.search = Some(web_tools::add(WebKind::Search, search, &mut tools));
    }
    let response_options = ResponseOptions {
        include_usage: request.stream_options.is_some_and(|options| options.include_usage == Some(true)),
        calls,
        custom: Arc::new(custom),
        choices: options.choices.map_or(1, |choices| usize::from(choices.get())),
    };
    let messages = history::read(request.messages)?;
    let parsed = ParsedRequest {
        model: request.model.filter(|model| !model.is_empty()),
        models: model_list::read(request.models)?,
        conversation: Conversation { messages, tools, tool_choice, options },
        stream: request.stream.unwrap_or_default(),
        extensions,
        web,
        ..ParsedRequest::default()
    };
    Ok((parsed, response_options))
}

/// Rejects fields that no model of VS Code can honor and that change the meaning of the response.
fn refuse_what_changes_the_meaning(request: &wire::Request) -> Result<(), Failure> {
    const NO_SOUND: &str = "VS Code's models don't speak, only text can be asked for";
    if request.logprobs == Some(true) {
        return Err(Failure::unsupported("logprobs", option_limits::NO_PROBABILITIES));
    }
    if request.top_logprobs.is_some_and(|number| number > 0) {
        return Err(Failure::unsupported("top_logprobs", option_limits::NO_PROBABILITIES));
    }
    if request.modalities.as_ref().is_some_and(|asked| asked.iter().any(|modality| modality != "text")) {
        return Err(Failure::unsupported("modalities", NO_SOUND));
    }
    if request.audio.is_some() {
        return Err(Failure::unsupported("audio", NO_SOUND));
    }
    option_limits::no_bias(request.logit_bias.as_ref())
}

fn read_format(format: Option<wire::ResponseFormat>) -> Result<Output, Failure> {
    let Some(format) = format else { return Ok(Output::Text) };
    match (format.kind, format.json_schema) {
        (wire::FormatKind::Text, _) => Ok(Output::Text),
        (wire::FormatKind::JsonObject, _) => Ok(Output::Json),
        (wire::FormatKind::JsonSchema, None) => {
            Err(Failure::invalid("response_format.json_schema", "required, but missing"))
        }
        (wire::FormatKind::JsonSchema, Some(wanted)) => Ok(match wanted.schema {
            // Officially the schema may be left out; then any object fits.
            None => Output::Json,
            Some(schema) => Output::Schema {
                name: wanted.name.unwrap_or_else(|| "answer".into()),
                description: wanted.description,
                schema: Value::Object(schema),
            },
        }),
    }
}

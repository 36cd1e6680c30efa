//! Parses the body of a Messages request.

use serde_json::Value;

use super::tools::OfferedTools;
use super::{ResponseOptions, Thoughts, context_management, history, wire};
use crate::conversation::{Conversation, Options, Output, ThinkingMode};
use crate::dialect::common::body_json::read_json;
use crate::dialect::common::{model_list, option_limits};
use crate::dialect::{ParsedRequest, RequestExtensions};
use crate::failure::Failure;

/// Parses the body of a request that runs a model.
pub fn read(body: &[u8]) -> Result<(ParsedRequest, ResponseOptions), Failure> {
    let request = read_json::<wire::Request>(body)?;
    if request.max_tokens.is_none() {
        return Err(missing("max_tokens"));
    }
    read_request(request)
}

/// Parses a request, to run it or to count its tokens.
pub fn read_request(request: wire::Request) -> Result<(ParsedRequest, ResponseOptions), Failure> {
    if request.thread.is_some() {
        return Err(Failure::ThreadUnsupported);
    }
    let history = history::read(request.system, request.messages.ok_or_else(|| missing("messages"))?)?;
    let extensions = RequestExtensions::from_fields(
        request.use_vscode_tools,
        request.tool_execution,
        request.max_tool_rounds,
    );
    let context = context_management::read(request.context_management)?;
    let thinking = read_thinking(request.thinking)?;
    let (effort, format) =
        request.output_config.map_or((None, None), |config| (config.effort, config.format));
    let options = Options {
        temperature: option_limits::within("temperature", request.temperature, 0.0..=1.0)?,
        top_p: option_limits::within("top_p", request.top_p, 0.0..=1.0)?,
        // 0 is legal: the input is read, and nothing is generated.
        max_tokens: request.max_tokens,
        reports_stop_sequence: request.stop_sequences.as_ref().is_some_and(|stops| !stops.is_empty()),
        stop: option_limits::stop("stop_sequences", request.stop_sequences.unwrap_or_default())?,
        reasoning_effort: history.effort.or(effort).or(thinking.effort.map(str::to_owned)),
        thinking: thinking.mode,
        single_tool_call: request
            .tool_choice
            .as_ref()
            .is_some_and(|choice| choice.disable_parallel_tool_use == Some(true)),
        context_edits: context.edits,
        output: format.or(request.output_format).map_or(Output::Text, read_format),
        ..Options::default()
    };
    let (tools, tool_choice, web) = OfferedTools {
        tools: request.tools.unwrap_or_default(),
        choice: request.tool_choice,
        changes: history.changes,
        more_will_come: extensions.use_vscode_tools,
    }
    .read()?;
    let ask = ParsedRequest {
        model: request.model.filter(|model| !model.is_empty()),
        models: model_list::read(request.models)?,
        conversation: Conversation { messages: history.messages, tools, tool_choice, options },
        stream: request.stream.unwrap_or_default(),
        extensions,
        web,
        ..ParsedRequest::default()
    };
    Ok((ask, ResponseOptions { thoughts: thinking.thoughts, context: context.options }))
}

/// The thinking options.
#[derive(Default)]
struct Thinking {
    mode: ThinkingMode,
    effort: Option<&'static str>,
    thoughts: Thoughts,
}

fn read_thinking(thinking: Option<wire::Thinking>) -> Result<Thinking, Failure> {
    let Some(wire::Thinking { kind, budget_tokens, display }) = thinking else {
        return Ok(Thinking::default());
    };
    let thoughts = if display.as_deref() == Some("omitted") { Thoughts::Signed } else { Thoughts::Shown };
    let mode = ThinkingMode::On;
    Ok(match kind {
        wire::ThinkingKind::Disabled => {
            Thinking { mode: ThinkingMode::Off, effort: None, thoughts: Thoughts::Hidden }
        }
        wire::ThinkingKind::Adaptive | wire::ThinkingKind::BetweenTools => {
            Thinking { mode, effort: None, thoughts }
        }
        wire::ThinkingKind::Enabled => {
            let budget = budget_tokens.ok_or_else(|| missing("thinking.budget_tokens"))?;
            Thinking { mode, effort: Some(option_limits::effort_of_budget(budget)), thoughts }
        }
    })
}

fn read_format(format: wire::Format) -> Output {
    let wire::FormatKind::JsonSchema = format.kind;
    Output::Schema { name: "answer".into(), description: None, schema: Value::Object(format.schema) }
}

/// Message of Anthropic's own service, which clients search for.
fn missing(at: &str) -> Failure {
    Failure::invalid(at, "Field required")
}

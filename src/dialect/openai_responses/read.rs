//! Parses the body of a request.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::compaction_items::{self as compaction, UserMessages};
use super::input_items::{ReadItems, Reader, offer_tools};
use super::response_object::Echo;
use super::stored_responses::Memory;
use super::tools::OfferedTools;
use super::{ReasoningOutput, ResponseOptions, StoredInput, wire};
use crate::conversation::web::{WebTool, WebTools};
use crate::conversation::{ContextEdit, Conversation, Message, Options, Output, Role, ThinkingMode};
use crate::dialect::common::body_json::{read_json, read_value};
use crate::dialect::common::compaction::{Replaced, request_summary};
use crate::dialect::common::one_or_many::OneOrMany;
use crate::dialect::common::{model_list, option_limits};
use crate::dialect::{ParsedRequest, RequestExtensions};
use crate::failure::{Failure, ResultExt};

/// The endpoint that a body was sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// `/v1/responses`.
    Respond,
    /// `/v1/responses/compact`.
    Compact,
    /// `/v1/responses/input_tokens`, where nothing is required.
    Count,
}

/// Reads a body.
pub fn read(
    body: &[u8],
    memory: &Memory,
    purpose: Purpose,
) -> Result<(ParsedRequest, ResponseOptions), Failure> {
    let mut request = read_json::<wire::Request>(body)?;
    refuse_what_changes_the_meaning(&request)?;

    let mut extensions = RequestExtensions::from_fields(
        request.use_vscode_tools,
        request.tool_execution,
        request.max_tool_rounds,
    );
    let options = read_options(&request)?;
    let mut items = match request.input.take() {
        None => Vec::new(),
        Some(OneOrMany::One(text)) => vec![json!({ "role": "user", "content": text })],
        Some(OneOrMany::Many(items)) => items,
    };
    let compacts = compaction::take_trigger(&mut items)? || purpose == Purpose::Compact;
    let mut offer = OfferedTools::default();
    for (index, tool) in request.tools.iter().flatten().enumerate() {
        offer.add(tool).at(format_args!("tools[{index}]"))?;
    }
    offer_tools(&items, &mut offer)?;
    let tool_choice =
        offer.choose(request.tool_choice.as_ref(), extensions.use_vscode_tools).at("tool_choice")?;
    let OfferedTools { tools, names, web_search, .. } = offer;
    let search = web_search.map(|tool| WebTool { max_uses: request.max_tool_calls, ..tool });
    let mut web = WebTools { search, fetch: None };

    if items.is_empty() && request.previous_response_id.is_none() && purpose != Purpose::Count {
        return Err(Failure::invalid("input", "empty, expected a text or at least one item"));
    }
    let is_stored = request.store.unwrap_or(true);
    let items_json: Arc<str> = if is_stored { json_list(&items)? } else { Arc::default() };
    let mut stored = stored_conversation(request.previous_response_id.as_deref(), memory)?;
    let ReadItems { messages: sent, of_user, replaces_earlier } =
        Reader { memory, names: &names }.read(items)?;
    if replaces_earlier {
        stored.truncate(compaction::system_messages(&stored));
    }
    let compaction = compacts.then(|| UserMessages::of(&stored, of_user));
    let messages_sent: Vec<Message> = stored.into_iter().chain(sent).collect();
    let stored = is_stored.then(|| StoredInput {
        messages: Arc::new(match &compaction {
            // A later request continues the summary.
            Some(of_user) => of_user.messages().to_vec(),
            None => messages_sent.clone(),
        }),
        items: items_json,
    });
    let instructions = request.instructions.iter().filter(|text| !text.is_empty());
    let mut messages: Vec<_> = instructions.map(|text| Message::text(Role::System, text)).collect();
    messages.extend(messages_sent);

    let mut conversation = Conversation { messages, tools, tool_choice, options };
    if compacts {
        request_summary(&mut conversation, Replaced::AllButUser, None);
        extensions = RequestExtensions::default();
        web = WebTools::default();
    }
    let parsed = ParsedRequest {
        model: request.model.take().filter(|model| !model.is_empty()),
        models: model_list::read(request.models.take())?,
        conversation,
        stream: request.stream.unwrap_or_default(),
        extensions,
        web,
        ..ParsedRequest::default()
    };
    let shows_sources =
        request.include.iter().flatten().any(|field| field == "web_search_call.action.sources");
    let options = ResponseOptions {
        stored,
        reasoning: reasoning_output(&request)?,
        echo: Arc::new(echo(request)),
        names: Arc::new(names),
        compaction,
        shows_sources,
    };
    Ok((parsed, options))
}

fn json_list(items: &[Value]) -> Result<Arc<str>, Failure> {
    serde_json::to_string(items).map(Into::into).map_err(Failure::internal)
}

/// The conversation that the request continues. Instructions are not part of it: they hold for one response.
fn stored_conversation(previous: Option<&str>, memory: &Memory) -> Result<Vec<Message>, Failure> {
    let Some(id) = previous else { return Ok(Vec::new()) };
    memory.conversation(id).ok_or_else(|| Failure::UnknownResponse { id: id.to_owned() })
}

/// Fields that can't be honoured here: to ignore them would be to answer another question.
fn refuse_what_changes_the_meaning(request: &wire::Request) -> Result<(), Failure> {
    if request.background == Some(true) {
        return Err(Failure::unsupported("background", "answers are given at once here, not fetched later"));
    }
    if request.conversation.is_some() {
        return Err(Failure::unsupported(
            "conversation",
            "conversations are not kept here; use `previous_response_id`, or send all items in `input`",
        ));
    }
    if request.prompt.is_some() {
        return Err(Failure::unsupported(
            "prompt",
            "OpenAI alone has the templates; send the text in `input`",
        ));
    }
    if request.top_logprobs.is_some_and(|number| number > 0) {
        return Err(Failure::unsupported("top_logprobs", option_limits::NO_PROBABILITIES));
    }
    if request.include.iter().flatten().any(|field| field == "message.output_text.logprobs") {
        return Err(Failure::unsupported("include", option_limits::NO_PROBABILITIES));
    }
    Ok(())
}

fn read_options(request: &wire::Request) -> Result<Options, Failure> {
    let text: wire::Text = match &request.text {
        None => wire::Text::default(),
        Some(text) => read_value(text).at("text")?,
    };
    let reasoning = read_reasoning(request)?;
    let wants_summary = reasoning.as_ref().is_some_and(|reasoning| reasoning.wants_summary() == Some(true));
    let wants_reasoning = wants_summary || includes_encrypted_reasoning(request);
    let effort = reasoning.and_then(|reasoning| reasoning.effort);
    Ok(Options {
        temperature: option_limits::within("temperature", request.temperature, 0.0..=2.0)?,
        top_p: option_limits::within("top_p", request.top_p, 0.0..=1.0)?,
        max_tokens: option_limits::tokens("max_output_tokens", request.max_output_tokens)?,
        thinking: match option_limits::thinking(effort.as_deref()) {
            ThinkingMode::Unset if wants_reasoning => ThinkingMode::On,
            mode => mode,
        },
        reasoning_effort: effort,
        single_tool_call: request.parallel_tool_calls == Some(false),
        verbosity: text.verbosity,
        output: read_format(text.format).at("text.format")?,
        context_edits: context_edits(request),
        ..Options::default()
    })
}

/// Compactions that the request asks for. Without a threshold there is none: nothing here knows the model's limit, and
/// a prompt that is too long is refused.
fn context_edits(request: &wire::Request) -> Vec<ContextEdit> {
    let entries = request.context_management.iter().flatten();
    let thresholds =
        entries.filter(|entry| entry.kind == "compaction").filter_map(|entry| entry.compact_threshold);
    let edit = |trigger| ContextEdit::Compact { trigger, instructions: None, pauses: false };
    thresholds.map(edit).collect()
}

fn read_reasoning(request: &wire::Request) -> Result<Option<wire::Reasoning>, Failure> {
    match &request.reasoning {
        None => Ok(None),
        Some(reasoning) => read_value(reasoning).at("reasoning"),
    }
}

fn includes_encrypted_reasoning(request: &wire::Request) -> bool {
    request.include.iter().flatten().any(|field| field == "reasoning.encrypted_content")
}

/// A summary that the request doesn't mention is shown: the API's own default is none, but many clients that want
/// thinking shown know no such field.
fn reasoning_output(request: &wire::Request) -> Result<ReasoningOutput, Failure> {
    let reasoning = read_reasoning(request)?;
    Ok(ReasoningOutput {
        summary: reasoning.and_then(|reasoning| reasoning.wants_summary()).unwrap_or(true),
        encrypted: includes_encrypted_reasoning(request),
    })
}

fn read_format(format: Option<wire::Format>) -> Result<Output, Failure> {
    let Some(format) = format else { return Ok(Output::Text) };
    let missing = |field: &str| Failure::invalid(field, "required, but missing");
    Ok(match format.kind {
        wire::FormatKind::Text => Output::Text,
        wire::FormatKind::JsonObject => Output::Json,
        wire::FormatKind::JsonSchema => Output::Schema {
            name: format.name.ok_or_else(|| missing("name"))?,
            description: format.description,
            schema: Value::Object(format.schema.ok_or_else(|| missing("schema"))?),
        },
    })
}

/// Fields that the response repeats, with the defaults of absent ones.
fn echo(request: wire::Request) -> Echo {
    Echo {
        instructions: request.instructions,
        max_output_tokens: request.max_output_tokens,
        max_tool_calls: request.max_tool_calls,
        metadata: request.metadata.unwrap_or_default(),
        parallel_tool_calls: request.parallel_tool_calls.unwrap_or(true),
        previous_response_id: request.previous_response_id,
        reasoning: with_defaults(request.reasoning, json!({ "effort": null, "summary": null })),
        store: request.store.unwrap_or(true),
        temperature: request.temperature,
        text: with_defaults(request.text, json!({ "format": { "type": "text" } })),
        tool_choice: request.tool_choice.unwrap_or_else(|| json!("auto")),
        tools: request.tools.into_iter().flatten().map(complete_tool).collect(),
        top_p: request.top_p,
        truncation: request.truncation.unwrap_or_default(),
        prompt_cache_key: request.prompt_cache_key,
        safety_identifier: request.safety_identifier,
        user: request.user,
    }
}

fn with_defaults(given: Option<Value>, mut defaults: Value) -> Value {
    if let (Some(Value::Object(given)), Value::Object(defaults)) = (given, &mut defaults) {
        defaults.extend(given.into_iter().filter(|(_, value)| !value.is_null()));
    }
    defaults
}

/// A function as answers repeat it: with the fields that a request may leave out.
fn complete_tool(mut tool: Value) -> Value {
    if let Value::Object(fields) = &mut tool
        && fields.get("type").is_some_and(|kind| kind == "function")
    {
        let mut absent = |field: &str, meaning: Value| {
            Map::entry(fields, field).or_insert(meaning);
        };
        absent("parameters", Value::Null);
        // Schemas are described to the model, not enforced.
        absent("strict", Value::Bool(false));
    }
    tool
}

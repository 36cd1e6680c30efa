//! Builds a whole chat completion from the same events that a stream encodes.

use serde::Serialize;
use serde_json::Value;

use super::annotations::Annotation;
use super::message_parts::{FINGERPRINT, FunctionCall, ToolCall, Usage, finish_reason};
use super::reasoning_details::{ReasoningDetail, ThinkingDetails};
use super::{Calls, ResponseOptions};
use crate::conversation::{Event, Finish};
use crate::dialect::common::extensions::ResponseExtensions;
use crate::dialect::{ResponseMeta, usage_of};

#[derive(Serialize)]
struct Completion<'a> {
    id: String,
    object: &'static str,
    created: u64,
    model: &'a str,
    system_fingerprint: &'static str,
    choices: Vec<Choice<'a>>,
    usage: Usage,
    #[serde(skip_serializing_if = "Option::is_none")]
    copilot_proxy: Option<ResponseExtensions<'a>>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: usize,
    message: Message<'a>,
    logprobs: (),
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    /// Null only where there are calls instead.
    content: Option<String>,
    refusal: (),
    #[serde(skip_serializing_if = "Vec::is_empty")]
    annotations: Vec<Annotation>,
    #[serde(skip_serializing_if = "String::is_empty")]
    reasoning_content: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasoning_details: Vec<ReasoningDetail>,
    #[serde(skip_serializing_if = "String::is_empty")]
    reasoning_opaque: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    function_call: Option<FunctionCall<'a>>,
}

/// Builds the whole response as a value.
pub fn response(meta: &ResponseMeta, options: &ResponseOptions, choice_events: &[Vec<Event>]) -> Value {
    serde_json::json!(completion(meta, options, choice_events))
}

/// Writes the whole response as JSON.
pub fn body(meta: &ResponseMeta, options: &ResponseOptions, choice_events: &[Vec<Event>]) -> String {
    // Strings, numbers and values of JSON: none fails.
    serde_json::to_string(&completion(meta, options, choice_events)).unwrap_or_default()
}

fn completion<'a>(
    meta: &'a ResponseMeta,
    options: &'a ResponseOptions,
    choice_events: &'a [Vec<Event>],
) -> Completion<'a> {
    Completion {
        id: format!("chatcmpl-{}", meta.id),
        object: "chat.completion",
        created: meta.created,
        model: &meta.model,
        system_fingerprint: FINGERPRINT,
        choices: choice_events
            .iter()
            .enumerate()
            .map(|(index, events)| choice(index, events, options))
            .collect(),
        usage: usage_of(choice_events).into(),
        copilot_proxy: ResponseExtensions::whole(choice_events.iter().flatten()),
    }
}

fn choice<'a>(index: usize, events: &'a [Event], options: &ResponseOptions) -> Choice<'a> {
    let calls = options.calls;
    let mut content = String::new();
    let mut message = Message {
        role: "assistant",
        content: None,
        refusal: (),
        annotations: Vec::new(),
        reasoning_content: String::new(),
        reasoning_details: Vec::new(),
        reasoning_opaque: String::new(),
        tool_calls: Vec::new(),
        function_call: None,
    };
    let mut reason = finish_reason(&Finish::Stop, calls);
    let mut thinking = ThinkingDetails::default();
    for event in events {
        let sealed = match event {
            Event::Text(text) if text.is_empty() => None,
            Event::Thinking(piece) => thinking.add(piece),
            Event::ToolCall(call) => thinking.seal(Some(&call.id)),
            Event::Citation(_) => None,
            Event::Text(_) | Event::ToolRan(_) | Event::WebRan(_) | Event::Context(_) | Event::Finish(..) => {
                thinking.seal(None)
            }
        };
        message.reasoning_details.extend(sealed);
        match (event, calls) {
            (Event::Text(text), _) => content.push_str(text),
            (Event::Thinking(thought), _) => message.reasoning_content.push_str(&thought.text),
            (Event::ToolCall(call), Calls::Tools) => {
                message.tool_calls.push(ToolCall::new(call, &options.custom));
            }
            (Event::ToolCall(call), Calls::Function) => {
                message.function_call.get_or_insert_with(|| FunctionCall::new(call));
            }
            (Event::Citation(citation), _) => {
                message.annotations.push(Annotation::new(citation, content.chars().count()));
            }
            (Event::ToolRan(_) | Event::WebRan(_) | Event::Context(_), _) => {}
            (Event::Finish(finish, _), _) => reason = finish_reason(finish, calls),
        }
    }
    message.reasoning_opaque = message.reasoning_details.iter().map(ReasoningDetail::data).collect();
    let has_calls = !message.tool_calls.is_empty() || message.function_call.is_some();
    message.content = (!content.is_empty() || !has_calls).then_some(content);
    Choice { index, message, logprobs: (), finish_reason: reason }
}

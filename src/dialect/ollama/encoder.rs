//! Encodes events as lines of JSON and as one object; the two have the same form, so both are here.

use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};

use super::timestamp::moment;
use super::{Instead, ResponseOptions, TextField, error_response};
use crate::conversation::{self, Event, Finish, Usage};
use crate::dialect::common::extensions::ResponseExtensions;
use crate::dialect::common::json_lines;
use crate::dialect::{Encoder, ResponseMeta};
use crate::failure::Failure;

/// A stream of lines.
pub struct LineEncoder {
    model: String,
    created_at: String,
    options: ResponseOptions,
    /// Number of calls so far: the next one's index.
    calls: usize,
}

#[derive(Serialize)]
struct Line<'a> {
    model: &'a str,
    created_at: &'a str,
    #[serde(flatten)]
    content: Content<'a>,
    done: bool,
    #[serde(flatten)]
    end: Option<End>,
    #[serde(skip_serializing_if = "Option::is_none")]
    copilot_proxy: Option<ResponseExtensions<'a>>,
}

/// Text or thinking, in the field of the endpoint.
#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    InMessage {
        message: Message<'a>,
    },
    InResponse {
        response: &'a str,
        #[serde(skip_serializing_if = "str::is_empty")]
        thinking: &'a str,
    },
}

#[derive(Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    thinking: &'a str,
    #[serde(skip_serializing_if = "<[ToolCall]>::is_empty")]
    tool_calls: &'a [ToolCall<'a>],
}

#[derive(Serialize)]
struct ToolCall<'a> {
    id: &'a str,
    function: Function<'a>,
}

#[derive(Serialize)]
struct Function<'a> {
    index: usize,
    name: &'a str,
    /// Clients insist on an object.
    arguments: Arguments<'a>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Arguments<'a> {
    Object(&'a Value),
    Other { _raw: &'a Value },
}

/// Finish and usage of a response.
#[derive(Serialize)]
struct End {
    done_reason: &'static str,
    #[serde(flatten)]
    cost: Option<Cost>,
}

/// Times are in nanoseconds. `load_duration` is the time before the request reaches the model.
#[derive(Serialize)]
struct Cost {
    total_duration: u64,
    load_duration: u64,
    prompt_eval_count: u64,
    prompt_eval_duration: u64,
    eval_count: u64,
    eval_duration: u64,
}

impl LineEncoder {
    /// An encoder at the beginning of a stream.
    pub fn new(meta: &ResponseMeta, options: ResponseOptions) -> LineEncoder {
        LineEncoder { model: meta.model.clone(), created_at: moment(meta.created), options, calls: 0 }
    }

    fn line<'a>(&'a self, content: &'a str, thinking: &'a str, tool_calls: &'a [ToolCall<'a>]) -> Line<'a> {
        let content = match self.options.text_field {
            TextField::InMessage => {
                Content::InMessage { message: Message { role: "assistant", content, thinking, tool_calls } }
            }
            // The API has no place for calls here, and no tools.
            TextField::InResponse => Content::InResponse { response: content, thinking },
        };
        Line {
            model: &self.model,
            created_at: &self.created_at,
            content,
            done: false,
            end: None,
            copilot_proxy: None,
        }
    }

    fn end(&self, finish: &Finish, usage: &Usage) -> End {
        match self.options.instead {
            Some(instead) => End { done_reason: instead.done_reason(), cost: None },
            None => End { done_reason: done_reason(finish), cost: Some(Cost::of(usage)) },
        }
    }
}

impl<'a> ToolCall<'a> {
    fn new(index: usize, call: &'a conversation::ToolCall) -> ToolCall<'a> {
        let arguments = match &call.input {
            object @ Value::Object(_) => Arguments::Object(object),
            other => Arguments::Other { _raw: other },
        };
        ToolCall { id: &call.id, function: Function { index, name: &call.name, arguments } }
    }
}

impl Cost {
    fn of(usage: &Usage) -> Cost {
        Cost {
            total_duration: nanoseconds(usage.timing.total()),
            load_duration: nanoseconds(usage.timing.ready),
            prompt_eval_count: usage.input,
            prompt_eval_duration: nanoseconds(usage.timing.first),
            eval_count: usage.output,
            eval_duration: nanoseconds(usage.timing.rest),
        }
    }
}

impl Instead {
    fn done_reason(self) -> &'static str {
        match self {
            Instead::Load => "load",
            Instead::Unload => "unload",
        }
    }
}

impl Encoder for LineEncoder {
    fn open(&mut self, _out: &mut Vec<u8>) {}

    fn event(&mut self, _choice: usize, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Text(text) if text.is_empty() => {}
            Event::Text(text) => put(&self.line(text, "", &[]), out),
            Event::Thinking(thought) if thought.text.is_empty() || !self.options.shows_thoughts => {}
            Event::Thinking(thought) => put(&self.line("", &thought.text, &[]), out),
            Event::ToolCall(call) => {
                put(&self.line("", "", &[ToolCall::new(self.calls, call)]), out);
                self.calls += 1;
            }
            // Only requests of other APIs ask for them.
            Event::WebRan(_) | Event::Citation(_) | Event::Context(_) => {}
            Event::ToolRan(ran) => {
                put(
                    &Line { copilot_proxy: Some(ResponseExtensions::tool(ran)), ..self.line("", "", &[]) },
                    out,
                );
            }
            Event::Finish(finish, usage) => {
                let copilot_proxy = Some(ResponseExtensions::last(usage));
                let end = Some(self.end(finish, usage));
                put(&Line { done: true, end, copilot_proxy, ..self.line("", "", &[]) }, out);
            }
        }
    }

    /// Writes nothing: the last line has the finish already.
    fn close(&mut self, _out: &mut Vec<u8>) {}

    fn failure(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        put(&error_response::body(failure), out);
    }

    /// An empty line of JSON: readers take nothing else, and Ollama sends such lines itself.
    fn ping(&mut self, out: &mut Vec<u8>) {
        put(&self.line("", "", &[]), out);
    }
}

fn put(line: &impl Serialize, out: &mut Vec<u8>) {
    json_lines::put(&[], line, "\n", out);
}

/// Builds the whole response.
pub fn response(meta: &ResponseMeta, options: ResponseOptions, choice_events: &[Vec<Event>]) -> Value {
    let (mut content, mut thinking, mut calls) = (String::new(), String::new(), Vec::new());
    let (mut finish, mut usage) = (&Finish::Stop, &Usage::default());
    for event in choice_events.iter().flatten() {
        match event {
            Event::Text(text) => content.push_str(text),
            Event::Thinking(thought) if options.shows_thoughts => thinking.push_str(&thought.text),
            Event::ToolCall(call) => calls.push(ToolCall::new(calls.len(), call)),
            Event::Thinking(_)
            | Event::ToolRan(_)
            | Event::WebRan(_)
            | Event::Citation(_)
            | Event::Context(_) => {}
            Event::Finish(how, cost) => (finish, usage) = (how, cost),
        }
    }
    let lines = LineEncoder::new(meta, options);
    let copilot_proxy = ResponseExtensions::whole(choice_events.iter().flatten());
    let end = Some(lines.end(finish, usage));
    json!(Line { done: true, end, copilot_proxy, ..lines.line(&content, &thinking, &calls) })
}

fn done_reason(finish: &Finish) -> &'static str {
    match finish {
        // A client sees the calls; Ollama has no finish reason for them.
        Finish::Stop | Finish::StopSequence(_) | Finish::ToolCalls => "stop",
        Finish::Length => "length",
        // Ollama has no filters and thus no reason for them, but clients should see that the response was filtered.
        Finish::ContentFilter | Finish::Refusal => "content_filter",
    }
}

fn nanoseconds(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

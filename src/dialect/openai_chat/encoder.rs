//! Encodes events as chunks, each a server-sent event, in the order of OpenAI's own: role, content, finish reason,
//! usage if it was requested, `[DONE]`.

use serde::Serialize;

use super::annotations::Annotation;
use super::message_parts::{Cost, FINGERPRINT, FunctionCall, ToolCall, finish_reason};
use super::reasoning_details::{ReasoningDetail, ThinkingDetails};
use super::{Calls, ResponseOptions};
use crate::conversation::{Event, Usage};
use crate::dialect::common::extensions::ResponseExtensions;
use crate::dialect::common::{openai_error, sse};
use crate::dialect::{Encoder, ResponseMeta, with_choice};
use crate::failure::Failure;

/// A stream of chunks.
pub struct Chunks {
    id: String,
    created: u64,
    model: String,
    options: ResponseOptions,
    /// Number of calls in each choice so far: the next one's index.
    calls: Vec<u32>,
    /// Thinking of each choice.
    thinking: Vec<ThinkingDetails>,
    /// Length of each choice's content in characters.
    lengths: Vec<usize>,
    /// Usage of the choices that have ended.
    usage: Option<Usage>,
}

#[derive(Serialize)]
struct Chunk<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    system_fingerprint: &'static str,
    choices: &'a [Choice<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Cost>,
    #[serde(skip_serializing_if = "Option::is_none")]
    copilot_proxy: Option<ResponseExtensions<'a>>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: usize,
    delta: Delta<'a>,
    logprobs: (),
    finish_reason: Option<&'static str>,
}

/// Delta of a chunk.
#[derive(Serialize)]
#[serde(untagged)]
enum Delta<'a> {
    Role { role: &'static str, content: &'static str, refusal: () },
    Content { content: &'a str },
    Reasoning { reasoning_content: &'a str },
    Sealed { reasoning_details: [&'a ReasoningDetail; 1], reasoning_opaque: &'a str },
    Annotations { annotations: [Annotation; 1] },
    ToolCalls { tool_calls: [ToolCall<'a>; 1] },
    FunctionCall { function_call: FunctionCall<'a> },
    Nothing {},
}

impl Chunks {
    /// An encoder at the beginning of a stream.
    pub fn new(meta: &ResponseMeta, options: ResponseOptions) -> Chunks {
        Chunks {
            id: format!("chatcmpl-{}", meta.id),
            created: meta.created,
            model: meta.model.clone(),
            calls: vec![0; options.choices],
            lengths: vec![0; options.choices],
            thinking: (0..options.choices).map(|_| ThinkingDetails::default()).collect(),
            options,
            usage: None,
        }
    }

    fn chunk<'a>(&'a self, choices: &'a [Choice<'a>]) -> Chunk<'a> {
        Chunk {
            id: &self.id,
            object: "chat.completion.chunk",
            created: self.created,
            model: &self.model,
            system_fingerprint: FINGERPRINT,
            choices,
            usage: self.options.include_usage.then_some(Cost::NotYet),
            copilot_proxy: None,
        }
    }

    fn delta(&self, index: usize, delta: Delta<'_>, out: &mut Vec<u8>) {
        let choice = Choice { index, delta, logprobs: (), finish_reason: None };
        sse::put(None, &self.chunk(&[choice]), out);
    }

    /// Ends the thinking of a choice; `call_id` is the tool call that follows it.
    fn seal_thinking(&mut self, choice: usize, call_id: Option<&str>, out: &mut Vec<u8>) {
        let sealed = self.thinking.get_mut(choice).and_then(|thinking| thinking.seal(call_id));
        self.put_detail(choice, sealed.as_ref(), out);
    }

    fn put_detail(&self, choice: usize, detail: Option<&ReasoningDetail>, out: &mut Vec<u8>) {
        if let Some(detail) = detail {
            let delta = Delta::Sealed { reasoning_details: [detail], reasoning_opaque: detail.data() };
            self.delta(choice, delta, out);
        }
    }

    /// Index of the next call of a choice; `None` where the form has no room for another.
    fn next_call(&mut self, choice: usize) -> Option<u32> {
        let next = self.calls.get_mut(choice)?;
        let index = *next;
        *next += 1;
        (self.options.calls == Calls::Tools || index == 0).then_some(index)
    }
}

impl Encoder for Chunks {
    fn open(&mut self, out: &mut Vec<u8>) {
        for index in 0..self.options.choices {
            self.delta(index, Delta::Role { role: "assistant", content: "", refusal: () }, out);
        }
    }

    fn event(&mut self, choice: usize, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Text(text) if text.is_empty() => {}
            Event::Text(text) => {
                self.seal_thinking(choice, None, out);
                if let Some(length) = self.lengths.get_mut(choice) {
                    *length += text.chars().count();
                }
                self.delta(choice, Delta::Content { content: text }, out);
            }
            Event::Thinking(thought) => {
                let before = self.thinking.get_mut(choice).and_then(|thinking| thinking.add(thought));
                self.put_detail(choice, before.as_ref(), out);
                if !thought.text.is_empty() {
                    self.delta(choice, Delta::Reasoning { reasoning_content: &thought.text }, out);
                }
            }
            Event::ToolCall(call) => {
                let Some(index) = self.next_call(choice) else {
                    return self.seal_thinking(choice, Some(&call.id), out);
                };
                let delta = match self.options.calls {
                    Calls::Tools => {
                        Delta::ToolCalls { tool_calls: [ToolCall::at(index, call, &self.options.custom)] }
                    }
                    Calls::Function => Delta::FunctionCall { function_call: FunctionCall::new(call) },
                };
                self.delta(choice, delta, out);
                self.seal_thinking(choice, Some(&call.id), out);
            }
            Event::Citation(citation) => {
                let length = self.lengths.get(choice).copied().unwrap_or_default();
                let annotations = [Annotation::new(citation, length)];
                self.delta(choice, Delta::Annotations { annotations }, out);
            }
            // The API shows no searches, only the links in the text.
            Event::WebRan(_) => self.seal_thinking(choice, None, out),
            // Only requests of other APIs ask for it.
            Event::Context(_) => {}
            Event::ToolRan(ran) => {
                self.seal_thinking(choice, None, out);
                let choices =
                    [Choice { index: choice, delta: Delta::Nothing {}, logprobs: (), finish_reason: None }];
                let extra = ResponseExtensions::tool(ran);
                sse::put(None, &Chunk { copilot_proxy: Some(extra), ..self.chunk(&choices) }, out);
            }
            Event::Finish(finish, usage) => {
                self.seal_thinking(choice, None, out);
                self.usage = Some(with_choice(self.usage.take(), usage.clone()));
                let finish_reason = Some(finish_reason(finish, self.options.calls));
                let choices =
                    [Choice { index: choice, delta: Delta::Nothing {}, logprobs: (), finish_reason }];
                let extra = (!self.options.include_usage).then(|| ResponseExtensions::last(usage));
                sse::put(None, &Chunk { copilot_proxy: extra, ..self.chunk(&choices) }, out);
            }
        }
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if self.options.include_usage {
            let usage = self.usage.take().unwrap_or_default();
            let chunk = Chunk {
                copilot_proxy: Some(ResponseExtensions::last(&usage)),
                usage: Some(Cost::Known(usage.into())),
                ..self.chunk(&[])
            };
            sse::put(None, &chunk, out);
        }
        sse::put_done(out);
    }

    fn failure(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        sse::put(None, &openai_error::body(failure), out);
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        sse::put_ping(out);
    }
}

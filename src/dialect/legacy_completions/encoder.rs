//! Events become text: in chunks, and whole. Both are the same object here, so both live in this file.

use serde::Serialize;
use serde_json::Value;

use super::ResponseOptions;
use crate::conversation::{Event, Finish, Usage};
use crate::dialect::common::extensions::ResponseExtensions;
use crate::dialect::common::{openai_error, sse};
use crate::dialect::openai_chat::Calls;
use crate::dialect::openai_chat::message_parts::{self, Cost, FINGERPRINT};
use crate::dialect::{Encoder, ResponseMeta, usage_of, with_choice};
use crate::failure::Failure;

/// A stream of chunks.
pub struct CompletionChunks {
    id: String,
    created: u64,
    model: String,
    options: ResponseOptions,
    /// Of the answers that have ended.
    usage: Option<Usage>,
}

#[derive(Serialize)]
struct Completion<'a> {
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
    text: &'a str,
    index: usize,
    logprobs: (),
    finish_reason: Option<&'static str>,
}

impl CompletionChunks {
    /// An encoder at the begin of a stream.
    pub fn new(meta: &ResponseMeta, options: ResponseOptions) -> CompletionChunks {
        CompletionChunks {
            id: format!("cmpl-{}", meta.id),
            created: meta.created,
            model: meta.model.clone(),
            options,
            usage: None,
        }
    }

    fn completion<'a>(&'a self, choices: &'a [Choice<'a>]) -> Completion<'a> {
        Completion {
            id: &self.id,
            object: "text_completion",
            created: self.created,
            model: &self.model,
            system_fingerprint: FINGERPRINT,
            choices,
            usage: self.options.include_usage.then_some(Cost::NotYet),
            copilot_proxy: None,
        }
    }

    fn text(&self, index: usize, text: &str, out: &mut Vec<u8>) {
        if !text.is_empty() {
            let choice = Choice { text, index, logprobs: (), finish_reason: None };
            sse::put(None, &self.completion(&[choice]), out);
        }
    }
}

impl Encoder for CompletionChunks {
    fn open(&mut self, out: &mut Vec<u8>) {
        for index in 0..self.options.choices {
            self.text(index, self.options.echo.as_deref().unwrap_or_default(), out);
        }
    }

    fn event(&mut self, choice: usize, event: &Event, out: &mut Vec<u8>) {
        match event {
            Event::Text(text) => self.text(choice, text, out),
            // The API has no field for thinking, and no tools.
            Event::Thinking(_)
            | Event::ToolCall(_)
            | Event::ToolRan(_)
            | Event::WebRan(_)
            | Event::Citation(_)
            | Event::Context(_) => {}
            Event::Finish(finish, usage) => {
                self.usage = Some(with_choice(self.usage.take(), usage.clone()));
                let finish_reason = Some(finish_reason(finish));
                let choices = [Choice { text: "", index: choice, logprobs: (), finish_reason }];
                let extra = (!self.options.include_usage).then(|| ResponseExtensions::last(usage));
                sse::put(None, &Completion { copilot_proxy: extra, ..self.completion(&choices) }, out);
            }
        }
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        if self.options.include_usage {
            let usage = self.usage.take().unwrap_or_default();
            let last = Completion {
                copilot_proxy: Some(ResponseExtensions::last(&usage)),
                usage: Some(Cost::Known(usage.into())),
                ..self.completion(&[])
            };
            sse::put(None, &last, out);
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

/// Builds the whole response.
pub fn response(meta: &ResponseMeta, options: &ResponseOptions, choice_events: &[Vec<Event>]) -> Value {
    let texts: Vec<_> = choice_events.iter().map(|events| folded(options, events)).collect();
    let choices: Vec<_> = texts
        .iter()
        .enumerate()
        .map(|(index, (text, reason))| Choice { text, index, logprobs: (), finish_reason: Some(*reason) })
        .collect();
    let chunks = CompletionChunks::new(meta, options.clone());
    let usage = Some(Cost::Known(usage_of(choice_events).into()));
    let copilot_proxy = ResponseExtensions::whole(choice_events.iter().flatten());
    serde_json::json!(Completion { usage, copilot_proxy, ..chunks.completion(&choices) })
}

fn folded(options: &ResponseOptions, events: &[Event]) -> (String, &'static str) {
    let mut text = options.echo.clone().unwrap_or_default();
    let mut reason = finish_reason(&Finish::Stop);
    for event in events {
        match event {
            Event::Text(more) => text.push_str(more),
            Event::Thinking(_)
            | Event::ToolCall(_)
            | Event::ToolRan(_)
            | Event::WebRan(_)
            | Event::Citation(_)
            | Event::Context(_) => {}
            Event::Finish(finish, _) => reason = finish_reason(finish),
        }
    }
    (text, reason)
}

fn finish_reason(finish: &Finish) -> &'static str {
    match finish {
        Finish::ToolCalls => message_parts::finish_reason(&Finish::Stop, Calls::Tools),
        finish => message_parts::finish_reason(finish, Calls::Tools),
    }
}

//! The events of a response as server-sent events, numbered one by one.

use std::sync::Arc;

use serde::Serialize;

use super::ResponseOptions;
use super::output_builder::OutputBuilder;
use super::response_object::{Echo, Response, why_incomplete};
use super::stream_event::StreamEvent;
use crate::conversation::{Event, ToolRan};
use crate::dialect::common::extensions::ResponseExtensions;
use crate::dialect::common::sse;
use crate::dialect::{Encoder, ResponseMeta};
use crate::failure::Failure;

/// A stream of steps.
pub struct StreamEncoder {
    meta: ResponseMeta,
    echo: Arc<Echo>,
    output: OutputBuilder,
    numbered: Numbered,
}

/// Puts a number on each event.
struct Numbered {
    next: u64,
    /// Tools of auto mode that no event has carried yet: the next one does.
    pending_tools: Vec<ToolRan>,
}

#[derive(Serialize)]
struct Line<'a> {
    #[serde(rename = "type")]
    name: &'static str,
    sequence_number: u64,
    #[serde(flatten)]
    event: &'a StreamEvent<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    copilot_proxy: Option<ResponseExtensions<'a>>,
}

impl Numbered {
    fn put(&mut self, event: &StreamEvent<'_>, out: &mut Vec<u8>) {
        let pending_tools = std::mem::take(&mut self.pending_tools);
        let copilot_proxy = (!pending_tools.is_empty()).then(|| ResponseExtensions {
            tools: pending_tools.iter().collect(),
            ..ResponseExtensions::default()
        });
        let name = event.name();
        sse::put(Some(name), &Line { name, sequence_number: self.next, event, copilot_proxy }, out);
        self.next += 1;
    }
}

impl StreamEncoder {
    /// An encoder at the begin of a stream.
    pub fn new(meta: &ResponseMeta, options: &ResponseOptions) -> StreamEncoder {
        StreamEncoder {
            meta: meta.clone(),
            echo: options.echo.clone(),
            output: OutputBuilder::new(meta, options),
            numbered: Numbered { next: 0, pending_tools: Vec::new() },
        }
    }
}

impl Encoder for StreamEncoder {
    fn open(&mut self, out: &mut Vec<u8>) {
        let response = &Response::in_progress(&self.meta, &self.echo, Vec::new());
        self.numbered.put(&StreamEvent::Created { response }, out);
        self.numbered.put(&StreamEvent::InProgress { response }, out);
    }

    fn event(&mut self, choice: usize, event: &Event, out: &mut Vec<u8>) {
        if choice != 0 {
            // The API has one choice only.
            return;
        }
        let StreamEncoder { meta, echo, output, numbered } = self;
        if let Event::ToolRan(ran) = event {
            numbered.pending_tools.push(ran.clone());
        }
        output.event(event, &mut |step| numbered.put(step, out));
        if let Event::Finish(finish, usage) = event {
            let extra = ResponseExtensions { tools: output.ran(), ..ResponseExtensions::last(usage) };
            let response =
                &Response::in_progress(meta, echo, output.items()).ended(finish, usage.clone(), extra);
            match why_incomplete(finish) {
                None => numbered.put(&StreamEvent::Completed { response }, out),
                Some(_) => numbered.put(&StreamEvent::Incomplete { response }, out),
            }
        }
    }

    fn close(&mut self, _out: &mut Vec<u8>) {
        // `response.completed` is the last event: the API has no `[DONE]`.
    }

    /// The item that is growing stays open: were it called done, agents would keep half a sentence and then
    /// ask again.
    fn failure(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        let items = self.output.items();
        let response = &Response::in_progress(&self.meta, &self.echo, items).failed(failure);
        self.numbered.put(&StreamEvent::Failed { response }, out);
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        sse::put_ping(out);
    }
}

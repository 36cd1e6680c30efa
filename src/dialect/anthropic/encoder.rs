//! Encodes block steps as server-sent events whose `event:` equals their `type`, in the order of Anthropic's own:
//! `message_start`, the blocks one after another, `message_delta` with stop reason and usage, `message_stop`.

use serde::Serialize;
use serde_json::Value;

use super::block_events::{BlockStep, BlockSteps};
use super::context_management::ContextReport;
use super::message::{Block, Delta, Ending, Message, Usage};
use super::{ResponseOptions, error_response};
use crate::conversation::Event;
use crate::dialect::common::extensions::ResponseExtensions;
use crate::dialect::common::sse;
use crate::dialect::{Encoder, ResponseMeta};
use crate::failure::Failure;

/// A stream of events.
pub struct Stream {
    meta: ResponseMeta,
    steps: BlockSteps,
    changes: ContextReport,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Said<'a> {
    MessageStart {
        message: Message<'a>,
    },
    ContentBlockStart {
        index: u32,
        content_block: Block,
    },
    ContentBlockDelta {
        index: u32,
        delta: Delta<'a>,
    },
    ContentBlockStop {
        index: u32,
    },
    MessageDelta {
        delta: Ending<'a>,
        usage: Usage,
        #[serde(skip_serializing_if = "Option::is_none")]
        context_management: Option<Value>,
        copilot_proxy: ResponseExtensions<'a>,
    },
    MessageStop,
    /// SDKs skip it whatever else it holds, so it also carries what the API has no event for.
    Ping {
        #[serde(skip_serializing_if = "Option::is_none")]
        copilot_proxy: Option<ResponseExtensions<'a>>,
    },
}

impl Said<'_> {
    fn put(&self, out: &mut Vec<u8>) {
        let name = match self {
            Said::MessageStart { .. } => "message_start",
            Said::ContentBlockStart { .. } => "content_block_start",
            Said::ContentBlockDelta { .. } => "content_block_delta",
            Said::ContentBlockStop { .. } => "content_block_stop",
            Said::MessageDelta { .. } => "message_delta",
            Said::MessageStop => "message_stop",
            Said::Ping { .. } => "ping",
        };
        sse::put(Some(name), self, out);
    }
}

impl<'a> From<BlockStep<'a>> for Said<'a> {
    fn from(step: BlockStep<'a>) -> Said<'a> {
        match step {
            BlockStep::Open(index, content_block) => Said::ContentBlockStart { index, content_block },
            BlockStep::Grow(index, delta) => Said::ContentBlockDelta { index, delta },
            BlockStep::Close(index) => Said::ContentBlockStop { index },
        }
    }
}

impl Stream {
    /// An encoder at the begin of a stream.
    pub fn new(meta: &ResponseMeta, options: ResponseOptions) -> Stream {
        Stream {
            meta: meta.clone(),
            steps: BlockSteps::new(options.thoughts),
            changes: ContextReport::new(options),
        }
    }
}

impl Encoder for Stream {
    fn open(&mut self, out: &mut Vec<u8>) {
        Said::MessageStart { message: Message::empty(&self.meta) }.put(out);
    }

    fn event(&mut self, _only_one: usize, event: &Event, out: &mut Vec<u8>) {
        self.steps.take(event, |step| Said::from(step).put(out));
        self.changes.event(event);
        match event {
            Event::Text(_) | Event::Thinking(_) | Event::ToolCall(_) | Event::Context(_) => {}
            Event::ToolRan(ran) => Said::Ping { copilot_proxy: Some(ResponseExtensions::tool(ran)) }.put(out),
            Event::Finish(finish, usage) => {
                let copilot_proxy = ResponseExtensions::last(usage);
                let delta = self.changes.ending(finish);
                let context_management = self.changes.report();
                let usage = self.changes.usage(*usage);
                Said::MessageDelta { delta, usage, context_management, copilot_proxy }.put(out);
            }
        }
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        Said::MessageStop.put(out);
    }

    /// The open block is not closed, since it is incomplete.
    fn failure(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        sse::put(Some("error"), &error_response::body(failure), out);
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        Said::Ping { copilot_proxy: None }.put(out);
    }
}

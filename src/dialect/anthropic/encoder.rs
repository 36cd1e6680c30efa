//! Encodes blocks as server-sent events whose `event:` equals their `type`, in the order of Anthropic's own:
//! `message_start`, the blocks one after another, `message_delta` with stop reason and usage, `message_stop`.

use serde::Serialize;
use serde_json::Value;

use super::block_events::{BlockEvent, BlockEvents};
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
    blocks: BlockEvents,
    changes: ContextReport,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum StreamEvent<'a> {
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

impl StreamEvent<'_> {
    fn put(&self, out: &mut Vec<u8>) {
        let name = match self {
            StreamEvent::MessageStart { .. } => "message_start",
            StreamEvent::ContentBlockStart { .. } => "content_block_start",
            StreamEvent::ContentBlockDelta { .. } => "content_block_delta",
            StreamEvent::ContentBlockStop { .. } => "content_block_stop",
            StreamEvent::MessageDelta { .. } => "message_delta",
            StreamEvent::MessageStop => "message_stop",
            StreamEvent::Ping { .. } => "ping",
        };
        sse::put(Some(name), self, out);
    }
}

impl<'a> From<BlockEvent<'a>> for StreamEvent<'a> {
    fn from(event: BlockEvent<'a>) -> StreamEvent<'a> {
        match event {
            BlockEvent::Open(index, content_block) => StreamEvent::ContentBlockStart { index, content_block },
            BlockEvent::Grow(index, delta) => StreamEvent::ContentBlockDelta { index, delta },
            BlockEvent::Close(index) => StreamEvent::ContentBlockStop { index },
        }
    }
}

impl Stream {
    /// An encoder at the begin of a stream.
    pub fn new(meta: &ResponseMeta, options: ResponseOptions) -> Stream {
        Stream {
            meta: meta.clone(),
            blocks: BlockEvents::new(options.thoughts),
            changes: ContextReport::new(options),
        }
    }
}

impl Encoder for Stream {
    fn open(&mut self, out: &mut Vec<u8>) {
        StreamEvent::MessageStart { message: Message::empty(&self.meta) }.put(out);
    }

    fn event(&mut self, _only_one: usize, event: &Event, out: &mut Vec<u8>) {
        self.blocks.take(event, |event| StreamEvent::from(event).put(out));
        self.changes.event(event);
        match event {
            Event::Text(_)
            | Event::Thinking(_)
            | Event::ToolCall(_)
            | Event::WebRan(_)
            | Event::Citation(_)
            | Event::Context(_) => {}
            Event::ToolRan(ran) => {
                StreamEvent::Ping { copilot_proxy: Some(ResponseExtensions::tool(ran)) }.put(out);
            }
            Event::Finish(finish, usage) => {
                let copilot_proxy = ResponseExtensions::last(usage);
                let delta = self.changes.ending(finish);
                let context_management = self.changes.report();
                let usage = self.changes.usage(usage.clone());
                StreamEvent::MessageDelta { delta, usage, context_management, copilot_proxy }.put(out);
            }
        }
    }

    fn close(&mut self, out: &mut Vec<u8>) {
        StreamEvent::MessageStop.put(out);
    }

    /// The open block is not closed, since it is incomplete.
    fn failure(&mut self, failure: &Failure, out: &mut Vec<u8>) {
        sse::put(Some("error"), &error_response::body(failure), out);
    }

    fn ping(&mut self, out: &mut Vec<u8>) {
        StreamEvent::Ping { copilot_proxy: None }.put(out);
    }
}

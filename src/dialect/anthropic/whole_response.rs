//! Builds a whole message from the same blocks that a stream encodes.

use serde_json::{Value, json};

use super::ResponseOptions;
use super::block_events::{BlockEvent, BlockEvents};
use super::context_management::ContextReport;
use super::message::{Block, Message};
use crate::conversation::{Event, Finish, Usage};
use crate::dialect::ResponseMeta;
use crate::dialect::common::extensions::ResponseExtensions;

/// Builds the whole response; the API has one choice only.
pub fn response(meta: &ResponseMeta, options: ResponseOptions, choice_events: &[Vec<Event>]) -> Value {
    let events = choice_events.first().map_or(&[][..], Vec::as_slice);
    let mut blocks = BlockEvents::new(options.thoughts);
    let mut content: Vec<Block> = Vec::new();
    let mut end = (&Finish::Stop, Usage::default());
    for event in events {
        blocks.take(event, |event| match event {
            BlockEvent::Open(_, block) => content.push(block),
            BlockEvent::Grow(_, delta) => {
                if let Some(block) = content.last_mut() {
                    block.grow(&delta);
                }
            }
            BlockEvent::Close(_) => {}
        });
        if let Event::Finish(finish, usage) = event {
            end = (finish, usage.clone());
        }
    }
    let (finish, usage) = end;
    let changes = ContextReport::of(options, events);
    let ending = changes.ending(finish);
    let message =
        Message::whole(meta, content, ending, changes.usage(usage), ResponseExtensions::whole(events));
    json!(message.with_context(changes.report()))
}

//! Builds a whole message from the same steps that a stream encodes.

use serde_json::{Value, json};

use super::ResponseOptions;
use super::block_events::{BlockStep, BlockSteps};
use super::context_management::ContextReport;
use super::message::{Block, Message};
use crate::conversation::{Event, Finish, Usage};
use crate::dialect::ResponseMeta;
use crate::dialect::common::extensions::ResponseExtensions;

/// Builds the whole response; the API has one choice only.
pub fn response(meta: &ResponseMeta, options: ResponseOptions, answers: &[Vec<Event>]) -> Value {
    let events = answers.first().map_or(&[][..], Vec::as_slice);
    let mut steps = BlockSteps::new(options.thoughts);
    let mut content: Vec<Block> = Vec::new();
    let mut end = (&Finish::Stop, Usage::default());
    for event in events {
        steps.take(event, |step| match step {
            BlockStep::Open(_, block) => content.push(block),
            BlockStep::Grow(_, delta) => {
                if let Some(block) = content.last_mut() {
                    block.grow(&delta);
                }
            }
            BlockStep::Close(_) => {}
        });
        if let Event::Finish(finish, usage) = event {
            end = (finish, *usage);
        }
    }
    let (finish, usage) = end;
    let changes = ContextReport::of(options, events);
    let ending = changes.ending(finish);
    let message =
        Message::whole(meta, content, ending, changes.usage(usage), ResponseExtensions::whole(events));
    json!(message.with_context(changes.report()))
}

//! The whole response, collected from the same events that a stream encodes.

use serde_json::{Value, json};

use super::ResponseOptions;
use super::grounding::GroundingBuilder;
use super::parts_out::PartMaker;
use super::response::{Candidate, Part, Response, finish_reason};
use crate::conversation::{Event, Finish};
use crate::dialect::common::extensions::ResponseExtensions;
use crate::dialect::{ResponseMeta, usage_of};

/// Builds the whole response.
pub fn response(meta: &ResponseMeta, options: ResponseOptions, choice_events: &[Vec<Event>]) -> Value {
    let candidates = choice_events.iter().enumerate();
    let candidates = candidates.map(|(index, events)| candidate(index, options.shows_thoughts, events));
    json!(Response {
        candidates: candidates.collect(),
        usage_metadata: Some(usage_of(choice_events).into()),
        model_version: &meta.model,
        id: &meta.id,
        copilot_proxy: ResponseExtensions::whole(choice_events.iter().flatten()),
    })
}

fn candidate(index: usize, shows_thoughts: bool, events: &[Event]) -> Candidate {
    let mut maker = PartMaker::new(shows_thoughts);
    let mut parts: Vec<Part> = Vec::new();
    let mut finish = &Finish::Stop;
    let mut grounding = GroundingBuilder::default();
    for event in events {
        grounding.event(event);
        for part in maker.parts(event) {
            if !parts.last_mut().is_some_and(|last| last.join(&part)) {
                parts.push(part);
            }
        }
        if let Event::Finish(how, _) = event {
            finish = how;
        }
    }
    if parts.is_empty() {
        parts.push(Part::text("", None));
    }
    let candidate = Candidate::new(index, parts, Some(finish_reason(finish)));
    Candidate { grounding: grounding.finish(), ..candidate }
}

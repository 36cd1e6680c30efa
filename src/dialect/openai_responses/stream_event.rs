//! The events of a stream of the Responses API, and the name of each.

use serde::Serialize;

use super::output_items::{Annotation, Content, Item, Summary};
use super::response_object::Response;

/// One event, but for its name and number, which `stream` puts before it.
#[derive(Serialize)]
#[serde(untagged)]
pub enum StreamEvent<'a> {
    Created {
        response: &'a Response<'a>,
    },
    InProgress {
        response: &'a Response<'a>,
    },
    Completed {
        response: &'a Response<'a>,
    },
    Incomplete {
        response: &'a Response<'a>,
    },
    Failed {
        response: &'a Response<'a>,
    },

    ItemAdded {
        output_index: usize,
        item: Item<'a>,
    },
    ItemDone {
        output_index: usize,
        item: Item<'a>,
    },

    PartAdded {
        item_id: &'a str,
        output_index: usize,
        content_index: usize,
        part: Content<'a>,
    },
    TextDelta {
        item_id: &'a str,
        output_index: usize,
        content_index: usize,
        delta: &'a str,
        logprobs: [(); 0],
    },
    AnnotationAdded {
        item_id: &'a str,
        output_index: usize,
        content_index: usize,
        annotation_index: usize,
        annotation: &'a Annotation,
    },
    TextDone {
        item_id: &'a str,
        output_index: usize,
        content_index: usize,
        text: &'a str,
        logprobs: [(); 0],
    },
    PartDone {
        item_id: &'a str,
        output_index: usize,
        content_index: usize,
        part: Content<'a>,
    },

    SummaryPartAdded {
        item_id: &'a str,
        output_index: usize,
        summary_index: usize,
        part: Summary<'a>,
    },
    SummaryDelta {
        item_id: &'a str,
        output_index: usize,
        summary_index: usize,
        delta: &'a str,
    },
    SummaryDone {
        item_id: &'a str,
        output_index: usize,
        summary_index: usize,
        text: &'a str,
    },
    SummaryPartDone {
        item_id: &'a str,
        output_index: usize,
        summary_index: usize,
        part: Summary<'a>,
    },

    SearchInProgress {
        item_id: &'a str,
        output_index: usize,
    },
    Searching {
        item_id: &'a str,
        output_index: usize,
    },
    SearchCompleted {
        item_id: &'a str,
        output_index: usize,
    },

    ArgumentsDelta {
        item_id: &'a str,
        output_index: usize,
        delta: &'a str,
    },
    ArgumentsDone {
        item_id: &'a str,
        output_index: usize,
        name: &'a str,
        arguments: &'a str,
    },
    InputDelta {
        item_id: &'a str,
        output_index: usize,
        delta: &'a str,
    },
    InputDone {
        item_id: &'a str,
        output_index: usize,
        input: &'a str,
    },
}

impl StreamEvent<'_> {
    /// The name in its `event:` line and its `type`.
    pub fn name(&self) -> &'static str {
        match self {
            StreamEvent::Created { .. } => "response.created",
            StreamEvent::InProgress { .. } => "response.in_progress",
            StreamEvent::Completed { .. } => "response.completed",
            StreamEvent::Incomplete { .. } => "response.incomplete",
            StreamEvent::Failed { .. } => "response.failed",
            StreamEvent::ItemAdded { .. } => "response.output_item.added",
            StreamEvent::ItemDone { .. } => "response.output_item.done",
            StreamEvent::PartAdded { .. } => "response.content_part.added",
            StreamEvent::TextDelta { .. } => "response.output_text.delta",
            StreamEvent::AnnotationAdded { .. } => "response.output_text.annotation.added",
            StreamEvent::TextDone { .. } => "response.output_text.done",
            StreamEvent::PartDone { .. } => "response.content_part.done",
            StreamEvent::SummaryPartAdded { .. } => "response.reasoning_summary_part.added",
            StreamEvent::SummaryDelta { .. } => "response.reasoning_summary_text.delta",
            StreamEvent::SummaryDone { .. } => "response.reasoning_summary_text.done",
            StreamEvent::SummaryPartDone { .. } => "response.reasoning_summary_part.done",
            StreamEvent::SearchInProgress { .. } => "response.web_search_call.in_progress",
            StreamEvent::Searching { .. } => "response.web_search_call.searching",
            StreamEvent::SearchCompleted { .. } => "response.web_search_call.completed",
            StreamEvent::ArgumentsDelta { .. } => "response.function_call_arguments.delta",
            StreamEvent::ArgumentsDone { .. } => "response.function_call_arguments.done",
            StreamEvent::InputDelta { .. } => "response.custom_tool_call_input.delta",
            StreamEvent::InputDone { .. } => "response.custom_tool_call_input.done",
        }
    }
}

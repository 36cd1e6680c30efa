//! `POST /v1/responses/compact`: the compaction of a conversation, in a request of its own.

use serde_json::{Value, json};

use super::response_object::{self, Usage};
use super::{Memory, OpenAiResponses, ResponseOptions, encoder, read, whole_response};
use crate::conversation::Event;
use crate::dialect::common::extensions::ResponseExtensions;
use crate::dialect::{Dialect, ErrorResponse, ParsedRequest, RequestHead, ResponseMeta};
use crate::failure::Failure;

/// The compaction of a conversation in a request of its own.
pub struct Compact;

impl Dialect for Compact {
    const NAME: &'static str = OpenAiResponses::NAME;

    type ResponseOptions = ResponseOptions;
    type Memory = Memory;
    type Encoder = encoder::StreamEncoder;

    fn read(
        _head: &RequestHead,
        body: &[u8],
        memory: &Memory,
    ) -> Result<(ParsedRequest, ResponseOptions), Failure> {
        let (parsed, options) = read::read(body, memory, read::Purpose::Compact)?;
        // The API doesn't stream it.
        Ok((ParsedRequest { stream: false, ..parsed }, options))
    }

    fn encoder(meta: &ResponseMeta, options: &ResponseOptions) -> encoder::StreamEncoder {
        OpenAiResponses::encoder(meta, options)
    }

    /// The user's messages, then the summary.
    fn response(meta: &ResponseMeta, options: &ResponseOptions, choice_events: &[Vec<Event>]) -> Value {
        let (_, usage) = whole_response::end(choice_events);
        let summary = whole_response::output(meta, options, choice_events);
        let mut output =
            options.compaction.as_ref().map(|of_user| of_user.items(&meta.id)).unwrap_or_default();
        output.extend(summary.items().iter().map(|item| json!(item)));
        json!({
            "id": response_object::id(meta),
            "object": "response.compaction",
            "created_at": meta.created,
            "output": output,
            "copilot_proxy": ResponseExtensions::last(&usage),
            "usage": Usage::from(usage),
        })
    }

    fn error_response(failure: &Failure) -> ErrorResponse {
        OpenAiResponses::error_response(failure)
    }
}

//! One HTTP API family each: translates its requests to a conversation and events to its responses.
//!
//! A dialect is pure translation: bytes to a `ParsedRequest`, events to bytes, a `Failure` to a body. It uses no
//! network, no clock and no editor. `http::completion` is the only code that runs one.

use serde_json::Value;

use self::common::whole_number::WholeNumber;
use crate::conversation::{Conversation, Credits, Event, PremiumRequests, Usage, UsageSource, WebTools};
use crate::failure::Failure;

pub mod anthropic;
pub mod common;
pub mod gemini;
pub mod legacy_completions;
pub mod lm_studio;
pub mod ollama;
pub mod openai_chat;
pub mod openai_responses;

/// One HTTP API: its requests, responses, streams and errors.
pub trait Dialect: 'static {
    /// Name in log lines and in the panel: `openai-chat`.
    const NAME: &'static str;

    /// Meaning of a model name that no model has.
    const UNKNOWN_MODEL: UnknownModel = UnknownModel::Reject;

    /// Whether later requests may refer to a response, so that `store` is called.
    const STORES_RESPONSES: bool = false;

    /// Options of the request that shape the response: `include_usage`, echoed fields ...
    type ResponseOptions: Clone + Send + 'static;

    /// Stored responses for later requests; `()` where the API stores none.
    type Memory: Default + Send + Sync + 'static;

    /// Encoder of streams.
    type Encoder: Encoder + 'static;

    /// Reads a request. A wrong type is a `Failure::Invalid` that names the path; unknown fields are let
    /// through; what can't be honoured and changes the meaning is `Failure::Unsupported`.
    fn read(
        head: &RequestHead,
        body: &[u8],
        memory: &Self::Memory,
    ) -> Result<(ParsedRequest, Self::ResponseOptions), Failure>;

    /// Content type of a stream with these options.
    fn stream_content_type(_options: &Self::ResponseOptions) -> &'static str {
        EVENT_STREAM
    }

    /// Encoder of a new stream.
    fn encoder(meta: &ResponseMeta, options: &Self::ResponseOptions) -> Self::Encoder;

    /// Builds a whole response: a fold over the same events that `Encoder` turns into a stream. `answers` holds the
    /// events of each choice; every one ends with `Event::Finish`.
    fn response(meta: &ResponseMeta, options: &Self::ResponseOptions, choice_events: &[Vec<Event>]) -> Value;

    /// Writes the body of a whole response as JSON. Where most requests come from it is not built as a value first.
    fn response_body(
        meta: &ResponseMeta,
        options: &Self::ResponseOptions,
        choice_events: &[Vec<Event>],
    ) -> String {
        Self::response(meta, options, choice_events).to_string()
    }

    /// Builds the error body; the status is `Failure::status` unless the API differs.
    fn error_response(failure: &Failure) -> ErrorResponse;

    /// Whether the API tells this failure in a response of status 200 instead of an error. A stream that fails so before its
    /// first event begins all the same, and `Encoder::failure` writes it.
    fn is_told_in_response(_failure: &Failure) -> bool {
        false
    }

    /// Stores a response for later requests; called after each good one where `STORES_RESPONSES` is set.
    fn store(
        _memory: &Self::Memory,
        _meta: &ResponseMeta,
        _options: &Self::ResponseOptions,
        _answers: &[Vec<Event>],
    ) {
    }
}

/// Turns events into the bytes of a stream, pushing whole events of the API to `out`.
///
/// The order of calls: `open`, then any of `event` and `ping`, then `close` after each choice's
/// `Event::Finish`, or `failure` in its place. Nothing follows either.
pub trait Encoder {
    /// The opening event, once, before anything else.
    fn open(&mut self, out: &mut Vec<u8>);

    /// Encodes an event of one response (`choice` counts from 0; only `n > 1` makes others).
    fn event(&mut self, choice: usize, event: &Event, out: &mut Vec<u8>);

    /// Ends a complete stream.
    fn close(&mut self, out: &mut Vec<u8>);

    /// Ends a failed stream with an error event, and never with the event of a complete one.
    fn failure(&mut self, failure: &Failure, out: &mut Vec<u8>);

    /// Writes a keep-alive in the API's own form.
    fn ping(&mut self, out: &mut Vec<u8>);
}

/// Content type of server-sent events.
pub const EVENT_STREAM: &str = "text/event-stream; charset=utf-8";

/// The head of a request, for APIs that use more than the body: a model in the path, a flag in the query.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestHead {
    /// Path of the URL, percent-encoded as it was sent.
    pub path: String,
    /// Query string without its `?`, and without a key.
    pub query: String,
}

/// Meaning of an unknown model name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownModel {
    /// An error that lists the existing names.
    Reject,
    /// The nearest model: clients of this API send names of their own.
    Nearest,
}

/// A request that has been read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParsedRequest {
    /// Name of the model in the request; absent = the default model.
    pub model: Option<String>,
    /// `models`: those to ask where `model` can't respond; absent = the user's fallbacks.
    pub models: Option<Vec<String>>,
    /// The conversation.
    pub conversation: Conversation,
    /// Whether the client wants a stream.
    pub stream: bool,
    /// Whether the client only checks that the model exists, so that no model runs.
    pub only_model: bool,
    /// Request fields of this server.
    pub extensions: RequestExtensions,
    /// Tools of the web that the vendor's own service would run.
    pub web: WebTools,
}

/// Request fields of this server, the same in every dialect that has tools.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RequestExtensions {
    /// `use_vscode_tools`: all the editor's tools are added to the request's own.
    pub use_vscode_tools: bool,
    /// `tool_execution`: who runs editor tools.
    pub tool_execution: ToolExecution,
    /// `max_tool_rounds`: 0 = unlimited.
    pub max_tool_rounds: Rounds,
}

impl RequestExtensions {
    /// Builds the value from a request's fields, each optional. Wire types name the three fields one by one: flattening
    /// this struct into them would buffer whole bodies and lose the places of mistakes.
    pub fn from_fields(
        use_vscode_tools: Option<bool>,
        tool_execution: Option<ToolExecution>,
        max_tool_rounds: Option<Rounds>,
    ) -> RequestExtensions {
        RequestExtensions {
            use_vscode_tools: use_vscode_tools.unwrap_or_default(),
            tool_execution: tool_execution.unwrap_or_default(),
            max_tool_rounds: max_tool_rounds.unwrap_or_default(),
        }
    }
}

/// The party that runs the editor's tools.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToolExecution {
    /// The client: calls are passed through.
    #[default]
    None,
    /// The server, in auto mode.
    Auto,
}

/// Limit of tool rounds in auto mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rounds {
    /// No more than these.
    UpTo(std::num::NonZeroU32),
    /// Until there is no call.
    Unlimited,
}

impl From<u32> for Rounds {
    fn from(rounds: u32) -> Rounds {
        std::num::NonZeroU32::new(rounds).map_or(Rounds::Unlimited, Rounds::UpTo)
    }
}

impl<'de> serde::Deserialize<'de> for Rounds {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Rounds, D::Error> {
        WholeNumber::<u32>::deserialize(deserializer).map(|WholeNumber(rounds)| Rounds::from(rounds))
    }
}

impl Default for Rounds {
    fn default() -> Rounds {
        Rounds::from(10)
    }
}

/// Facts of a response that stay the same through a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseMeta {
    /// 32 hex digits, unique; the dialect puts its own prefix before it.
    pub id: String,
    /// Seconds since 1970.
    pub created: u64,
    /// The id of the model that answers.
    pub model: String,
    /// The input as counted before sending; the last usage event is authoritative.
    pub counted_input: u64,
}

/// An error response of the dialect.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorResponse {
    /// HTTP status code.
    pub status: u16,
    /// The body's JSON.
    pub body: Value,
}

/// Usage of all choices together: the input counts once.
pub fn usage_of(choice_events: &[Vec<Event>]) -> Usage {
    choice_events
        .iter()
        .filter_map(|events| finish_usage(events))
        .fold(None, |total, usage| Some(with_choice(total, usage)))
        .unwrap_or_default()
}

/// Adds the usage of one more choice of the same request.
pub fn with_choice(total: Option<Usage>, usage: Usage) -> Usage {
    let Some(total) = total else { return usage };
    Usage {
        // The sum of all choices: they end in any order, and the sum must not depend on it.
        input: total.input.max(usage.input),
        cached: total.cached.max(usage.cached),
        cache_written: total.cache_written.max(usage.cache_written),
        output: total.output.saturating_add(usage.output),
        reasoning: total.reasoning.saturating_add(usage.reasoning),
        dropped_calls: total.dropped_calls.saturating_add(usage.dropped_calls),
        source: match (total.source, usage.source) {
            (UsageSource::Reported, UsageSource::Reported) => UsageSource::Reported,
            _ => UsageSource::Counted,
        },
        credits: Credits::sum(total.credits, usage.credits),
        premium_requests: PremiumRequests::sum(total.premium_requests, usage.premium_requests),
        // The choices run concurrently.
        timing: std::cmp::max_by_key(total.timing, usage.timing, |timing| timing.total()),
        routed_model: total.routed_model.or(usage.routed_model),
        rounds: total.rounds.or(usage.rounds),
        web: total.web.and(usage.web),
    }
}

fn finish_usage(events: &[Event]) -> Option<Usage> {
    events.iter().rev().find_map(|event| match event {
        Event::Finish(_, usage) => Some(usage.clone()),
        _ => None,
    })
}

//! The inner model of a conversation: messages and tools on the way in, events on the way out.
//!
//! Every dialect is translated into these types and back, and messages travel over the bridge as they stand
//! here. This module depends on no other.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

mod context_edit;
mod digest;
pub mod image;
mod premium_requests;
mod round;
mod routed_model;
pub mod web;

pub use context_edit::{AppliedEdit, ClearToolUses, ClearedInputs, ContextChange, ContextEdit, Trigger};
pub use digest::Digest;
pub use premium_requests::PremiumRequests;
pub use round::Round;
pub use routed_model::RoutedModel;
pub use web::{Citation, WebPage, WebRan, WebRequests, WebTools};

/// A model request: the messages so far, the tools that the model may call, and the options of the response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Conversation {
    /// Oldest first, as the client sent them; `transcript` makes them legal for the editor.
    pub messages: Vec<Message>,
    /// Tools the client offers.
    pub tools: Vec<Tool>,
    /// Whether the model must, may or must not call a tool.
    pub tool_choice: ToolChoice,
    /// Options of the response.
    pub options: Options,
}

impl Conversation {
    /// Approximate size of all content in bytes: what work on it costs.
    pub fn size(&self) -> usize {
        let content = |content: &Content| match content {
            Content::Text { text } => text.len(),
            Content::Data(data) => data.base64.len(),
        };
        let part = |part: &Part| match part {
            Part::Text { text } => text.len(),
            Part::Data(data) => data.base64.len(),
            Part::Thinking(thinking) => thinking.size(),
            // Rarely long, and its length is not known without writing it down.
            Part::ToolCall(_) => 64,
            Part::ToolResult(result) => result.content.iter().map(content).sum(),
        };
        self.messages.iter().flat_map(|message| &message.parts).map(part).sum()
    }
}

/// One turn of one speaker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Message {
    /// Author of the message.
    pub role: Role,
    /// A participant's name, where the client gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub name: Option<String>,
    /// Content, in order.
    pub parts: Vec<Part>,
}

impl Message {
    /// A message of one text part.
    pub fn text(role: Role, text: impl Into<String>) -> Message {
        Message { role, name: None, parts: vec![Part::text(text)] }
    }
}

/// Author of a message. VS Code has no system role for extensions: a legal transcript has none either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Role {
    /// System or developer text, anywhere in the transcript.
    System,
    /// Text of the user, and results of tools.
    User,
    /// Text and tool calls of the model.
    Assistant,
}

/// A piece of a message, in either direction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Part {
    /// Plain text.
    Text {
        /// Its content, never a prompt template.
        text: String,
    },
    /// Bytes with a MIME type: an image, or data that a provider attaches to its response.
    Data(Data),
    /// Reasoning of a model.
    Thinking(Thinking),
    /// A tool call of the model.
    ToolCall(ToolCall),
    /// The result of a tool call.
    ToolResult(ToolResult),
}

impl From<Content> for Part {
    fn from(content: Content) -> Part {
        match content {
            Content::Text { text } => Part::Text { text },
            Content::Data(data) => Part::Data(data),
        }
    }
}

impl Part {
    /// A text part.
    pub fn text(text: impl Into<String>) -> Part {
        Part::Text { text: text.into() }
    }

    /// Memory that it takes in bytes, with what an empty one takes: for bounds of what is stored.
    pub fn memory(&self) -> usize {
        size_of::<Part>()
            + match self {
                Part::Text { text } => text.len(),
                Part::Data(data) => data.memory(),
                Part::Thinking(thinking) => thinking.size(),
                Part::ToolCall(call) => call.memory(),
                Part::ToolResult(result) => result.memory(),
            }
    }
}

impl Data {
    fn memory(&self) -> usize {
        self.mime.len() + self.base64.len()
    }
}

impl ToolCall {
    fn memory(&self) -> usize {
        self.id.len() + self.name.len() + value_memory(&self.input)
    }
}

impl ToolResult {
    /// Its texts, each on lines of its own.
    pub fn text(&self) -> String {
        let texts = self.content.iter().filter_map(|content| match content {
            Content::Text { text } => Some(text.as_str()),
            Content::Data(_) => None,
        });
        texts.collect::<Vec<_>>().join("\n")
    }

    fn memory(&self) -> usize {
        let content = |content: &Content| match content {
            Content::Text { text } => size_of::<Content>() + text.len(),
            Content::Data(data) => size_of::<Content>() + data.memory(),
        };
        self.id.len() + self.content.iter().map(content).sum::<usize>()
    }
}

impl Event {
    /// Memory that it takes in bytes, with what an empty one takes: for bounds of what is stored.
    pub fn memory(&self) -> usize {
        size_of::<Event>()
            + match self {
                Event::Text(text) => text.len(),
                Event::Thinking(thinking) => thinking.size(),
                Event::ToolCall(call) => call.memory(),
                Event::ToolRan(ran) => ran.call.memory() + ran.result.memory(),
                // The pages hold the result's text once more.
                Event::WebRan(runs) => {
                    runs.iter().map(|web| web.ran.call.memory() + 2 * web.ran.result.memory()).sum()
                }
                Event::Citation(citation) => citation.page.text.len() + citation.link.len(),
                Event::Context(ContextChange::Compacted { summary, .. }) => summary.len(),
                Event::Context(ContextChange::Edited(_)) | Event::Finish(..) => 0,
            }
    }
}

/// Memory that a JSON value takes: many times its text if it is a list of small values.
fn value_memory(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => 0,
            Value::String(text) => text.len(),
            Value::Array(values) => values.iter().map(value_memory).sum(),
            // A key with its hash.
            Value::Object(fields) => {
                fields.iter().map(|(key, value)| 32 + key.len() + value_memory(value)).sum()
            }
        }
}

/// Bytes, kept as the base64 in which clients send them and the editor takes them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Data {
    /// For example `image/png`.
    pub mime: String,
    /// Standard alphabet, padded, checked where it was read.
    pub base64: String,
}

/// A piece of reasoning. Its provider takes it back only as it came: with its id and its metadata.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Thinking {
    /// Text of the reasoning; empty where the provider keeps it to itself.
    pub text: String,
    /// The provider's id of it, unique in its response only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub id: Option<String>,
    /// Opaque values of the provider: a signature or encrypted reasoning, and the API that they belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "{ [name: string]: unknown }"))]
    pub metadata: Option<Map<String, Value>>,
    /// Id of the model that made it, as clients see it. No other model takes it.
    #[serde(skip)]
    pub model: Option<Arc<str>>,
}

impl Thinking {
    /// A piece of text.
    pub fn text(text: impl Into<String>) -> Thinking {
        Thinking { text: text.into(), ..Thinking::default() }
    }

    /// Approximate size in bytes.
    pub fn size(&self) -> usize {
        let metadata = self.metadata.iter().flatten();
        let opaque: usize = metadata.filter_map(|(_, value)| value.as_str()).map(str::len).sum();
        self.text.len() + self.id.as_ref().map_or(0, String::len) + opaque
    }

    /// Whether it has neither text nor anything that its provider takes back.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty() && !self.is_sealed()
    }

    /// Whether its provider takes it back.
    pub fn is_sealed(&self) -> bool {
        self.id.as_deref().is_some_and(|id| !id.is_empty()) || self.metadata.is_some()
    }

    /// Whether this piece belongs to the same reasoning as the pieces `before` it. A piece without an id belongs to
    /// the one that it follows; an id may come with any of the pieces.
    pub fn continues(&self, before: &Thinking) -> bool {
        match (&before.id, &self.id) {
            (Some(before), Some(id)) => before == id,
            _ => true,
        }
    }

    /// Adds the next piece.
    pub fn append(&mut self, next: &Thinking) {
        self.text.push_str(&next.text);
        self.append_seal(next);
    }

    /// Adds the next piece without its text.
    pub fn append_seal(&mut self, next: &Thinking) {
        if self.id.is_none() {
            self.id.clone_from(&next.id);
        }
        if self.model.is_none() {
            self.model.clone_from(&next.model);
        }
        if let Some(metadata) = &next.metadata {
            self.metadata.get_or_insert_default().extend(metadata.clone());
        }
    }
}

/// Field of an object that holds what a model wrote in place of an object.
const NO_OBJECT: &str = "_raw";

/// The input of a call as an object, which is all that the editor takes: any other JSON becomes a field of one.
pub fn object_input(input: Value) -> Value {
    match input {
        Value::Object(_) => input,
        other => Value::Object([(NO_OBJECT.to_owned(), other)].into_iter().collect()),
    }
}

/// A call of a tool.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ToolCall {
    /// Pairs the call with its result.
    pub id: String,
    /// Name of the tool, as the request offers it.
    pub name: String,
    /// Its arguments: nearly always a JSON object; in a legal transcript always.
    #[cfg_attr(test, ts(type = "unknown"))]
    pub input: Value,
}

/// The result of a tool call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ToolResult {
    /// The call's id.
    pub id: String,
    /// Text and images that the tool returned.
    pub content: Vec<Content>,
    /// Whether the tool failed; the content is the error then.
    #[serde(default)]
    pub is_error: bool,
}

/// A piece of a tool's result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Content {
    /// Plain text.
    Text {
        /// Its content.
        text: String,
    },
    /// An image or another file.
    Data(Data),
}

/// A tool the model may call.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Tool {
    /// Its name. The editor takes only `[\w-]+`; others are mapped there and back.
    pub name: String,
    /// Description for the model.
    pub description: String,
    /// A JSON Schema of its arguments; without one it takes none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "object"))]
    pub input_schema: Option<Value>,
}

/// Whether the model must, may or must not call a tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ToolChoice {
    /// It must not. The tools are sent all the same, so that the provider's cache keeps them from turn to turn.
    None,
    /// It may call one.
    #[default]
    Auto,
    /// It must call some tool.
    Required,
    /// It must call this one.
    Named(String),
    /// It may call only these.
    Allowed {
        /// Names of the tools.
        names: Vec<String>,
        /// Whether it must call one of them.
        is_required: bool,
    },
}

/// Options of a response. What Copilot's provider honours is forwarded, the rest is done by the server.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// 0 to 2.
    pub temperature: Option<f64>,
    /// 0 to 1.
    pub top_p: Option<f64>,
    /// -2 to 2.
    pub frequency_penalty: Option<f64>,
    /// -2 to 2.
    pub presence_penalty: Option<f64>,
    /// Seed for sampling; equal requests with equal seeds should get equal responses.
    pub seed: Option<i64>,
    /// Upper bound on output tokens; 0 = the input is counted and no model runs.
    pub max_tokens: Option<u64>,
    /// Stop sequences; the response ends before any of them.
    pub stop: Vec<String>,
    /// Whether the response names the stop sequence that ended it. The provider doesn't, so it isn't asked to look
    /// for one.
    pub reports_stop_sequence: bool,
    /// `low`, `medium`, `high` ...: the provider knows which it takes.
    pub reasoning_effort: Option<String>,
    /// Length of the response, where the client asks for another than the usual one.
    pub verbosity: Option<Verbosity>,
    /// Whether the model is to think.
    pub thinking: ThinkingMode,
    /// Limits a response to one tool call.
    pub single_tool_call: bool,
    /// Form of the response's content.
    pub output: Output,
    /// Number of responses; absent = 1.
    pub choices: Option<std::num::NonZeroU8>,
    /// Edits of the conversation before the model reads it, in their order.
    pub context_edits: Vec<ContextEdit>,
}

/// Length of a response, as OpenAI's APIs know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verbosity {
    /// Short.
    Low,
    /// Usual.
    Medium,
    /// Long.
    High,
}

/// Whether a model is to think before it answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThinkingMode {
    /// As the model does by itself; an effort switches it on.
    #[default]
    Unset,
    /// No; a model that always thinks does so at its lowest effort.
    Off,
    /// Yes.
    On,
}

/// Form of the response's content.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Output {
    /// Plain text.
    #[default]
    Text,
    /// Any JSON object.
    Json,
    /// JSON that fits this schema.
    Schema {
        /// Name of the schema, chosen by the client.
        name: String,
        /// Description for the model.
        description: Option<String>,
        /// The JSON Schema itself.
        schema: Value,
    },
}

/// One event of a response, common to all dialects.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A piece of text.
    Text(String),
    /// A piece of reasoning; [`Thinking::continues`] tells which pieces belong together.
    Thinking(Thinking),
    /// A whole tool call: the client runs it.
    ToolCall(ToolCall),
    /// The proxy ran a tool of the editor (auto mode).
    ToolRan(ToolRan),
    /// The calls of web tools in one response of the model, which the proxy ran with tools of the editor.
    WebRan(Vec<WebRan>),
    /// The text so far ends with a link to a page that was found.
    Citation(Box<Citation>),
    /// The server changed the conversation, as its client asked.
    Context(ContextChange),
    /// Last event of every response that no failure ended.
    Finish(Finish, Usage),
}

/// A tool that the proxy ran in auto mode: shown in the extra `copilot_proxy` field that SDKs ignore.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ToolRan {
    /// The round it was called in, from 1.
    pub round: u32,
    /// The call, as the model made it.
    pub call: ToolCall,
    /// The result, as the model gets it.
    pub result: ToolResult,
    /// Time of the run; only for the request log.
    #[serde(skip)]
    pub time: RunTime,
}

/// Start and duration of a tool's run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RunTime {
    /// Start, as the time since 1970.
    pub began: Duration,
    /// Duration.
    pub took: Duration,
}

/// Reason for the end of a response.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Finish {
    /// The model has finished.
    #[default]
    Stop,
    /// This stop sequence occurred; it is not part of the response.
    StopSequence(String),
    /// A token limit or the last round was reached.
    Length,
    /// The client is to run tools.
    ToolCalls,
    /// The service filtered the rest.
    ContentFilter,
    /// The model declined to answer.
    Refusal,
}

impl Finish {
    /// Name of the reason in log lines and in the panel.
    pub fn as_str(&self) -> &'static str {
        match self {
            Finish::Stop => "stop",
            Finish::StopSequence(_) => "stop_sequence",
            Finish::Length => "length",
            Finish::ToolCalls => "tool_calls",
            Finish::ContentFilter => "content_filter",
            Finish::Refusal => "refusal",
        }
    }
}

/// Cost of a response, in tokens and in time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Usage {
    /// All of the input, cached tokens included.
    pub input: u64,
    /// All of the output, reasoning included.
    pub output: u64,
    /// Of the input: read from the provider's cache.
    pub cached: u64,
    /// Of the input: written to the provider's cache.
    pub cache_written: u64,
    /// Of the output: reasoning tokens.
    pub reasoning: u64,
    /// Tool calls of the model that were dropped: the client forbade them.
    pub dropped_calls: u32,
    /// Source of these numbers.
    pub source: UsageSource,
    /// Cost; absent where it is unknown.
    pub credits: Option<Credits>,
    /// Premium requests; absent for models that are billed by tokens.
    pub premium_requests: Option<PremiumRequests>,
    /// Time that the response took.
    pub timing: Timing,
    /// Model that `auto` was routed to, where the provider tells.
    pub routed_model: Option<RoutedModel>,
    /// The rounds of a response in auto mode, one by one; absent without it.
    pub rounds: Option<Arc<[Round]>>,
    /// Requests to the web that the response needed.
    pub web: WebRequests,
}

impl Usage {
    /// Sum of two requests, one after the other.
    #[must_use]
    pub fn and(self, other: Usage) -> Usage {
        Usage {
            input: self.input.saturating_add(other.input),
            output: self.output.saturating_add(other.output),
            cached: self.cached.saturating_add(other.cached),
            cache_written: self.cache_written.saturating_add(other.cache_written),
            reasoning: self.reasoning.saturating_add(other.reasoning),
            dropped_calls: self.dropped_calls.saturating_add(other.dropped_calls),
            source: other.source,
            credits: Credits::sum(self.credits, other.credits),
            premium_requests: PremiumRequests::sum(self.premium_requests, other.premium_requests),
            timing: self.timing.and(other.timing),
            routed_model: other.routed_model.or(self.routed_model),
            rounds: other.rounds.or(self.rounds),
            web: self.web.and(other.web),
        }
    }

    /// The tokens that are left without those of one of several requests.
    #[must_use]
    pub fn without(self, other: &Usage) -> Usage {
        Usage {
            input: self.input.saturating_sub(other.input),
            output: self.output.saturating_sub(other.output),
            cached: self.cached.saturating_sub(other.cached),
            cache_written: self.cache_written.saturating_sub(other.cache_written),
            reasoning: self.reasoning.saturating_sub(other.reasoning),
            ..self
        }
    }
}

/// Cost of a response. A credit is Copilot's unit of billing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Credits {
    /// Billionths of a credit.
    #[cfg_attr(test, ts(type = "number"))]
    pub nano: u64,
    /// Source of the number.
    pub source: CreditsSource,
}

impl Credits {
    /// The cost in credits.
    #[expect(clippy::cast_precision_loss, reason = "exact up to nine million credits")]
    pub fn amount(self) -> f64 {
        self.nano as f64 / 1e9
    }

    /// Cost of two responses; what is unknown counts nothing.
    pub fn sum(one: Option<Credits>, other: Option<Credits>) -> Option<Credits> {
        match (one, other) {
            (Some(one), Some(other)) => Some(Credits {
                nano: one.nano.saturating_add(other.nano),
                source: one.source.max(other.source),
            }),
            (one, other) => one.or(other),
        }
    }
}

/// Source of a cost; the less certain one is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum CreditsSource {
    /// The provider reported it with the response.
    Reported,
    /// The model's price list times the tokens.
    Estimated,
}

impl CreditsSource {
    /// `reported` or `estimated`.
    pub fn as_str(self) -> &'static str {
        match self {
            CreditsSource::Reported => "reported",
            CreditsSource::Estimated => "estimated",
        }
    }
}

/// Measured time of a response; the tools that run between two model requests don't count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timing {
    /// Preparation of the request and waiting in the queue.
    pub ready: Duration,
    /// From there to the model's first part.
    pub first: Duration,
    /// From there to the end.
    pub rest: Duration,
}

impl Timing {
    /// Sum of all phases.
    pub fn total(self) -> Duration {
        self.ready + self.first + self.rest
    }

    /// Sum of two responses, one after the other.
    #[must_use]
    pub fn and(self, other: Timing) -> Timing {
        Timing {
            ready: self.ready + other.ready,
            first: self.first + other.first,
            rest: self.rest + other.rest,
        }
    }
}

/// Source of a usage.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UsageSource {
    /// The provider reported it.
    Reported,
    /// The server's own tokenizer.
    #[default]
    Counted,
}

impl UsageSource {
    /// `reported` or `counted`, as headers and extra fields say it.
    pub fn as_str(self) -> &'static str {
        match self {
            UsageSource::Reported => "reported",
            UsageSource::Counted => "counted",
        }
    }
}

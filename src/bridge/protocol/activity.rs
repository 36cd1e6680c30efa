//! Running and recent requests, models and totals, for the panel.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ModelInfo;
use crate::conversation::{Credits, PremiumRequests};

/// Subscription of an editor whose panel is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Watch {
    /// Whether the panel is open.
    pub enabled: bool,
}

/// Request for the captured bodies of one request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct GetExchange {
    /// Id of the request.
    pub id: String,
}

/// A setting that the user has changed outside of VS Code.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct WriteSetting {
    /// `logRequestsToUI` or `autoTools`.
    pub name: String,
    /// Its value.
    #[cfg_attr(test, ts(type = "unknown"))]
    pub value: Value,
}

/// Request for the sums of the usage of some days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct GetUsage {
    /// First day, as `YYYY-MM-DD` in local time.
    pub from: String,
    /// Last day; it is included.
    pub to: String,
    /// Grouping: `day`, `model`, `client`, `session` or `key`.
    pub by: String,
}

/// Sums of the usage, in answer to `GetUsage`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct UsageResponse {
    /// First day of the question.
    pub from: String,
    /// Its last day.
    pub to: String,
    /// Its grouping.
    pub by: String,
    /// The sums, as `GET /v1/usage` returns them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "unknown"))]
    pub report: Option<Value>,
    /// Reason why there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub problem: Option<String>,
}

/// The models of all editors together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ModelCatalog {
    /// Entries, as clients see them.
    pub models: Vec<CatalogModel>,
}

/// A model that clients can ask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CatalogModel {
    /// The name to ask for: its id, or `vendor/id` where another vendor has the same one.
    pub request_name: String,
    /// The editor's description of it.
    #[serde(flatten)]
    pub model: ModelInfo,
}

/// Running and recent requests, without any text of conversations.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Activity {
    /// Whether this is everything that is kept, so that earlier messages are void.
    pub reset: bool,
    /// New and changed requests, oldest first. The running ones are kept, and the last hundred of the others; of those
    /// that were turned away the last twenty.
    pub requests: Vec<RequestRecord>,
    /// All models that have answered since the server started, by name.
    pub models: Vec<ModelTotals>,
    /// The minutes of the last hour in which requests ended, oldest first.
    pub minutes: Vec<Minute>,
}

/// The account of one request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RequestRecord {
    /// Counted up since the server started.
    #[cfg_attr(test, ts(type = "number"))]
    pub number: u64,
    /// Id, as in its response's `x-request-id`.
    pub id: String,
    /// Time of arrival, in milliseconds since 1970.
    #[cfg_attr(test, ts(type = "number"))]
    pub time: u64,
    /// Product and version of its client; empty where it doesn't say.
    pub client: String,
    /// Name of the key that it carried; absent without a valid one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub key: Option<String>,
    /// Session of the client, where it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub session: Option<String>,
    /// Origin of the web page that sent it; absent for programs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub origin: Option<String>,
    /// Dialect: `openai-chat`; empty for endpoints that run no model.
    pub dialect: String,
    /// HTTP method.
    pub method: String,
    /// The endpoint: `/v1/chat/completions`.
    pub path: String,
    /// Whether the response is a stream.
    pub stream: bool,
    /// The model's name as the client wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub requested_model: Option<String>,
    /// The id of the model that answers, once it is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub model: Option<String>,
    /// Models that were asked before and could not respond, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<FailedModel>>"))]
    pub failed_models: Vec<FailedModel>,
    /// The model that `auto` was routed to, where the provider tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub routed_model: Option<String>,
    /// Characters of text and thinking so far.
    #[cfg_attr(test, ts(type = "number"))]
    pub characters: u64,
    /// HTTP status of the response; absent until its head is written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub status: Option<u16>,
    /// Time in the queue, in milliseconds; absent until a response has ended well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub queued_ms: Option<u64>,
    /// Until the model's first sign, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub first_ms: Option<u64>,
    /// From its arrival to its end, in milliseconds; absent while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub duration_ms: Option<u64>,
    /// Usage in tokens, of all attempts if the request didn't end well; absent while it runs, and if no model was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub tokens: Option<Tokens>,
    /// Cost in credits; absent where it is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub credits: Option<Credits>,
    /// Premium requests; absent for models that are billed by tokens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub premium_requests: Option<PremiumRequests>,
    /// Part of the request before it in its conversation that this one begins with, from 0 to 1; absent for the first
    /// request of a conversation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub prefix_kept: Option<f64>,
    /// Change that the kept part ends at, such as `tool "x" added`; absent where all of it was kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub prefix_break: Option<String>,
    /// Cost of that change; absent where there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub prefix_loss: Option<PrefixLoss>,
    /// Editor tools that auto mode has run for it, in the order in which their results were passed on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(test, ts(optional, as = "Option<Vec<ToolRun>>"))]
    pub tool_runs: Vec<ToolRun>,
    /// Progress of auto mode, while the request runs in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub auto_mode: Option<AutoModeStatus>,
    /// Outcome of the request.
    pub outcome: Outcome,
    /// Whether it was refused before its body was read: by access control, or for want of an endpoint.
    pub rejected: bool,
    /// Whether its bodies were captured: `GetExchange` reads them.
    pub has_exchange: bool,
}

/// A model that could not respond, so that another one was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct FailedModel {
    /// Its id; the requested name if no model has it.
    pub model: String,
    /// Kind of its failure: `rate_limited`.
    pub reason: String,
}

/// Input that the provider's cache could have had, if the prefix had not changed.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PrefixLoss {
    /// In tokens.
    #[cfg_attr(test, ts(type = "number"))]
    pub tokens: u64,
    /// Price in credits above that of cached input; absent for a model without prices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub credits: Option<f64>,
}

/// Progress of a request in auto mode.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct AutoModeStatus {
    /// Number of the model request that runs or ran last, from 1.
    pub round: u32,
    /// Names of the editor tools that run now.
    pub running_tools: Vec<String>,
}

/// A run of an editor tool in auto mode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ToolRun {
    /// Name of the tool.
    pub name: String,
    /// Round of auto mode, from 1.
    pub round: u32,
    /// Start, in milliseconds since 1970.
    #[cfg_attr(test, ts(type = "number"))]
    pub time: u64,
    /// Duration in milliseconds.
    #[cfg_attr(test, ts(type = "number"))]
    pub duration_ms: u64,
    /// Whether it failed.
    pub failed: bool,
}

/// A running request that the user wants to stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct StopRequest {
    /// Its id, as its record has it.
    pub id: String,
}

/// Usage of a request, in tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Tokens {
    /// All of the input.
    #[cfg_attr(test, ts(type = "number"))]
    pub input: u64,
    /// All of the output.
    #[cfg_attr(test, ts(type = "number"))]
    pub output: u64,
    /// Of the input: read from the provider's cache.
    #[cfg_attr(test, ts(type = "number"))]
    pub cached: u64,
    /// Whether the provider reported it; otherwise the server counted.
    pub reported: bool,
}

/// Outcome of a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Outcome {
    /// Still running.
    Running,
    /// Ended well.
    Finished {
        /// `stop`, `length`, `tool_calls` ...
        reason: String,
    },
    /// Failed.
    Failed {
        /// A word for it: `rate_limited`.
        kind: String,
        /// Message in the client's response.
        message: String,
        /// Hint for the user; empty where the message has it.
        hint: String,
    },
    /// Its client has gone.
    Disconnected,
}

/// Totals of a model since the server started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ModelTotals {
    /// Id of the model.
    pub model: String,
    /// Requests that it was asked with.
    #[cfg_attr(test, ts(type = "number"))]
    pub requests: u64,
    /// Those of them that failed.
    #[cfg_attr(test, ts(type = "number"))]
    pub failed: u64,
    /// Input tokens.
    #[cfg_attr(test, ts(type = "number"))]
    pub tokens_in: u64,
    /// Of these: read from the provider's cache.
    #[cfg_attr(test, ts(type = "number"))]
    pub cached: u64,
    /// Output tokens.
    #[cfg_attr(test, ts(type = "number"))]
    pub tokens_out: u64,
}

/// Requests that ended in one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Minute {
    /// Begin of the minute, in milliseconds since 1970.
    #[cfg_attr(test, ts(type = "number"))]
    pub time: u64,
    /// Requests that ended.
    pub requests: u32,
    /// Those of them that failed.
    pub failed: u32,
}

/// Captured bodies of a request, only while the user wants to see them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Exchange {
    /// The request's id.
    pub id: String,
    /// The request's headers that change what it means, name and value.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// The request's body; absent where it is not, or no longer, kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub request: Option<CapturedBody>,
    /// Body of the response so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub response: Option<CapturedBody>,
}

/// The beginning of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CapturedBody {
    /// The captured part.
    pub text: String,
    /// Bytes in all.
    #[cfg_attr(test, ts(type = "number"))]
    pub bytes: u64,
    /// Whether the body is longer than the captured part.
    pub truncated: bool,
}

//! What can be asked, is being answered and has been, as the panel is told.

use serde::{Deserialize, Serialize};

use super::ModelInfo;

/// Whether somebody looks at the requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Watch {
    /// Somebody does.
    pub enabled: bool,
}

/// One request that somebody looks into.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct GetExchange {
    /// Its id.
    pub id: String,
}

/// What can be asked: the models of all editors together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ModelCatalog {
    /// As clients are told of them.
    pub models: Vec<CatalogModel>,
}

/// A model that clients can ask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CatalogModel {
    /// The name to ask for: its id, or `vendor/id` where another vendor has the same one.
    pub request_name: String,
    /// What its editor says of it.
    #[serde(flatten)]
    pub model: ModelInfo,
}

/// What is being answered and has been. Never a word of what was said.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Activity {
    /// All that is kept follows: what was told before no longer holds.
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct RequestRecord {
    /// Counted up since the server started.
    #[cfg_attr(test, ts(type = "number"))]
    pub number: u64,
    /// As its answer's `x-request-id` says it.
    pub id: String,
    /// When it came, in milliseconds since 1970.
    #[cfg_attr(test, ts(type = "number"))]
    pub time: u64,
    /// Product and version of its client; empty where it doesn't say.
    pub client: String,
    /// The API it speaks: `openai-chat`; empty where it came to no door that asks models.
    pub dialect: String,
    /// `POST`.
    pub method: String,
    /// The endpoint: `/v1/chat/completions`.
    pub path: String,
    /// The answer is told as it comes.
    pub stream: bool,
    /// The model's name as the client wrote it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub requested_model: Option<String>,
    /// The id of the model that answers, once it is chosen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub model: Option<String>,
    /// Characters of the answer so far, said and thought.
    #[cfg_attr(test, ts(type = "number"))]
    pub characters: u64,
    /// Until the model's first sign, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub first_ms: Option<u64>,
    /// From its arrival to its end, in milliseconds; absent while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional, type = "number"))]
    pub duration_ms: Option<u64>,
    /// What it cost; absent where no answer has ended well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub tokens: Option<Tokens>,
    /// Progress of auto mode, while the request runs in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub auto_mode: Option<AutoModeStatus>,
    /// How it ended.
    pub outcome: Outcome,
    /// It was turned away before anybody read what it asks: by the guard, or because there is no such door.
    pub rejected: bool,
    /// What was said in it is kept: `GetExchange` shows it.
    pub has_exchange: bool,
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

/// A running request that the user wants to stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct StopRequest {
    /// Its id, as its record has it.
    pub id: String,
}

/// What a request cost, in tokens.
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
    /// The provider says so; else the server has counted.
    pub reported: bool,
}

/// How a request ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Outcome {
    /// Not yet.
    Running,
    /// Well.
    Finished {
        /// `stop`, `length`, `tool_calls` ...
        reason: String,
    },
    /// Badly.
    Failed {
        /// A word for it: `rate_limited`.
        kind: String,
        /// What the client was told.
        message: String,
        /// What a person can do about it; empty where the message says it.
        hint: String,
    },
    /// Its client has gone.
    Disconnected,
}

/// What a model has done since the server started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ModelTotals {
    /// Its id.
    pub model: String,
    /// Requests that it was asked with.
    #[cfg_attr(test, ts(type = "number"))]
    pub requests: u64,
    /// Those of them that failed.
    #[cfg_attr(test, ts(type = "number"))]
    pub failed: u64,
    /// Tokens in.
    #[cfg_attr(test, ts(type = "number"))]
    pub tokens_in: u64,
    /// Of these: read from the provider's cache.
    #[cfg_attr(test, ts(type = "number"))]
    pub cached: u64,
    /// Tokens out.
    #[cfg_attr(test, ts(type = "number"))]
    pub tokens_out: u64,
}

/// What ended in one minute.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct Minute {
    /// When it began, in milliseconds since 1970.
    #[cfg_attr(test, ts(type = "number"))]
    pub time: u64,
    /// Requests that ended.
    pub requests: u32,
    /// Those of them that failed.
    pub failed: u32,
}

/// What was said in a request, as the client saw it. Only kept where the person wants to see it.
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
    /// The answer's body, as far as it has been told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub response: Option<CapturedBody>,
}

/// The beginning of a body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct CapturedBody {
    /// What is kept of it.
    pub text: String,
    /// Bytes in all.
    #[cfg_attr(test, ts(type = "number"))]
    pub bytes: u64,
    /// More was said than is kept.
    pub truncated: bool,
}

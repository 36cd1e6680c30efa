//! A row of the usage database.

use crate::conversation::{Credits, PremiumRequests};

/// Outcome of a request that runs. After a crash of its server the row stays, later with the outcome `INTERRUPTED`.
pub const RUNNING: &str = "running";

/// Outcome of a request whose server was killed.
pub(super) const INTERRUPTED: &str = "interrupted";

/// A request that runs, as the writer sees it.
pub trait RunningRequest: Send + Sync {
    /// Its row with the cost so far; none if it has ended, since its last row comes by itself.
    fn row(&self) -> Option<UsageRow>;
}

/// Facts about one request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UsageRow {
    /// Time of its end, or of this row while it runs, in milliseconds since 1970.
    pub time: u64,
    /// Id, as in its response's `x-request-id`.
    pub request_id: String,
    /// Dialect: `openai-chat`.
    pub dialect: String,
    /// Product and version of the client.
    pub client: String,
    /// The client's session, else the client.
    pub session: String,
    /// Sub-agent in the session, where the client names it.
    pub agent: Option<String>,
    /// Name of the key that the request carried.
    pub key: Option<String>,
    /// Id of the model; absent where none was resolved.
    pub model: Option<String>,
    /// Id of the model that `auto` chose, where it is known.
    pub routed_model: Option<String>,
    /// All of the input, cached tokens included.
    pub input_tokens: u64,
    /// Of the input: read from the provider's cache.
    pub cached_tokens: u64,
    /// Of the input: written to the provider's cache.
    pub cache_write_tokens: u64,
    /// All of the output, reasoning included.
    pub output_tokens: u64,
    /// Of the output: reasoning.
    pub reasoning_tokens: u64,
    /// Cost; absent where it is unknown.
    pub credits: Option<Credits>,
    /// Premium requests; absent for models that are billed by tokens.
    pub premium_requests: Option<PremiumRequests>,
    /// Number of attempts that a provider got and may bill.
    pub attempts: u32,
    /// Time in the queue, in milliseconds.
    pub queued_ms: Option<u64>,
    /// Time to the model's first part, in milliseconds.
    pub first_ms: Option<u64>,
    /// Time to the end, in milliseconds.
    pub total_ms: u64,
    /// Part of the possible common prefix with the request before it that it kept, from 0 to 1.
    pub prefix_kept: Option<f64>,
    /// Change that ended the common prefix.
    pub prefix_break: Option<String>,
    /// `stop`, `length`, `tool_calls` ...; the kind of the failure; `disconnected`; `RUNNING`.
    pub outcome: String,
}

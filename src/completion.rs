//! One model request from its conversation to its events.
//!
//! `service` is the entry: it resolves the model, prepares the request and waits for a permit. `fallback` asks the next
//! model of the request's `model_chain` where one can't respond. `dispatch` runs the request in an editor, with
//! `failover` to another window and `retry` of a response that isn't what was required.
//! `context` is the state that they share. The other modules are filters over the events (`filter_chain` puts them in
//! order), the request for the editor and the classification of errors.

use std::pin::Pin;

use futures_util::Stream;

use crate::conversation::Event;
use crate::failure::Failure;

pub mod admission;
mod attempt_cost;
mod auto_prompt;
pub mod blank_text;
mod blocked_vendors;
mod context;
pub mod context_edits;
mod dispatch;
pub mod dropped_calls;
pub mod editor_request;
pub mod event_mapper;
mod failover;
mod fallback;
pub mod filter;
pub mod filter_chain;
mod first_part;
mod image_limit;
pub mod json_output;
mod json_schema;
mod latency;
pub mod max_tokens;
mod model_chain;
pub mod price;
pub mod provider_error;
mod rate_limit_backoff;
pub mod required_output;
mod retry;
mod retry_messages;
pub mod routed_models;
mod service;
pub mod single_tool_call;
pub mod standard_context;
pub mod stop_sequences;
mod thinking;
mod tracked_prefix;
pub mod usage_counter;
mod verbosity;

pub use blocked_vendors::BlockedVendors;
pub use context::CompletionContext;
pub use fallback::ModelFailure;
pub use model_chain::ModelChain;
pub use rate_limit_backoff::RateLimitBackoff;
pub use service::{CompletionRequest, CompletionService, StartedCompletion};
pub use tracked_prefix::PrefixReport;

/// The events of one response. Dropping the stream cancels the model.
pub type Events = Pin<Box<dyn Stream<Item = Result<Event, Failure>>>>;

//! Handlers of the endpoints that don't run a model, one file per group.

pub(super) mod count_tokens;
pub(super) mod health;
pub(super) mod mcp;
pub(super) mod metrics;
pub(super) mod models;
pub(super) mod not_offered;
pub(super) mod ollama;
pub(super) mod responses;
pub(super) mod tools;
pub(super) mod usage;

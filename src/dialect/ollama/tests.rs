//! Requests and responses in whole values.

mod accepted_requests;
mod models;
mod rejected_requests;
mod responses;

use serde_json::Value;

use super::{Chat, Generate, Ollama, ResponseOptions};
use crate::dialect::RequestHead;
use crate::dialect::{Dialect, ParsedRequest};
use crate::failure::Failure;

/// Reads what is sent to `/api/chat`.
fn chat(body: &Value) -> Result<(ParsedRequest, ResponseOptions), Failure> {
    Ollama::<Chat>::read(&RequestHead::default(), body.to_string().as_bytes(), &())
}

/// Reads what is sent to `/api/generate`.
fn generate(body: &Value) -> Result<(ParsedRequest, ResponseOptions), Failure> {
    Ollama::<Generate>::read(&RequestHead::default(), body.to_string().as_bytes(), &())
}

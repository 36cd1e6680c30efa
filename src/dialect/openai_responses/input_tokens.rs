//! `POST /v1/responses/input_tokens`: a request of the Responses API, sent only for its size.

use serde_json::{Value, json};

use super::{Memory, read};
use crate::dialect::ParsedRequest;
use crate::failure::Failure;

/// Reads the body: that of a response, but `input` may be missing.
pub fn read(body: &[u8], memory: &Memory) -> Result<ParsedRequest, Failure> {
    read::read(body, memory, read::Purpose::Count).map(|(parsed, _)| parsed)
}

/// Builds the response.
pub fn response(tokens: u64) -> Value {
    json!({ "object": "response.input_tokens", "input_tokens": tokens })
}

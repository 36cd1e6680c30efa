//! `POST /v1beta/models/{model}:countTokens`: the size of a request without running it.

use serde_json::{Value, json};

use super::call::Call;
use super::{read, wire};
use crate::dialect::common::body_json::read_json;
use crate::dialect::{ParsedRequest, RequestHead};
use crate::failure::{Failure, ResultExt};

/// Reads the body: a whole request under `generateContentRequest`, or its fields themselves.
pub fn read(head: &RequestHead, body: &[u8]) -> Result<ParsedRequest, Failure> {
    let call = Call::of(head);
    let parsed = match read_json::<wire::CountTokens>(body)?.generate_content_request {
        Some(request) => read::read_request(call, request).at("generateContentRequest")?,
        None => read::read_request(call, read_json(body)?)?,
    };
    Ok(parsed.0)
}

/// Builds the response.
pub fn response(tokens: u64) -> Value {
    json!({
        "totalTokens": tokens,
        "promptTokensDetails": [{ "modality": "TEXT", "tokenCount": tokens }],
    })
}

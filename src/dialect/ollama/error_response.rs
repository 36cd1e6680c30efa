//! Ollama's error response: one sentence under `error`, the same in a body and in a stream.

use serde_json::{Value, json};

use crate::dialect::ErrorResponse;
use crate::failure::Failure;

/// Builds the HTTP response of a request that fails before its stream begins.
pub fn error_response(failure: &Failure) -> ErrorResponse {
    let status = match failure {
        // The status of Ollama's server when its queue is full.
        Failure::TooManyRequests { .. } => 503,
        other => other.status(),
    };
    ErrorResponse { status, body: body(failure) }
}

/// The error's JSON.
pub fn body(failure: &Failure) -> Value {
    let message = match failure {
        // Clients look for these words.
        Failure::UnknownModel { requested, known } => {
            format!("model '{requested}' not found; available: {}", known.join(", "))
        }
        other => other.text(),
    };
    json!({ "error": message })
}

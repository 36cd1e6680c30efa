//! Google's error response: `{"error": {"code", "message", "status", "details"}}`, with the details of `google.rpc`.

use serde_json::{Value, json};

use crate::dialect::ErrorResponse;
use crate::failure::Failure;

/// Builds the HTTP response of a request that fails before its stream begins.
pub fn error_response(failure: &Failure) -> ErrorResponse {
    if let Some(body) = prompt_feedback(failure) {
        return ErrorResponse { status: 200, body };
    }
    ErrorResponse { status: failure.status(), body: body(failure) }
}

/// The response to a prompt that the service filtered: the API tells it without an error, and without candidates.
pub fn prompt_feedback(failure: &Failure) -> Option<Value> {
    let Failure::ContentFiltered { message } = failure else { return None };
    Some(json!({
        "promptFeedback": { "blockReason": "SAFETY", "blockReasonMessage": message },
        "usageMetadata": { "promptTokenCount": 0, "totalTokenCount": 0 },
    }))
}

/// Builds the JSON, the same in an HTTP response and in a stream. `error` is its only key: SDKs recognize a failed stream by
/// it.
pub fn body(failure: &Failure) -> Value {
    let code = failure.status();
    json!({
        "error": {
            "code": code,
            "message": message(failure),
            "status": status(failure, code),
            "details": details(failure),
        }
    })
}

fn message(failure: &Failure) -> String {
    match failure {
        // Agents search for these words.
        Failure::TooLong { tokens, maximum } => {
            format!(
                "The input token count ({tokens}) exceeds the maximum number of tokens allowed ({maximum})."
            )
        }
        Failure::TooLongForSetting { .. } | Failure::TooLongForProvider => {
            format!("The input token count exceeds the maximum number of tokens allowed: {}", failure.text())
        }
        other => other.text(),
    }
}

/// The canonical code, which programs read.
fn status(failure: &Failure, code: u16) -> &'static str {
    match failure {
        Failure::Invalid { .. }
        | Failure::Unsupported { .. }
        | Failure::ThreadUnsupported
        | Failure::UnknownResponse { .. }
        | Failure::TooLong { .. }
        | Failure::TooLongForSetting { .. }
        | Failure::TooLongForProvider
        | Failure::BodyTooLarge { .. }
        | Failure::NotJson { .. }
        | Failure::UnknownCoding { .. }
        | Failure::ContentFiltered { .. } => "INVALID_ARGUMENT",
        Failure::NoWebSocket { .. } | Failure::WrongMethod { .. } => "UNIMPLEMENTED",
        Failure::Unauthorized | Failure::KeyRevoked => "UNAUTHENTICATED",
        Failure::Forbidden { .. } | Failure::ModelNotAllowed { .. } | Failure::ConsentMissing { .. } => {
            "PERMISSION_DENIED"
        }
        Failure::NoSuchPath { .. }
        | Failure::NoSuchResponse { .. }
        | Failure::UnknownItem { .. }
        | Failure::UnknownModel { .. } => "NOT_FOUND",
        Failure::QuotaExceeded { .. }
        | Failure::RateLimited { .. }
        | Failure::Blocked { .. }
        | Failure::TooManyRequests { .. } => "RESOURCE_EXHAUSTED",
        Failure::ReceiveTimeout { .. }
        | Failure::ModelTimeout { .. }
        | Failure::ToolsTimeout { .. }
        | Failure::ClientTooSlow => "DEADLINE_EXCEEDED",
        Failure::Cancelled => "CANCELLED",
        Failure::NoModels { .. }
        | Failure::Overloaded { .. }
        | Failure::ProviderUnavailable { .. }
        | Failure::EditorGone
        | Failure::Stopping => "UNAVAILABLE",
        Failure::BadAnswer { .. } | Failure::Internal { .. } => "INTERNAL",
        Failure::Provider { .. } => status_of_code(code),
    }
}

fn status_of_code(code: u16) -> &'static str {
    match code {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        408 | 504 => "DEADLINE_EXCEEDED",
        409 => "ABORTED",
        429 => "RESOURCE_EXHAUSTED",
        501 => "UNIMPLEMENTED",
        502 | 503 | 529 => "UNAVAILABLE",
        400..=499 => "INVALID_ARGUMENT",
        _ => "INTERNAL",
    }
}

/// Details that SDKs and agents react to: the reason, the field that is wrong, the time until the next
/// attempt.
fn details(failure: &Failure) -> Vec<Value> {
    let reason = match failure {
        // With this reason Gemini CLI shows the message and doesn't try again. A quota that is named in the details would
        // make it show a sentence of its own.
        Failure::QuotaExceeded { .. } => "MODEL_CAPACITY_EXHAUSTED".to_owned(),
        other => other.kind().to_uppercase(),
    };
    let mut details = vec![json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "copilot-proxy",
    })];
    if let Failure::Invalid { at, message } | Failure::Unsupported { at, message } = failure
        && !at.is_empty()
    {
        details.push(json!({
            "@type": "type.googleapis.com/google.rpc.BadRequest",
            "fieldViolations": [{ "field": at, "description": message }],
        }));
    }
    let retry_after = failure.headers().into_iter().find(|(name, _)| *name == "retry-after");
    if let Some((_, seconds)) = retry_after {
        details.push(json!({
            "@type": "type.googleapis.com/google.rpc.RetryInfo",
            "retryDelay": format!("{seconds}s"),
        }));
    }
    details
}

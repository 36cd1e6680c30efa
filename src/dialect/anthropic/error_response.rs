//! Anthropic's error response: `{"type": "error", "error": {"type", "message"}, "request_id"}`.

use serde_json::{Value, json};

use crate::dialect::ErrorResponse;
use crate::failure::Failure;

/// Builds the HTTP response of a request that fails before its stream begins.
pub fn error_response(failure: &Failure) -> ErrorResponse {
    ErrorResponse { status: failure.status(), body: body(failure) }
}

/// Builds the JSON of an HTTP response and of a stream's error event. The caller sets the request's id.
pub fn body(failure: &Failure) -> Value {
    let mut error = json!({ "type": kind(failure), "message": failure.text() });
    if let (Failure::ThreadUnsupported, Some(error)) = (failure, error.as_object_mut()) {
        // With this error the SDKs fall back to sending whole conversations.
        let details = json!({ "error_code": "thread_unsupported_request", "unsupported": [] });
        error.insert("details".into(), details);
    }
    json!({ "type": "error", "error": error, "request_id": null })
}

/// The `type` of the error, which programs read.
fn kind(failure: &Failure) -> &'static str {
    match failure {
        Failure::Invalid { .. }
        | Failure::Unsupported { .. }
        | Failure::ThreadUnsupported
        | Failure::TooLong { .. }
        | Failure::TooLongForSetting { .. }
        | Failure::TooLongForProvider
        | Failure::NotJson { .. }
        | Failure::UnknownCoding { .. }
        | Failure::NoWebSocket { .. }
        | Failure::WrongMethod { .. }
        | Failure::UnknownResponse { .. }
        | Failure::Cancelled
        | Failure::ContentFiltered { .. } => REQUEST,
        Failure::BodyTooLarge { .. } => "request_too_large",
        Failure::Unauthorized | Failure::KeyRevoked => "authentication_error",
        Failure::Forbidden { .. } | Failure::ModelNotAllowed { .. } | Failure::ConsentMissing { .. } => {
            "permission_error"
        }
        Failure::NoSuchPath { .. }
        | Failure::NoSuchResponse { .. }
        | Failure::UnknownItem { .. }
        | Failure::UnknownModel { .. } => "not_found_error",
        Failure::QuotaExceeded { .. }
        | Failure::RateLimited { .. }
        | Failure::Blocked { .. }
        | Failure::TooManyRequests { .. } => "rate_limit_error",
        Failure::ReceiveTimeout { .. }
        | Failure::ModelTimeout { .. }
        | Failure::ToolsTimeout { .. }
        | Failure::ClientTooSlow => "timeout_error",
        Failure::Overloaded { .. } => OVERLOADED,
        Failure::Provider { status, .. } => kind_of_status(*status),
        // Not overloaded, though their status is 503: agents put a sentence of their own in place of that
        // type's message, and these messages say what to do.
        Failure::NoModels { .. }
        | Failure::ProviderUnavailable { .. }
        | Failure::EditorGone
        | Failure::Stopping
        | Failure::BadAnswer { .. }
        | Failure::Internal { .. } => "api_error",
    }
}

fn kind_of_status(status: u16) -> &'static str {
    match status {
        401 => "authentication_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        408 | 504 => "timeout_error",
        503 | 529 => OVERLOADED,
        400..500 => REQUEST,
        _ => "api_error",
    }
}

const REQUEST: &str = "invalid_request_error";
const OVERLOADED: &str = "overloaded_error";

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::failure::Quota;

    fn check(failure: &Failure, status: u16, error: &Value) {
        let body = json!({ "type": "error", "error": error, "request_id": null });
        assert_eq!(error_response(failure), ErrorResponse { status, body });
    }

    #[test]
    fn prompt_too_long_has_the_message_that_claude_code_matches() {
        check(
            &Failure::TooLong { tokens: 210_000, maximum: 200_000 },
            400,
            &json!({
                "type": "invalid_request_error",
                "message": "prompt is too long: 210000 tokens > 200000 maximum",
            }),
        );
    }

    #[test]
    fn thread_error_has_the_details_that_sdks_match() {
        check(
            &Failure::ThreadUnsupported,
            400,
            &json!({
                "type": "invalid_request_error",
                "message": "thread: conversations are not kept here; send all messages with each request",
                "details": { "error_code": "thread_unsupported_request", "unsupported": [] },
            }),
        );
    }

    #[test]
    fn every_failure_has_a_documented_error_type() {
        let message = || "so it is".to_owned();
        let provider = |status| Failure::Provider { status, code: None, message: message() };
        let second = Duration::from_secs(1);
        for (failure, status, kind) in [
            (Failure::invalid("max_tokens", "Field required"), 400, "invalid_request_error"),
            (Failure::unsupported("source", message()), 400, "invalid_request_error"),
            (Failure::TooLongForProvider, 400, "invalid_request_error"),
            (Failure::ContentFiltered { message: message() }, 400, "invalid_request_error"),
            (Failure::Unauthorized, 401, "authentication_error"),
            (Failure::Forbidden { code: "host_not_allowed", message: message() }, 403, "permission_error"),
            (Failure::ConsentMissing { message: message() }, 403, "permission_error"),
            (Failure::UnknownModel { requested: message(), known: vec![] }, 404, "not_found_error"),
            (Failure::NoSuchPath { path: message(), base_url: message() }, 404, "not_found_error"),
            (
                Failure::WrongMethod { method: message(), path: message(), allow: message() },
                405,
                "invalid_request_error",
            ),
            (Failure::ReceiveTimeout { within: second }, 408, "timeout_error"),
            (Failure::ClientTooSlow, 408, "timeout_error"),
            (Failure::BodyTooLarge { limit: 1 }, 413, "request_too_large"),
            (Failure::NotJson { found: message() }, 415, "invalid_request_error"),
            (Failure::QuotaExceeded { quota: Quota::Provider, message: message() }, 429, "rate_limit_error"),
            (Failure::RateLimited { message: message(), retry_after: second }, 429, "rate_limit_error"),
            (Failure::Blocked { message: message(), remaining: second }, 429, "rate_limit_error"),
            (Failure::TooManyRequests { limit: 1 }, 429, "rate_limit_error"),
            (Failure::Internal { message: message() }, 500, "api_error"),
            (Failure::BadAnswer { message: message() }, 502, "api_error"),
            (Failure::NoModels { message: message() }, 503, "api_error"),
            (Failure::ProviderUnavailable { message: message() }, 503, "api_error"),
            (Failure::EditorGone, 503, "api_error"),
            (Failure::Stopping, 503, "api_error"),
            (Failure::Cancelled, 499, "invalid_request_error"),
            (Failure::Overloaded { message: message() }, 503, "overloaded_error"),
            (Failure::ModelTimeout { after: second }, 504, "timeout_error"),
            (Failure::ToolsTimeout { within: second }, 504, "timeout_error"),
            (provider(409), 409, "invalid_request_error"),
            (provider(404), 404, "not_found_error"),
            (provider(500), 500, "api_error"),
            (provider(504), 504, "timeout_error"),
            (provider(529), 529, "overloaded_error"),
        ] {
            check(&failure, status, &json!({ "type": kind, "message": failure.to_string() }));
        }
    }
}

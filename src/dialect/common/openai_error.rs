//! OpenAI's error response: `{"error": {"message", "type", "param", "code"}}`, always with all four keys.
//! Chat completions, responses and completions share it.

use serde_json::{Value, json};

use crate::dialect::ErrorResponse;
use crate::failure::Failure;

/// The HTTP answer to a request that fails before its stream begins.
pub fn error_response(failure: &Failure) -> ErrorResponse {
    ErrorResponse { status: failure.status(), body: body(failure) }
}

/// The JSON, alike in an HTTP answer and in a stream's error event.
pub fn body(failure: &Failure) -> Value {
    let ErrorFields { kind, param, code } = error_fields(failure);
    json!({ "error": { "message": failure.text(), "type": kind, "param": param, "code": code } })
}

/// The machine-readable fields of an error.
#[derive(Debug, PartialEq)]
pub struct ErrorFields<'a> {
    /// A coarse word that some SDKs print.
    pub kind: &'static str,
    /// The field that is to blame.
    pub param: Option<&'a str>,
    /// Codes that agents react to: they compact, wait or give up.
    pub code: Option<&'a str>,
}

/// The machine-readable fields for a failure.
pub fn error_fields(failure: &Failure) -> ErrorFields<'_> {
    let (kind, param, code) = match failure {
        Failure::Invalid { at, .. } => (REQUEST, field(at), None),
        Failure::Unsupported { at, .. } => (REQUEST, field(at), Some("unsupported_parameter")),
        Failure::ThreadUnsupported => (REQUEST, Some("thread"), Some("unsupported_parameter")),
        Failure::UnknownResponse { .. } => {
            (REQUEST, Some("previous_response_id"), Some("previous_response_not_found"))
        }
        Failure::NoSuchResponse { .. } => (REQUEST, None, None),
        Failure::UnknownItem { .. } => (REQUEST, Some("input"), None),
        Failure::TooLong { .. } | Failure::TooLongForSetting { .. } | Failure::TooLongForProvider => {
            (REQUEST, None, Some("context_length_exceeded"))
        }
        Failure::BodyTooLarge { .. } => (REQUEST, None, Some("request_too_large")),
        Failure::ReceiveTimeout { .. } => (REQUEST, None, Some("request_timeout")),
        Failure::NotJson { .. } => (REQUEST, None, Some("unsupported_media_type")),
        Failure::UnknownCoding { .. } => (REQUEST, None, Some("unsupported_content_encoding")),
        Failure::NoWebSocket { .. } => (REQUEST, None, Some("websocket_not_supported")),
        Failure::NoSuchPath { .. } => (REQUEST, None, Some("unknown_url")),
        Failure::WrongMethod { .. } => (REQUEST, None, Some("method_not_supported")),
        Failure::Unauthorized | Failure::KeyRevoked => (REQUEST, None, Some("invalid_api_key")),
        Failure::ModelNotAllowed { .. } => (REQUEST, Some("model"), Some("model_not_allowed")),
        Failure::Forbidden { code, .. } => (REQUEST, None, Some(*code)),
        Failure::UnknownModel { .. } => (REQUEST, Some("model"), Some("model_not_found")),
        Failure::NoModels { .. } => (SERVER, None, Some("no_models")),
        Failure::ConsentMissing { .. } => (REQUEST, None, Some("consent_missing")),
        Failure::QuotaExceeded { .. } => ("insufficient_quota", None, Some("insufficient_quota")),
        Failure::RateLimited { .. } | Failure::Blocked { .. } => (RATE, None, Some("rate_limit_exceeded")),
        Failure::TooManyRequests { .. } => (RATE, None, Some("too_many_requests")),
        Failure::Overloaded { .. } => (SERVER, None, Some("server_is_overloaded")),
        Failure::ContentFiltered { .. } => (REQUEST, None, Some("content_filter")),
        Failure::ProviderUnavailable { .. } => (SERVER, None, Some("provider_unavailable")),
        Failure::Provider { status: ..500, code, .. } => (REQUEST, None, code.as_deref()),
        Failure::Provider { code, .. } => (SERVER, None, code.as_deref()),
        Failure::ModelTimeout { .. } => (SERVER, None, Some("model_timeout")),
        Failure::ToolsTimeout { .. } => (SERVER, None, Some("tools_timeout")),
        Failure::BadAnswer { .. } => (SERVER, None, Some("bad_answer")),
        Failure::EditorGone => (SERVER, None, Some("editor_gone")),
        Failure::Stopping => (SERVER, None, Some("stopping")),
        Failure::Cancelled => (REQUEST, None, Some("cancelled")),
        Failure::ClientTooSlow => (SERVER, None, Some("client_too_slow")),
        Failure::Internal { .. } => (SERVER, None, None),
    };
    ErrorFields { kind, param, code }
}

const REQUEST: &str = "invalid_request_error";
const SERVER: &str = "server_error";
const RATE: &str = "rate_limit_error";

fn field(at: &str) -> Option<&str> {
    (!at.is_empty()).then_some(at)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::failure::Quota;

    fn check(failure: &Failure, status: u16, body: &Value) {
        assert_eq!(error_response(failure), ErrorResponse { status, body: json!({ "error": body }) });
    }

    #[test]
    fn error_has_the_param_of_the_field() {
        check(
            &Failure::invalid("messages[2].role", "required, but missing"),
            400,
            &json!({
                "message": "messages[2].role: required, but missing",
                "type": "invalid_request_error",
                "param": "messages[2].role",
                "code": null,
            }),
        );
        check(
            &Failure::invalid("", "the body is empty, expected a JSON object"),
            400,
            &json!({
                "message": "the body is empty, expected a JSON object",
                "type": "invalid_request_error",
                "param": null,
                "code": null,
            }),
        );
        check(
            &Failure::unsupported("logprobs", "VS Code gives none"),
            400,
            &json!({
                "message": "logprobs: VS Code gives none",
                "type": "invalid_request_error",
                "param": "logprobs",
                "code": "unsupported_parameter",
            }),
        );
    }

    #[test]
    fn errors_have_the_codes_that_agents_match() {
        let message = || "so it is".to_owned();
        for (failure, status, kind, code) in [
            (Failure::TooLong { tokens: 9, maximum: 8 }, 400, REQUEST, "context_length_exceeded"),
            (Failure::TooLongForProvider, 400, REQUEST, "context_length_exceeded"),
            (Failure::ContentFiltered { message: message() }, 400, REQUEST, "content_filter"),
            (Failure::Unauthorized, 401, REQUEST, "invalid_api_key"),
            (Failure::UnknownModel { requested: message(), known: vec![] }, 404, REQUEST, "model_not_found"),
            (
                Failure::QuotaExceeded { quota: Quota::Provider, message: message() },
                429,
                "insufficient_quota",
                "insufficient_quota",
            ),
            (
                Failure::RateLimited { message: message(), retry_after: Duration::from_secs(10) },
                429,
                RATE,
                "rate_limit_exceeded",
            ),
            (
                Failure::Provider { status: 422, code: Some("odd".into()), message: message() },
                422,
                REQUEST,
                "odd",
            ),
            (
                Failure::Provider { status: 502, code: Some("bad".into()), message: message() },
                502,
                SERVER,
                "bad",
            ),
        ] {
            assert_eq!(failure.status(), status, "{failure:?}");
            let ErrorFields { kind: expected_kind, code: expected_code, .. } = error_fields(&failure);
            assert_eq!((expected_kind, expected_code), (kind, Some(code)), "{failure:?}");
        }
    }
}

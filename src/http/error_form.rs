//! The form of error responses: that of the API whose path or header a client uses.

use actix_web::HttpRequest;
use actix_web::http::header::HeaderMap;
use serde_json::json;

use crate::dialect::anthropic::Anthropic;
use crate::dialect::gemini::Gemini;
use crate::dialect::ollama::{Chat, Ollama};
use crate::dialect::openai_chat::OpenAiChat;
use crate::dialect::{Dialect, ErrorResponse};
use crate::failure::Failure;
use crate::mcp::RpcError;

/// The API whose error form a path uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorForm {
    OpenAi,
    Anthropic,
    Gemini,
    Ollama,
    /// JSON-RPC.
    Mcp,
    /// OpenAI, Anthropic and Google define the path; a header tells whose client asks.
    ByClientHeader,
}

impl ErrorForm {
    /// The error response of a failure in this form.
    pub fn error_response(self, failure: &Failure) -> ErrorResponse {
        match self {
            ErrorForm::OpenAi | ErrorForm::ByClientHeader => OpenAiChat::error_response(failure),
            ErrorForm::Anthropic => Anthropic::error_response(failure),
            ErrorForm::Gemini => Gemini::error_response(failure),
            ErrorForm::Ollama => Ollama::<Chat>::error_response(failure),
            ErrorForm::Mcp => mcp_error_response(failure),
        }
    }
}

/// A JSON-RPC error without an id: the request's was not read.
fn mcp_error_response(failure: &Failure) -> ErrorResponse {
    let ErrorResponse { status, .. } = OpenAiChat::error_response(failure);
    let mut error = if status < 500 {
        RpcError::refused(failure.to_string())
    } else {
        RpcError::internal(failure.to_string())
    };
    error.data = Some(json!({ "type": failure.kind() }));
    ErrorResponse { status, body: error.response(None) }
}

/// Decides between the APIs that define a path. A client that sends `anthropic-version` uses Anthropic's everywhere.
pub(super) fn by_client_header(form: ErrorForm, headers: &HeaderMap) -> ErrorForm {
    match form {
        _ if headers.contains_key(VERSION_HEADER) => ErrorForm::Anthropic,
        ErrorForm::ByClientHeader if GOOGLE_HEADERS.iter().any(|name| headers.contains_key(*name)) => {
            ErrorForm::Gemini
        }
        ErrorForm::ByClientHeader => ErrorForm::OpenAi,
        form => form,
    }
}

/// Headers that only Google's clients send.
const GOOGLE_HEADERS: [&str; 2] = ["x-goog-api-key", "x-goog-api-client"];

/// The header that Anthropic's clients send.
pub(super) const VERSION_HEADER: &str = "anthropic-version";

/// Whether the client uses Anthropic's API. The key's header doesn't decide: clients of both send either one.
pub(super) fn wants_anthropic(request: &HttpRequest) -> bool {
    request.headers().contains_key(VERSION_HEADER)
}

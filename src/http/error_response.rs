//! Error responses in the form of the API that a path belongs to: for refused requests, unknown paths, wrong methods
//! and failed handlers.

use actix_web::error::{InternalError, QueryPayloadError};
use actix_web::http::header::{HeaderMap, UPGRADE, USER_AGENT};
use actix_web::http::{Method, StatusCode};
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use serde_json::Value;

use super::codex_error;
use super::page::PageAccess;
use super::request_id::RequestId;
use super::state::AppState;
use crate::dialect::anthropic::Anthropic;
use crate::dialect::ollama::{Chat, Ollama};
use crate::dialect::openai_chat::OpenAiChat;
use crate::dialect::{Dialect, ErrorResponse};
use crate::failure::Failure;
use crate::request_log::RequestInfo;

/// The API whose error form a path uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorForm {
    OpenAi,
    Anthropic,
    Ollama,
    /// Both OpenAI and Anthropic define the path; Anthropic's clients send `anthropic-version`.
    ByVersionHeader,
}

impl ErrorForm {
    /// The error response of a failure in this form.
    pub fn error_response(self, failure: &Failure) -> ErrorResponse {
        match self {
            ErrorForm::OpenAi | ErrorForm::ByVersionHeader => OpenAiChat::error_response(failure),
            ErrorForm::Anthropic => Anthropic::error_response(failure),
            ErrorForm::Ollama => Ollama::<Chat>::error_response(failure),
        }
    }
}

/// Path of a route, without `/v1`, with the form of its errors.
pub(super) struct PathForm {
    /// Path in actix-web's syntax.
    pub pattern: &'static str,
    /// Whether the path is also served with the prefix `/v1`.
    pub versioned: bool,
    /// Web pages that may use it.
    pub pages: PageAccess,
    /// Form of errors there.
    pub form: ErrorForm,
    /// Name of the dialect for the log; empty if the route has none.
    pub dialect: &'static str,
}

/// Error forms of all routes.
pub(super) struct PathForms(Vec<PathForm>);

impl PathForms {
    /// The forms of these routes.
    pub fn new(forms: impl Iterator<Item = PathForm>) -> PathForms {
        PathForms(forms.collect())
    }

    /// Whether a route has this path.
    pub fn has(&self, path: &str) -> bool {
        let unversioned = path.strip_prefix("/v1");
        self.0.iter().any(|form| {
            matches(form.pattern, path)
                || form.versioned && unversioned.is_some_and(|path| matches(form.pattern, path))
        })
    }

    /// The web pages that may use the route of a path, which has been decoded as for routing.
    pub fn pages(&self, path: &str) -> Option<PageAccess> {
        let path = without_version(path);
        self.0.iter().find(|form| matches(form.pattern, path)).map(|form| form.pages)
    }

    /// The form of errors for a request, never `ByVersionHeader`, and the dialect of its path.
    ///
    /// A client that sends `anthropic-version` gets Anthropic's form at every path; an unknown path has the form of the
    /// API with its prefix.
    pub fn of(&self, path: &str, headers: &HeaderMap) -> (ErrorForm, &'static str) {
        let path = without_version(path);
        let found = self.0.iter().find(|form| matches(form.pattern, path));
        let (form, dialect) = match found {
            Some(found) => (found.form, found.dialect),
            None if path.starts_with("/messages/") => (ErrorForm::Anthropic, ""),
            None if path.starts_with("/api/") => (ErrorForm::Ollama, ""),
            None => (ErrorForm::OpenAi, ""),
        };
        (by_version_header(form, headers), dialect)
    }
}

fn by_version_header(form: ErrorForm, headers: &HeaderMap) -> ErrorForm {
    match form {
        _ if headers.contains_key(VERSION_HEADER) => ErrorForm::Anthropic,
        ErrorForm::ByVersionHeader => ErrorForm::OpenAi,
        form => form,
    }
}

/// The header that Anthropic's clients send.
const VERSION_HEADER: &str = "anthropic-version";

/// Whether the client uses Anthropic's API. The key's header doesn't decide: clients of both send either one.
pub(super) fn wants_anthropic(request: &HttpRequest) -> bool {
    request.headers().contains_key(VERSION_HEADER)
}

/// Whether a path matches a pattern: `{id}` stands for one segment, `{id:.+}` for one or more.
fn matches(pattern: &str, path: &str) -> bool {
    let Some((before, rest)) = pattern.split_once('{') else { return pattern == path };
    let (variable, after) = rest.split_once('}').unwrap_or((rest, ""));
    let value = path.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
    value.is_some_and(|value| !value.is_empty() && (variable.ends_with(":.+") || !value.contains('/')))
}

/// Removes the `/v1` that is optional for versioned endpoints.
pub(super) fn without_version(path: &str) -> &str {
    path.strip_prefix("/v1").unwrap_or(path)
}

/// Records a failure and builds its error response in the form of the request's path.
pub(super) fn respond(request: &HttpRequest, failure: &Failure) -> HttpResponse {
    let (form, dialect) = match request.app_data::<Data<PathForms>>() {
        Some(forms) => forms.of(request.path(), request.headers()),
        None => (by_version_header(ErrorForm::ByVersionHeader, request.headers()), ""),
    };
    record(request, dialect, failure);
    build(request, failure, form.error_response(failure))
}

fn record(request: &HttpRequest, dialect: &'static str, failure: &Failure) {
    let (Some(state), Some(id)) =
        (request.app_data::<Data<AppState>>(), request.extensions().get::<RequestId>().cloned())
    else {
        return;
    };
    state.request_log.reject(request_info(request, &id, dialect), failure);
}

/// Headers in which clients name their session: Claude Code, then Codex by its two generations, then opencode, pi and
/// others.
const SESSION_HEADERS: [&str; 5] =
    ["x-claude-code-session-id", "session_id", "session-id", "thread-id", "x-session-id"];

/// Describes a request for the request log, without capturing its bodies.
pub(super) fn request_info<'a>(
    request: &'a HttpRequest,
    id: &RequestId,
    dialect: &'static str,
) -> RequestInfo<'a> {
    let text = |name: &str| request.headers().get(name)?.to_str().ok().filter(|value| !value.is_empty());
    RequestInfo {
        id: id.to_string(),
        dialect,
        method: request.method().as_str(),
        path: request.path(),
        user_agent: text(USER_AGENT.as_str()).unwrap_or_default(),
        origin: text("origin"),
        session: SESSION_HEADERS.iter().find_map(|name| text(name)),
        agent: text("x-claude-code-agent-id"),
        capture: false,
        raw_logging: false,
    }
}

/// Builds the error response of a failure in dialect `D`.
pub(super) fn in_dialect<D: Dialect>(request: &HttpRequest, failure: &Failure) -> HttpResponse {
    build(request, failure, D::error_response(failure))
}

fn build(request: &HttpRequest, failure: &Failure, mut error: ErrorResponse) -> HttpResponse {
    shorten(&mut error.body);
    if let (Some(place), Some(id)) =
        (error.body.get_mut("request_id"), request.extensions().get::<RequestId>())
    {
        *place = id.to_string().into();
    }
    let mut response = HttpResponse::build(StatusCode::from_u16(error.status).unwrap_or_default());
    if let Some(header) = codex_error::adapt(request.headers(), failure, &mut error.body) {
        response.insert_header(header);
    }
    for header in failure.headers() {
        response.insert_header(header);
    }
    if matches!(failure, Failure::BodyTooLarge { .. } | Failure::ReceiveTimeout { .. }) {
        response.force_close();
    }
    response.json(error.body)
}

/// Longest text in an error response, in bytes: clients show messages to people, and some echo what was sent.
const MAX_TEXT: usize = 8 * 1024;

/// Cuts long texts anywhere in an error's body.
fn shorten(body: &mut Value) {
    match body {
        Value::String(text) if text.len() > MAX_TEXT => {
            text.truncate(text.floor_char_boundary(MAX_TEXT));
            text.push_str("...");
        }
        Value::Array(items) => items.iter_mut().for_each(shorten),
        Value::Object(fields) => fields.values_mut().for_each(shorten),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Handler of all paths without a route.
pub(super) async fn no_such_path(request: HttpRequest) -> HttpResponse {
    respond(&request, &Failure::NoSuchPath { path: request.path().into() })
}

/// Responds with 405 to a method that a route doesn't accept, and with 426 to a WebSocket handshake, after which
/// clients that can use both fall back to HTTP at once.
pub(super) fn wrong_method(request: &HttpRequest, allow: &str) -> HttpResponse {
    let (path, allow) = (request.path().to_owned(), allow.to_owned());
    let failure = if is_websocket_handshake(request) {
        Failure::NoWebSocket { path, allow }
    } else {
        Failure::WrongMethod { method: request.method().to_string(), path, allow }
    };
    respond(request, &failure)
}

fn is_websocket_handshake(request: &HttpRequest) -> bool {
    let protocols = request.headers().get_all(UPGRADE).filter_map(|value| value.to_str().ok());
    let mut names = protocols.flat_map(|value| value.split(','));
    request.method() == Method::GET && names.any(|name| name.trim().eq_ignore_ascii_case("websocket"))
}

/// Responds with 400 to a query string that the handler can't deserialize.
pub(super) fn unreadable_query(error: QueryPayloadError, request: &HttpRequest) -> actix_web::Error {
    let why = match &error {
        QueryPayloadError::Deserialize(error) => error.to_string(),
        other => other.to_string(),
    };
    let response = respond(request, &Failure::invalid("", format!("the query string can't be read: {why}")));
    InternalError::from_response(error, response).into()
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;
    use actix_web::test::TestRequest;
    use actix_web::web::Query;
    use serde_json::json;

    use super::*;
    use crate::dialect::anthropic::models::Page;

    #[test]
    fn long_text_is_cut_between_characters() {
        let mut body = json!({ "error": { "message": "é".repeat(MAX_TEXT), "param": ["short"] } });
        shorten(&mut body);
        let message = format!("{}...", "é".repeat(MAX_TEXT / 2));
        assert_eq!(body, json!({ "error": { "message": message, "param": ["short"] } }));
    }

    #[tokio::test]
    async fn unreadable_query_gets_400_in_the_form_of_its_path() {
        let request =
            TestRequest::with_uri("/v1/models?limit=all").insert_header(("anthropic-version", "2026-10-21"));
        let request = request.to_http_request();
        let error = Query::<Page>::from_query(request.query_string()).unwrap_err();

        let response = unreadable_query(error, &request).error_response();

        assert_eq!(response.status(), 400);
        let body: Value = serde_json::from_slice(&to_bytes(response.into_body()).await.unwrap()).unwrap();
        assert_eq!(
            body["error"],
            json!({
                "type": "invalid_request_error",
                "message": "the query string can't be read: invalid digit found in string",
            })
        );
    }
}

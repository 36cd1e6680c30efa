//! Error responses in the form of the API that a path belongs to: for refused requests, unknown paths, wrong methods
//! and failed handlers.

use actix_web::error::{InternalError, QueryPayloadError};
use actix_web::http::StatusCode;
use actix_web::http::header::{HOST, HeaderName, ORIGIN, USER_AGENT};
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use serde_json::Value;

use super::codex_error;
use super::error_form::{ErrorForm, by_client_header, wants_anthropic};
use super::request_id::RequestId;
use super::route_index::RouteIndex;
use super::state::AppState;
use super::websocket;
use crate::dialect::{Dialect, ErrorResponse};
use crate::failure::{Failure, MAX_TEXT, cut};
use crate::request_log::RequestInfo;

/// Records a failure and builds its error response in the form of the request's path.
pub(super) fn respond(request: &HttpRequest, failure: &Failure) -> HttpResponse {
    let (form, dialect) = form_and_dialect(request);
    record(request, dialect, failure);
    build(request, failure, form.error_response(failure))
}

/// The API that a request uses, by its path or by the headers of its client.
pub(super) fn form_of(request: &HttpRequest) -> ErrorForm {
    form_and_dialect(request).0
}

fn form_and_dialect(request: &HttpRequest) -> (ErrorForm, &'static str) {
    match request.app_data::<Data<RouteIndex>>() {
        Some(routes) => routes.error_form(request.path(), request.headers()),
        None => (by_client_header(ErrorForm::ByClientHeader, request.headers()), ""),
    }
}

/// Records a request that failed before anything ran.
pub(super) fn record(request: &HttpRequest, dialect: &'static str, failure: &Failure) {
    let (Some(state), Some(id)) =
        (request.app_data::<Data<AppState>>(), request.extensions().get::<RequestId>().cloned())
    else {
        return;
    };
    state.request_log.reject(request_info(request, &id, dialect), failure);
}

/// Headers in which clients name their session: Claude Code, then Codex by its two generations, then opencode, pi and
/// others.
static SESSION_HEADERS: [HeaderName; 5] = [
    HeaderName::from_static("x-claude-code-session-id"),
    HeaderName::from_static("session_id"),
    HeaderName::from_static("session-id"),
    HeaderName::from_static("thread-id"),
    HeaderName::from_static("x-session-id"),
];

static AGENT_HEADER: HeaderName = HeaderName::from_static("x-claude-code-agent-id");

/// Describes a request for the request log, without capturing its bodies.
pub(super) fn request_info<'a>(
    request: &'a HttpRequest,
    id: &RequestId,
    dialect: &'static str,
) -> RequestInfo<'a> {
    let text = |name: &HeaderName| header_text(request, name);
    RequestInfo {
        id: id.to_string(),
        dialect,
        method: request.method().as_str(),
        path: request.path(),
        user_agent: text(&USER_AGENT).unwrap_or_default(),
        origin: text(&ORIGIN),
        session: client_session(request),
        agent: client_agent(request),
        client: request.extensions().get().cloned().unwrap_or_default(),
        capture: false,
        raw_logging: false,
    }
}

/// The session that the client names.
pub(super) fn client_session(request: &HttpRequest) -> Option<&str> {
    SESSION_HEADERS.iter().find_map(|name| header_text(request, name))
}

/// The sub-agent that the client names.
pub(super) fn client_agent(request: &HttpRequest) -> Option<&str> {
    header_text(request, &AGENT_HEADER)
}

/// Looks a header up by a name that was parsed once: parsing one allocates.
fn header_text<'a>(request: &'a HttpRequest, name: &HeaderName) -> Option<&'a str> {
    request.headers().get(name)?.to_str().ok().filter(|value| !value.is_empty())
}

/// Builds the error response of a failure in dialect `D`; in Anthropic's form if the client uses that API.
pub(super) fn in_dialect<D: Dialect>(request: &HttpRequest, failure: &Failure) -> HttpResponse {
    let error = if wants_anthropic(request) {
        ErrorForm::Anthropic.error_response(failure)
    } else {
        D::error_response(failure)
    };
    build(request, failure, error)
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

/// Cuts long texts anywhere in an error's body.
fn shorten(body: &mut Value) {
    match body {
        Value::String(text) => cut(text, MAX_TEXT),
        Value::Array(items) => items.iter_mut().for_each(shorten),
        Value::Object(fields) => fields.values_mut().for_each(shorten),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Handler of all paths without a route.
pub(super) async fn no_such_path(request: HttpRequest) -> HttpResponse {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    let base_url = format!("http://{}", host.unwrap_or("127.0.0.1"));
    respond(&request, &Failure::NoSuchPath { path: request.path().into(), base_url })
}

/// Responds with 405 to a method that a route doesn't accept, and with 426 to a WebSocket handshake.
pub(super) fn wrong_method(request: &HttpRequest, allow: &str) -> HttpResponse {
    let failure = websocket::refusal(request, allow).unwrap_or_else(|| Failure::WrongMethod {
        method: request.method().to_string(),
        path: request.path().to_owned(),
        allow: allow.to_owned(),
    });
    respond(request, &failure)
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

//! Responses of `/mcp`: one JSON object, or a stream of events.

use actix_web::http::StatusCode;
use actix_web::http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use bytes::Bytes;
use serde_json::Value;

use crate::dialect::common::sse;
use crate::failure::Failure;
use crate::http::error_response::record;
use crate::mcp::message::response;
use crate::mcp::{RequestId, RpcError};
use crate::request_log::MCP;

/// Media type of a stream of events.
const EVENTS: &str = "text/event-stream";

/// The response to a request.
pub(super) fn result(id: &RequestId, result: &Value) -> HttpResponse {
    HttpResponse::Ok().json(response(id, result))
}

/// The response to a message that needs none.
pub(super) fn accepted() -> HttpResponse {
    HttpResponse::Accepted().finish()
}

/// An error response; one with an error's status is recorded.
pub(super) fn rejected(request: &HttpRequest, id: Option<&RequestId>, error: &RpcError) -> HttpResponse {
    if error.status >= 400 {
        record(request, MCP, &Failure::invalid("", error.message.clone()));
    }
    let status = StatusCode::from_u16(error.status).unwrap_or_default();
    let mut builder = HttpResponse::build(status);
    if status == StatusCode::METHOD_NOT_ALLOWED {
        builder.insert_header(("allow", "POST, OPTIONS"));
    }
    builder.json(error.response(id))
}

/// The head of a stream of events.
pub(super) fn stream_head() -> HttpResponseBuilder {
    let mut builder = HttpResponse::Ok();
    builder
        .insert_header((CONTENT_TYPE, EVENTS))
        .insert_header((CACHE_CONTROL, "no-cache"))
        .insert_header(("x-accel-buffering", "no"));
    builder
}

/// An event with a message.
pub(super) fn event(message: &Value) -> Bytes {
    let mut out = Vec::new();
    sse::put(None, message, &mut out);
    out.into()
}

/// A comment that keeps an idle stream open.
pub(super) fn keep_alive() -> Bytes {
    let mut out = Vec::new();
    sse::put_ping(&mut out);
    out.into()
}

/// The forms of a response that a client accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Accepts {
    pub json: bool,
    pub events: bool,
}

impl Accepts {
    /// Reads `Accept`. MCP demands both; a client that names none gets JSON.
    pub fn of(headers: &HeaderMap) -> Accepts {
        let accept = headers.get_all(ACCEPT).filter_map(|value| value.to_str().ok());
        let events = accept.into_iter().any(|value| value.contains(EVENTS));
        let json = headers.get_all(ACCEPT).any(|value| {
            value.to_str().is_ok_and(|value| value.contains("application/json") || value.contains("*/*"))
        });
        Accepts { json: json || !events, events }
    }
}

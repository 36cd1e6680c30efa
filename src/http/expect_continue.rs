//! Responses to `Expect: 100-continue`: a body that is declared too large is refused before the client sends it.

use actix_http::{Request, Response, StatusCode};
use actix_web::HttpMessage;
use actix_web::body::BoxBody;
use actix_web::http::ConnectionType;
use actix_web::http::header::{ACCESS_CONTROL_ALLOW_ORIGIN, CONTENT_TYPE, HeaderName, HeaderValue};

use super::request_body;
use super::request_id::RequestId;
use super::route_index::RouteIndex;
use crate::failure::Failure;
use crate::options::MAX_BODY;

/// Lets the client send its body, or refuses the request.
pub(super) fn check(request: Request, routes: &RouteIndex) -> Result<Request, Response<BoxBody>> {
    if request_body::declares_too_much(request.headers()) {
        Err(too_large(&request, routes))
    } else {
        Ok(request)
    }
}

fn too_large(request: &Request, routes: &RouteIndex) -> Response<BoxBody> {
    let (form, _) = routes.error_form(request.path(), request.headers());
    let error = form.error_response(&Failure::BodyTooLarge { limit: MAX_BODY });
    let status = StatusCode::from_u16(error.status).unwrap_or_default();
    let mut response = Response::with_body(status, BoxBody::new(error.body.to_string()));
    // The client may send its body nevertheless.
    response.head_mut().set_connection_type(ConnectionType::Close);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    if let Some(id) = RequestId::new().header_value() {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    response
}

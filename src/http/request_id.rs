//! Ids of requests, for response headers, the log and the panel.

use std::fmt;
use std::sync::Arc;

use actix_web::http::header::HeaderValue;
use actix_web::{HttpMessage, HttpRequest};

use super::random_id::random_id;

/// A request's id: `req_` and 32 random hex digits.
#[derive(Clone, Debug)]
pub(super) struct RequestId(Arc<str>);

impl RequestId {
    /// Makes a random id.
    pub(super) fn new() -> RequestId {
        RequestId(format!("req_{}", random_id()).into())
    }

    /// The id that `access` gave to a request; empty if the request didn't pass it.
    pub(super) fn of(request: &HttpRequest) -> RequestId {
        request.extensions().get().cloned().unwrap_or_else(|| RequestId("".into()))
    }

    /// Converts the id to a header value.
    pub(super) fn header_value(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }

    /// Returns the id as shared text.
    pub(super) fn text(&self) -> Arc<str> {
        self.0.clone()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

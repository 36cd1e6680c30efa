//! The id of a request: in its response's headers, in the log and in the panel.

use std::fmt;
use std::sync::Arc;

use actix_web::http::header::HeaderValue;
use actix_web::{HttpMessage, HttpRequest};

/// `req_` and 32 random hex digits.
#[derive(Clone, Debug)]
pub(super) struct RequestId(Arc<str>);

impl RequestId {
    /// Makes an id that no other request has.
    pub(super) fn new() -> RequestId {
        RequestId(format!("req_{}", uuid::Uuid::new_v4().simple()).into())
    }

    /// The id that `access` gave a request; empty for one that it never saw.
    pub(super) fn of(request: &HttpRequest) -> RequestId {
        request.extensions().get().cloned().unwrap_or_else(|| RequestId("".into()))
    }

    /// The id as a header's value.
    pub(super) fn header_value(&self) -> Option<HeaderValue> {
        HeaderValue::from_str(&self.0).ok()
    }

    /// The id as shared text.
    pub(super) fn text(&self) -> Arc<str> {
        self.0.clone()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

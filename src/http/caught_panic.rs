//! A panic while a request is handled: it gets 500 in the form of its path, and all others go on. `catch` is around each
//! route, `catch_outside` around routing and middleware. Completions also catch what panics while their response is made,
//! since they have to end their record and their stream (`completion`, `response`).
//!
//! `provoked_panic` lets tests see all this.

use std::panic::AssertUnwindSafe;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use futures_util::FutureExt;

use super::access::while_permitted;
use super::error_response::respond;
use super::provoked_panic;
use crate::failure::Failure;

/// The failure of a request whose handler or encoder panicked.
pub(super) fn panicked() -> Failure {
    Failure::internal("the request handler panicked; please report it")
}

/// The middleware around each route.
pub(super) async fn catch(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    // Routing has ended: only before that must the request have a single owner.
    let http_request = request.request().clone();
    let handled = while_permitted(&http_request, async {
        provoked_panic::at("handler", http_request.query_string());
        next.call(request).await
    });
    if let Ok(response) = AssertUnwindSafe(handled).catch_unwind().await {
        return response;
    }
    let response = respond(&http_request, &panicked());
    Ok(ServiceResponse::new(http_request, response))
}

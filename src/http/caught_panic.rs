//! A panic while a request is handled: it gets 500 in the form of its path, and all others go on. `catch` is around each
//! route, `catch_outside` around routing and middleware. Completions also catch what panics while their response is made,
//! since they have to end their record and their stream (`completion`, `response`).
//!
//! `provoked_panic` lets tests see all this.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use actix_http::{Request, Response};
use actix_web::HttpResponse;
use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::middleware::Next;
use futures_util::FutureExt;

use super::access::while_permitted;
use super::error_form::VERSION_HEADER;
use super::error_response::respond;
use super::provoked_panic;
use super::request_id::RequestId;
use super::route_index::RouteIndex;
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

/// Serves a request. A panic outside of the routes leaves nothing of it but what was kept here; its connection ends.
pub(super) fn catch_outside<S, B>(
    request: Request,
    service: &S,
    routes: Arc<RouteIndex>,
) -> impl Future<Output = Result<Response<BoxBody>, S::Error>> + use<S, B>
where
    S: Service<Request, Response = ServiceResponse<B>>,
    B: MessageBody + 'static,
{
    let uri = request.uri().clone();
    let version = request.head().headers.get(VERSION_HEADER).cloned();
    let called = catch_unwind(AssertUnwindSafe(|| service.call(request)));
    async move {
        if let Ok(future) = called
            && let Ok(result) = AssertUnwindSafe(future).catch_unwind().await
        {
            return Ok(result?.map_into_boxed_body().into());
        }
        let mut headers = HeaderMap::new();
        if let Some(version) = version {
            headers.insert(HeaderName::from_static(VERSION_HEADER), version);
        }
        let (form, _) = routes.error_form(uri.path(), &headers);
        let error = form.error_response(&panicked());
        let mut response = HttpResponse::InternalServerError();
        response.force_close();
        if let Some(id) = RequestId::new().header_value() {
            response.insert_header(("x-request-id", id));
        }
        Ok(response.json(error.body).into())
    }
}

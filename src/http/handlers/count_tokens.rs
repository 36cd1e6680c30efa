//! `POST /v1/messages/count_tokens`: the number of input tokens of a request.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use crate::completion::CompletionRequest;
use crate::dialect::anthropic::count_tokens;
use crate::failure::Failure;
use crate::http::error_response::respond;
use crate::http::request_body;
use crate::http::request_id::RequestId;
use crate::http::state::AppState;

/// Counts tokens without running a model. Only failures are recorded in the request log.
pub(in crate::http) async fn count_tokens(
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> HttpResponse {
    match attempt(&request, payload, &state).await {
        Ok(tokens) => HttpResponse::Ok().json(count_tokens::response(tokens)),
        Err(failure) => respond(&request, &failure),
    }
}

async fn attempt(request: &HttpRequest, payload: Payload, state: &AppState) -> Result<u64, Failure> {
    let body =
        request_body::read(request.headers(), payload.into_inner(), state.options.receive_timeout).await?;
    let parsed = count_tokens::read(&body)?;
    let completion_request = CompletionRequest {
        request_id: RequestId::of(request).text(),
        model: parsed.model,
        nearest_if_unknown: true,
        conversation: parsed.conversation,
    };
    state.completions.count(completion_request).await
}

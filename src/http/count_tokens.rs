//! `POST /v1/messages/count_tokens`: what a question would cost.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::{AppState, error_response, request_body};
use crate::completion::CompletionRequest;
use crate::dialect::anthropic::count;
use crate::failure::Failure;

/// Counts without completions anybody: the request_log hears only of failures.
pub(super) async fn count_tokens(
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> HttpResponse {
    match attempt(&request, payload, &state).await {
        Ok(tokens) => HttpResponse::Ok().json(count::response(tokens)),
        Err(failure) => error_response::respond(&request, &failure),
    }
}

async fn attempt(request: &HttpRequest, payload: Payload, state: &AppState) -> Result<u64, Failure> {
    let body =
        request_body::read(request.headers(), payload.into_inner(), state.settings.receive_timeout).await?;
    let ask = count::read(&body)?;
    let question = CompletionRequest { model: ask.model, leniently: true, conversation: ask.conversation };
    state.completions.count(question).await
}

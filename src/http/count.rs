//! `POST /v1/messages/count_tokens`: what a question would cost.

use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};

use super::{House, body, errors};
use crate::asking::Question;
use crate::dialect::anthropic::count;
use crate::failure::Failure;

/// Counts without asking anybody: the ledger hears only of failures.
pub(super) async fn count_tokens(request: HttpRequest, payload: Payload, house: Data<House>) -> HttpResponse {
    match attempt(&request, payload, &house).await {
        Ok(tokens) => HttpResponse::Ok().json(count::reply(tokens)),
        Err(failure) => errors::refuse(&request, &failure),
    }
}

async fn attempt(request: &HttpRequest, payload: Payload, house: &House) -> Result<u64, Failure> {
    let body = body::read(request.headers(), payload.into_inner(), house.settings.receive_timeout).await?;
    let ask = count::read(&body)?;
    let question = Question { model: ask.model, leniently: true, conversation: ask.conversation };
    house.asking.count(question).await
}

//! What Ollama's clients ask besides models: which there are, what each can do, and which version this is.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::models::listed;
use super::{House, body, errors};
use crate::asking::Question;
use crate::conversation::Conversation;
use crate::dialect::Dialect;
use crate::dialect::ollama::models::{self, Model, Wanted};
use crate::dialect::ollama::{Chat, Ollama, VERSION};
use crate::failure::Failure;
use crate::models::Listed;

/// All models of all windows.
pub(super) async fn tags(request: HttpRequest, house: Data<House>) -> HttpResponse {
    match listed(&house).await {
        Ok(known) => {
            let known: Vec<Model> = known.iter().map(|listed| model(listed, house.started)).collect();
            HttpResponse::Ok().json(models::tags(&known))
        }
        Err(failure) => errors::refuse(&request, &failure),
    }
}

/// One model, by any name that a chat would find it with.
pub(super) async fn show(request: HttpRequest, payload: Payload, house: Data<House>) -> HttpResponse {
    match wanted(&request, payload, &house).await {
        Ok((_, listed)) => HttpResponse::Ok().json(models::show(&model(&listed, house.started))),
        Err(failure) => errors::refuse(&request, &failure),
    }
}

/// A model that is there has been fetched. Some clients make sure of that before their first question.
pub(super) async fn pull(request: HttpRequest, payload: Payload, house: Data<House>) -> HttpResponse {
    match wanted(&request, payload, &house).await {
        Ok((wanted, _)) => {
            let kind = if wanted.stream() { Ollama::<Chat>::STREAM } else { "application/json" };
            let success = format!("{}\n", json!({ "status": "success" }));
            HttpResponse::Ok().insert_header((CONTENT_TYPE, kind)).body(success)
        }
        Err(failure) => errors::refuse(&request, &failure),
    }
}

/// Which models lie in this machine's memory: none does.
pub(super) async fn running() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "models": [] }))
}

/// Which version's API this is, and what it really is.
pub(super) async fn version(house: Data<House>) -> HttpResponse {
    let really = json!({ "version": house.settings.version });
    HttpResponse::Ok().json(json!({ "version": VERSION, "copilot_proxy": really }))
}

async fn wanted(request: &HttpRequest, payload: Payload, house: &House) -> Result<(Wanted, Listed), Failure> {
    let body = body::read(request.headers(), payload.into_inner(), house.settings.receive_timeout).await?;
    let wanted = Wanted::read(&body)?;
    let question =
        Question { model: wanted.model(), leniently: false, conversation: Conversation::default() };
    let listed = house.asking.model(&question).await?;
    Ok((wanted, listed))
}

fn model(Listed { id, model }: &Listed, started: u64) -> Model {
    Model {
        id: id.clone(),
        name: model.name.clone(),
        vendor: model.vendor.clone(),
        family: model.family.clone(),
        version: model.version.clone(),
        max_input_tokens: model.max_input_tokens,
        images: model.images.unwrap_or(true),
        tools: model.tools.unwrap_or(true),
        since: started / 1000,
    }
}

//! What Ollama's clients ask besides models: which there are, what each can do, and which version this is.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::models::listed;
use super::{AppState, error_response, request_body};
use crate::completion::CompletionRequest;
use crate::conversation::Conversation;
use crate::dialect::Dialect;
use crate::dialect::ollama::models::{self, Model, Wanted};
use crate::dialect::ollama::{Chat, Ollama, VERSION};
use crate::failure::Failure;
use crate::models::Listed;

/// All models of all windows.
pub(super) async fn tags(request: HttpRequest, state: Data<AppState>) -> HttpResponse {
    match listed(&state).await {
        Ok(known) => {
            let known: Vec<Model> = known.iter().map(|listed| model(listed, state.started)).collect();
            HttpResponse::Ok().json(models::tags(&known))
        }
        Err(failure) => error_response::respond(&request, &failure),
    }
}

/// One model, by any name that a chat would find it with.
pub(super) async fn show(request: HttpRequest, payload: Payload, state: Data<AppState>) -> HttpResponse {
    match wanted(&request, payload, &state).await {
        Ok((_, listed)) => HttpResponse::Ok().json(models::show(&model(&listed, state.started))),
        Err(failure) => error_response::respond(&request, &failure),
    }
}

/// A model that is there has been fetched. Some clients make sure of that before their first question.
pub(super) async fn pull(request: HttpRequest, payload: Payload, state: Data<AppState>) -> HttpResponse {
    match wanted(&request, payload, &state).await {
        Ok((wanted, _)) => {
            let kind = if wanted.stream() { Ollama::<Chat>::STREAM_CONTENT_TYPE } else { "application/json" };
            let success = format!("{}\n", json!({ "status": "success" }));
            HttpResponse::Ok().insert_header((CONTENT_TYPE, kind)).body(success)
        }
        Err(failure) => error_response::respond(&request, &failure),
    }
}

/// Which models lie in this machine's memory: none does.
pub(super) async fn running() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "models": [] }))
}

/// Which version's API this is, and what it really is.
pub(super) async fn version(state: Data<AppState>) -> HttpResponse {
    let really = json!({ "version": state.settings.version });
    HttpResponse::Ok().json(json!({ "version": VERSION, "copilot_proxy": really }))
}

async fn wanted(
    request: &HttpRequest,
    payload: Payload,
    state: &AppState,
) -> Result<(Wanted, Listed), Failure> {
    let body =
        request_body::read(request.headers(), payload.into_inner(), state.settings.receive_timeout).await?;
    let wanted = Wanted::read(&body)?;
    let question =
        CompletionRequest { model: wanted.model(), leniently: false, conversation: Conversation::default() };
    let listed = state.completions.model(&question).await?;
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

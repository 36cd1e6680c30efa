//! What Ollama's clients ask besides models: which there are, what each can do, and which version this is.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::models::listed;
use crate::completion::CompletionRequest;
use crate::conversation::Conversation;
use crate::dialect::Dialect;
use crate::dialect::ollama::models::{self, Model, Wanted};
use crate::dialect::ollama::{Chat, Ollama, VERSION};
use crate::failure::Failure;
use crate::http::error_response::respond;
use crate::http::request_body;
use crate::http::request_id::RequestId;
use crate::http::state::AppState;
use crate::models::ModelEntry;

/// All models of all windows.
pub(in crate::http) async fn tags(request: HttpRequest, state: Data<AppState>) -> HttpResponse {
    match listed(&state).await {
        Ok(known) => {
            let known: Vec<Model> = known.iter().map(|listed| model(listed, state.started)).collect();
            HttpResponse::Ok().json(models::tags(&known))
        }
        Err(failure) => respond(&request, &failure),
    }
}

/// One model, by any name that a chat would find it with.
pub(in crate::http) async fn show(
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> HttpResponse {
    match wanted(&request, payload, &state).await {
        Ok((_, listed)) => HttpResponse::Ok().json(models::show(&model(&listed, state.started))),
        Err(failure) => respond(&request, &failure),
    }
}

/// A model that is there has been fetched. Some clients make sure of that before their first question.
pub(in crate::http) async fn pull(
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> HttpResponse {
    match wanted(&request, payload, &state).await {
        Ok((wanted, _)) => {
            let kind = if wanted.stream() { Ollama::<Chat>::STREAM_CONTENT_TYPE } else { "application/json" };
            let success = format!("{}\n", json!({ "status": "success" }));
            HttpResponse::Ok().insert_header((CONTENT_TYPE, kind)).body(success)
        }
        Err(failure) => respond(&request, &failure),
    }
}

/// Which models lie in this machine's memory: none does.
pub(in crate::http) async fn running() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "models": [] }))
}

/// Which version's API this is, and what it really is.
pub(in crate::http) async fn version(state: Data<AppState>) -> HttpResponse {
    let really = json!({ "version": state.options.version });
    HttpResponse::Ok().json(json!({ "version": VERSION, "copilot_proxy": really }))
}

async fn wanted(
    request: &HttpRequest,
    payload: Payload,
    state: &AppState,
) -> Result<(Wanted, ModelEntry), Failure> {
    let body =
        request_body::read(request.headers(), payload.into_inner(), state.options.receive_timeout).await?;
    let wanted = Wanted::read(&body)?;
    let question = CompletionRequest {
        request_id: RequestId::of(request).text(),
        model: wanted.model(),
        nearest_if_unknown: false,
        conversation: Conversation::default(),
    };
    let listed = state.completions.model(&question).await?;
    Ok((wanted, listed))
}

fn model(ModelEntry { id, model }: &ModelEntry, started: u64) -> Model {
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

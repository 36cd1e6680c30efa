//! Ollama's endpoints that don't run a model: the list of models, their details, and the version.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::{Data, Payload};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::json;

use super::models::available;
use crate::budgets::Meter;
use crate::completion::{CompletionRequest, ModelChain};
use crate::conversation::Conversation;
use crate::dialect::ollama::models::{self, Model, Wanted};
use crate::dialect::ollama::{NDJSON, VERSION};
use crate::failure::Failure;
use crate::http::access::identity_of;
use crate::http::error_response::respond;
use crate::http::request_body;
use crate::http::request_id::RequestId;
use crate::http::state::AppState;
use crate::models::ModelEntry;

/// `GET /api/tags`: lists the models of all windows.
pub(in crate::http) async fn tags(request: HttpRequest, state: Data<AppState>) -> HttpResponse {
    match available(&request, &state).await {
        Ok(entries) => {
            let entries: Vec<Model> = entries.iter().map(|entry| model(entry, state.started)).collect();
            HttpResponse::Ok().json(models::tags(&entries))
        }
        Err(failure) => respond(&request, &failure),
    }
}

/// `POST /api/show`: describes one model, by any name that `/api/chat` accepts.
pub(in crate::http) async fn show(
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> HttpResponse {
    match read_and_resolve(&request, payload, &state).await {
        Ok((_, entry)) => HttpResponse::Ok().json(models::show(&model(&entry, state.started))),
        Err(failure) => respond(&request, &failure),
    }
}

/// `POST /api/pull`: succeeds at once for a model that exists. Some clients pull before their first request.
pub(in crate::http) async fn pull(
    request: HttpRequest,
    payload: Payload,
    state: Data<AppState>,
) -> HttpResponse {
    match read_and_resolve(&request, payload, &state).await {
        Ok((wanted, _)) => {
            let kind = if wanted.stream() { NDJSON } else { "application/json" };
            let success = format!("{}\n", json!({ "status": "success" }));
            HttpResponse::Ok().insert_header((CONTENT_TYPE, kind)).body(success)
        }
        Err(failure) => respond(&request, &failure),
    }
}

/// `GET /api/ps`: an empty list, as no model is loaded into this machine's memory.
pub(in crate::http) async fn running() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "models": [] }))
}

/// `GET /api/version`: the version of Ollama's API, and this program's own version beside it.
pub(in crate::http) async fn version(state: Data<AppState>) -> HttpResponse {
    let own = json!({ "version": state.options.version });
    HttpResponse::Ok().json(json!({ "version": VERSION, "copilot_proxy": own }))
}

/// Reads a request that names a model, and resolves the name.
async fn read_and_resolve(
    request: &HttpRequest,
    payload: Payload,
    state: &AppState,
) -> Result<(Wanted, ModelEntry), Failure> {
    let body =
        request_body::read(request.headers(), payload.into_inner(), state.options.receive_timeout).await?;
    let wanted = Wanted::read(&body)?;
    let completion_request = CompletionRequest {
        request_id: RequestId::of(request).text(),
        models: ModelChain::only(wanted.model(), false),
        client: identity_of(request),
        session: None,
        meter: Meter::default(),
        conversation: Conversation::default(),
    };
    let entry = state.completions.model(&completion_request).await?;
    Ok((wanted, entry))
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

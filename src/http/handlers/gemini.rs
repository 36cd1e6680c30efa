//! `GET /v1beta/models` and `GET /v1beta/models/{id}`, in Google's form.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::Value;

use super::models::{available, resolved};
use crate::dialect::gemini::models::{self, Model, Page};
use crate::http::error_response::respond;
use crate::http::state::AppState;
use crate::models::ModelEntry;

/// Lists the models of all windows.
pub(in crate::http) async fn list(
    request: HttpRequest,
    page: Query<Page>,
    state: Data<AppState>,
) -> HttpResponse {
    match available(&state).await {
        Ok(entries) => {
            let entries: Vec<Model> = entries.iter().map(model).collect();
            HttpResponse::Ok().json(models::list(&entries, &page))
        }
        Err(failure) => respond(&request, &failure),
    }
}

/// Describes the model that a completion with this name would use.
pub(in crate::http) async fn get(
    request: HttpRequest,
    state: Data<AppState>,
    name: Path<String>,
) -> HttpResponse {
    let name = name.trim_start_matches("models/").to_owned();
    match resolved(&request, &state, name, false).await {
        Ok(entry) => HttpResponse::Ok().json(models::item(&model(&entry))),
        Err(failure) => respond(&request, &failure),
    }
}

fn model(ModelEntry { id, model }: &ModelEntry) -> Model {
    Model {
        id: id.clone(),
        name: model.name.clone(),
        vendor: model.vendor.clone(),
        version: model.version.clone(),
        max_input_tokens: model.max_input_tokens,
        max_output_tokens: model.extra.get("maxOutputTokens").and_then(Value::as_u64),
    }
}

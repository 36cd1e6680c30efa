//! `GET /v1/models` and `GET /v1/models/{id}`, in the form of whoever asks.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use super::AppState;
use super::error_response::{self, Form};
use crate::dialect::anthropic::models as anthropic;
use crate::failure::Failure;
use crate::models::Listed;
use crate::models::registry::GetSnapshot;

/// All models of all windows.
pub(super) async fn list(
    request: HttpRequest,
    page: Query<anthropic::Page>,
    state: Data<AppState>,
) -> HttpResponse {
    match listed(&state).await {
        Ok(models) => HttpResponse::Ok().json(if Form::of(&request) == Form::Anthropic {
            let models: Vec<anthropic::Model> = models.iter().map(anthropic_model).collect();
            anthropic::list(&models, &page)
        } else {
            let data: Vec<Value> = models.iter().map(|model| openai(model, state.started)).collect();
            json!({ "object": "list", "data": data })
        }),
        Err(failure) => error_response::respond(&request, &failure),
    }
}

/// One model, by the id it is listed with.
pub(super) async fn one(request: HttpRequest, state: Data<AppState>, id: Path<String>) -> HttpResponse {
    let found = listed(&state).await.and_then(|models| {
        let found = models.iter().find(|model| model.id == *id).cloned();
        found.ok_or_else(|| Failure::UnknownModel {
            asked: id.to_string(),
            known: models.into_iter().map(|model| model.id).collect(),
        })
    });
    match found {
        Ok(model) => HttpResponse::Ok().json(if Form::of(&request) == Form::Anthropic {
            anthropic::item(&anthropic_model(&model))
        } else {
            openai(&model, state.started)
        }),
        Err(failure) => error_response::respond(&request, &failure),
    }
}

/// What all windows offer, one that is only coming too. That there is nothing at all is no failure here.
pub(super) async fn listed(state: &AppState) -> Result<Vec<Listed>, Failure> {
    let list = async || match state.completions.registry.send(GetSnapshot).await {
        Ok(census) => census.some_models(),
        Err(error) => Err(Failure::internal(error)),
    };
    match state.completions.availability.retry_until_available(list).await {
        Err(Failure::NoModels { .. }) => Ok(Vec::new()),
        settled => settled,
    }
}

/// The editor reveals no date of a model: when the server started stands in for it.
fn openai(Listed { id, model }: &Listed, started: u64) -> Value {
    let mut options = json!({
        "id": id,
        "object": "model",
        "created": started / 1000,
        "owned_by": model.vendor,
        "name": model.name,
        "family": model.family,
        "version": model.version,
        "maxInputTokens": model.max_input_tokens,
        "capabilities": { "toolCalling": model.tools, "imageInput": model.images },
    });
    if let Some(options) = options.as_object_mut() {
        for (name, value) in &model.extra {
            options.entry(name).or_insert_with(|| value.clone());
        }
    }
    options
}

fn anthropic_model(Listed { id, model }: &Listed) -> anthropic::Model {
    anthropic::Model {
        id: id.clone(),
        name: model.name.clone(),
        max_input_tokens: model.max_input_tokens,
        max_output_tokens: model.extra.get("maxOutputTokens").and_then(Value::as_u64),
        images: model.images.unwrap_or(true),
        tools: model.tools.unwrap_or(true),
    }
}

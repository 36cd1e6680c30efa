//! `GET /v1/models` and `GET /v1/models/{id}`.

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde_json::{Value, json};

use super::House;
use super::errors::refuse;
use crate::actors::model_registry::TakeCensus;
use crate::failure::Failure;
use crate::models::Listed;

/// All models of all windows.
pub(super) async fn list(house: Data<House>) -> HttpResponse {
    match listed(&house).await {
        Ok(models) => {
            let data: Vec<Value> = models.iter().map(|model| openai_form(model, house.started)).collect();
            HttpResponse::Ok().json(json!({ "object": "list", "data": data }))
        }
        Err(failure) => refuse("/v1/models", &failure),
    }
}

/// One model, by the id it is listed with.
pub(super) async fn one(house: Data<House>, id: Path<String>) -> HttpResponse {
    let found = listed(&house).await.and_then(|models| {
        let found = models.iter().find(|model| model.id == *id).cloned();
        found.ok_or_else(|| Failure::UnknownModel {
            asked: id.to_string(),
            known: models.into_iter().map(|model| model.id).collect(),
        })
    });
    match found {
        Ok(model) => HttpResponse::Ok().json(openai_form(&model, house.started)),
        Err(failure) => refuse("/v1/models", &failure),
    }
}

async fn listed(house: &House) -> Result<Vec<Listed>, Failure> {
    let census = house.asking.registry.send(TakeCensus).await;
    census.map(|census| census.models).map_err(|error| Failure::Internal { message: error.to_string() })
}

/// The editor reveals no date of a model: when the server started stands in for it.
fn openai_form(Listed { id, model }: &Listed, started: u64) -> Value {
    let mut form = json!({
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
    if let Some(form) = form.as_object_mut() {
        for (name, value) in &model.more {
            form.entry(name).or_insert_with(|| value.clone());
        }
    }
    form
}

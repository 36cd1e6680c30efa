//! `GET /health` and `GET /`: is it up, and what is it?

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::json;

use super::House;
use crate::actors::model_registry::TakeCensus;
use crate::log::now;

/// How the server is.
pub(super) async fn health(house: Data<House>) -> HttpResponse {
    let Ok(census) = house.asking.registry.send(TakeCensus).await else {
        return HttpResponse::InternalServerError().json(json!({ "status": "failed" }));
    };
    HttpResponse::Ok().json(json!({
        "status": "ok",
        "models_available": census.models.len(),
        "version": env!("CARGO_PKG_VERSION"),
        "uptime": now().saturating_sub(house.started) / 1000,
        "editors": census.editors.len(),
        "instance": house.instance,
    }))
}

/// What answers here, for whoever opens it in a browser.
pub(super) async fn root(house: Data<House>) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "name": "Copilot Proxy",
        "version": env!("CARGO_PKG_VERSION"),
        "instance": house.instance,
        "description": "The models of your VS Code, for every program on this machine.",
        "endpoints": super::ENDPOINTS,
    }))
}

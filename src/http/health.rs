//! `GET /health` and `GET /`: is it up, and what is it?

use actix_web::HttpResponse;
use actix_web::web::{Data, ReqData};
use serde_json::{Value, json};

use super::House;
use super::guard::Caller;
use crate::actors::model_registry::TakeCensus;
use crate::bridge::protocol::Window;
use crate::dialect::ollama;
use crate::log::now;

/// How the server is. Which folders the windows show is told only to those who may see the editor's tools.
pub(super) async fn health(caller: ReqData<Caller>, house: Data<House>) -> HttpResponse {
    let Ok(census) = house.asking.registry.send(TakeCensus).await else {
        return HttpResponse::InternalServerError().json(json!({ "status": "failed" }));
    };
    let mut health = json!({
        "status": "ok",
        "models_available": census.models.len(),
        "version": house.settings.version,
        "uptime": now().saturating_sub(house.started) / 1000,
        "editors": census.editors.len(),
        "instance": house.instance,
    });
    if let (true, Some(health)) = (caller.may_use_tools, health.as_object_mut()) {
        health.insert("windows".into(), census.windows.iter().map(names).collect());
    }
    HttpResponse::Ok().json(health)
}

/// The names of a window's folders.
fn names(window: &Window) -> Value {
    window.folders.iter().map(|folder| Value::from(folder.name.as_str())).collect()
}

/// What answers here, for whoever opens it in a browser.
pub(super) async fn root(house: Data<House>) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "name": "Copilot Proxy",
        "version": house.settings.version,
        "instance": house.instance,
        "description": "The models of your VS Code, for every program on this machine.",
        "endpoints": super::ENDPOINTS,
        "ollama": ollama::GREETING,
    }))
}

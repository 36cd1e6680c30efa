//! `GET /health` and `GET /`: is it up, and what is it?

use actix_web::HttpResponse;
use actix_web::web::{Data, ReqData};
use serde_json::{Value, json};

use super::AppState;
use super::access::Client;
use crate::bridge::protocol::Window;
use crate::dialect::ollama;
use crate::log::now;
use crate::models::registry::GetSnapshot;

/// How the server is. Which folders the windows show is told only to those who may see the editor's tools.
pub(super) async fn health(client: ReqData<Client>, state: Data<AppState>) -> HttpResponse {
    let Ok(census) = state.completions.registry.send(GetSnapshot).await else {
        return HttpResponse::InternalServerError().json(json!({ "status": "failed" }));
    };
    let mut health = json!({
        "status": "ok",
        "models_available": census.models.len(),
        "version": state.settings.version,
        "uptime": now().saturating_sub(state.started) / 1000,
        "editors": census.editors.len(),
        "instance": state.instance,
    });
    if let (true, Some(health)) = (client.may_use_tools, health.as_object_mut()) {
        health.insert("windows".into(), census.windows.iter().map(names).collect());
    }
    HttpResponse::Ok().json(health)
}

/// The names of a window's folders.
fn names(window: &Window) -> Value {
    window.folders.iter().map(|folder| Value::from(folder.name.as_str())).collect()
}

/// What answers here, for whoever opens it in a browser.
pub(super) async fn root(state: Data<AppState>) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "name": "Copilot Proxy",
        "version": state.settings.version,
        "instance": state.instance,
        "description": "The models of your VS Code, for every program on this machine.",
        "endpoints": super::ENDPOINTS,
        "ollama": ollama::GREETING,
    }))
}

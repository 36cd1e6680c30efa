//! `GET /health` and `GET /`: state and description of the server.

use actix_web::web::{Data, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use crate::bridge::protocol::Window;
use crate::dialect::ollama;
use crate::http::access::ClientPermissions;
use crate::http::state::AppState;
use crate::http::ui::welcome::{wants_page, welcome};
use crate::log::now;
use crate::models::registry::GetSnapshot;

/// Reports the server's state. Folder names of the windows are included only for clients that may use the editor's
/// tools.
pub(in crate::http) async fn health(
    client: ReqData<ClientPermissions>,
    state: Data<AppState>,
) -> HttpResponse {
    let Ok(snapshot) = state.registry.send(GetSnapshot).await else {
        return HttpResponse::InternalServerError().json(json!({ "status": "failed" }));
    };
    let mut health = json!({
        "status": "ok",
        "models_available": snapshot.models.len(),
        "version": state.options.version,
        "uptime": now().saturating_sub(state.started) / 1000,
        "editors": snapshot.windows.len(),
        "instance": state.instance,
    });
    if let (true, Some(health)) = (client.may_use_tools, health.as_object_mut()) {
        health.insert("windows".into(), snapshot.windows.iter().map(folder_names).collect());
    }
    HttpResponse::Ok().json(health)
}

/// The names of a window's workspace folders.
fn folder_names(window: &Window) -> Value {
    window.folders.iter().map(|folder| Value::from(folder.name.as_str())).collect()
}

/// Documented endpoints, each as `POST /v1/messages`; built from the route table.
pub(in crate::http) struct Endpoints(pub Vec<String>);

/// Describes the server to people and programs that open its base URL.
pub(in crate::http) async fn root(
    request: HttpRequest,
    state: Data<AppState>,
    endpoints: Data<Endpoints>,
) -> HttpResponse {
    if wants_page(request.headers()) {
        return welcome(&request, &state, &endpoints.0).await;
    }
    HttpResponse::Ok().json(json!({
        "name": "Copilot Proxy",
        "version": state.options.version,
        "instance": state.instance,
        "description": "The models of your VS Code, for every program on this machine.",
        "endpoints": endpoints.0,
        "ollama": ollama::GREETING,
    }))
}

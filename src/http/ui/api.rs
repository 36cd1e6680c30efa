//! The data of the page besides its events: bodies of a request, its cancellation, the editor's tools, two settings.

use std::sync::Arc;

use actix_web::web::{Data, Json, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};

use super::secured::secured;
use crate::bridge::protocol::{AutoTools, ToEditor, WriteSetting};
use crate::failure::Failure;
use crate::http::error_response::respond;
use crate::http::state::AppState;
use crate::models::registry::FindWindows;

/// The captured bodies of a request.
pub(in crate::http) async fn exchange(id: Path<String>, state: Data<AppState>) -> HttpResponse {
    secured(HttpResponse::Ok()).json(state.request_log.exchange(&id))
}

/// Cancels a running request.
pub(in crate::http) async fn cancel(id: Path<String>, state: Data<AppState>) -> HttpResponse {
    state.request_log.cancel(&id);
    secured(HttpResponse::Ok()).json(json!({}))
}

/// The tools of the window that was focused last; none without a window.
pub(in crate::http) async fn tools(state: Data<AppState>) -> HttpResponse {
    let tools = state.auto_mode.editor_tools(None).await.map(|found| found.tools).unwrap_or_default();
    secured(HttpResponse::Ok()).json(json!({ "isRestricted": false, "tools": tools }))
}

/// A setting that the page may change.
#[derive(Deserialize)]
pub(in crate::http) struct Setting {
    name: String,
    value: Value,
}

/// Changes a setting at once, and lets VS Code write it.
pub(in crate::http) async fn set(
    request: HttpRequest,
    setting: Json<Setting>,
    state: Data<AppState>,
) -> HttpResponse {
    let Setting { name, value } = setting.into_inner();
    if let Err(failure) = apply(&name, &value, &state) {
        return respond(&request, &failure);
    }
    // Without a window, as in `demo`, the change lasts as long as the server.
    if let Ok(Ok(windows)) = state.registry.send(FindWindows { workspace: None }).await
        && let Some(editor) = windows.first()
    {
        editor.notify(&ToEditor::WriteSetting(WriteSetting { name, value }));
    }
    secured(HttpResponse::Ok()).json(json!({}))
}

fn apply(name: &str, value: &Value, state: &AppState) -> Result<(), Failure> {
    match name {
        "logRequestsToUI" => {
            let enabled = value.as_bool().ok_or_else(|| Failure::invalid("value", "expected a boolean"))?;
            Arc::make_mut(&mut *state.user_settings.write()).log_requests_to_ui = enabled;
            if !enabled {
                state.request_log.discard_captures();
            }
            Ok(())
        }
        "autoTools" => {
            let tools: AutoTools = serde_json::from_value(value.clone())
                .map_err(|error| Failure::invalid("value", error.to_string()))?;
            Arc::make_mut(&mut *state.user_settings.write()).auto_tools = tools;
            Ok(())
        }
        _ => Err(Failure::invalid("name", "expected `logRequestsToUI` or `autoTools`")),
    }
}

//! `GET /ui/api/events`: what the page shows, as server-sent events. Each is a message of the same form that the
//! extension sends to its panel.

use std::convert::Infallible;
use std::time::Duration;

use actix_web::http::header::{CONTENT_TYPE, HOST};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpRequest, HttpResponse};
use async_stream::stream;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::secured::secured;
use crate::bridge::protocol::{CatalogModel, ModelInfo};
use crate::http::state::AppState;
use crate::models::registry::{GetModels, GetSnapshot};

/// Interval at which changes are looked for: short enough for people to see progress.
const TICK: Duration = Duration::from_millis(150);

/// Time without a change after which a comment keeps the connection alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Streams everything that is kept, then changes, until the page or the port is closed.
pub(in crate::http) async fn events(request: HttpRequest, state: Data<AppState>) -> HttpResponse {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    let endpoint = format!("http://{host}");
    let mut closing = state.ui_streams.subscribe();
    let body = stream! {
        let mut seen = Seen::default();
        let mut last_sent = Instant::now();
        loop {
            let news = seen.news(&state, &endpoint).await;
            if !news.is_empty() {
                last_sent = Instant::now();
                yield Ok::<_, Infallible>(Bytes::from(news));
            } else if last_sent.elapsed() > KEEP_ALIVE {
                last_sent = Instant::now();
                yield Ok(Bytes::from_static(b": keep-alive\n\n"));
            }
            tokio::select! {
                () = sleep(TICK) => {}
                _ = closing.changed() => break,
            }
        }
    };
    secured(HttpResponse::Ok()).insert_header((CONTENT_TYPE, "text/event-stream")).streaming(Box::pin(body))
}

/// The state that one page knows.
#[derive(Default)]
struct Seen {
    /// Revision of the request log.
    revision: Option<u64>,
    view: Option<Value>,
    models: Option<Value>,
}

impl Seen {
    /// The events for everything that has changed.
    async fn news(&mut self, state: &AppState, endpoint: &str) -> Vec<u8> {
        for (request, status) in state.auto_mode.statuses().await {
            state.request_log.set_auto_mode(&request, status);
        }
        let mut out = Vec::new();
        let view = view_of(state, endpoint).await;
        if self.view.as_ref() != Some(&view) {
            write(&mut out, &json!({ "type": "view", "view": view }));
            self.view = Some(view);
        }
        let models = models_of(state).await;
        if self.models.as_ref() != Some(&models) {
            write(&mut out, &json!({ "type": "model_catalog", "models": models }));
            self.models = Some(models);
        }
        let revision = state.request_log.revision();
        if self.revision != Some(revision) {
            let activity = state.request_log.activity(self.revision);
            write(&mut out, &json!({ "type": "activity", "activity": activity }));
            self.revision = Some(revision);
        }
        out
    }
}

/// Appends an event.
fn write(out: &mut Vec<u8>, message: &impl Serialize) {
    out.extend_from_slice(b"data: ");
    // Fails for no message: they have no maps with keys other than text.
    let _ = serde_json::to_writer(&mut *out, message);
    out.extend_from_slice(b"\n\n");
}

/// The state of the server as the page's head shows it.
async fn view_of(state: &AppState, endpoint: &str) -> Value {
    let totals = state.request_log.totals();
    let windows = state.registry.send(GetSnapshot).await.map_or(0, |snapshot| snapshot.windows.len());
    let settings = state.user_settings.read();
    let setting = |name: &str, kind: &str, value: Value| json!({ "name": name, "kind": kind, "isSecret": false, "description": "", "value": value, "isDefault": true });
    json!({
        "title": format!("Running at {}", endpoint.trim_start_matches("http://")),
        "detail": "",
        "tone": "running",
        "actions": [],
        "endpoint": endpoint,
        "needsKey": state.requires_key(),
        "totals": {
            "requests": totals.requests,
            "running": totals.in_flight,
            "tokensIn": totals.tokens_in,
            "tokensOut": totals.tokens_out,
            "windows": windows,
            "startedAt": state.started,
            "version": state.options.version,
        },
        "models": [],
        "settings": [
            setting("logRequestsToUI", "switch", settings.log_requests_to_ui.into()),
            setting("autoTools", "patterns", json!(settings.auto_tools)),
        ],
    })
}

async fn models_of(state: &AppState) -> Value {
    let models = state.registry.send(GetModels).await.unwrap_or_default();
    let model = |entry: &crate::models::ModelEntry| CatalogModel {
        request_name: entry.id.clone(),
        model: ModelInfo::clone(&entry.model),
    };
    json!(models.iter().map(model).collect::<Vec<_>>())
}

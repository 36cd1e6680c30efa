//! `GET /metrics`: the accounts, for Prometheus and its like.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::AppState;
use crate::log::now;
use crate::models::registry::GetSnapshot;
use crate::request_log::metrics::{CONTENT_TYPE, Now};

/// What has been counted, and how things stand.
pub(super) async fn metrics(state: Data<AppState>) -> HttpResponse {
    let Ok(census) = state.completions.registry.send(GetSnapshot).await else {
        return HttpResponse::InternalServerError().finish();
    };
    let text = state.request_log.metrics.told(Now {
        version: &state.settings.version,
        in_flight: state.request_log.totals().in_flight,
        editors: census.editors.len(),
        models: census.models.len(),
        uptime: Duration::from_millis(now().saturating_sub(state.started)),
    });
    match text {
        Ok(text) => HttpResponse::Ok().content_type(CONTENT_TYPE).body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

//! `GET /metrics`: counters and gauges in Prometheus's text format.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Data;

use crate::http::state::AppState;
use crate::log::now;
use crate::models::registry::GetCounts;
use crate::request_log::metrics::{CONTENT_TYPE, Gauges};

/// Writes the counted totals and the current gauges.
pub(in crate::http) async fn metrics(state: Data<AppState>) -> HttpResponse {
    let Ok(counts) = state.registry.send(GetCounts).await else {
        return HttpResponse::InternalServerError().finish();
    };
    let text = state.request_log.metrics.render(Gauges {
        version: &state.options.version,
        in_flight: state.request_log.totals().in_flight,
        editors: counts.editors,
        models: counts.models,
        uptime: Duration::from_millis(now().saturating_sub(state.started)),
    });
    match text {
        Ok(text) => HttpResponse::Ok().content_type(CONTENT_TYPE).body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

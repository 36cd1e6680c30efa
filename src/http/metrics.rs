//! `GET /metrics`: the accounts, for Prometheus and its like.

use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Data;

use super::House;
use crate::actors::model_registry::TakeCensus;
use crate::ledger::metrics::{CONTENT_TYPE, Now};
use crate::log::now;

/// What has been counted, and how things stand.
pub(super) async fn metrics(house: Data<House>) -> HttpResponse {
    let Ok(census) = house.asking.registry.send(TakeCensus).await else {
        return HttpResponse::InternalServerError().finish();
    };
    let told = house.ledger.metrics.told(Now {
        version: &house.settings.version,
        in_flight: house.ledger.totals().in_flight,
        editors: census.editors.len(),
        models: census.models.len(),
        uptime: Duration::from_millis(now().saturating_sub(house.started)),
    });
    match told {
        Ok(text) => HttpResponse::Ok().content_type(CONTENT_TYPE).body(text),
        Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

//! `GET /v1/usage`: requests, tokens and credits by day, model, client, session or key.

use std::path::Path;
use std::time::Duration;

use actix_web::web::{Data, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;

use crate::failure::Failure;
use crate::http::error_response::respond;
use crate::http::state::AppState;
use crate::usage_db::{self, Period, UsageQuery, UsageReport, UsageWriter};

/// Time for the rows of requests that have ended to be written.
const FLUSH_LIMIT: Duration = Duration::from_secs(1);

/// Query of the request.
#[derive(Deserialize)]
pub(in crate::http) struct Parameters {
    /// First day, as `YYYY-MM-DD` in local time.
    from: Option<String>,
    /// Last day.
    to: Option<String>,
    /// Grouping.
    by: Option<String>,
}

/// Sums the usage.
pub(in crate::http) async fn usage(
    request: HttpRequest,
    parameters: Query<Parameters>,
    state: Data<AppState>,
) -> HttpResponse {
    let Parameters { from, to, by } = &*parameters;
    match usage_report(from.as_deref(), to.as_deref(), by.as_deref(), &state).await {
        Ok(report) => HttpResponse::Ok().json(report),
        Err(failure) => respond(&request, &failure),
    }
}

/// Sums the usage from a first to a last day.
pub async fn usage_report(
    from: Option<&str>,
    to: Option<&str>,
    by: Option<&str>,
    state: &AppState,
) -> Result<UsageReport, Failure> {
    let query = UsageQuery {
        period: Period { from: parsed("from", from)?, to: parsed("to", to)? },
        by: parsed("by", by)?.unwrap_or_default(),
    };
    let writer = state.request_log.usage.clone().ok_or_else(|| {
        Failure::internal("no usage is recorded: the environment names no home directory for its database")
    })?;
    tokio::task::spawn_blocking(move || read(&writer, &query)).await.map_err(Failure::internal)?
}

fn read(writer: &UsageWriter, query: &UsageQuery) -> Result<UsageReport, Failure> {
    writer.flush(FLUSH_LIMIT);
    if let Some(problem) = writer.problem() {
        return Err(Failure::internal(format!("usage history is not kept: {problem}")));
    }
    let directory = writer.path().parent().unwrap_or(Path::new("."));
    usage_db::read(directory, query, Some(writer.server())).map_err(Failure::internal)
}

fn parsed<T: std::str::FromStr<Err = String>>(name: &str, value: Option<&str>) -> Result<Option<T>, Failure> {
    let value = value.filter(|value| !value.is_empty());
    value.map(|value| value.parse().map_err(|error| Failure::invalid(name, error))).transpose()
}

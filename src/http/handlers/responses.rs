//! `GET` and `DELETE /v1/responses/{id}`: answers that are kept, once more or no longer.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::json;

use crate::failure::Failure;
use crate::http::error_response::respond;
use crate::http::state::AppState;

/// What is asked for besides.
#[derive(Deserialize)]
pub(in crate::http) struct Wanted {
    #[serde(default)]
    stream: bool,
}

/// An answer that has been given, as it was told.
pub(in crate::http) async fn get(
    request: HttpRequest,
    wanted: Query<Wanted>,
    state: Data<AppState>,
    id: Path<String>,
) -> HttpResponse {
    if wanted.stream {
        let failure = Failure::unsupported("stream", "an answer that has been given is told whole");
        return respond(&request, &failure);
    }
    match state.responses.response(&id) {
        Some(told) => HttpResponse::Ok().content_type("application/json").body(told),
        None => unknown(&request, &id),
    }
}

/// An answer that is not to be kept any longer.
pub(in crate::http) async fn delete(
    request: HttpRequest,
    state: Data<AppState>,
    id: Path<String>,
) -> HttpResponse {
    if state.responses.forget(&id) {
        HttpResponse::Ok().json(json!({ "id": *id, "object": "response", "deleted": true }))
    } else {
        unknown(&request, &id)
    }
}

fn unknown(request: &HttpRequest, id: &str) -> HttpResponse {
    respond(request, &Failure::NoSuchResponse { id: id.to_owned() })
}

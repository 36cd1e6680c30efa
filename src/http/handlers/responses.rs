//! `GET` and `DELETE /v1/responses/{id}`: reads and deletes stored responses.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::json;

use crate::failure::Failure;
use crate::http::error_response::respond;
use crate::http::state::AppState;

/// Query of the request.
#[derive(Deserialize)]
pub(in crate::http) struct ResponseQuery {
    #[serde(default)]
    stream: bool,
}

/// Returns a stored response.
pub(in crate::http) async fn get(
    request: HttpRequest,
    query: Query<ResponseQuery>,
    state: Data<AppState>,
    id: Path<String>,
) -> HttpResponse {
    if query.stream {
        let failure = Failure::unsupported("stream", "a stored response can't be streamed; omit `stream`");
        return respond(&request, &failure);
    }
    match state.responses.response(&id) {
        Some(body) => HttpResponse::Ok().content_type("application/json").body(body),
        None => unknown(&request, &id),
    }
}

/// Deletes a stored response.
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

//! `GET` and `DELETE /v1/responses/{id}` and `GET /v1/responses/{id}/input_items`: reads and deletes stored responses.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::json;

use crate::dialect::openai_responses::input_list;
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

/// Lists the input items of a stored response.
pub(in crate::http) async fn input_items(
    request: HttpRequest,
    page: Query<input_list::Page>,
    state: Data<AppState>,
    id: Path<String>,
) -> HttpResponse {
    let Some(items) = state.responses.input(&id) else { return unknown(&request, &id) };
    let items = serde_json::from_str(&items).map_err(Failure::internal);
    let list =
        items.and_then(|items| input_list::page(input_list::complete(items, &id, &state.responses), &page));
    match list {
        Ok(list) => HttpResponse::Ok().json(list),
        Err(failure) => respond(&request, &failure),
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

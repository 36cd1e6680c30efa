//! `GET` and `DELETE /v1/responses/{id}`: answers that are kept, once more or no longer.

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::json;

use super::{House, errors};
use crate::failure::Failure;

/// What is asked for besides.
#[derive(Deserialize)]
pub(super) struct Wanted {
    #[serde(default)]
    stream: bool,
}

/// An answer that has been given, as it was told.
pub(super) async fn one(
    request: HttpRequest,
    wanted: Query<Wanted>,
    house: Data<House>,
    id: Path<String>,
) -> HttpResponse {
    if wanted.stream {
        let failure = Failure::unsupported("stream", "an answer that has been given is told whole");
        return errors::refuse(&request, &failure);
    }
    match house.responses.response(&id) {
        Some(told) => HttpResponse::Ok().content_type("application/json").body(told),
        None => unknown(&request, &id),
    }
}

/// An answer that is not to be kept any longer.
pub(super) async fn delete(request: HttpRequest, house: Data<House>, id: Path<String>) -> HttpResponse {
    if house.responses.forget(&id) {
        HttpResponse::Ok().json(json!({ "id": *id, "object": "response", "deleted": true }))
    } else {
        unknown(&request, &id)
    }
}

fn unknown(request: &HttpRequest, id: &str) -> HttpResponse {
    errors::refuse(request, &Failure::NoSuchResponse { id: id.to_owned() })
}

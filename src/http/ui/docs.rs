//! `GET /docs`: the API as a page, read from `/openapi.json`. It needs no network. A page of our own, since the common
//! viewers have a megabyte of script or more, a tenth of the program.

use actix_web::HttpResponse;

use super::secured::{self, html};

/// The page.
pub(in crate::http) async fn page() -> HttpResponse {
    html(HttpResponse::Ok()).body(include_str!("page/docs.html"))
}

/// The script of the page.
pub(in crate::http) async fn script() -> HttpResponse {
    secured::script(include_str!("page/docs.js"))
}

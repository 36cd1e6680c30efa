//! `GET /ui` and the files of its page.

use actix_web::http::header::CONTENT_TYPE;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};

use super::access::is_logged_in;
use super::login::login_page;
use super::secured::{self, html, secured};
use crate::http::access::has_valid_key;
use crate::http::state::AppState;

const SCRIPT: &str = include_str!("page/panel.js");
const STYLE: &str = include_str!("page/panel.css");
const PAGE: &str = include_str!("page/ui.html");

/// The page, or the log-in where a key is required and the browser has none.
pub(in crate::http) async fn page(request: HttpRequest, state: Data<AppState>) -> HttpResponse {
    let headers = request.headers();
    if has_valid_key(&request, &state) || is_logged_in(headers, |cookie| state.is_valid_cookie(cookie)) {
        html(HttpResponse::Ok()).body(PAGE)
    } else {
        login_page(HttpResponse::Ok(), "")
    }
}

/// The script of the page.
pub(in crate::http) async fn script() -> HttpResponse {
    secured::script(SCRIPT)
}

/// The styles of the page.
pub(in crate::http) async fn style() -> HttpResponse {
    secured(HttpResponse::Ok()).insert_header((CONTENT_TYPE, "text/css; charset=utf-8")).body(STYLE)
}

//! `POST /ui/login`: exchanges a key for a cookie that only the server's own pages send.

use actix_web::http::StatusCode;
use actix_web::http::header::{LOCATION, SET_COOKIE};
use actix_web::web::{Data, Form};
use actix_web::{HttpResponse, HttpResponseBuilder};
use serde::Deserialize;

use super::access::COOKIE_NAME;
use super::secured::{escaped, html, secured};
use crate::http::access::is_valid_key;
use crate::http::state::AppState;
use crate::keys::KeyRing;

const LOGIN: &str = include_str!("page/login.html");

/// The form's fields.
#[derive(Deserialize)]
pub(in crate::http) struct Login {
    key: String,
}

/// Checks the key; sets the cookie and leads to the page.
pub(in crate::http) async fn login(form: Form<Login>, state: Data<AppState>) -> HttpResponse {
    let key = form.key.trim();
    if !is_valid_key(key, &state) {
        return login_page(HttpResponse::build(StatusCode::UNAUTHORIZED), "This is not a valid key.");
    }
    let value = KeyRing::cookie(&state.cookie_secret, key);
    let cookie = format!("{COOKIE_NAME}={value}; Path=/; HttpOnly; SameSite=Strict");
    secured(HttpResponse::SeeOther())
        .insert_header((SET_COOKIE, cookie))
        .insert_header((LOCATION, "/ui"))
        .finish()
}

/// Whether a path is open without a key: the page, which shows the form, and what the form needs.
pub(in crate::http) fn is_open(path: &str) -> bool {
    matches!(path, "/ui" | "/ui/login" | "/ui/panel.css" | "/ui/panel.js")
}

/// The form, with a sentence about what was wrong.
pub(super) fn login_page(response: HttpResponseBuilder, problem: &str) -> HttpResponse {
    html(response).body(LOGIN.replace("{{problem}}", &escaped(problem)))
}

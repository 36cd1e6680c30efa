//! Responses for the server's own pages: headers that keep other pages from embedding or reading them.

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::{HttpResponse, HttpResponseBuilder};

/// The page loads its own files, its own data, and images that are part of a conversation.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; \
                      base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// A response with an HTML page of the server.
pub(super) fn html(response: HttpResponseBuilder) -> HttpResponseBuilder {
    let mut response = secured(response);
    response.insert_header((CONTENT_TYPE, "text/html; charset=utf-8"));
    response
}

/// A response with a script of the server's pages.
pub(super) fn script(text: &'static str) -> HttpResponse {
    secured(HttpResponse::Ok()).insert_header((CONTENT_TYPE, "text/javascript; charset=utf-8")).body(text)
}

/// A response that no other page can embed or read, and that no cache keeps.
pub(super) fn secured(mut response: HttpResponseBuilder) -> HttpResponseBuilder {
    response
        .insert_header(("content-security-policy", POLICY))
        .insert_header(("x-content-type-options", "nosniff"))
        .insert_header(("x-frame-options", "DENY"))
        .insert_header(("referrer-policy", "no-referrer"))
        .insert_header(("cross-origin-opener-policy", "same-origin"))
        .insert_header(("cross-origin-resource-policy", "same-origin"))
        .insert_header((CACHE_CONTROL, "no-store"));
    response
}

/// Replaces what HTML gives a meaning.
pub(super) fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

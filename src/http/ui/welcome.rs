//! `GET /` for browsers: what this is, the base URLs, the models, and a box that tries one.

use actix_web::http::header::{ACCEPT, HOST, HeaderMap};
use actix_web::{HttpRequest, HttpResponse};

use super::secured::{self, escaped, html};
use crate::http::state::AppState;
use crate::models::registry::GetModels;

const WELCOME: &str = include_str!("page/welcome.html");
const SCRIPT: &str = include_str!("page/welcome.js");

/// Most models in the list.
const MAX_MODELS: usize = 200;

/// Whether a browser opens the page; programs get JSON.
pub(in crate::http) fn wants_page(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|kind| kind.split(';').next().is_some_and(|kind| kind.trim() == "text/html"))
}

/// The page.
pub(in crate::http) async fn welcome(
    request: &HttpRequest,
    state: &AppState,
    endpoints: &[String],
) -> HttpResponse {
    let models = state.registry.send(GetModels).await.unwrap_or_default();
    let option = |id: &str| format!("<option>{}</option>", escaped(id));
    let models: String = models.iter().take(MAX_MODELS).map(|entry| option(&entry.id)).collect();
    let item = |endpoint: &String| format!("<li><code>{}</code></li>", escaped(endpoint));
    let endpoints: String = endpoints.iter().map(item).collect();
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or("127.0.0.1");
    let page = WELCOME
        .replace("{{version}}", &escaped(&state.options.version))
        .replace("{{url}}", &escaped(&format!("http://{host}")))
        .replace("{{endpoints}}", &endpoints)
        // Last, since an editor names its models as it likes.
        .replace("{{models}}", &models);
    html(HttpResponse::Ok()).body(page)
}

/// The script of the page.
pub(in crate::http) async fn script() -> HttpResponse {
    secured::script(SCRIPT)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    #[test]
    fn browsers_get_a_page_and_programs_json() {
        let wants = |accept: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT, HeaderValue::from_static(accept));
            wants_page(&headers)
        };
        assert!(wants("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"));
        assert!(wants("application/json, text/html;q=0.5"));
        assert!(!wants("*/*") && !wants("application/json") && !wants_page(&HeaderMap::new()));
    }
}

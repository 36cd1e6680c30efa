//! Corrects the paths that wrong base URLs lead to: repeated and trailing slashes, `/v1/v1/...`,
//! `/api/v1/...`, `/v1/v1beta/...`.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Uri;
use actix_web::http::uri::PathAndQuery;
use actix_web::middleware::Next;
use actix_web::web::Data;

use super::route_index::RouteIndex;

/// Segments that base URLs end with.
const PREFIXES: [&str; 4] = ["v1", "v1beta", "v1alpha", "api"];

/// The middleware that corrects paths before they are routed. A path that no correction leads to an endpoint stays as
/// it is, so that the error names the path that the client used.
pub(super) async fn correct<B: MessageBody>(
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<B>, actix_web::Error> {
    let known = request.app_data::<Data<RouteIndex>>().cloned();
    let corrected = known.and_then(|known| corrected(request.path(), |path| known.has(path)));
    if let Some(uri) = corrected.and_then(|path| with_path(request.uri(), &path)) {
        request.match_info_mut().get_mut().update(&uri);
        request.head_mut().uri = uri;
    }
    next.call(request).await
}

fn with_path(uri: &Uri, path: &str) -> Option<Uri> {
    let target = match uri.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    };
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(target).ok()?);
    Uri::from_parts(parts).ok()
}

/// The path of the endpoint that the client means; `None` if it is the path itself, or if there is none.
fn corrected(path: &str, is_known: impl Fn(&str) -> bool) -> Option<String> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let merged = format!("/{}", segments.join("/"));
    if is_known(&merged) {
        return (merged != path).then_some(merged);
    }
    let prefixes = segments.iter().take_while(|segment| PREFIXES.contains(segment)).count();
    let (prefixes, rest) = segments.split_at_checked(prefixes)?;
    let last = *prefixes.last()?;
    if rest.is_empty() {
        // A base URL in a browser, or in a client that checks whether something is there.
        return Some("/".into());
    }
    // The last prefix is the client's own; the ones before it come from the base URL.
    let rest = rest.join("/");
    [last, "v1"]
        .map(|prefix| format!("/{prefix}/{rest}"))
        .into_iter()
        .chain([format!("/{rest}")])
        .chain(prefixes.contains(&"api").then(|| format!("/api/{rest}")))
        .find(|path| is_known(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::routes::route_index;

    #[test]
    fn slips_in_base_urls_are_corrected() {
        let known = route_index();
        for (path, expected) in [
            ("/v1//chat/completions", "/v1/chat/completions"),
            ("//v1/chat/completions", "/v1/chat/completions"),
            ("/v1/chat///completions//", "/v1/chat/completions"),
            ("/v1/v1/messages", "/v1/messages"),
            ("/v1/v1/v1/messages/count_tokens/", "/v1/messages/count_tokens"),
            ("/api/v1/chat/completions", "/v1/chat/completions"),
            ("/api/v1/v1/models", "/v1/models"),
            ("/api/chat/completions", "/v1/chat/completions"),
            ("/v1/v1/models/vendor/name", "/v1/models/vendor/name"),
            ("/v1/api/chat", "/api/chat"),
            ("/v1/api/tags/", "/api/tags"),
            ("/api/api/tags", "/api/tags"),
            ("/api/v1/chat", "/api/chat"),
            ("/api/v1/generate/", "/api/generate"),
            ("/api/v1/v1/tags", "/api/tags"),
            ("/v1/health", "/health"),
            ("//", "/"),
            ("/v1", "/"),
            ("/v1/", "/"),
            ("/v1/v1", "/"),
            ("/api/", "/"),
            ("/api/v1", "/"),
            ("/v1/v1/responses/resp_1", "/v1/responses/resp_1"),
            ("/v1/v1beta/models/a:generateContent", "/v1beta/models/a:generateContent"),
            ("/v1beta/v1beta//models", "/v1beta/models"),
            ("/v1alpha/models/a:countTokens", "/v1/models/a:countTokens"),
            ("/v1beta/v1/models/a/b:streamGenerateContent", "/v1/models/a/b:streamGenerateContent"),
            ("/v1beta/chat/completions", "/v1/chat/completions"),
            ("/v1beta/", "/"),
        ] {
            assert_eq!(corrected(path, |path| known.has(path)).as_deref(), Some(expected), "{path}");
        }
    }

    #[test]
    fn other_paths_stay_as_they_are() {
        let known = route_index();
        for path in [
            "/",
            "/v2",
            "/v1/models",
            "/models/v1/x",
            "/api/chat",
            "/v1/nothing",
            "/v1/chat",
            "/v2/models",
            "/v1/chat//more",
        ] {
            assert_eq!(corrected(path, |path| known.has(path)), None, "{path}");
        }
    }
}

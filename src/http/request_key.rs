//! The API key that a request carries: in the headers of the vendors' SDKs, and on Gemini's paths in the query.

use std::time::Duration;

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::web::Data;
use percent_encoding::percent_decode_str;

use super::error_form::ErrorForm;
use super::route_index::RouteIndex;
use crate::failure::Failure;
use crate::keys::{ClientIdentity, KeyRing};

/// Requests that wait until the keys of the user are known, when a server has just started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WaitForKeys {
    Never,
    /// Those that carry a key.
    WithKey,
    Always,
}

/// The client that the key of a request names; anonymous without a valid key, if that is allowed. The key of a program that
/// `run` started may be unknown for a moment after a restart, for at most `run_key_wait`.
pub(super) async fn identify(
    request: &ServiceRequest,
    keys: &KeyRing,
    run_key_wait: Duration,
    wait: WaitForKeys,
) -> Result<ClientIdentity, Failure> {
    let in_query = query_key(request);
    let texts: Vec<&[u8]> = header_keys(request.headers()).chain(in_query.as_deref()).collect();
    if let Some(client) = keys.identify(&texts) {
        return Ok(client);
    }
    if KeyRing::has_run_key(&texts) {
        return keys.wait_for_run_key(&texts, run_key_wait).await.ok_or(Failure::Unauthorized);
    }
    if wait == WaitForKeys::Always || (wait == WaitForKeys::WithKey && !texts.is_empty()) {
        keys.wait_for_person_keys().await;
        if let Some(client) = keys.identify(&texts) {
            return Ok(client);
        }
    }
    if keys.is_required() { Err(Failure::Unauthorized) } else { Ok(keys.anonymous()) }
}

/// The failure of a client's requests when they end because of its key.
pub(super) fn failure(client: &ClientIdentity) -> Failure {
    if client.is_anonymous() { Failure::Unauthorized } else { Failure::KeyRevoked }
}

/// Whether the headers have a valid key that nothing limits.
pub(super) fn is_unrestricted(headers: &HeaderMap, keys: &KeyRing) -> bool {
    let texts: Vec<&[u8]> = header_keys(headers).collect();
    keys.identify(&texts).is_some_and(|client| client.is_unrestricted())
}

/// The keys in the headers of OpenAI's and Ollama's, Anthropic's and Google's SDKs.
fn header_keys(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let bearer = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let bearer = bearer.and_then(|value| {
        let (scheme, key) = value.split_at_checked(b"bearer ".len())?;
        scheme.eq_ignore_ascii_case(b"bearer ").then(|| key.trim_ascii_start())
    });
    let plain = |name: &str| headers.get(name).map(HeaderValue::as_bytes);
    [bearer, plain("x-api-key"), plain("x-goog-api-key")].into_iter().flatten()
}

/// The key in the query, where Google's clients may put it on the paths of their API.
fn query_key(request: &ServiceRequest) -> Option<Vec<u8>> {
    let index = request.app_data::<Data<RouteIndex>>()?;
    let (form, _) = index.error_form(request.match_info().as_str(), request.headers());
    let is_gemini = form == ErrorForm::Gemini;
    request.query_string().split('&').filter(|_| is_gemini).find_map(|field| {
        let value = field.strip_prefix("key=")?;
        Some(percent_decode_str(value).collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_is_read_from_the_headers_of_all_vendors() {
        for (name, value, key) in [
            ("authorization", "Bearer secret", Some("secret")),
            ("authorization", "BEARER  secret", Some("secret")),
            ("authorization", "Basic secret", None),
            ("authorization", "secret", None),
            ("x-api-key", "secret", Some("secret")),
            ("x-goog-api-key", "secret", Some("secret")),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name.parse().unwrap(), HeaderValue::from_static(value));
            let found: Vec<&[u8]> = header_keys(&headers).collect();
            assert_eq!(found, key.map(str::as_bytes).into_iter().collect::<Vec<_>>(), "{name}: {value}");
        }
    }
}

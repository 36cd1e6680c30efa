//! Access control: the middleware that every request passes first and every response last.
//!
//! The `Host` must be a loopback name, which stops DNS rebinding; another user's connection and a web page of an
//! origin that is not allowed are refused; a key is checked where the user set one; CORS headers let pages read.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpResponse};
use subtle::ConstantTimeEq;

use super::error_response::respond;
use super::head_timeout::{GuardedBody, HeadTimer, ResponseGuard};
use super::payload::SharedPayload;
use super::peer::Peer;
use super::request_id::RequestId;
use super::state::AppState;
use crate::bridge::protocol::UserSettings;
use crate::failure::Failure;

/// The middleware around all routes.
pub(super) async fn control(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let id = RequestId::new();
    let timer = request.request().conn_data::<HeadTimer>();
    let guard = timer.map(|timer| timer.head_complete(id.text()));
    request.extensions_mut().insert(id.clone());
    let user_settings = request.app_data::<Data<AppState>>().map(|state| state.user_settings.read().clone());
    let user_settings = user_settings.unwrap_or_default();
    let is_preflight = request.method() == Method::OPTIONS;
    let requested_headers = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let from_public_network = request.headers().contains_key("access-control-request-private-network");
    let origin = Origin::of(request.headers(), &user_settings);
    request.extensions_mut().insert(ClientPermissions::of(&origin, request.headers(), &user_settings));

    let options = request.app_data::<Data<AppState>>().map(|state| state.options.clone());
    let payload = SharedPayload::share(&mut request);

    let mut response = if let Err(failure) = authorize(&request, &origin, &user_settings) {
        let refused = respond(request.request(), &failure);
        request.into_response(refused)
    } else if is_preflight {
        let preflight = HttpResponse::NoContent().finish();
        request.into_response(preflight)
    } else {
        next.call(request).await?.map_into_boxed_body()
    };

    // Other users get no service.
    let is_user = response.request().conn_data::<Peer>() == Some(&Peer::Trusted);
    if let (Some(payload), Some(options), true) = (payload, options, is_user)
        && !payload.discard(options.receive_timeout).await
    {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
        guard.iter().for_each(ResponseGuard::close_afterwards);
    }
    let headers = response.headers_mut();
    allow_origin(headers, &origin);
    if is_preflight {
        allow_methods(headers, requested_headers, from_public_network);
    }
    if let Some(id) = id.header_value() {
        // OpenAI's SDKs read the one, Anthropic's the other.
        headers.insert(HeaderName::from_static("x-request-id"), id.clone());
        headers.insert(HeaderName::from_static("request-id"), id);
    }
    Ok(response.map_body(|_, body| GuardedBody { body, _guard: guard }.boxed()))
}

/// The origin of a request, classified once: admission and CORS headers both use the result.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Origin {
    /// Not a web page: browsers send an origin with every request that could have an effect.
    None {
        /// The setting allows any origin, which every response then states.
        any_allowed: bool,
    },
    /// A page that may send requests and read responses.
    Allowed {
        /// The value of the request's header.
        origin: HeaderValue,
        /// The setting allows any other origin, too.
        any_allowed: bool,
    },
    /// A page that may do neither.
    Denied,
}

impl Origin {
    /// Classifies the `Origin` header by the setting `allowedOrigins`; pages of this machine are always allowed.
    fn of(headers: &HeaderMap, user_settings: &UserSettings) -> Origin {
        let any_allowed = user_settings.allowed_origins.iter().any(|allowed| allowed == "*");
        let Some(origin) = headers.get(header::ORIGIN) else { return Origin::None { any_allowed } };
        let text = origin.to_str().unwrap_or_default();
        let listed = user_settings.allowed_origins.iter().any(|allowed| allowed == text);
        if any_allowed || listed || is_local(text) {
            Origin::Allowed { origin: origin.clone(), any_allowed }
        } else {
            Origin::Denied
        }
    }
}

/// Permissions of the client that sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClientPermissions {
    /// Whether it may see and run the editor's tools: any program, local pages and pages that the user listed.
    pub may_use_tools: bool,
}

impl ClientPermissions {
    fn of(origin: &Origin, headers: &HeaderMap, user_settings: &UserSettings) -> ClientPermissions {
        let may_use_tools = match (origin, headers.get(header::ORIGIN)) {
            // A page can make a browser fetch an image from here: without an origin, but with this header.
            (Origin::None { .. }, _) => headers.get("sec-fetch-site").is_none_or(|site| site != "cross-site"),
            (_, Some(origin)) => {
                let origin = origin.to_str().unwrap_or_default();
                is_local(origin) || user_settings.tool_origins.iter().any(|listed| listed == origin)
            }
            (_, None) => false,
        };
        ClientPermissions { may_use_tools }
    }
}

/// Whether a page comes from this machine. `null` doesn't: it is the origin of files and sandboxed frames.
fn is_local(origin: &str) -> bool {
    match origin.split_once("://") {
        Some(("vscode-webview", _)) => true,
        Some(("http" | "https", host)) => is_loopback(without_port(host)),
        _ => false,
    }
}

fn authorize(request: &ServiceRequest, origin: &Origin, user_settings: &UserSettings) -> Result<(), Failure> {
    authorize_peer(request.request().conn_data::<Peer>())?;
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let authority = request.uri().authority().map(|authority| authority.as_str().to_owned());
    for host in std::iter::once(host).chain(authority.as_deref()) {
        if !is_allowed_host(host, &user_settings.allowed_hosts) {
            return Err(Failure::Forbidden {
                code: "host_not_allowed",
                message: format!(
                    "host `{host}` is not a loopback name; add it to the setting `copilotProxy.allowedHosts` if it is yours"
                ),
            });
        }
    }
    if *origin == Origin::Denied {
        return Err(Failure::Forbidden {
            code: "origin_not_allowed",
            message: "pages of this origin may not send requests; add it to the setting `copilotProxy.allowedOrigins` \
                      if it is yours"
                .into(),
        });
    }
    let is_preflight = request.method() == Method::OPTIONS;
    if is_preflight || user_settings.api_key.is_empty() || has_key(request.headers(), &user_settings.api_key)
    {
        Ok(())
    } else {
        Err(Failure::Unauthorized)
    }
}

/// Refuses connections of other users, and those whose user can't be found out.
fn authorize_peer(peer: Option<&Peer>) -> Result<(), Failure> {
    let message = match peer {
        Some(Peer::Trusted) => return Ok(()),
        Some(Peer::OtherUser { uid }) => {
            format!("the server belongs to another user (the request comes from user {uid})")
        }
        Some(Peer::Unknown | Peer::Closed) | None => {
            "the system doesn't reveal the user of this connection; connect from the same machine, without a relay"
                .into()
        }
    };
    Err(Failure::Forbidden { code: "user_not_allowed", message })
}

/// Whether a host is a loopback name, with or without a port, or one that the user allowed.
fn is_allowed_host(host: &str, allowed: &[String]) -> bool {
    let name = without_port(host);
    is_loopback(name)
        || is_container_host(name)
        || allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(name) || allowed == host)
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether a name reaches this machine only.
fn is_loopback(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let address = name.parse::<std::net::Ipv4Addr>();
    address.is_ok_and(|address| address.is_loopback())
        || matches!(name.as_str(), "localhost" | "[::1]")
        || name.ends_with(".localhost")
}

/// Whether containers reach their host by this name. It is no local origin: another machine's name server may give
/// it any address.
fn is_container_host(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    ["host.docker.internal", "host.containers.internal"].iter().any(|host| host.eq_ignore_ascii_case(name))
}

fn has_key(headers: &HeaderMap, key: &str) -> bool {
    let bearer = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let bearer = bearer.and_then(|value| {
        let (scheme, key) = value.split_at_checked(b"bearer ".len())?;
        scheme.eq_ignore_ascii_case(b"bearer ").then(|| key.trim_ascii_start())
    });
    let plain = headers.get("x-api-key").map(HeaderValue::as_bytes);
    [bearer, plain].into_iter().flatten().any(|found| bool::from(found.ct_eq(key.as_bytes())))
}

fn allow_origin(headers: &mut HeaderMap, origin: &Origin) {
    let allowed = match origin {
        Origin::None { any_allowed: true } | Origin::Allowed { any_allowed: true, .. } => {
            Some(HeaderValue::from_static("*"))
        }
        Origin::Allowed { origin, .. } => Some(origin.clone()),
        Origin::None { .. } | Origin::Denied => None,
    };
    if let Some(allowed) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED_HEADERS));
    }
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
}

/// Response headers that scripts of pages may read.
const EXPOSED_HEADERS: &str = "x-request-id, request-id, retry-after, x-should-retry, x-copilot-proxy-model, \
                               x-copilot-proxy-usage";

fn allow_methods(headers: &mut HeaderMap, requested: Option<HeaderValue>, private_network: bool) {
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, HEAD, POST, DELETE, OPTIONS"),
    );
    // A `*` would not cover `authorization`, so the requested headers are named.
    let requested = requested.unwrap_or(HeaderValue::from_static(
        "authorization, content-type, x-api-key, anthropic-version, anthropic-beta",
    ));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, requested);
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("86400"));
    if private_network {
        let name = HeaderName::from_static("access-control-allow-private-network");
        headers.insert(name, HeaderValue::from_static("true"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_origins_are_local() {
        for origin in
            ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:5173", "vscode-webview://abc"]
        {
            assert!(is_local(origin), "{origin}");
        }
        for origin in [
            "null",
            "",
            "http://evil.test",
            "https://localhost.evil.test",
            "file://",
            "chrome-extension://x",
            "http://host.docker.internal",
            "http://host.containers.internal:8080",
        ] {
            assert!(!is_local(origin), "{origin}");
        }
    }

    #[test]
    fn scheme_of_a_key_is_read_in_any_case() {
        for scheme in ["Bearer", "bearer", "BEARER", "Bearer "] {
            let mut headers = HeaderMap::new();
            let value = HeaderValue::from_str(&format!("{scheme} secret")).unwrap();
            headers.insert(header::AUTHORIZATION, value);
            assert!(has_key(&headers, "secret"), "{scheme}");
            assert!(!has_key(&headers, "other"), "{scheme}");
        }
    }

    #[test]
    fn loopback_hosts_and_listed_hosts_are_allowed() {
        let allowed = ["proxy.corp".to_owned()];
        for host in [
            "127.0.0.1",
            "127.0.0.1:8080",
            "127.8.9.1:1",
            "localhost",
            "LOCALHOST:80",
            "localhost.:80",
            "app.localhost",
            "[::1]",
            "[::1]:8080",
            "host.docker.internal:8080",
            "proxy.corp",
            "proxy.corp:8080",
        ] {
            assert!(is_allowed_host(host, &allowed), "{host}");
        }
        for host in [
            "",
            "evil.test",
            "evil.test:8080",
            "0.0.0.0",
            "0.0.0.0:8080",
            "192.168.0.1",
            "localhost.evil.test",
            "127.0.0.1.evil.test",
            "notlocalhost",
            "[::2]",
            "127.0.0.1:evil",
        ] {
            assert!(!is_allowed_host(host, &allowed), "{host}");
        }
    }
}

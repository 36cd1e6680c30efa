//! Who may ask: every request passes here first, every answer last.
//!
//! A loopback `Host` only, which stops DNS rebinding; the key, where the person set one; and the CORS headers
//! that let web pages read answers.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpResponse};
use subtle::ConstantTimeEq;

use super::head_timeout::{Answer, HeadTimer};
use super::peer::Peer;
use super::{AppState, RequestId, error_response};
use crate::bridge::protocol::UserSettings;
use crate::failure::Failure;

/// The middleware around all doors.
pub(super) async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let answering = request.request().conn_data::<HeadTimer>().map(HeadTimer::begin);
    let id = RequestId::new();
    request.extensions_mut().insert(id.clone());
    let user_settings =
        request.app_data::<Data<AppState>>().map(|state| state.completions.user_settings.read().clone());
    let user_settings = user_settings.unwrap_or_default();
    let origin = request.headers().get(header::ORIGIN).cloned();
    let is_preflight = request.method() == Method::OPTIONS;
    let asked_headers = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let asked_private = request.headers().contains_key("access-control-request-private-network");

    request.extensions_mut().insert(Client::of(origin.as_ref(), request.headers(), &user_settings));

    let mut response = if let Err(failure) = may_ask(&request, &user_settings) {
        let refused = error_response::respond(request.request(), &failure);
        request.into_response(refused)
    } else if is_preflight {
        let preflight = HttpResponse::NoContent().finish();
        request.into_response(preflight)
    } else {
        next.call(request).await?.map_into_boxed_body()
    };

    let headers = response.headers_mut();
    allow_origin(headers, origin.as_ref(), &user_settings);
    if is_preflight {
        allow_methods(headers, asked_headers, asked_private);
    }
    if let Ok(id) = HeaderValue::from_str(&id.0) {
        // OpenAI's SDKs read the one, Anthropic's the other.
        headers.insert(HeaderName::from_static("x-request-id"), id.clone());
        headers.insert(HeaderName::from_static("request-id"), id);
    }
    Ok(response.map_body(|_, body| Answer { body, _answering: answering }.boxed()))
}

/// What a caller may do, by where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Client {
    /// It is not a web page, or a local one, or one that the person trusts with the editor's tools.
    pub may_use_tools: bool,
    /// It is a web page that may not even ask.
    is_unwanted: bool,
}

impl Client {
    /// Browsers tell the origin of every request that could do something, and programs tell none.
    fn of(origin: Option<&HeaderValue>, headers: &HeaderMap, user_settings: &UserSettings) -> Client {
        let Some(origin) = origin else {
            // A page can make a browser fetch an image from here; that says no origin, but this.
            let from_a_page = headers.get("sec-fetch-site").is_some_and(|site| site == "cross-site");
            return Client { may_use_tools: !from_a_page, is_unwanted: false };
        };
        let origin = origin.to_str().unwrap_or_default();
        let listed = |origins: &[String]| origins.iter().any(|listed| listed == origin);
        let open = user_settings.allowed_origins.iter().any(|allowed| allowed == "*");
        Client {
            may_use_tools: is_local(origin) || listed(&user_settings.tool_origins),
            is_unwanted: !(open || is_local(origin) || listed(&user_settings.allowed_origins)),
        }
    }
}

/// A page of this machine. `null` is not: files and sandboxed frames say it, whoever wrote them.
fn is_local(origin: &str) -> bool {
    match origin.split_once("://") {
        Some(("vscode-webview", _)) => true,
        Some(("http" | "https", host)) => is_loopback(without_port(host)),
        _ => false,
    }
}

fn may_ask(request: &ServiceRequest, user_settings: &UserSettings) -> Result<(), Failure> {
    if let Some(Peer::OtherUser { uid }) = request.request().conn_data::<Peer>() {
        return Err(Failure::Forbidden {
            code: "user_not_allowed",
            message: format!("these are another user's models (the request comes from user {uid})"),
        });
    }
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
    if request.extensions().get::<Client>().is_some_and(|client| client.is_unwanted) {
        return Err(Failure::Forbidden {
            code: "origin_not_allowed",
            message: "pages of this origin may not ask; add it to the setting `copilotProxy.allowedOrigins` if it is \
                      yours"
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

/// A loopback name, with or without a port, or one that the person allowed.
fn is_allowed_host(host: &str, allowed: &[String]) -> bool {
    let name = without_port(host);
    is_loopback(name) || allowed.iter().any(|allowed| allowed.eq_ignore_ascii_case(name) || allowed == host)
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Names that reach this machine only, and those by which containers reach it.
pub(super) fn is_loopback(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    let address = name.parse::<std::net::Ipv4Addr>();
    address.is_ok_and(|address| address.is_loopback())
        || matches!(
            name.as_str(),
            "localhost" | "[::1]" | "host.docker.internal" | "host.containers.internal"
        )
        || name.ends_with(".localhost")
}

fn has_key(headers: &HeaderMap, key: &str) -> bool {
    let bearer = headers.get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
    let bearer =
        bearer.and_then(|value| value.strip_prefix(b"Bearer ").or_else(|| value.strip_prefix(b"bearer ")));
    let plain = headers.get("x-api-key").map(HeaderValue::as_bytes);
    [bearer, plain].into_iter().flatten().any(|found| bool::from(found.ct_eq(key.as_bytes())))
}

fn allow_origin(headers: &mut HeaderMap, origin: Option<&HeaderValue>, user_settings: &UserSettings) {
    let any = user_settings.allowed_origins.iter().any(|allowed| allowed == "*");
    let allowed = if any {
        Some(HeaderValue::from_static("*"))
    } else {
        origin
            .filter(|origin| {
                user_settings.allowed_origins.iter().any(|allowed| allowed.as_bytes() == origin.as_bytes())
            })
            .cloned()
    };
    if let Some(allowed) = allowed {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("x-request-id, request-id, retry-after, x-should-retry, x-copilot-proxy-model, x-copilot-proxy-usage"),
        );
    }
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
}

fn allow_methods(headers: &mut HeaderMap, asked: Option<HeaderValue>, private_network: bool) {
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, HEAD, POST, DELETE, OPTIONS"),
    );
    // A `*` would not cover `authorization`, so what was asked for is named.
    let asked = asked.unwrap_or(HeaderValue::from_static(
        "authorization, content-type, x-api-key, anthropic-version, anthropic-beta",
    ));
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, asked);
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
    fn pages_of_this_machine_are_local_and_others_are_not() {
        for origin in
            ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:5173", "vscode-webview://abc"]
        {
            assert!(is_local(origin), "{origin}");
        }
        for origin in
            ["null", "", "http://evil.test", "https://localhost.evil.test", "file://", "chrome-extension://x"]
        {
            assert!(!is_local(origin), "{origin}");
        }
    }

    #[test]
    fn hosts_that_reach_this_machine_only_are_allowed() {
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

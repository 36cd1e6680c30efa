//! Access control: the middleware that every request passes first and every response last.
//!
//! The `Host` must be a loopback name, which stops DNS rebinding; another user's connection is refused; a key is checked
//! where the user has made some; `origin_access` decides about web pages, after asking the user; CORS headers let them read responses.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{ConnectionType, Method};
use actix_web::middleware::Next;
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use tokio::sync::OwnedSemaphorePermit;

use super::error_response::respond;
use super::head_timeout::{GuardedBody, HeadTimer, ResponseGuard};
use super::origin_access::{Decision, PageAccess, PageOrigin, is_container_host, is_loopback, without_port};
use super::origin_questions::{blocked, refused, tools_refused};
use super::peer::Peer;
use super::provoked_panic;
use super::read_ahead::ReadAhead;
use super::request_body;
use super::request_id::RequestId;
use super::request_key::{self, WaitForKeys};
use super::route_index::{RouteIndex, without_version};
use super::state::AppState;
use super::ui;
use super::unread_body::SharedPayload;
use crate::bridge::protocol::UserSettings;
use crate::failure::Failure;
use crate::keys::ClientIdentity;

/// The middleware around all routes.
pub(super) async fn control(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    provoked_panic::at("access", request.query_string());
    let id = RequestId::new();
    let timer = request.request().conn_data::<HeadTimer>();
    let guard = timer.map(|timer| timer.head_complete(id.text()));
    let answering = request.request().conn_data::<ReadAhead>().map(ReadAhead::begin);
    request.extensions_mut().insert(id.clone());
    let user_settings = request.app_data::<Data<AppState>>().map(|state| state.user_settings.read().clone());
    let user_settings = user_settings.unwrap_or_default();
    let is_preflight = request.method() == Method::OPTIONS;
    let requested_headers = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS).cloned();
    let from_public_network = request.headers().contains_key("access-control-request-private-network");
    let page = PageOrigin::of(request.headers());
    let readers = Readers::of(&request, &page, &user_settings);
    // Without a permission to read, the browser doesn't send the request that this one is about.
    let is_free_preflight = is_preflight && route_pages(&request) != Some(PageAccess::Tools);
    let options = request.app_data::<Data<AppState>>().map(|state| state.options.clone());
    let body_length = request_body::length(&request);
    let payload = SharedPayload::share(&mut request);

    let admitted = match authorize(&request, &user_settings).await {
        Ok(_) if is_free_preflight => Ok(None),
        Ok(client) => {
            let key_forbids_tools = !client.may_use_tools();
            let may_use_tools = !key_forbids_tools && page.may_use_tools(&user_settings);
            request.extensions_mut().insert(ClientPermissions { may_use_tools, key_forbids_tools });
            request.extensions_mut().insert(client);
            admit_page(&request, &page, &user_settings).await
        }
        Err(failure) => Err(failure),
    };
    let mut permit = None;
    let mut response = if let Err(failure) = admitted {
        let refused = respond(request.request(), &failure);
        request.into_response(refused)
    } else if is_preflight {
        let preflight = HttpResponse::NoContent().finish();
        request.into_response(preflight)
    } else {
        permit = admitted.ok().flatten();
        next.call(request).await?.map_into_boxed_body()
    };

    // Other users get no service.
    let is_user = response.request().conn_data::<Peer>() == Some(&Peer::Trusted);
    let is_received = match (payload, options, is_user) {
        (None, _, _) => true,
        (Some(payload), Some(options), true) => {
            let is_received = payload.discard(options.receive_timeout).await;
            if !is_received {
                response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
                guard.iter().for_each(ResponseGuard::close_afterwards);
            }
            is_received
        }
        (Some(_), _, _) => false,
    };
    if let (Some(guard), Some(length), true) = (&guard, body_length, is_received) {
        guard.body_received(length);
    }
    let headers = response.headers_mut();
    readers.allow(headers);
    headers.insert(header::VARY, HeaderValue::from_static("origin"));
    if is_preflight && readers != Readers::NoPage {
        allow_methods(headers, requested_headers, from_public_network);
    }
    if let Some(id) = id.header_value() {
        // OpenAI's SDKs read the one, Anthropic's the other.
        headers.insert(HeaderName::from_static("x-request-id"), id.clone());
        headers.insert(HeaderName::from_static("request-id"), id);
    }
    Ok(response.map_body(|_, body| {
        GuardedBody { body, _guard: guard, _answering: answering, _permit: permit }.boxed()
    }))
}

/// Permissions of the client that sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ClientPermissions {
    /// Whether it may see and run the editor's tools: any program, local pages and pages that the user listed, unless the
    /// key forbids it.
    pub may_use_tools: bool,
    /// Whether it may not because of its key.
    pub key_forbids_tools: bool,
}

/// The client of a request, as far as its key names it.
pub(super) fn identity_of(request: &HttpRequest) -> ClientIdentity {
    request.extensions().get().cloned().unwrap_or_default()
}

/// Lets a handler run as long as its client may have the response: it ends when a key turns out to be missing.
pub(super) async fn while_permitted<B: MessageBody + 'static>(
    request: &HttpRequest,
    handle: impl Future<Output = Result<ServiceResponse<B>, actix_web::Error>>,
) -> Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let client = identity_of(request);
    if !client.is_on_trial() {
        return Ok(handle.await?.map_into_boxed_body());
    }
    tokio::select! {
        // The handler first: it may end by itself, and record why.
        biased;
        response = handle => Ok(response?.map_into_boxed_body()),
        () = client.revoked() => {
            let refused = respond(request, &request_key::failure(&client));
            Ok(ServiceResponse::new(request.clone(), refused))
        }
    }
}

/// Lets a page use the route of a request, after asking the user if that is needed. Pages of other origins hold the
/// permit that this returns while their request is answered.
async fn admit_page(
    request: &ServiceRequest,
    page: &PageOrigin,
    user_settings: &UserSettings,
) -> Result<Option<OwnedSemaphorePermit>, Failure> {
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let route = route_pages(request);
    if route == Some(PageAccess::Own) {
        let is_own = ui::access::is_own(request.headers());
        return if is_own { Ok(None) } else { Err(refused("other pages may not use the inspector".into())) };
    }
    let access = route.unwrap_or(if is_read { PageAccess::Any } else { PageAccess::Allowed });
    let PageOrigin::Foreign { origin } = page else {
        return match page.decide(access, user_settings) {
            Decision::Allow => Ok(None),
            Decision::Ask | Decision::Blocked | Decision::Refuse => {
                Err(refused("web pages may not send such requests without an origin".into()))
            }
        };
    };
    let Some(state) = request.app_data::<Data<AppState>>() else { return Ok(None) };
    match page.decide(access, user_settings) {
        Decision::Allow if matches!(access, PageAccess::Any | PageAccess::Tools) => return Ok(None),
        Decision::Allow => {}
        Decision::Refuse if access == PageAccess::Tools => return Err(tools_refused()),
        Decision::Refuse => return Err(refused("only pages of this machine may use this endpoint".into())),
        Decision::Blocked => return Err(blocked(origin)),
        // No question about what would be refused anyway: browsers send other types than JSON without a preflight.
        Decision::Ask => {
            if *request.method() == Method::POST {
                request_body::check_content_type(request.headers())?;
            }
            if route.is_none() {
                return Err(refused(format!("web pages of {origin} are not allowed")));
            }
            state.origin_questions.ask(origin).await?;
        }
    }
    state.page_requests.acquire().await.map(Some)
}

/// The pages that may use the route of a request; none if no route has its path.
fn route_pages(request: &ServiceRequest) -> Option<PageAccess> {
    request.app_data::<Data<RouteIndex>>()?.pages(request.match_info().as_str())
}

/// Checks the connection's user, the host and the key; returns the client that the key names.
async fn authorize(
    request: &ServiceRequest,
    user_settings: &UserSettings,
) -> Result<ClientIdentity, Failure> {
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
    let Some(state) = request.app_data::<Data<AppState>>() else { return Ok(ClientIdentity::default()) };
    let path = request.match_info().as_str();
    let is_logged_in = ui::access::is_logged_in(request.headers(), |cookie| state.is_valid_cookie(cookie));
    // A preflight carries no key.
    if request.method() == Method::OPTIONS || is_logged_in || ui::login::is_open(path) {
        return Ok(ClientIdentity::default());
    }
    let wait = wait_for_keys(path, route_pages(request));
    let client = request_key::identify(request, &state.keys, state.options.window_wait, wait).await?;
    if path.starts_with("/ui/") && !client.is_unrestricted() {
        let message = "this key may not use the panel, which shows and does everything".into();
        return Err(Failure::Forbidden { code: "key_not_allowed", message });
    }
    Ok(client)
}

/// The requests to a path that wait until the keys of the user are known. A completion without a key needs no such wait: it
/// waits for a model, which comes after the keys, or for the keys if it needs tools.
fn wait_for_keys(path: &str, pages: Option<PageAccess>) -> WaitForKeys {
    match pages {
        _ if matches!(path, "/" | "/health") => WaitForKeys::Never,
        Some(PageAccess::Tools | PageAccess::Local | PageAccess::Own) => WaitForKeys::Always,
        _ if without_version(path) == "/tools" => WaitForKeys::Always,
        Some(PageAccess::Any | PageAccess::Allowed) | None => WaitForKeys::WithKey,
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

/// Whether a request carries a key that may open the panel, or needs none.
pub(super) fn has_valid_key(request: &HttpRequest, state: &AppState) -> bool {
    !state.keys.is_required() || request_key::is_unrestricted(request.headers(), &state.keys)
}

/// Whether a text is a key that may open the panel, which shows and does everything.
pub(super) fn is_valid_key(text: &str, state: &AppState) -> bool {
    let client = state.keys.identify(&[text.as_bytes()]);
    client.is_some_and(|client| client.is_unrestricted())
}

/// Pages of other origins that may read a response.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Readers {
    NoPage,
    /// This origin alone.
    Page(HeaderValue),
    /// Any page: also the error that says why it may not use the endpoint.
    AnyPage,
}

impl Readers {
    fn of(request: &ServiceRequest, page: &PageOrigin, user_settings: &UserSettings) -> Readers {
        match route_pages(request) {
            Some(PageAccess::Local | PageAccess::Own) => Readers::NoPage,
            Some(PageAccess::Tools) => match request.headers().get(header::ORIGIN) {
                Some(origin) if page.may_use_tools(user_settings) => Readers::Page(origin.clone()),
                Some(_) | None => Readers::NoPage,
            },
            Some(PageAccess::Any | PageAccess::Allowed) | None => Readers::AnyPage,
        }
    }

    fn allow(&self, headers: &mut HeaderMap) {
        let origin = match self {
            Readers::NoPage => return,
            Readers::Page(origin) => origin.clone(),
            Readers::AnyPage => HeaderValue::from_static("*"),
        };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED_HEADERS));
    }
}

/// Response headers that scripts of pages may read.
const EXPOSED_HEADERS: &str = "x-request-id, request-id, retry-after, x-should-retry, x-copilot-proxy-model, \
                               x-copilot-proxy-usage, mcp-session-id";

fn allow_methods(headers: &mut HeaderMap, requested: Option<HeaderValue>, private_network: bool) {
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, HEAD, POST, DELETE, OPTIONS"),
    );
    // A `*` would not cover `authorization`, so the requested headers are named.
    let requested = requested.unwrap_or(HeaderValue::from_static(
        "authorization, content-type, x-api-key, x-goog-api-key, anthropic-version, anthropic-beta",
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
    fn only_connections_of_this_user_are_served() {
        assert!(authorize_peer(Some(&Peer::Trusted)).is_ok());
        for peer in [Some(&Peer::OtherUser { uid: 7 }), Some(&Peer::Unknown), Some(&Peer::Closed), None] {
            let refused = authorize_peer(peer);
            assert!(matches!(refused, Err(Failure::Forbidden { code: "user_not_allowed", .. })), "{peer:?}");
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

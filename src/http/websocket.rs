//! WebSocket handshakes: recognized, and refused with 426. Clients that can use both fall back to HTTP at once.

use actix_web::HttpRequest;
use actix_web::http::Method;
use actix_web::http::header::UPGRADE;

use crate::failure::Failure;

/// The failure of a request that is a WebSocket handshake; none for other requests. `allow` lists the route's methods.
pub(super) fn refusal(request: &HttpRequest, allow: &str) -> Option<Failure> {
    is_handshake(request)
        .then(|| Failure::NoWebSocket { path: request.path().to_owned(), allow: allow.to_owned() })
}

fn is_handshake(request: &HttpRequest) -> bool {
    let protocols = request.headers().get_all(UPGRADE).filter_map(|value| value.to_str().ok());
    let mut names = protocols.flat_map(|value| value.split(','));
    request.method() == Method::GET && names.any(|name| name.trim().eq_ignore_ascii_case("websocket"))
}

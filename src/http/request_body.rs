//! Reads a request's body, within the limits of size and time.

use std::pin::pin;
use std::time::Duration;

use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, ORIGIN, TRANSFER_ENCODING, UPGRADE};
use actix_web::web::BytesMut;
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::select;

use super::content_coding::{self, Coding};
use super::time_limit::sleep_awake;
use crate::blocking;
use crate::failure::Failure;
use crate::options::MAX_BODY;

/// Unpacked bytes per packed byte of a typical conversation: decides whether a body is unpacked on another thread.
const TYPICAL_RATIO: usize = 4;

/// Refuses bodies of web pages that are not declared as JSON: browsers send other types without a preflight. Other
/// clients may omit the header.
pub(super) fn check_content_type(headers: &HeaderMap) -> Result<(), Failure> {
    if !headers.contains_key(ORIGIN) {
        return Ok(());
    }
    let found = headers.get(CONTENT_TYPE).and_then(|found| found.to_str().ok()).unwrap_or_default();
    let mime = found.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if mime == "application/json" || mime.ends_with("+json") {
        Ok(())
    } else {
        Err(Failure::NotJson { found: found.into() })
    }
}

/// Reads and unpacks the whole body; fails as soon as it is known to be too large.
pub(super) async fn read(headers: &HeaderMap, payload: Payload, limit: Duration) -> Result<Bytes, Failure> {
    check_content_type(headers)?;
    let codings = content_coding::of(headers)?;
    let received = receive(headers, payload, limit, max_received(&codings)).await?;
    let size = if codings.is_empty() { 0 } else { received.len().saturating_mul(TYPICAL_RATIO) };
    blocking::run(size, move || content_coding::unpack(&codings, received, MAX_BODY)).await
}

/// Limit of the bytes on the connection. Packing makes a body that can't be packed a little longer.
fn max_received(codings: &[Coding]) -> usize {
    MAX_BODY + codings.len() * (MAX_BODY / 256)
}

/// Receives the body as it was sent.
async fn receive(
    headers: &HeaderMap,
    mut chunks: Payload,
    limit: Duration,
    max_bytes: usize,
) -> Result<Bytes, Failure> {
    let too_large = || Failure::BodyTooLarge { limit: MAX_BODY };
    // actix-web reads all bytes after a WebSocket handshake as its body; by HTTP it has one only with a length or chunks.
    let declared =
        if headers.contains_key(TRANSFER_ENCODING) { None } else { Some(declared_length(headers)) };
    if declared.is_some_and(|length| length > max_bytes) {
        return Err(too_large());
    }
    let mut body = BytesMut::with_capacity(declared.unwrap_or(0));
    let mut expired = pin!(sleep_awake(limit));
    while declared.is_none_or(|length| body.len() < length) {
        let chunk = select! {
            biased;
            chunk = chunks.next() => chunk,
            () = &mut expired => return Err(Failure::ReceiveTimeout { within: limit }),
        };
        let Some(chunk) = chunk else { break };
        let chunk = chunk.map_err(|error| Failure::invalid("", unreadable(&error)))?;
        if body.len() + chunk.len() > max_bytes {
            return Err(too_large());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// The reason for which no more of a body comes. actix-web's own words are Rust's, and speak of a content coding where the
/// chunks are meant.
fn unreadable(error: &PayloadError) -> &'static str {
    match error {
        PayloadError::Incomplete(_) | PayloadError::Io(_) => "the connection ended inside the body",
        PayloadError::EncodingCorrupted => "the chunks of the body are malformed",
        _ => "the body can't be read",
    }
}

/// Length of a request's body; `None` if the request's head doesn't say where it ends.
pub(super) fn length(request: &ServiceRequest) -> Option<usize> {
    let headers = request.headers();
    let is_open = headers.contains_key(TRANSFER_ENCODING)
        || headers.contains_key(UPGRADE)
        || *request.method() == Method::CONNECT;
    (!is_open).then(|| declared_length(headers))
}

/// Whether a request declares a body that is too large, packed or not.
pub(super) fn declares_too_much(headers: &HeaderMap) -> bool {
    let codings = content_coding::of(headers);
    declared_length(headers) > max_received(codings.as_deref().unwrap_or_default())
}

/// The length that a request declares for its body.
fn declared_length(headers: &HeaderMap) -> usize {
    headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok()).unwrap_or(0)
}

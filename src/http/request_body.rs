//! Reads a request's body, within the limits of size and time.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, ORIGIN, TRANSFER_ENCODING};
use actix_web::web::BytesMut;
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::time::{Instant, timeout_at};

use super::content_coding::{self, Coding};
use crate::blocking;
use crate::failure::Failure;
use crate::options::MAX_BODY;

/// Bytes of a too large body that are read and discarded, so that the client receives the error response: a client
/// that is still sending when the connection closes sees a reset instead.
const MAX_DISCARDED: usize = 64 * 1024 * 1024;

/// Unpacked bytes per packed byte of a typical conversation: decides whether a body is unpacked on another thread.
const TYPICAL_RATIO: usize = 4;

/// Refuses bodies of web pages that are not declared as JSON: browsers send other types without a preflight. Other
/// clients may omit the header.
fn check_content_type(headers: &HeaderMap) -> Result<(), Failure> {
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

/// Reads and unpacks the whole body.
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
    let deadline = Instant::now() + limit;
    let declared = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    // actix-web takes all that follows a WebSocket handshake for its body; by HTTP it has one only if it says so.
    let declared = if headers.contains_key(TRANSFER_ENCODING) { None } else { Some(declared.unwrap_or(0)) };
    // A body that is declared too large is discarded from the first byte.
    let mut fits = declared.is_none_or(|length: usize| length <= max_bytes);
    let mut body = BytesMut::with_capacity(if fits { declared.unwrap_or(0) } else { 0 });
    let mut discarded = 0;
    while declared.is_none_or(|length| body.len() + discarded < length) {
        let chunk = match timeout_at(deadline, chunks.next()).await {
            Err(_) => return Err(Failure::ReceiveTimeout { within: limit }),
            Ok(None) => break,
            Ok(Some(chunk)) => {
                chunk.map_err(|error| Failure::invalid("", format!("the body can't be read: {error}")))?
            }
        };
        fits = fits && body.len() + chunk.len() <= max_bytes;
        if fits {
            body.extend_from_slice(&chunk);
            continue;
        }
        body = BytesMut::new();
        discarded += chunk.len();
        if discarded > MAX_DISCARDED {
            break;
        }
    }
    if fits { Ok(body.freeze()) } else { Err(Failure::BodyTooLarge { limit: MAX_BODY }) }
}

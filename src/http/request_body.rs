//! Reads a request's body, within the limits of size and time.

use std::time::Duration;

use actix_http::encoding::Decoder;
use actix_web::dev::Payload;
use actix_web::http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, ORIGIN};
use actix_web::web::BytesMut;
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::time::{Instant, timeout_at};

use crate::failure::Failure;
use crate::options::MAX_BODY;

/// Bytes of a too large body that are read and discarded, so that the client receives the error response: a client
/// that is still sending when the connection closes sees a reset instead.
const MAX_DISCARDED: usize = 64 * 1024 * 1024;

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

/// Reads and decompresses the whole body.
pub(super) async fn read(headers: &HeaderMap, payload: Payload, limit: Duration) -> Result<Bytes, Failure> {
    let deadline = Instant::now() + limit;
    check_content_type(headers)?;
    let declared = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let compressed = headers.contains_key(CONTENT_ENCODING);
    let mut chunks = Decoder::from_headers(payload, headers);
    // A body that is declared too large is discarded from the first byte.
    let mut fits = compressed || declared.is_none_or(|length: usize| length <= MAX_BODY);
    let mut body = BytesMut::with_capacity(if compressed || !fits { 0 } else { declared.unwrap_or(0) });
    let mut discarded = 0;
    loop {
        let chunk = match timeout_at(deadline, chunks.next()).await {
            Err(_) => return Err(Failure::ReceiveTimeout { within: limit }),
            Ok(None) => break,
            Ok(Some(chunk)) => {
                chunk.map_err(|error| Failure::invalid("", format!("the body can't be read: {error}")))?
            }
        };
        fits = fits && body.len() + chunk.len() <= MAX_BODY;
        if fits {
            body.extend_from_slice(&chunk);
            continue;
        }
        body = BytesMut::new();
        discarded += chunk.len();
        if compressed || discarded > MAX_DISCARDED {
            break;
        }
    }
    if fits { Ok(body.freeze()) } else { Err(Failure::BodyTooLarge { limit: MAX_BODY }) }
}

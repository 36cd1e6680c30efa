//! Reads a request's body: all of it, within the limit, in time.

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

/// What is read off of a body that is too large, so that the client gets to read the refusal: a client that is
/// still sending when the connection closes sees a reset instead. In bytes.
const READ_OFF: usize = 64 * 1024 * 1024;

/// A web page may send plain text without completions anybody; a person with curl forgets the header.
fn must_be_json(headers: &HeaderMap) -> Result<(), Failure> {
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

/// The whole body, unzipped.
pub(super) async fn read(headers: &HeaderMap, payload: Payload, within: Duration) -> Result<Bytes, Failure> {
    let deadline = Instant::now() + within;
    must_be_json(headers)?;
    let declared = headers.get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse().ok());
    let zipped = headers.contains_key(CONTENT_ENCODING);
    let mut pieces = Decoder::from_headers(payload, headers);
    // What is declared too large is not kept at all.
    let mut fits = zipped || declared.is_none_or(|length: usize| length <= MAX_BODY);
    let mut body = BytesMut::with_capacity(if zipped || !fits { 0 } else { declared.unwrap_or(0) });
    let mut read_off = 0;
    loop {
        let piece = match timeout_at(deadline, pieces.next()).await {
            Err(_) => return Err(Failure::ReceiveTimeout { within }),
            Ok(None) => break,
            Ok(Some(piece)) => {
                piece.map_err(|error| Failure::invalid("", format!("the body can't be read: {error}")))?
            }
        };
        fits = fits && body.len() + piece.len() <= MAX_BODY;
        if fits {
            body.extend_from_slice(&piece);
            continue;
        }
        body = BytesMut::new();
        read_off += piece.len();
        if zipped || read_off > READ_OFF {
            break;
        }
    }
    if fits { Ok(body.freeze()) } else { Err(Failure::BodyTooLarge { limit: MAX_BODY }) }
}

//! The body of a request while it is being received: a handler may read it, and what it leaves is discarded before the
//! response is sent.
//!
//! A client that is still sending when its connection closes sees a reset instead of the response.

use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::HttpMessage;
use actix_web::dev::{Payload, ServiceRequest};
use actix_web::error::PayloadError;
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, timeout_at};

use super::read_ahead::ReadAhead;

/// Most bytes that are discarded.
const MAX_DISCARDED: usize = 64 * 1024 * 1024;

/// A client that sends less than [`MIN_RECEIVED`] bytes in this time is not blocked by what it sends: it can read.
const WINDOW: Duration = Duration::from_millis(250);

/// Fewest bytes in a [`WINDOW`] for which discarding goes on.
const MIN_RECEIVED: usize = 16 * 1024;

/// The body of one request; clones share it.
#[derive(Clone)]
pub(super) struct SharedPayload(Rc<RefCell<Receiving>>);

struct Receiving {
    payload: Payload,
    read_ahead: Option<ReadAhead>,
    has_ended: bool,
}

impl SharedPayload {
    /// Replaces the body of a request by a shared one; none if the request has no body.
    pub fn share(request: &mut ServiceRequest) -> Option<SharedPayload> {
        // After a WebSocket handshake, actix-web takes all that follows for its body.
        let headers = request.headers();
        if !headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(TRANSFER_ENCODING) {
            return None;
        }
        let payload = match request.take_payload() {
            Payload::None => return None,
            payload => payload,
        };
        let read_ahead = request.request().conn_data::<ReadAhead>().cloned();
        let shared =
            SharedPayload(Rc::new(RefCell::new(Receiving { payload, read_ahead, has_ended: false })));
        request.set_payload(Payload::Stream { payload: Box::pin(shared.clone()) });
        Some(shared)
    }

    /// Reads the rest and discards it, while the client goes on sending and at most for `limit`. Returns whether the
    /// body has been received to its end.
    pub async fn discard(mut self, limit: Duration) -> bool {
        let deadline = Instant::now() + limit;
        let mut discarded = 0;
        while discarded < MAX_DISCARDED {
            let window = deadline.min(Instant::now() + WINDOW);
            let mut received = 0;
            while discarded + received < MAX_DISCARDED {
                match timeout_at(window, self.next()).await {
                    Err(_) => break,
                    Ok(Some(Ok(chunk))) => received += chunk.len(),
                    Ok(Some(Err(_)) | None) => return true,
                }
            }
            discarded += received;
            if received < MIN_RECEIVED || Instant::now() >= deadline {
                break;
            }
        }
        false
    }
}

impl Stream for SharedPayload {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Receiving { payload, read_ahead, has_ended } = &mut *self.0.borrow_mut();
        if *has_ended {
            return Poll::Ready(None);
        }
        let polled = payload.poll_next_unpin(context);
        *has_ended = matches!(polled, Poll::Ready(None | Some(Err(_))));
        if let (Some(read_ahead), Poll::Ready(Some(Ok(_)))) = (read_ahead, &polled) {
            read_ahead.body_read();
        }
        polled
    }
}

//! The time limit on receiving a request's head, for the first request of a connection and for later ones.
//!
//! actix-web limits the first head only: half of a second one would keep its connection for ever. So
//! [`HeadTimer`] follows each connection: the socket reports received bytes, `access` reports that a head is
//! complete, and dropping the response's body reports that the response has ended. It also tells when a connection is at
//! rest between two requests (`idle_connection.rs`).

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Sleep, sleep};

use super::read_ahead::AnsweringGuard;
use super::request_bytes::RequestBytes;

/// The timer of one connection, shared by its socket and its requests.
#[derive(Clone)]
pub(super) struct HeadTimer(Rc<RefCell<Timer>>);

struct Timer {
    limit: Duration,
    state: HeadState,
    bytes: RequestBytes,
}

/// Progress of the head of the connection's next or current request.
enum HeadState {
    /// No byte has been received; actix-web's `keep_alive` limits how long that lasts.
    Awaited,
    /// As before, and it is certain that actix-web holds no byte either; until the connection is at rest.
    Idle(Pin<Box<Sleep>>),
    /// Some bytes have been received. A new connection begins here, too: its client is expected to send at once.
    Receiving(Pin<Box<Sleep>>),
    /// The head is complete and its request is being answered.
    Complete {
        /// More bytes followed: the request's body, or the begin of the next head. Here they look the same.
        more: bool,
        request_id: Arc<str>,
        /// Length of the request's body once that has been received to its end.
        body: Option<usize>,
        /// The rest of the request's body is unwanted: the connection ends after the response.
        is_last: bool,
    },
    /// The last response is being sent, while the client may still be sending its request.
    Closing(Pin<Box<Sleep>>),
}

/// Time for a client to read the last response of its connection while it is still sending.
const LINGER: Duration = Duration::from_secs(1);

/// Time after a response until the connection is at rest. Most clients send their next request at once or much later.
pub(super) const REST_AFTER: Duration = Duration::from_secs(1);

/// A time limit that has passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expired {
    /// A head was not complete in time: the client gets a response.
    Head,
    /// The connection had its last response.
    Linger,
    /// No next request has begun: the connection may rest.
    Idle,
}

impl HeadState {
    fn receiving(limit: Duration) -> HeadState {
        HeadState::Receiving(Box::pin(sleep(limit)))
    }
}

impl HeadTimer {
    /// The timer of a connection that has just been opened.
    pub fn new(limit: Duration) -> HeadTimer {
        let timer = Timer { limit, state: HeadState::receiving(limit), bytes: RequestBytes::default() };
        HeadTimer(Rc::new(RefCell::new(timer)))
    }

    /// Notes that bytes have been received.
    pub fn bytes_received(&self, received: &[u8]) {
        let Timer { limit, state, bytes } = &mut *self.0.borrow_mut();
        bytes.received(received);
        match state {
            HeadState::Awaited | HeadState::Idle(_) => *state = HeadState::receiving(*limit),
            HeadState::Receiving(_) | HeadState::Closing(_) => {}
            HeadState::Complete { more, .. } => *more = true,
        }
    }

    /// Ready when a limit has passed.
    pub fn poll_expired(&self, context: &mut Context<'_>) -> Poll<Expired> {
        match &mut self.0.borrow_mut().state {
            HeadState::Receiving(time) => time.as_mut().poll(context).map(|()| Expired::Head),
            HeadState::Closing(time) => time.as_mut().poll(context).map(|()| Expired::Linger),
            HeadState::Idle(time) => time.as_mut().poll(context).map(|()| Expired::Idle),
            HeadState::Awaited | HeadState::Complete { .. } => Poll::Pending,
        }
    }

    /// Notes that a head is complete; its request is being answered until the guard is dropped.
    pub fn head_complete(&self, request_id: Arc<str>) -> ResponseGuard {
        self.0.borrow_mut().state =
            HeadState::Complete { more: false, request_id, body: None, is_last: false };
        ResponseGuard(self.clone())
    }

    /// The id of the request that is being answered, for log lines of the connection.
    pub fn request_id(&self) -> Option<Arc<str>> {
        match &self.0.borrow().state {
            HeadState::Complete { request_id, .. } => Some(request_id.clone()),
            HeadState::Awaited | HeadState::Idle(_) | HeadState::Receiving(_) | HeadState::Closing(_) => None,
        }
    }
}

/// Held while a request is being answered. When it is dropped, the next head is awaited.
pub(super) struct ResponseGuard(HeadTimer);

impl ResponseGuard {
    /// Notes that the request's body has been received to its end, and its length.
    pub fn body_received(&self, length: usize) {
        if let HeadState::Complete { body, .. } = &mut self.0.0.borrow_mut().state {
            *body = Some(length);
        }
    }

    /// Lets the connection end soon after the response, even if the client goes on sending.
    pub fn close_afterwards(&self) {
        if let HeadState::Complete { is_last, .. } = &mut self.0.0.borrow_mut().state {
            *is_last = true;
        }
    }
}

impl Drop for ResponseGuard {
    fn drop(&mut self) {
        let Timer { limit, state, bytes } = &mut *self.0.0.borrow_mut();
        let HeadState::Complete { more, body, is_last, .. } = *state else { return };
        bytes.answered(body);
        *state = if is_last {
            HeadState::Closing(Box::pin(sleep(LINGER)))
        } else if *bytes == RequestBytes::Between {
            HeadState::Idle(Box::pin(sleep(REST_AFTER)))
        } else if more {
            HeadState::receiving(*limit)
        } else {
            HeadState::Awaited
        };
    }
}

/// A response's body together with the guards, which are dropped with it.
pub(super) struct GuardedBody {
    pub body: BoxBody,
    pub _guard: Option<ResponseGuard>,
    pub _answering: Option<AnsweringGuard>,
    /// Permit of a web page's request.
    pub _permit: Option<OwnedSemaphorePermit>,
}

impl MessageBody for GuardedBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);
    const ALMOST: Duration = Duration::from_secs(29);

    fn expired(timer: &HeadTimer) -> Option<Expired> {
        match timer.poll_expired(&mut Context::from_waker(std::task::Waker::noop())) {
            Poll::Ready(expired) => Some(expired),
            Poll::Pending => None,
        }
    }

    fn has_expired(timer: &HeadTimer) -> bool {
        expired(timer).is_some()
    }

    #[tokio::test(start_paused = true)]
    async fn first_head_is_limited_from_the_opening_of_the_connection() {
        let timer = HeadTimer::new(LIMIT);
        advance(ALMOST).await;
        timer.bytes_received(b"GET");
        assert!(!has_expired(&timer));
        advance(ALMOST).await;
        assert!(has_expired(&timer));
    }

    #[tokio::test(start_paused = true)]
    async fn neither_a_response_nor_the_idle_time_after_it_is_limited() {
        let timer = HeadTimer::new(LIMIT);
        let guard = timer.head_complete("a".into());
        advance(10 * LIMIT).await;
        assert!(!has_expired(&timer));
        drop(guard);
        advance(10 * LIMIT).await;
        assert!(!has_expired(&timer));
    }

    #[tokio::test(start_paused = true)]
    async fn later_head_is_limited_from_its_first_byte() {
        let timer = HeadTimer::new(LIMIT);
        advance(ALMOST).await;
        drop(timer.head_complete("a".into()));
        advance(ALMOST).await;
        timer.bytes_received(b"GET");
        advance(ALMOST).await;
        assert!(!has_expired(&timer));
        advance(ALMOST).await;
        assert!(has_expired(&timer));
    }

    #[tokio::test(start_paused = true)]
    async fn head_begun_during_a_response_is_limited_from_the_end_of_the_response() {
        let timer = HeadTimer::new(LIMIT);
        let guard = timer.head_complete("a".into());
        timer.bytes_received(b"GET");
        advance(10 * LIMIT).await;
        drop(guard);
        assert!(!has_expired(&timer));
        advance(LIMIT).await;
        assert!(has_expired(&timer));
    }

    #[tokio::test(start_paused = true)]
    async fn last_response_leaves_its_client_a_moment_to_read_it() {
        let timer = HeadTimer::new(LIMIT);
        let guard = timer.head_complete("a".into());
        guard.close_afterwards();
        advance(10 * LIMIT).await;
        assert!(!has_expired(&timer));
        drop(guard);
        timer.bytes_received(b"GET");
        assert!(!has_expired(&timer));
        advance(LINGER).await;
        timer.bytes_received(b"GET");
        assert!(has_expired(&timer));
    }

    #[tokio::test(start_paused = true)]
    async fn connection_is_idle_a_while_after_a_request_that_was_received_whole() {
        let timer = HeadTimer::new(LIMIT);
        timer.bytes_received(b"POST / HTTP/1.1\r\n\r\n");
        let guard = timer.head_complete("a".into());
        timer.bytes_received(b"body");
        guard.body_received(4);
        advance(REST_AFTER).await;
        assert_eq!(expired(&timer), None);
        drop(guard);
        assert_eq!(expired(&timer), None);
        advance(REST_AFTER).await;
        assert_eq!(expired(&timer), Some(Expired::Idle));
        // The next request has its own time.
        timer.bytes_received(b"POST / HTTP/1.1\r\n");
        assert_eq!(expired(&timer), None);
        advance(LIMIT).await;
        assert_eq!(expired(&timer), Some(Expired::Head));
    }

    #[tokio::test]
    async fn request_id_is_known_while_its_response_is_written() {
        let timer = HeadTimer::new(LIMIT);
        assert_eq!(timer.request_id(), None);
        let guard = timer.head_complete("a".into());
        assert_eq!(timer.request_id().as_deref(), Some("a"));
        drop(guard);
        assert_eq!(timer.request_id(), None);
    }
}

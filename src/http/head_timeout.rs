//! How long the head of a request may take to come, the first on a connection or a later one.
//!
//! actix times the first head only: half of a second one would keep its connection for ever. So the connection
//! says here what it reads, the guard says when a request begins, and its answer's body when it has ended.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::web::Bytes;
use tokio::time::{Sleep, sleep};

/// The clock of one connection, shared by all who know how far a request has come.
#[derive(Clone)]
pub(super) struct HeadTimer(Rc<RefCell<Clock>>);

struct Clock {
    within: Duration,
    head: Head,
}

enum Head {
    /// Nothing of it has come; `keep_alive` says for how long that may stay so.
    Awaited,
    /// Some of it has come. A new connection begins so, too: who opens one has something to say.
    Coming(Pin<Box<Sleep>>),
    /// All of it has come and its request is being answered.
    Whole {
        /// More has come since: the rest of the request, or some of the next one's head. Nobody knows here.
        more: bool,
    },
}

impl Head {
    fn coming(within: Duration) -> Head {
        Head::Coming(Box::pin(sleep(within)))
    }
}

impl HeadTimer {
    /// Of a connection that has just been opened.
    pub fn new(within: Duration) -> HeadTimer {
        HeadTimer(Rc::new(RefCell::new(Clock { within, head: Head::coming(within) })))
    }

    /// Bytes have come.
    pub fn bytes(&self) {
        let Clock { within, head } = &mut *self.0.borrow_mut();
        match head {
            Head::Awaited => *head = Head::coming(*within),
            Head::Coming(_) => {}
            Head::Whole { more } => *more = true,
        }
    }

    /// Ready when a head has taken too long.
    pub fn poll_late(&self, context: &mut Context<'_>) -> Poll<()> {
        match &mut self.0.borrow_mut().head {
            Head::Coming(time) => time.as_mut().poll(context),
            Head::Awaited | Head::Whole { .. } => Poll::Pending,
        }
    }

    /// A head has come whole, and its request is being answered as long as this is held.
    pub fn begin(&self) -> RunningCompletion {
        self.0.borrow_mut().head = Head::Whole { more: false };
        RunningCompletion(self.clone())
    }
}

/// A request is being answered. Dropped, the next head is awaited.
pub(super) struct RunningCompletion(HeadTimer);

impl Drop for RunningCompletion {
    fn drop(&mut self) {
        let Clock { within, head } = &mut *self.0.0.borrow_mut();
        *head = match head {
            Head::Whole { more: true } => Head::coming(*within),
            Head::Whole { more: false } | Head::Awaited | Head::Coming(_) => Head::Awaited,
        };
    }
}

/// The body of an answer, which ends when this is dropped.
pub(super) struct Answer {
    pub body: BoxBody,
    pub _answering: Option<RunningCompletion>,
}

impl MessageBody for Answer {
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

    const WITHIN: Duration = Duration::from_secs(30);
    const ALMOST: Duration = Duration::from_secs(29);

    fn is_late(clock: &HeadTimer) -> bool {
        clock.poll_late(&mut Context::from_waker(std::task::Waker::noop())).is_ready()
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_connection_has_its_time_for_the_first_head() {
        let clock = HeadTimer::new(WITHIN);
        advance(ALMOST).await;
        clock.bytes();
        assert!(!is_late(&clock));
        advance(ALMOST).await;
        assert!(is_late(&clock));
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_may_take_as_long_as_it_takes_and_nothing_is_awaited_after_it() {
        let clock = HeadTimer::new(WITHIN);
        let answering = clock.begin();
        advance(10 * WITHIN).await;
        assert!(!is_late(&clock));
        drop(answering);
        advance(10 * WITHIN).await;
        assert!(!is_late(&clock));
    }

    #[tokio::test(start_paused = true)]
    async fn a_later_head_has_its_own_time_from_its_first_byte_on() {
        let clock = HeadTimer::new(WITHIN);
        advance(ALMOST).await;
        drop(clock.begin());
        advance(ALMOST).await;
        clock.bytes();
        advance(ALMOST).await;
        assert!(!is_late(&clock));
        advance(ALMOST).await;
        assert!(is_late(&clock));
    }

    #[tokio::test(start_paused = true)]
    async fn half_a_head_that_came_during_an_answer_has_its_time_from_the_end_of_that() {
        let clock = HeadTimer::new(WITHIN);
        let answering = clock.begin();
        clock.bytes();
        advance(10 * WITHIN).await;
        drop(answering);
        assert!(!is_late(&clock));
        advance(WITHIN).await;
        assert!(is_late(&clock));
    }
}

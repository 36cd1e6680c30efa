//! The limit on what actix-web reads of a connection while it answers a request.
//!
//! actix-web stops reading once it has 128 KiB that it can't use yet: then it no longer notices that the client has closed,
//! and it uses a whole CPU while sixteen more requests wait. So `Connection` passes on less than that and keeps the rest
//! itself, until the request's handler reads more of the body or the response ends.

use std::cell::RefCell;
use std::rc::Rc;
use std::task::{Context, Waker};

/// Bytes that are passed on beyond what the handler has read: half of what actix-web takes.
const MAX_PASSED: usize = 64 * 1024;

/// Received bytes of one connection that were passed on; its socket and its requests share it.
#[derive(Clone, Default)]
pub(super) struct ReadAhead(Rc<RefCell<State>>);

#[derive(Default)]
struct State {
    /// Bytes passed on since the handler last read; `None` while no request is being answered.
    passed: Option<usize>,
    /// The connection, if it waits for room.
    waiting: Option<Waker>,
}

impl ReadAhead {
    /// Notes that a request's head is complete; the request is being answered until the guard is dropped.
    pub fn begin(&self) -> AnsweringGuard {
        self.set(Some(0));
        AnsweringGuard(self.clone())
    }

    /// Notes that the handler has read from the request's body.
    pub fn body_read(&self) {
        let is_answering = self.0.borrow().passed.is_some();
        if is_answering {
            self.set(Some(0));
        }
    }

    /// Bytes that may be passed on now. If there are none, the task is woken when there are.
    pub fn room(&self, context: &Context<'_>) -> usize {
        let mut state = self.0.borrow_mut();
        let room = state.passed.map_or(usize::MAX, |passed| MAX_PASSED.saturating_sub(passed));
        if room == 0 {
            state.waiting = Some(context.waker().clone());
        }
        room
    }

    /// Notes that bytes have been passed on.
    pub fn passed(&self, bytes: usize) {
        if let Some(passed) = &mut self.0.borrow_mut().passed {
            *passed = passed.saturating_add(bytes);
        }
    }

    fn set(&self, passed: Option<usize>) {
        let mut state = self.0.borrow_mut();
        state.passed = passed;
        if let Some(waiting) = state.waiting.take() {
            waiting.wake();
        }
    }
}

/// Held while a request is being answered. When it is dropped, all that has come is passed on.
pub(super) struct AnsweringGuard(ReadAhead);

impl Drop for AnsweringGuard {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_request_that_is_being_answered_limits_what_is_passed_on() {
        let context = Context::from_waker(Waker::noop());
        let ahead = ReadAhead::default();
        ahead.passed(10 * MAX_PASSED);
        assert_eq!(ahead.room(&context), usize::MAX);
        let guard = ahead.begin();
        ahead.passed(MAX_PASSED - 1);
        assert_eq!(ahead.room(&context), 1);
        ahead.passed(10);
        assert_eq!(ahead.room(&context), 0);
        ahead.body_read();
        assert_eq!(ahead.room(&context), MAX_PASSED);
        ahead.passed(MAX_PASSED);
        drop(guard);
        ahead.body_read();
        assert_eq!(ahead.room(&context), usize::MAX);
    }
}

//! Drops the tool calls that a response must not have, and records them.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;

use super::filter::Filter;
use crate::conversation::{Event, Finish, ToolCall};

/// Record of the calls that were dropped from one response. The filters write it; clones share it.
#[derive(Clone, Debug, Default)]
pub struct DroppedCalls(Rc<RefCell<Vec<ToolCall>>>);

impl DroppedCalls {
    /// Adds a call to the record.
    pub fn push(&self, call: ToolCall) {
        self.0.borrow_mut().push(call);
    }

    /// The dropped calls, in their order.
    pub fn all(&self) -> Vec<ToolCall> {
        self.0.borrow().clone()
    }

    /// Number of dropped calls.
    pub fn count(&self) -> u32 {
        u32::try_from(self.0.borrow().len()).unwrap_or(u32::MAX)
    }
}

/// Passes on calls of some tools only. A response that had only other calls finishes as one without calls.
#[derive(Clone, Debug)]
pub struct AllowedCalls {
    allowed: Vec<String>,
    dropped: DroppedCalls,
    has_call: bool,
}

impl AllowedCalls {
    /// A filter that passes on calls of the tools `allowed` and records the others in `dropped`.
    pub fn new(allowed: &[String], dropped: DroppedCalls) -> AllowedCalls {
        AllowedCalls { allowed: allowed.to_vec(), dropped, has_call: false }
    }
}

impl Filter for AllowedCalls {
    fn event(&mut self, event: Event, out: &mut Vec<Event>) -> ControlFlow<()> {
        match event {
            Event::ToolCall(call) if !self.allowed.contains(&call.name) => self.dropped.push(call),
            Event::Finish(Finish::ToolCalls, usage) if !self.has_call => {
                out.push(Event::Finish(Finish::Stop, usage));
            }
            event => {
                self.has_call |= matches!(event, Event::ToolCall(_));
                out.push(event);
            }
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::completion::filter::tests::{call, finish, run, text};

    fn filtered(allowed: &[&str], events: [Event; 3]) -> (Vec<Event>, u32) {
        let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
        let dropped = DroppedCalls::default();
        let events = run(&mut AllowedCalls::new(&allowed, dropped.clone()), events);
        (events, dropped.count())
    }

    #[test]
    fn calls_of_other_tools_are_dropped_and_counted() {
        let events = || [text("a"), call("1"), finish(Finish::ToolCalls)];
        assert_eq!(filtered(&["read"], events()), (events().to_vec(), 0));
        assert_eq!(filtered(&["write"], events()), (vec![text("a"), finish(Finish::Stop)], 1));
    }

    #[test]
    fn dropped_calls_are_kept_in_their_order() {
        let dropped = DroppedCalls::default();
        let events = [call("1"), call("2"), finish(Finish::ToolCalls)];
        run(&mut AllowedCalls::new(&[], dropped.clone()), events.clone());
        let kept: Vec<Event> = dropped.all().into_iter().map(Event::ToolCall).collect();
        assert_eq!(kept, events[..2]);
    }

    #[test]
    fn truncated_response_stays_truncated() {
        let events = [text("a"), call("1"), finish(Finish::Length)];
        assert_eq!(filtered(&[], events), (vec![text("a"), finish(Finish::Length)], 1));
    }
}

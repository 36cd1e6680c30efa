//! Limits a response to one tool call, since the editor has no such option.

use std::ops::ControlFlow;

use super::dropped_calls::DroppedCalls;
use super::filter::Filter;
use crate::conversation::Event;

/// Passes on the first call only. The response isn't ended, since its usage comes last; the model repeats later calls
/// in the next response.
#[derive(Clone, Debug, Default)]
pub struct SingleToolCall {
    has_call: bool,
    dropped: DroppedCalls,
}

impl SingleToolCall {
    /// A filter that records the other calls in `dropped`.
    pub fn new(dropped: DroppedCalls) -> SingleToolCall {
        SingleToolCall { has_call: false, dropped }
    }
}

impl Filter for SingleToolCall {
    fn event(&mut self, event: Event, out: &mut Vec<Event>) -> ControlFlow<()> {
        match event {
            Event::ToolCall(call) if self.has_call => self.dropped.push(call),
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
    use crate::completion::filter::tests::{call, end, run, text};

    #[test]
    fn only_the_first_call_is_passed_on() {
        let dropped = DroppedCalls::default();
        assert_eq!(
            run(
                &mut SingleToolCall::new(dropped.clone()),
                [text("a"), call("1"), text("b"), call("2"), call("3"), end()]
            ),
            [text("a"), call("1"), text("b"), end()]
        );
        assert_eq!(dropped.count(), 2);
    }
}

//! Limits a response to one tool call, since the editor has no such option.

use std::ops::ControlFlow;

use super::filter::Filter;
use crate::conversation::Event;

/// Passes on the first call only. The response isn't ended, since its usage comes last; the model repeats later calls
/// in the next response.
#[derive(Clone, Debug, Default)]
pub struct SingleToolCall {
    has_call: bool,
}

impl Filter for SingleToolCall {
    fn event(&mut self, event: Event, out: &mut Vec<Event>) -> ControlFlow<()> {
        let is_call = matches!(event, Event::ToolCall(_));
        if !(is_call && self.has_call) {
            out.push(event);
        }
        self.has_call |= is_call;
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::completion::filter::tests::{call, end, run, text};

    #[test]
    fn only_the_first_call_is_passed_on() {
        assert_eq!(
            run(
                &mut SingleToolCall::default(),
                [text("a"), call("1"), text("b"), call("2"), call("3"), end()]
            ),
            [text("a"), call("1"), text("b"), end()]
        );
    }
}

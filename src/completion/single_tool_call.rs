//! At most one tool call in an answer: the editor has no such option.

use std::ops::ControlFlow;

use super::filter::Filter;
use crate::conversation::Event;

/// Passes the first call only. The model goes on, since its usage comes last; it repeats later calls in the next
/// turn.
#[derive(Clone, Debug, Default)]
pub struct SingleToolCall {
    called: bool,
}

impl Filter for SingleToolCall {
    fn event(&mut self, event: Event, out: &mut Vec<Event>) -> ControlFlow<()> {
        let is_call = matches!(event, Event::ToolCall(_));
        if !(is_call && self.called) {
            out.push(event);
        }
        self.called |= is_call;
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::completion::filter::tests::{call, end, run, text};

    #[test]
    fn only_the_first_call_is_let_through() {
        assert_eq!(
            run(
                &mut SingleToolCall::default(),
                [text("a"), call("1"), text("b"), call("2"), call("3"), end()]
            ),
            [text("a"), call("1"), text("b"), end()]
        );
    }
}

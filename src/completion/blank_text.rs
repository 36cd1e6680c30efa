//! Removes the single space that Copilot's provider sends between text and a tool call.

use std::ops::ControlFlow;

use super::filter::Filter;
use crate::conversation::Event;

/// Holds back a part that is one space until the next event shows whether it comes before a call.
#[derive(Clone, Debug, Default)]
pub struct BlankText {
    held: bool,
}

impl Filter for BlankText {
    fn event(&mut self, event: Event, out: &mut Vec<Event>) -> ControlFlow<()> {
        let held = std::mem::take(&mut self.held);
        if held && !matches!(event, Event::ToolCall(_)) {
            out.push(Event::Text(" ".into()));
        }
        if matches!(&event, Event::Text(text) if text == " ") {
            self.held = true;
        } else {
            out.push(event);
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::completion::filter::tests::{call, end, run, text};

    #[test]
    fn blank_before_a_call_is_dropped() {
        assert_eq!(
            run(&mut BlankText::default(), [text("a"), text(" "), call("1"), text(" "), call("2"), end()]),
            [text("a"), call("1"), call("2"), end()]
        );
    }

    #[test]
    fn blank_before_other_events_is_kept() {
        let events = [text("a"), text(" "), text(" "), text("b"), text(" "), end()];
        assert_eq!(run(&mut BlankText::default(), events.clone()), events);
        let events = [text("  "), call("1"), text("\n"), call("2"), end()];
        assert_eq!(run(&mut BlankText::default(), events.clone()), events);
    }
}

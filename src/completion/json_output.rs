//! JSON output: the model gives it as the input of one tool that it must call, the client gets it as text.

use std::ops::ControlFlow;

use super::filter::Filter;
use crate::conversation::{Event, Finish};

/// Turns the call of the output tool into text. Other text is held back: it is dropped when the call comes, and sent as
/// it is when the response ends without one.
#[derive(Clone, Debug)]
pub struct JsonOutput {
    /// Name of the output tool.
    tool: String,
    /// Text that is held back.
    held: String,
    /// Whether the output tool was called.
    has_output: bool,
    /// Whether another tool was called.
    has_other_call: bool,
}

impl JsonOutput {
    /// A filter for a request whose output tool has this name.
    pub fn new(tool: impl Into<String>) -> JsonOutput {
        JsonOutput { tool: tool.into(), held: String::new(), has_output: false, has_other_call: false }
    }

    /// Sends the held text at another call or the end, unless the output has come.
    fn flush(&mut self, out: &mut Vec<Event>) {
        if !self.has_output && !self.held.is_empty() {
            out.push(Event::Text(std::mem::take(&mut self.held)));
        }
    }
}

impl Filter for JsonOutput {
    fn event(&mut self, event: Event, out: &mut Vec<Event>) -> ControlFlow<()> {
        match event {
            Event::Text(text) => self.held.push_str(&text),
            Event::ToolCall(call) if call.name == self.tool => {
                if !std::mem::replace(&mut self.has_output, true) {
                    out.push(Event::Text(call.input.to_string()));
                }
            }
            Event::ToolCall(call) => {
                self.has_other_call = true;
                self.flush(out);
                out.push(Event::ToolCall(call));
            }
            Event::Finish(finish, usage) => {
                self.flush(out);
                let only_output = self.has_output && !self.has_other_call && finish == Finish::ToolCalls;
                out.push(Event::Finish(if only_output { Finish::Stop } else { finish }, usage));
            }
            other => out.push(other),
        }
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::completion::filter::tests::{call, finish, run, text};
    use crate::conversation::ToolCall;

    fn output() -> Event {
        Event::ToolCall(ToolCall {
            id: "1".into(),
            name: "answer".into(),
            input: json!({"b": [1], "a": "x"}),
        })
    }

    #[test]
    fn only_the_output_call_becomes_text() {
        assert_eq!(
            run(
                &mut JsonOutput::new("answer"),
                [text("Sure: "), output(), output(), finish(Finish::ToolCalls)]
            ),
            [text(r#"{"b":[1],"a":"x"}"#), finish(Finish::Stop)]
        );
    }

    #[test]
    fn without_the_output_call_text_is_sent() {
        assert_eq!(
            run(&mut JsonOutput::new("answer"), [text("{\"a\":"), text("1}"), finish(Finish::Length)]),
            [text("{\"a\":1}"), finish(Finish::Length)]
        );
        assert_eq!(run(&mut JsonOutput::new("answer"), [finish(Finish::Stop)]), [finish(Finish::Stop)]);
    }

    #[test]
    fn calls_of_other_tools_are_passed_on() {
        assert_eq!(
            run(&mut JsonOutput::new("answer"), [text("Let me look."), call("1"), finish(Finish::ToolCalls)]),
            [text("Let me look."), call("1"), finish(Finish::ToolCalls)]
        );
        assert_eq!(
            run(&mut JsonOutput::new("answer"), [call("1"), output(), finish(Finish::ToolCalls)]),
            [call("1"), text(r#"{"b":[1],"a":"x"}"#), finish(Finish::ToolCalls)]
        );
    }
}

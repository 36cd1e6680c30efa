//! JSON output of a schema: it travels as the input of one tool that the model must call, and comes out as content.

use std::ops::ControlFlow;

use super::filter::Filter;
use crate::conversation::{Event, Finish};

/// Turns the call of the tool into text. What the model says besides is held back: it is dropped if the call comes,
/// and is the answer if none does, whatever it is worth.
#[derive(Clone, Debug)]
pub struct JsonOutput {
    tool: String,
    said: String,
    /// The answer has come.
    answered: bool,
    /// The model has called for something else, too.
    called: bool,
}

impl JsonOutput {
    /// For a question whose schema travels as this tool.
    pub fn of_tool(tool: impl Into<String>) -> JsonOutput {
        JsonOutput { tool: tool.into(), said: String::new(), answered: false, called: false }
    }

    /// Another call, or the end, without the answer: what was said stands for itself.
    fn say(&mut self, out: &mut Vec<Event>) {
        if !self.answered && !self.said.is_empty() {
            out.push(Event::Text(std::mem::take(&mut self.said)));
        }
    }
}

impl Filter for JsonOutput {
    fn event(&mut self, event: Event, out: &mut Vec<Event>) -> ControlFlow<()> {
        match event {
            Event::Text(text) => self.said.push_str(&text),
            Event::ToolCall(call) if call.name == self.tool => {
                if !std::mem::replace(&mut self.answered, true) {
                    out.push(Event::Text(call.input.to_string()));
                }
            }
            Event::ToolCall(call) => {
                self.called = true;
                self.say(out);
                out.push(Event::ToolCall(call));
            }
            Event::Finish(finish, usage) => {
                self.say(out);
                let all_said = self.answered && !self.called && finish == Finish::ToolCalls;
                out.push(Event::Finish(if all_said { Finish::Stop } else { finish }, usage));
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

    fn answer() -> Event {
        Event::ToolCall(ToolCall {
            id: "1".into(),
            name: "answer".into(),
            input: json!({"b": [1], "a": "x"}),
        })
    }

    #[test]
    fn the_call_becomes_the_content_and_nothing_else_does() {
        assert_eq!(
            run(
                &mut JsonOutput::of_tool("answer"),
                [text("Sure: "), answer(), answer(), finish(Finish::ToolCalls)]
            ),
            [text(r#"{"b":[1],"a":"x"}"#), finish(Finish::Stop)]
        );
    }

    #[test]
    fn without_the_call_what_was_said_is_the_answer() {
        assert_eq!(
            run(&mut JsonOutput::of_tool("answer"), [text("{\"a\":"), text("1}"), finish(Finish::Length)]),
            [text("{\"a\":1}"), finish(Finish::Length)]
        );
        assert_eq!(run(&mut JsonOutput::of_tool("answer"), [finish(Finish::Stop)]), [finish(Finish::Stop)]);
    }

    #[test]
    fn calls_of_other_tools_go_on() {
        assert_eq!(
            run(
                &mut JsonOutput::of_tool("answer"),
                [text("Let me look."), call("1"), finish(Finish::ToolCalls)]
            ),
            [text("Let me look."), call("1"), finish(Finish::ToolCalls)]
        );
        assert_eq!(
            run(&mut JsonOutput::of_tool("answer"), [call("1"), answer(), finish(Finish::ToolCalls)]),
            [call("1"), text(r#"{"b":[1],"a":"x"}"#), finish(Finish::ToolCalls)]
        );
    }
}

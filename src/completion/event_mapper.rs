//! Maps the model's parts to the events of a response, with its finish. Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::conversation::{Data, Event, Finish, Part, ToolCall, Usage, UsageSource};

/// Reads the parts of one answer.
#[derive(Clone, Debug)]
pub struct EventMapper {
    /// Every good answer of the model ends with a usage part.
    reports_usage: bool,
    calls: u32,
    usage: Option<Usage>,
}

impl EventMapper {
    /// A mapper for a model that always, or not always, reports its usage.
    pub fn new(reports_usage: bool) -> EventMapper {
        EventMapper { reports_usage, calls: 0, usage: None }
    }

    /// The event that a part is, if clients are to hear of it. Opaque data is the provider's own.
    pub fn part(&mut self, part: Part) -> Option<Event> {
        match part {
            Part::Text { text } => (!text.is_empty()).then_some(Event::Text(text)),
            Part::Thinking(thinking) => {
                let says_something = !thinking.text.is_empty() || thinking.id.is_some();
                says_something.then_some(Event::Thinking(thinking))
            }
            Part::ToolCall(call) => {
                self.calls += 1;
                // Models exist that call without an id; clients need one to answer.
                let id = if call.id.is_empty() { format!("call_{}", self.calls) } else { call.id };
                Some(Event::ToolCall(ToolCall { id, ..call }))
            }
            Part::Data(data) => {
                self.usage = usage(&data).or(self.usage);
                None
            }
            Part::ToolResult(_) => None,
        }
    }

    /// Ends a response that came without an error. Copilot marks one that was cut by nothing but a missing usage
    /// part.
    pub fn end(&self) -> Event {
        let finish = match self.usage {
            None if self.reports_usage => Finish::Length,
            _ if self.calls > 0 => Finish::ToolCalls,
            _ => Finish::Stop,
        };
        self.end_as(finish)
    }

    /// Ends a response with the finish that an error stands for.
    pub fn end_as(&self, finish: Finish) -> Event {
        Event::Finish(finish, self.usage.unwrap_or_default())
    }
}

/// `{"prompt_tokens":…,"completion_tokens":…,…}`, in a part of mime `usage`.
fn usage(data: &Data) -> Option<Usage> {
    if data.mime != "usage" {
        return None;
    }
    let told: Value = serde_json::from_slice(&STANDARD.decode(&data.base64).ok()?).ok()?;
    let count = |at: &str| told.pointer(at).and_then(Value::as_u64);
    Some(Usage {
        input: count("/prompt_tokens")?,
        output: count("/completion_tokens")?,
        cached: count("/prompt_tokens_details/cached_tokens").unwrap_or(0),
        cache_written: count("/prompt_tokens_details/cache_creation_input_tokens").unwrap_or(0),
        reasoning: count("/completion_tokens_details/reasoning_tokens").unwrap_or(0),
        source: UsageSource::Reported,
        ..Usage::default()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conversation::{Thinking, ToolResult};

    fn data(mime: &str, bytes: impl AsRef<[u8]>) -> Part {
        Part::Data(Data { mime: mime.into(), base64: STANDARD.encode(bytes) })
    }

    fn call(id: &str) -> ToolCall {
        ToolCall { id: id.into(), name: "read".into(), input: json!({"a": 1}) }
    }

    fn told() -> Value {
        json!({
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "total_tokens": 120,
            "prompt_tokens_details": {"cached_tokens": 60, "cache_creation_input_tokens": 30},
            "completion_tokens_details": {"reasoning_tokens": 5},
        })
    }

    fn heard() -> Usage {
        Usage {
            input: 100,
            output: 20,
            cached: 60,
            cache_written: 30,
            reasoning: 5,
            source: UsageSource::Reported,
            ..Usage::default()
        }
    }

    fn check(reports_usage: bool, parts: impl IntoIterator<Item = Part>, wanted: impl Into<Vec<Event>>) {
        let mut reader = EventMapper::new(reports_usage);
        let mut events: Vec<Event> = parts.into_iter().filter_map(|part| reader.part(part)).collect();
        events.push(reader.end());
        assert_eq!(events, wanted.into());
    }

    #[test]
    fn parts_become_events_and_the_provider_says_what_they_cost() {
        let thinking = |text: &str, id: Option<&str>| Thinking { text: text.into(), id: id.map(Into::into) };
        check(
            true,
            [
                Part::Thinking(thinking("t", None)),
                Part::Thinking(thinking("", Some("1"))),
                Part::Thinking(thinking("", None)),
                Part::text("a"),
                Part::text(""),
                Part::ToolCall(call("1")),
                Part::ToolResult(ToolResult { id: "1".into(), content: vec![], is_error: false }),
                data("stateful_marker", "gpt\\resp_1"),
                data("usage", told().to_string()),
            ],
            [
                Event::Thinking(thinking("t", None)),
                Event::Thinking(thinking("", Some("1"))),
                Event::Text("a".into()),
                Event::ToolCall(call("1")),
                Event::Finish(Finish::ToolCalls, heard()),
            ],
        );
    }

    #[test]
    fn an_answer_without_the_usage_it_should_have_was_cut() {
        let text = || Event::Text("a".into());
        check(true, [Part::text("a")], [text(), Event::Finish(Finish::Length, Usage::default())]);
        check(false, [Part::text("a")], [text(), Event::Finish(Finish::Stop, Usage::default())]);
        let calls = [Part::ToolCall(call("1"))];
        check(true, calls, [Event::ToolCall(call("1")), Event::Finish(Finish::Length, Usage::default())]);
        check(true, [data("usage", told().to_string())], [Event::Finish(Finish::Stop, heard())]);
    }

    #[test]
    fn usage_that_cannot_be_read_is_none() {
        for part in [
            data("usage", "{"),
            data("usage", "{}"),
            data("usage", r#"{"prompt_tokens":"a lot","completion_tokens":1}"#),
            data("application/json", told().to_string()),
            Part::Data(Data { mime: "usage".into(), base64: "no base64".into() }),
        ] {
            check(false, [part], [Event::Finish(Finish::Stop, Usage::default())]);
        }
    }

    #[test]
    fn a_call_without_an_id_gets_one() {
        let calls = [Part::ToolCall(call("")), Part::ToolCall(call(""))];
        check(
            false,
            calls,
            [
                Event::ToolCall(call("call_1")),
                Event::ToolCall(call("call_2")),
                Event::Finish(Finish::ToolCalls, Usage::default()),
            ],
        );
    }

    #[test]
    fn an_end_that_the_editor_told_keeps_what_was_counted() {
        let mut reader = EventMapper::new(true);
        reader.part(data("usage", told().to_string()));
        assert_eq!(reader.end_as(Finish::Refusal), Event::Finish(Finish::Refusal, heard()));
    }
}

//! Maps the model's parts to the events of a response, and decides its finish. Pure.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::conversation::{
    Credits, CreditsSource, Data, Event, Finish, Part, RoutedModel, ToolCall, Usage, UsageSource,
};

/// Maps the parts of one response.
#[derive(Clone, Debug)]
pub struct EventMapper {
    /// Whether a complete response of the model ends with a usage part.
    reports_usage: bool,
    /// Tool calls so far.
    calls: u32,
    /// Usage that the provider reported, if it has.
    usage: Option<Usage>,
    /// Model that the provider names as the one that answers.
    answering_model: Option<RoutedModel>,
}

impl EventMapper {
    /// A mapper for a model that reports the usage of every complete response, or doesn't.
    pub fn new(reports_usage: bool) -> EventMapper {
        EventMapper { reports_usage, calls: 0, usage: None, answering_model: None }
    }

    /// Maps a part to its event; none for a part that clients don't get, such as the provider's opaque data.
    pub fn event(&mut self, part: Part) -> Option<Event> {
        match part {
            Part::Text { text } => (!text.is_empty()).then_some(Event::Text(text)),
            Part::Thinking(thinking) => (!thinking.is_empty()).then_some(Event::Thinking(thinking)),
            Part::ToolCall(call) => {
                self.calls += 1;
                // Some models call without an id; clients need one to return the result.
                let id = if call.id.is_empty() { format!("call_{}", self.calls) } else { call.id };
                Some(Event::ToolCall(ToolCall { id, ..call }))
            }
            Part::Data(data) => {
                self.usage = usage(&data).or(self.usage.take());
                self.answering_model = answering_model(&data).or(self.answering_model);
                None
            }
            Part::ToolResult(_) => None,
        }
    }

    /// Usage that the provider has reported so far.
    pub fn reported_usage(&self) -> Option<&Usage> {
        self.usage.as_ref()
    }

    /// Ends a response that came without an error. The only sign that Copilot cut one is that its usage part is
    /// missing.
    pub fn finish(&self) -> Event {
        let finish = match self.usage {
            None if self.reports_usage => Finish::Length,
            _ if self.calls > 0 => Finish::ToolCalls,
            _ => Finish::Stop,
        };
        self.finish_with(finish)
    }

    /// Ends a response with the finish that its error stands for.
    pub fn finish_with(&self, finish: Finish) -> Event {
        Event::Finish(finish, self.usage.clone().unwrap_or_default())
    }

    /// Model that the provider names as the one that answers; the Responses API alone does.
    pub fn answering_model(&self) -> Option<RoutedModel> {
        self.answering_model
    }
}

/// Reads `model\\id` from a part of mime type `stateful_marker`.
fn answering_model(data: &Data) -> Option<RoutedModel> {
    if data.mime != "stateful_marker" {
        return None;
    }
    let marker = STANDARD.decode(&data.base64).ok()?;
    let (model, _) = std::str::from_utf8(&marker).ok()?.split_once('\\')?;
    RoutedModel::new(model)
}

/// Reads `{"prompt_tokens":…,"completion_tokens":…,…}` from a part of mime type `usage`.
fn usage(data: &Data) -> Option<Usage> {
    if data.mime != "usage" {
        return None;
    }
    let report: Value = serde_json::from_slice(&STANDARD.decode(&data.base64).ok()?).ok()?;
    let count = |path: &str| report.pointer(path).and_then(Value::as_u64);
    Some(Usage {
        input: count("/prompt_tokens")?,
        output: count("/completion_tokens")?,
        cached: count("/prompt_tokens_details/cached_tokens").unwrap_or(0),
        cache_written: count("/prompt_tokens_details/cache_creation_input_tokens").unwrap_or(0),
        reasoning: count("/completion_tokens_details/reasoning_tokens").unwrap_or(0),
        source: UsageSource::Reported,
        credits: count("/copilot_usage/total_nano_aiu")
            .map(|nano| Credits { nano, source: CreditsSource::Reported }),
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

    fn report() -> Value {
        json!({
            "prompt_tokens": 100,
            "completion_tokens": 20,
            "total_tokens": 120,
            "prompt_tokens_details": {"cached_tokens": 60, "cache_creation_input_tokens": 30},
            "completion_tokens_details": {"reasoning_tokens": 5},
        })
    }

    fn reported() -> Usage {
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

    fn check(reports_usage: bool, parts: impl IntoIterator<Item = Part>, expected: impl Into<Vec<Event>>) {
        let mut mapper = EventMapper::new(reports_usage);
        let mut events: Vec<Event> = parts.into_iter().filter_map(|part| mapper.event(part)).collect();
        events.push(mapper.finish());
        assert_eq!(events, expected.into());
    }

    #[test]
    fn parts_map_to_events_and_the_reported_usage() {
        let thinking =
            |text: &str, id: Option<&str>| Thinking { id: id.map(Into::into), ..Thinking::text(text) };
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
                data("usage", report().to_string()),
            ],
            [
                Event::Thinking(thinking("t", None)),
                Event::Thinking(thinking("", Some("1"))),
                Event::Text("a".into()),
                Event::ToolCall(call("1")),
                Event::Finish(Finish::ToolCalls, reported()),
            ],
        );
    }

    #[test]
    fn marker_names_the_routed_model() {
        let model = |marker: Part| {
            let mut mapper = EventMapper::new(true);
            mapper.event(marker);
            mapper.answering_model().map(|model| model.as_str().to_owned())
        };
        assert_eq!(model(data("stateful_marker", "gpt-5-codex\\resp-1")), Some("gpt-5-codex".into()));
        for other in
            [data("stateful_marker", "resp-1"), data("stateful_marker", [0xff]), data("usage", "a\\b")]
        {
            assert_eq!(model(other), None);
        }
    }

    #[test]
    fn missing_usage_report_means_length() {
        let text = || Event::Text("a".into());
        check(true, [Part::text("a")], [text(), Event::Finish(Finish::Length, Usage::default())]);
        check(false, [Part::text("a")], [text(), Event::Finish(Finish::Stop, Usage::default())]);
        let calls = [Part::ToolCall(call("1"))];
        check(true, calls, [Event::ToolCall(call("1")), Event::Finish(Finish::Length, Usage::default())]);
        check(true, [data("usage", report().to_string())], [Event::Finish(Finish::Stop, reported())]);
    }

    #[test]
    fn unreadable_usage_is_ignored() {
        for part in [
            data("usage", "{"),
            data("usage", "{}"),
            data("usage", r#"{"prompt_tokens":"a lot","completion_tokens":1}"#),
            data("application/json", report().to_string()),
            Part::Data(Data { mime: "usage".into(), base64: "not base64".into() }),
        ] {
            check(false, [part], [Event::Finish(Finish::Stop, Usage::default())]);
        }
    }

    #[test]
    fn call_without_an_id_gets_one() {
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
    fn finish_of_an_error_keeps_the_reported_usage() {
        let mut mapper = EventMapper::new(true);
        mapper.event(data("usage", report().to_string()));
        assert_eq!(mapper.finish_with(Finish::Refusal), Event::Finish(Finish::Refusal, reported()));
    }
}

//! Requests and responses in whole values.

mod accepted_requests;
mod codex;
mod properties;
mod rejected_requests;
mod responses;
mod stored_responses;

use serde_json::{Value, json};

use super::{Memory, OpenAiResponses, ResponseOptions};
use crate::conversation::{Event, ToolCall};
use crate::dialect::RequestHead;
use crate::dialect::{Dialect, Encoder, ParsedRequest, ResponseMeta};
use crate::failure::Failure;

fn meta() -> ResponseMeta {
    ResponseMeta { id: "0f".into(), created: 1_700_000_000, model: "scripted-1".into(), counted_input: 7 }
}

fn read(body: &Value) -> Result<(ParsedRequest, ResponseOptions), Failure> {
    OpenAiResponses::read(&RequestHead::default(), body.to_string().as_bytes(), &Memory::default())
}

/// The form of a plain question.
fn plain() -> ResponseOptions {
    read(&json!({ "input": "Hi" })).unwrap().1
}

fn call(id: &str, name: &str, input: Value) -> ToolCall {
    ToolCall { id: id.into(), name: name.into(), input }
}

fn streamed(options: &ResponseOptions, events: &[Event]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = OpenAiResponses::encoder(&meta(), options);
    encoder.open(&mut out);
    for event in events {
        encoder.event(0, event, &mut out);
    }
    encoder.close(&mut out);
    out
}

fn whole(options: &ResponseOptions, events: &[Event]) -> Value {
    OpenAiResponses::response(&meta(), options, &[events.to_vec()])
}

/// The events of a stream, as the strictest readers of lines read them, which cut at every line end that
/// Unicode knows. Each is named on both its lines and numbered; here the number is taken off.
fn events(stream: &[u8]) -> Vec<Value> {
    let text = std::str::from_utf8(stream).unwrap();
    let mut name = None;
    let mut events = Vec::new();
    for line in text.split(['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}']) {
        if let Some(said) = line.strip_prefix("event: ") {
            name = Some(said);
        } else if let Some(data) = line.strip_prefix("data: ") {
            let mut event: Value = serde_json::from_str(data).unwrap();
            let fields = event.as_object_mut().unwrap();
            assert_eq!(fields["type"].as_str(), name.take());
            let number = fields.shift_remove("sequence_number");
            assert_eq!(number, Some(json!(events.len())), "numbered one by one");
            events.push(event);
        } else {
            assert!(line.is_empty() || line.starts_with(':'), "a line cut in two: {line}");
        }
    }
    events
}

/// Reads a stream as a strict client does: the last event, after every item, part and text was opened, continued and
/// closed in its turn, under its own id.
fn followed(stream: &[u8]) -> Value {
    let mut events = events(stream).into_iter();
    let created = events.next().unwrap();
    assert_eq!(created["type"], "response.created");
    assert_eq!(created["response"]["status"], "in_progress");
    assert_eq!(created["response"]["output"], json!([]));
    let begun = events.next().unwrap();
    assert_eq!(begun["type"], "response.in_progress");
    assert_eq!(begun["response"], created["response"]);

    let mut items: Vec<Value> = Vec::new();
    let mut open: Option<OpenItem> = None;
    for event in events.by_ref() {
        let kind = event["type"].as_str().unwrap();
        match kind {
            "response.output_item.added" => {
                assert!(open.is_none(), "an item inside an item");
                assert_eq!(event["output_index"], items.len());
                open = Some(OpenItem::new(&event["item"]));
            }
            "response.output_item.done" => {
                assert_eq!(event["output_index"], items.len());
                let item = open.take().expect("an open item").closed_as(&event["item"]);
                items.push(item);
            }
            "response.completed" | "response.incomplete" => {
                assert!(open.is_none(), "an item was left open");
                assert_eq!(event["response"]["output"], json!(items));
                assert_eq!(events.next(), None, "nothing after the end");
                return event;
            }
            "response.failed" => {
                assert_eq!(event["response"]["output"], json!(items));
                assert_eq!(events.next(), None, "nothing after the end");
                return event;
            }
            kind => {
                assert_eq!(event["output_index"], items.len());
                open.as_mut().expect("an open item").step(kind, &event);
            }
        }
    }
    panic!("a stream without an end");
}

/// An item that is being received.
struct OpenItem {
    id: Value,
    kind: String,
    part: Part,
    text: String,
}

#[derive(Debug, PartialEq)]
enum Part {
    NotYet,
    Open,
    TextDone,
    Done,
}

impl OpenItem {
    fn new(item: &Value) -> OpenItem {
        let kind = item["type"].as_str().unwrap().to_owned();
        let has_parts = kind == "message" || kind == "reasoning";
        let part = if has_parts { Part::NotYet } else { Part::Open };
        OpenItem { id: item["id"].clone(), kind, part, text: String::new() }
    }

    fn step(&mut self, kind: &str, event: &Value) {
        assert_eq!(event["item_id"], self.id);
        let step = kind.strip_prefix("response.").unwrap();
        let (part, text) = match (self.kind.as_str(), step) {
            ("message", "content_part.added") | ("reasoning", "reasoning_summary_part.added") => {
                assert_eq!(self.part, Part::NotYet);
                assert_eq!(event["part"]["text"], "");
                (Part::Open, None)
            }
            ("message", "output_text.delta")
            | ("reasoning", "reasoning_summary_text.delta")
            | ("function_call", "function_call_arguments.delta")
            | ("custom_tool_call", "custom_tool_call_input.delta") => {
                assert_eq!(self.part, Part::Open);
                self.text.push_str(event["delta"].as_str().unwrap());
                (Part::Open, None)
            }
            ("message", "output_text.done") | ("reasoning", "reasoning_summary_text.done") => {
                assert_eq!(self.part, Part::Open);
                (Part::TextDone, Some(&event["text"]))
            }
            ("message", "content_part.done") | ("reasoning", "reasoning_summary_part.done") => {
                assert_eq!(self.part, Part::TextDone);
                (Part::Done, Some(&event["part"]["text"]))
            }
            ("function_call", "function_call_arguments.done") => {
                assert_eq!(self.part, Part::Open);
                assert!(event["name"].is_string());
                (Part::Done, Some(&event["arguments"]))
            }
            ("custom_tool_call", "custom_tool_call_input.done") => {
                assert_eq!(self.part, Part::Open);
                (Part::Done, Some(&event["input"]))
            }
            (item, step) => panic!("{step} in a {item}"),
        };
        self.part = part;
        if let Some(text) = text {
            assert_eq!(*text, self.text);
        }
    }

    fn closed_as(self, item: &Value) -> Value {
        assert_eq!(item["id"], self.id);
        assert_eq!(item["type"], self.kind);
        let text = match self.kind.as_str() {
            "message" => &item["content"][0]["text"],
            "reasoning" if self.part == Part::NotYet => &json!(""),
            "reasoning" => &item["summary"][0]["text"],
            "function_call" => &item["arguments"],
            _ => &item["input"],
        };
        assert_eq!(*text, self.text);
        assert!(self.part == Part::Done || self.kind == "reasoning" && self.part == Part::NotYet);
        item.clone()
    }
}

//! Requests and responses in whole values.

mod accepted_requests;
mod claude_code;
mod properties;
mod rejected_requests;
mod responses;

use serde_json::{Value, json};

use super::{Anthropic, ResponseOptions};
use crate::conversation::{Event, Finish, ToolCall, Usage, UsageSource};
use crate::dialect::RequestHead;
use crate::dialect::{Dialect, Encoder, ParsedRequest, ResponseMeta};
use crate::failure::Failure;

fn meta() -> ResponseMeta {
    ResponseMeta {
        id: "1f".into(),
        created: 1_700_000_000,
        model: "claude-sonnet-4".into(),
        counted_input: 12,
    }
}

fn usage() -> Usage {
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

fn text(text: &str) -> Event {
    Event::Text(text.into())
}

fn call(id: &str, name: &str, input: Value) -> Event {
    Event::ToolCall(ToolCall { id: id.into(), name: name.into(), input })
}

fn end(finish: Finish) -> Event {
    Event::Finish(finish, usage())
}

fn read(body: &Value) -> Result<(ParsedRequest, ResponseOptions), Failure> {
    Anthropic::read(&RequestHead::default(), body.to_string().as_bytes(), &())
}

fn streamed(options: ResponseOptions, events: &[Event]) -> String {
    let mut out = Vec::new();
    let mut encoder = Anthropic::encoder(&meta(), &options);
    encoder.open(&mut out);
    for event in events {
        encoder.event(0, event, &mut out);
    }
    encoder.close(&mut out);
    String::from_utf8(out).unwrap()
}

/// Reads a stream as the official SDKs do, and strictly where they are lax.
fn folded(stream: &str) -> Value {
    let mut message = Value::Null;
    let mut pings = Vec::new();
    let mut input = String::new();
    let mut ended = false;
    let events = stream.strip_suffix("\n\n").unwrap().split("\n\n");
    for event in events {
        let (name, data) = event.split_once('\n').unwrap();
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
        let kind = data["type"].as_str().unwrap();
        assert_eq!(name, format!("event: {kind}"));
        assert!(!ended, "{kind} after message_stop");
        match kind {
            "message_start" => {
                assert_eq!(message, Value::Null);
                message = data["message"].clone();
            }
            "content_block_start" => {
                let content = message["content"].as_array_mut().unwrap();
                assert_eq!(data["index"], json!(content.len()));
                content.push(data["content_block"].clone());
                input.clear();
            }
            "content_block_delta" => {
                let index = usize::try_from(data["index"].as_u64().unwrap()).unwrap();
                let content = message["content"].as_array_mut().unwrap();
                assert_eq!(index + 1, content.len(), "only the last block grows");
                let delta = &data["delta"];
                let (key, more) = match delta["type"].as_str().unwrap() {
                    "text_delta" => ("text", &delta["text"]),
                    "thinking_delta" => ("thinking", &delta["thinking"]),
                    "signature_delta" => ("signature", &delta["signature"]),
                    "input_json_delta" => {
                        input.push_str(delta["partial_json"].as_str().unwrap());
                        content[index]["input"] = serde_json::from_str(&input).unwrap();
                        continue;
                    }
                    other => panic!("{other}"),
                };
                let whole = content[index][key].as_str().unwrap().to_owned() + more.as_str().unwrap();
                content[index][key] = whole.into();
            }
            "content_block_stop" => {}
            "message_delta" => {
                for (key, value) in data["delta"].as_object().unwrap() {
                    message[key] = value.clone();
                }
                message["usage"] = data["usage"].clone();
            }
            "message_stop" => ended = true,
            "ping" => pings.extend(data["copilot_proxy"]["tools"].as_array().into_iter().flatten().cloned()),
            other => panic!("{other}"),
        }
    }
    assert!(ended);
    if !pings.is_empty() {
        message["copilot_proxy"] = json!({ "tools": pings });
    }
    message
}

//! Requests and responses in whole values.

mod accepted_requests;
mod properties;
mod rejected_requests;
mod responses;

use serde_json::{Value, json};

use super::{Gemini, ResponseOptions, StreamForm};
use crate::conversation::{Event, Finish, ToolCall, Usage, UsageSource};
use crate::dialect::{Dialect, Encoder, ParsedRequest, RequestHead, ResponseMeta};
use crate::failure::Failure;

fn meta() -> ResponseMeta {
    ResponseMeta {
        id: "1f".into(),
        created: 1_700_000_000,
        model: "gemini-2.5-pro".into(),
        counted_input: 12,
    }
}

fn usage() -> Usage {
    Usage {
        input: 100,
        output: 20,
        cached: 60,
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

fn head(path: &str) -> RequestHead {
    RequestHead { path: path.into(), ..RequestHead::default() }
}

fn read(body: &Value) -> Result<(ParsedRequest, ResponseOptions), Failure> {
    Gemini::read(&head("/v1beta/models/m:generateContent"), body.to_string().as_bytes(), &())
}

fn streamed(options: ResponseOptions, events: &[Event]) -> String {
    let mut out = Vec::new();
    let mut encoder = Gemini::encoder(&meta(), &options);
    encoder.open(&mut out);
    for event in events {
        encoder.ping(&mut out);
        encoder.event(0, event, &mut out);
    }
    encoder.close(&mut out);
    String::from_utf8(out).unwrap()
}

/// The chunks of a stream, as SDKs read them.
fn chunks(form: StreamForm, stream: &str) -> Vec<Value> {
    match form {
        StreamForm::JsonArray => serde_json::from_str(stream).unwrap(),
        StreamForm::ServerSentEvents => {
            let lines = stream.lines().filter(|line| !line.is_empty());
            lines.map(|line| serde_json::from_str(line.strip_prefix("data: ").unwrap()).unwrap()).collect()
        }
    }
}

/// The whole response that the chunks add up to.
fn folded(chunks: Vec<Value>) -> Value {
    let mut parts: Vec<Value> = Vec::new();
    let mut whole = Value::Null;
    for mut chunk in chunks {
        let candidate = chunk["candidates"][0].take();
        for part in candidate["content"]["parts"].as_array().unwrap() {
            let is_text = |part: &Value| part.get("text").is_some();
            let is_bare = |part: &Value| is_text(part) && part.get("thoughtSignature").is_none();
            match parts.last_mut() {
                _ if *part == json!({ "text": "" }) => {}
                Some(last)
                    if is_text(last) && is_bare(part) && last.get("thought") == part.get("thought") =>
                {
                    let joined =
                        format!("{}{}", last["text"].as_str().unwrap(), part["text"].as_str().unwrap());
                    last["text"] = joined.into();
                }
                _ => parts.push(part.clone()),
            }
        }
        chunk["candidates"][0] = candidate;
        whole = chunk;
    }
    if parts.is_empty() {
        parts.push(json!({ "text": "" }));
    }
    whole["candidates"][0]["content"]["parts"] = parts.into();
    whole.as_object_mut().unwrap().remove("copilot_proxy");
    whole
}

//! What an OpenAI client says and hears at `/v1/chat/completions`.

use serde_json::{Value, json};

use crate::client::{Answer, Stream};
use crate::server::Server;
use crate::wait::until;

/// The door.
pub const CHAT: &str = "/v1/chat/completions";

/// One user message, answered whole.
pub fn chat(text: &str) -> Value {
    json!({ "model": "scripted-1", "messages": [{ "role": "user", "content": text }] })
}

/// One user message, answered as a stream.
pub fn streamed(text: &str) -> Value {
    with(chat(text), &json!({ "stream": true }))
}

/// A request with more fields, or others.
pub fn with(mut request: Value, fields: &Value) -> Value {
    request.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    request
}

/// Asks for a whole answer and gives its text.
pub fn ask(server: &Server, text: &str) -> String {
    content(&server.post(CHAT, &chat(text)))
}

/// Asks for a stream.
pub fn stream(server: &Server, text: &str) -> Stream {
    let stream = server.stream(CHAT, &streamed(text));
    assert_eq!(stream.head.status, 200);
    stream
}

/// The text of a whole answer.
pub fn content(answer: &Answer) -> String {
    let message = &answer.json()["choices"][0]["message"];
    message["content"].as_str().unwrap_or_else(|| panic!("no content: {}", answer.text())).to_owned()
}

/// What the model was given, as its `dump:` tells.
pub fn dumped(server: &Server, request: &Value) -> Value {
    let answer = server.post(CHAT, request);
    serde_json::from_str(&content(&answer)).unwrap_or_else(|error| panic!("{error}: {}", answer.text()))
}

/// The JSON of an event.
pub fn data(event: &str) -> Value {
    let data = event.strip_prefix("data: ").unwrap_or_else(|| panic!("no data: {event}"));
    serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {event}"))
}

/// The text of a stream's events.
pub fn said(events: &[String]) -> String {
    let chunks = events.iter().filter(|event| event.starts_with("data: {"));
    chunks
        .filter_map(|event| {
            Some(data(event)["choices"].get(0)?["delta"].get("content")?.as_str()?.to_owned())
        })
        .collect()
}

/// Reads a stream until the model has said this much, and gives all that was said.
pub fn read_until(stream: &mut Stream, wanted: &str) -> String {
    let mut all = String::new();
    while !all.contains(wanted) {
        let event = stream.event().unwrap_or_else(|| panic!("ended after {all:?}"));
        all += &said(&[event]);
    }
    all
}

/// How the scripted model's requests have come out.
pub fn stats(server: &Server) -> Value {
    serde_json::from_str(&ask(server, "stats:")).unwrap()
}

/// Waits until the scripted model's requests have come out so.
pub fn until_stats(server: &Server, wanted: &Value) {
    let mut last = Value::Null;
    until(&format!("stats {wanted}"), || {
        last = stats(server);
        (last == *wanted).then_some(())
    });
}

//! Requests and responses of an OpenAI client at `/v1/chat/completions`.

use serde_json::{Value, json};

use crate::client::{Response, Stream};
use crate::server::Server;
use crate::wait::until;

/// Path of the endpoint.
pub const CHAT: &str = "/v1/chat/completions";

/// A request with one user message, for a whole response.
pub fn chat(text: &str) -> Value {
    json!({ "model": "scripted-1", "messages": [{ "role": "user", "content": text }] })
}

/// A request with one user message, for a streamed response.
pub fn streamed(text: &str) -> Value {
    with(chat(text), &json!({ "stream": true }))
}

/// Adds or replaces fields of a request.
pub fn with(mut request: Value, fields: &Value) -> Value {
    request.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    request
}

/// Sends a user message and returns the text of the whole response.
pub fn complete(server: &Server, text: &str) -> String {
    content(&server.post(CHAT, &chat(text)))
}

/// Sends a user message and returns the streamed response.
pub fn stream(server: &Server, text: &str) -> Stream {
    let stream = server.stream(CHAT, &streamed(text));
    assert_eq!(stream.head.status, 200);
    stream
}

/// The text of a whole response.
pub fn content(answer: &Response) -> String {
    let message = &answer.json()["choices"][0]["message"];
    message["content"].as_str().unwrap_or_else(|| panic!("no content: {}", answer.text())).to_owned()
}

/// The request as the model received it, from the response of its `dump:` script.
pub fn dumped(server: &Server, request: &Value) -> Value {
    let answer = server.post(CHAT, request);
    serde_json::from_str(&content(&answer)).unwrap_or_else(|error| panic!("{error}: {}", answer.text()))
}

/// The JSON of an event.
pub fn data(event: &str) -> Value {
    let data = event.strip_prefix("data: ").unwrap_or_else(|| panic!("no data: {event}"));
    serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {event}"))
}

/// The text in a stream's events.
pub fn text_of(events: &[String]) -> String {
    let chunks = events.iter().filter(|event| event.starts_with("data: {"));
    chunks
        .filter_map(|event| {
            Some(data(event)["choices"].get(0)?["delta"].get("content")?.as_str()?.to_owned())
        })
        .collect()
}

/// Reads a stream until its text contains `wanted`, and returns the text.
pub fn read_until(stream: &mut Stream, wanted: &str) -> String {
    let mut all = String::new();
    while !all.contains(wanted) {
        let event = stream.event().unwrap_or_else(|| panic!("ended after {all:?}"));
        all += &text_of(&[event]);
    }
    all
}

/// Counts of the scripted model's requests, by result.
pub fn stats(server: &Server) -> Value {
    serde_json::from_str(&complete(server, "stats:")).unwrap()
}

/// Waits until the counts of the scripted model's requests are these.
pub fn until_stats(server: &Server, wanted: &Value) {
    let mut last = Value::Null;
    until(&format!("stats {wanted}"), || {
        last = stats(server);
        (last == *wanted).then_some(())
    });
}

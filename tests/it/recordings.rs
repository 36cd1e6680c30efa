//! Replays what coding agents really send (`tests/recordings/`), turn by turn.
//!
//! The provider caches the prefix of a request. So what the editor gets in one turn must stand at the beginning of what
//! it gets in the next one, tools included.

use std::fs;
use std::path::{Path, PathBuf};

use copilot_proxy::bridge::protocol::Chat;
use serde_json::Value;

use crate::client::Request;
use crate::editor::{Editor, model};
use crate::server::Server;

/// One request of a recording.
struct Exchange {
    body: Value,
    request: Request,
}

fn recordings() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/recordings");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> =
        files.filter(|path| path.extension().is_some_and(|it| it == "json")).collect();
    files.sort();
    assert!(files.len() >= 11, "{files:?}");
    files
}

/// Puts shared values back in their places.
fn expand(value: &Value, shared: &[Value]) -> Value {
    match value {
        Value::String(text) => match text.strip_prefix("$shared:") {
            Some(number) => expand(&shared[number.parse::<usize>().unwrap()], shared),
            None => value.clone(),
        },
        Value::Array(items) => items.iter().map(|item| expand(item, shared)).collect(),
        Value::Object(fields) => {
            Value::Object(fields.iter().map(|(name, value)| (name.clone(), expand(value, shared))).collect())
        }
        other => other.clone(),
    }
}

/// The requests of a recording, to a model that the test offers.
fn exchanges(file: &Path) -> Vec<Exchange> {
    let recording: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let shared = recording["shared"].as_array().unwrap();
    let exchange = |exchange: &Value| {
        let mut body = expand(&exchange["body"], shared);
        body["model"] = "m".into();
        body["stream"] = false.into();
        let mut request = Request::post(exchange["path"].as_str().unwrap(), &body);
        for header in exchange["headers"].as_array().unwrap() {
            let (name, value) = (header[0].as_str().unwrap(), header[1].as_str().unwrap());
            let framing =
                ["content-length", "content-type", "host", "connection", "transfer-encoding", "expect"];
            if !framing.contains(&name.to_lowercase().as_str()) {
                request = request.header(name, value);
            }
        }
        Exchange { body, request }
    };
    recording["exchanges"].as_array().unwrap().iter().map(exchange).collect()
}

/// What a client itself keeps from turn to turn: system prompt, tools, and the messages. Marks for Anthropic's cache move
/// to the newest message in each turn and mean nothing here.
fn client_side(body: &Value) -> (Value, Value, Vec<Value>) {
    fn without_marks(value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(without_marks).collect(),
            Value::Object(fields) => {
                let kept = fields.iter().filter(|(name, _)| *name != "cache_control");
                Value::Object(kept.map(|(name, value)| (name.clone(), without_marks(value))).collect())
            }
            other => other.clone(),
        }
    }
    let body = without_marks(body);
    let messages = body.get("messages").or_else(|| body.get("input")).unwrap().as_array().unwrap().clone();
    (body["system"].clone(), body["tools"].clone(), messages)
}

/// Whether a request continues an earlier one without changing what it sent then.
fn continues(before: &Value, now: &Value) -> bool {
    let (before, now) = (client_side(before), client_side(now));
    (&before.0, &before.1) == (&now.0, &now.1) && now.2.len() > before.2.len() && now.2.starts_with(&before.2)
}

#[test]
fn each_turn_of_an_agent_is_a_prefix_of_the_next_one() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    for file in recordings() {
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        let mut turns: Vec<(Value, Chat)> = Vec::new();
        let mut continued = 0;
        for (number, Exchange { body, request }) in exchanges(&file).into_iter().enumerate() {
            let mut client = server.client();
            client.send(&request);
            let (stream, chat) = editor.expect_chat();
            editor.respond(stream, "Done.");
            assert_eq!(client.response().status, 200, "{name}, request {number}");
            if let Some((_, before)) = turns.iter().rev().find(|(before, _)| continues(before, &body)) {
                continued += 1;
                assert_eq!(before.tools, chat.tools, "{name}, request {number}: tools");
                for (index, message) in before.messages.iter().enumerate() {
                    let now = chat.messages.get(index);
                    assert_eq!(now, Some(message), "{name}, request {number}, message {index}");
                }
            }
            turns.push((body, chat));
        }
        eprintln!("{name}: {continued} of {} requests continue an earlier one", turns.len());
        // aider's conversations are not append-only: it moves its reminders to the end.
        let wanted = if name == "aider" { 0 } else { 2 };
        assert!(continued >= wanted, "{name}: {continued} requests continue an earlier one");
    }
}

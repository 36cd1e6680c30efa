//! The prefix doctor, with a provider that has a real prefix cache: what is read from it, and what broke it.

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use copilot_proxy::bridge::protocol::{
    Chat, FromEditor, ModelInfo, Outcome, ProviderError, RequestRecord, ResponsePart, Watch,
};
use copilot_proxy::conversation::{Data, Part};
use serde_json::{Value, json};

use crate::client::Request;
use crate::editor::{Editor, model};
use crate::openai::{CHAT, with};
use crate::recordings::{Exchange, recordings};
use crate::server::Server;

/// A provider's cache. It knows the requests that it has read, by model, as the bytes of their tools and messages; a byte
/// counts as a token.
#[derive(Default)]
struct Cache(HashMap<String, Vec<Vec<u8>>>);

impl Cache {
    /// Reads a request; returns its length, and how much of it is a prefix of an earlier one.
    fn read(&mut self, chat: &Chat) -> (usize, usize) {
        let blocks = chat.tools.iter().map(|tool| json!(tool).to_string());
        let blocks = blocks.chain(chat.messages.iter().map(|message| json!(message).to_string()));
        let bytes: Vec<u8> = blocks.flat_map(String::into_bytes).collect();
        let known = self.0.entry(chat.model.clone()).or_default();
        let cached = known.iter().map(|other| common_prefix(&bytes, other)).max().unwrap_or(0);
        let length = bytes.len();
        known.push(bytes);
        (length, cached)
    }
}

/// Number of equal bytes at the beginning. Whole blocks are compared first: byte by byte is slow in a debug build.
fn common_prefix(one: &[u8], other: &[u8]) -> usize {
    const BLOCK: usize = 1024;
    let blocks = one.chunks_exact(BLOCK).zip(other.chunks_exact(BLOCK));
    let whole = blocks.take_while(|(one, other)| one == other).count() * BLOCK;
    let rest = one[whole..].iter().zip(&other[whole..]);
    whole + rest.take_while(|(one, other)| one == other).count()
}

/// A server, an editor with its provider's cache, and the panel's records.
struct Provider {
    server: Server,
    editor: Editor,
    cache: Cache,
}

/// Outcome of one request.
struct Sent {
    /// Length of the request, in the cache's tokens.
    length: usize,
    /// Of these: read from the cache.
    cached: usize,
    record: RequestRecord,
}

impl Provider {
    fn new() -> Provider {
        let server = Server::serve(&[]);
        let prices = json!({ "inputCost": 300, "outputCost": 1500, "cacheCost": 30, "cacheWriteCost": 375 });
        let priced = ModelInfo { extra: prices.as_object().unwrap().clone(), ..model("m") };
        let mut editor = Editor::with_models(&server.home, &[priced, model("other")]);
        editor.send(0, &FromEditor::Watch(Watch { enabled: true }));
        Provider { server, editor, cache: Cache::default() }
    }

    fn send(&mut self, request: &Request) -> Sent {
        let mut client = self.server.client();
        client.send(request);
        let (stream, chat) = self.editor.expect_chat();
        let (length, cached) = self.cache.read(&chat);
        let usage = json!({
            "prompt_tokens": length, "completion_tokens": 1, "total_tokens": length + 1,
            "prompt_tokens_details": { "cached_tokens": cached },
        });
        let data = Data { mime: "usage".into(), base64: STANDARD.encode(usage.to_string()) };
        self.editor.send_text(stream, "Done.");
        self.editor.send(stream, &FromEditor::Part(ResponsePart { part: Part::Data(data) }));
        self.editor.send(stream, &FromEditor::End);
        let response = client.response();
        assert_eq!(response.status, 200, "{}", response.text());
        let id = response.header("x-request-id").unwrap();
        Sent { length, cached, record: self.finished(id) }
    }

    fn finished(&mut self, id: &str) -> RequestRecord {
        loop {
            let ended = |record: &RequestRecord| record.id == id && record.outcome != Outcome::Running;
            if let Some(record) = self.editor.expect_activity().requests.into_iter().find(ended) {
                return record;
            }
        }
    }
}

/// Appends a turn to a recorded request: an answer of the model, and the user's or a tool's reply to it.
fn append_turn(exchange: &Exchange, body: &mut Value, number: usize) {
    let text = format!("Answer {number}: the file has been changed as asked.");
    let reply = format!("Reply {number}: 42 tests passed, and 1 failed with the same message as before.");
    let is_call = number.is_multiple_of(2);
    let id = format!("call_{number}");
    let turn = if exchange.path.contains("responses") {
        let message = |role: &str, kind: &str, text: &str| json!({ "type": "message", "role": role, "content": [{ "type": kind, "text": text }] });
        match is_call {
            true => vec![
                message("assistant", "output_text", &text),
                json!({ "type": "function_call", "call_id": id, "name": "run", "arguments": "{\"n\":1}" }),
                json!({ "type": "function_call_output", "call_id": id, "output": reply }),
            ],
            false => {
                vec![message("assistant", "output_text", &text), message("user", "input_text", &reply)]
            }
        }
    } else if exchange.path.contains("messages") {
        let text = json!({ "type": "text", "text": text });
        match is_call {
            true => vec![
                json!({ "role": "assistant", "content": [
                    text, { "type": "tool_use", "id": id, "name": "run", "input": { "n": 1 } }
                ] }),
                json!({ "role": "user", "content": [
                    { "type": "tool_result", "tool_use_id": id, "content": reply }
                ] }),
            ],
            false => vec![
                json!({ "role": "assistant", "content": [text] }),
                json!({ "role": "user", "content": reply }),
            ],
        }
    } else {
        match is_call {
            true => vec![
                json!({ "role": "assistant", "content": text, "tool_calls": [
                    { "id": id, "type": "function", "function": { "name": "run", "arguments": "{\"n\":1}" } }
                ] }),
                json!({ "role": "tool", "tool_call_id": id, "content": reply }),
            ],
            false => vec![
                json!({ "role": "assistant", "content": text }),
                json!({ "role": "user", "content": reply }),
            ],
        }
    };
    let field = if body.get("messages").is_some() { "messages" } else { "input" };
    body[field].as_array_mut().unwrap().extend(turn);
}

#[test]
fn sessions_of_agents_read_99_percent_from_the_cache() {
    for recording in recordings() {
        let mut provider = Provider::new();
        let exchange = recording.exchanges.iter().max_by_key(|it| it.body.to_string().len()).unwrap();
        let mut body = exchange.body.clone();
        let mut before = provider.send(&exchange.request(&body));
        let (mut cached, mut possible) = (0, 0);
        for turn in 1..50 {
            append_turn(exchange, &mut body, turn);
            let sent = provider.send(&exchange.request(&body));
            let place = format!("{}, turn {turn}", recording.name);
            assert_eq!((sent.record.prefix_kept, sent.record.prefix_break), (Some(1.0), None), "{place}");
            assert_eq!(sent.record.tokens.unwrap().cached, sent.cached as u64, "{place}");
            cached += sent.cached;
            possible += before.length;
            before.length = sent.length;
        }
        assert!(cached * 100 >= possible * 99, "{}: {cached} of {possible}", recording.name);
    }
}

/// A conversation with a system text, four tools and this many turns.
fn conversation(turns: usize) -> Value {
    let tool = |name: &str| {
        let parameters =
            json!({ "type": "object", "properties": { "path": { "type": "string" }, "line": {} } });
        json!({ "type": "function", "function": {
            "name": name, "description": format!("Does {name}. {}", "Details. ".repeat(20)), "parameters": parameters,
        } })
    };
    let system =
        format!("{}Today is 2026-11-26. {}", "You are careful. ".repeat(60), "Be brief. ".repeat(60));
    let mut messages = vec![json!({ "role": "system", "content": system })];
    for turn in 1..=turns {
        let question = format!("Question {turn}: {}", "why? ".repeat(30));
        messages.push(json!({ "role": "user", "content": question }));
        if turn < turns {
            let answer = format!("Answer {turn}: {}", "because. ".repeat(40));
            messages.push(json!({ "role": "assistant", "content": answer }));
        }
    }
    let tools = ["read", "write", "list", "search"].map(tool);
    json!({ "model": "m", "stream": false, "messages": messages, "tools": tools })
}

fn list<'a>(body: &'a mut Value, field: &str) -> &'a mut Vec<Value> {
    body[field].as_array_mut().unwrap()
}

/// A change of the next request, and the words for it.
type Breaker = (&'static str, fn(&mut Value));

const BREAKERS: &[Breaker] = &[
    ("tool added: fetch", |body| {
        let mut tool = body["tools"][0].clone();
        tool["function"]["name"] = "fetch".into();
        list(body, "tools").insert(1, tool);
    }),
    ("tool added: fetch", |body| {
        let mut tool = body["tools"][0].clone();
        tool["function"]["name"] = "fetch".into();
        list(body, "tools").push(tool);
    }),
    ("tool removed: write", |body| _ = list(body, "tools").remove(1)),
    ("tool removed: search", |body| _ = list(body, "tools").pop()),
    ("tool moved: list", |body| list(body, "tools").swap(1, 2)),
    ("tool description changed: list", |body| {
        body["tools"][2]["function"]["description"] = "Now different.".into();
    }),
    // The keys in another order: the same JSON, but another text.
    ("tool parameters changed: write", |body| {
        body["tools"][1]["function"]["parameters"] =
            json!({ "properties": { "path": { "type": "string" }, "line": {} }, "type": "object" });
    }),
    // The last digit of the date is character 1,039.
    ("system text changed: near character 1025", |body| {
        let system = body["messages"][0]["content"].as_str().unwrap().replace("2026-11-26", "2026-11-27");
        body["messages"][0]["content"] = system.into();
    }),
    ("message edited: 1", |body| body["messages"][1]["content"] = "Another question.".into()),
    ("message edited: 4", |body| body["messages"][4]["content"] = "Another answer.".into()),
    ("message removed: 2", |body| _ = list(body, "messages").remove(2)),
    ("message inserted: 3", |body| {
        list(body, "messages").insert(3, json!({ "role": "user", "content": "A reminder." }));
    }),
    ("compaction: messages 1 to 9 became 3", |body| {
        let summary = json!({ "role": "user", "content": "Summary: five questions were answered." });
        list(body, "messages").splice(1..10, [summary]);
    }),
    ("compaction: messages 1 to 9 became 1", |body| {
        let summary = json!({ "role": "user", "content": "Summary: five questions were answered." });
        list(body, "messages").splice(1.., [summary]);
    }),
    ("model switched: m -> other", |body| body["model"] = "other".into()),
];

#[test]
#[expect(clippy::cast_precision_loss, reason = "tokens of a short conversation")]
fn each_change_is_named_and_measured() {
    for (number, (expected, change)) in BREAKERS.iter().enumerate() {
        let mut provider = Provider::new();
        let request = |body: &Value| Request::post(CHAT, body).header("x-session-id", "s");
        let first = provider.send(&request(&conversation(4)));
        assert_eq!((first.record.prefix_kept, first.record.prefix_break), (None, None), "{expected}");
        let before = provider.send(&request(&conversation(5)));
        assert_eq!((before.record.prefix_kept, before.record.prefix_break), (Some(1.0), None), "{expected}");
        let mut body = conversation(6);
        change(&mut body);
        let sent = provider.send(&request(&body));
        let record = &sent.record;
        assert_eq!(record.prefix_break.as_deref(), Some(*expected), "breaker {number}");
        // The cache agrees, as far as its bytes are comparable with the doctor's.
        let kept = record.prefix_kept.unwrap();
        let really = sent.cached as f64 / sent.length.min(before.length) as f64;
        assert!((kept - really).abs() < 0.05, "{expected}: {kept} kept, {really} cached");
        let loss = record.prefix_loss.unwrap();
        assert!(loss.tokens > 0, "{expected}");
        assert_eq!(loss.credits.is_some(), record.model.as_deref() == Some("m"), "{expected}");
        let line = provider.editor.expect_log("prefix broken").text;
        assert!(line.contains(expected.split(':').next().unwrap()), "{line}");
        // Later requests are compared with the changed request.
        let next = provider.send(&request(&body));
        assert_eq!((next.record.prefix_kept, next.record.prefix_break), (Some(1.0), None), "{expected}");
    }
}

#[test]
fn conversations_with_the_same_beginning_are_told_apart() {
    let mut provider = Provider::new();
    let with_question = |body: &Value, question: &str| {
        let mut body = body.clone();
        list(&mut body, "messages").push(json!({ "role": "user", "content": question }));
        body
    };
    let mut one = with_question(&conversation(1), "How?");
    let mut other = with_question(&conversation(1), "When?");
    for turn in 0..5 {
        for body in [&mut one, &mut other] {
            let record = provider.send(&Request::post(CHAT, body)).record;
            let expected = if turn == 0 { None } else { Some(1.0) };
            assert_eq!((record.prefix_kept, record.prefix_break), (expected, None), "turn {turn}");
            list(body, "messages").push(json!({ "role": "assistant", "content": format!("Answer {turn}.") }));
            *body = with_question(body, "And then?");
        }
    }
}

#[test]
fn instruction_for_one_turn_is_no_break() {
    let mut provider = Provider::new();
    let forbidden = with(conversation(3), &json!({ "tool_choice": "none" }));
    provider.send(&Request::post(CHAT, &forbidden));
    let record = provider.send(&Request::post(CHAT, &conversation(4))).record;
    assert_eq!((record.prefix_kept, record.prefix_break), (Some(1.0), None));
}

#[test]
fn request_that_no_model_accepted_is_not_compared_with() {
    let mut provider = Provider::new();
    provider.send(&Request::post(CHAT, &conversation(3)));
    let mut changed = conversation(4);
    list(&mut changed, "tools").pop();
    let mut client = provider.server.client();
    client.send(&Request::post(CHAT, &changed));
    let (stream, _) = provider.editor.expect_chat();
    let error = ProviderError { name: "ChatQuotaExceeded".into(), code: None, message: "used up".into() };
    provider.editor.send(stream, &FromEditor::Failed(error));
    assert_eq!(client.response().status, 429);
    let record = provider.send(&Request::post(CHAT, &conversation(4))).record;
    assert_eq!((record.prefix_kept, record.prefix_break), (Some(1.0), None));
}

#[test]
fn fallback_that_leaves_a_cached_prefix_is_logged() {
    let mut provider = Provider::new();
    provider.send(&Request::post(CHAT, &conversation(20)));
    let mut client = provider.server.client();
    client.send(&Request::post(CHAT, &with(conversation(21), &json!({ "models": ["other"] }))));
    let (stream, _) = provider.editor.expect_chat();
    let error = ProviderError { name: "ChatRateLimited".into(), code: None, message: "slow down".into() };
    provider.editor.send(stream, &FromEditor::Failed(error));
    let (stream, chat) = provider.editor.expect_chat();
    assert_eq!(chat.model, "other");
    provider.editor.respond(stream, "Hello");
    assert_eq!(client.response().status, 200);
    let line = provider.editor.expect_log("fallback leaves a cached prefix").text;
    assert!(line.contains("model=\"m\"") && line.contains("retry_after=10"), "{line}");
}

#[test]
fn usage_says_what_broke_prefixes() {
    let mut provider = Provider::new();
    provider.send(&Request::post(CHAT, &conversation(3)));
    provider.send(&Request::post(CHAT, &conversation(4)));
    let mut changed = conversation(5);
    list(&mut changed, "tools").pop();
    let broken = provider.send(&Request::post(CHAT, &changed));
    let report = provider.server.get("/v1/usage").json();
    let cache = &report["cache"];
    assert_eq!((&cache["compared_requests"], &cache["broken_requests"]), (&json!(2), &json!(1)), "{cache}");
    assert_eq!(cache["cached_tokens"], report["totals"]["cached_tokens"]);
    assert_eq!(cache["breaks"][0]["prefix_break"], "tool removed: search");
    let lost = cache["lost_tokens"].as_u64().unwrap();
    assert!(lost > broken.length as u64 / 3 && lost < broken.length as u64, "{lost} of {}", broken.length);
    let dir = provider.server.home.path().to_str().unwrap().to_owned();
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_copilot-proxy"));
    let output = command.args(["usage", "--cache", "--dir", &dir]).output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    assert!(output.contains("tool removed: search") && output.contains("2 requests"), "{output}");
}

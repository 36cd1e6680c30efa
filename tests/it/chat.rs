//! `POST /v1/chat/completions`: the model receives what the client sent, and the client receives what the model sent.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::openai::{CHAT, chat, complete, data, dumped, stream, streamed, text_of, with};
use crate::server::Server;

#[test]
fn whole_response_is_one_completion() {
    let server = Server::demo(&[]);
    let response = server.post(CHAT, &chat("say:Hello there"));
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some("application/json"));
    assert_eq!(response.header("x-copilot-proxy-model"), Some("scripted-1"));
    assert_eq!(response.header("x-copilot-proxy-usage"), Some("counted"));
    let mut completion = response.json();
    let id = completion["id"].take();
    assert!(id.as_str().unwrap().starts_with("chatcmpl-"), "{id}");
    assert!(completion["created"].take().as_u64().unwrap() > 1_700_000_000);
    completion["usage"].take();
    assert_eq!(
        completion,
        json!({
            "id": null,
            "object": "chat.completion",
            "created": null,
            "model": "scripted-1",
            "system_fingerprint": "fp_copilot_proxy",
            "choices": [{
                "index": 0,
                "message": { "role": "assistant", "content": "Hello there", "refusal": null },
                "logprobs": null,
                "finish_reason": "stop",
            }],
            "usage": null,
        })
    );
}

#[test]
fn streamed_chunks_add_up_to_the_whole_response() {
    let server = Server::demo(&[]);
    let mut stream = stream(&server, "think:Hm.\nsay:Hello there");
    assert_eq!(stream.head.header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert_eq!(stream.head.header("cache-control"), Some("no-cache"));
    assert_eq!(stream.head.header("x-copilot-proxy-model"), Some("scripted-1"));
    let mut chunks = Vec::new();
    let mut heads = BTreeSet::new();
    loop {
        let event = stream.event().expect("an end");
        if event == "data: [DONE]" {
            break;
        }
        let mut chunk = data(&event);
        let choices = chunk.as_object_mut().unwrap().remove("choices").unwrap();
        chunk.as_object_mut().unwrap().remove("copilot_proxy");
        heads.insert(chunk.to_string());
        chunks.push(choices[0].clone());
    }
    assert_eq!(stream.event(), None, "[DONE] comes last");
    assert_eq!(heads.len(), 1, "the fields beside `choices` are constant: {heads:?}");

    let text = |field: &str| -> String {
        chunks.iter().filter_map(|choice| choice["delta"].get(field)?.as_str()).collect()
    };
    assert_eq!(text("reasoning_content"), "Hm.");
    assert_eq!(text("content"), "Hello there");
    let choice = |delta: Value, finish: Option<&str>| json!({ "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish });
    let role = json!({ "role": "assistant", "content": "", "refusal": null });
    assert_eq!(chunks.first(), Some(&choice(role, None)));
    assert_eq!(chunks.last(), Some(&choice(json!({}), Some("stop"))));
}

#[test]
fn include_usage_adds_usage_as_the_last_chunk() {
    let server = Server::demo(&[]);
    let request =
        with(streamed("say:Hello\nusage:12 34 5"), &json!({ "stream_options": { "include_usage": true } }));
    let events = server.stream(CHAT, &request).rest();
    let [.., usage, done] = events.as_slice() else { panic!("{events:?}") };
    assert_eq!(done, "data: [DONE]");
    let usage = data(usage);
    assert_eq!(usage["choices"], json!([]));
    assert!(usage["usage"]["total_tokens"].is_u64(), "{usage}");
}

#[test]
fn two_thousand_parts_arrive_complete_and_in_order() {
    let server = Server::demo(&[]);
    let wanted: String = (0..2000).map(|number| format!("{number:.<40}")).collect();
    assert_eq!(text_of(&stream(&server, "parts:2000 40").rest()), wanted);
    assert_eq!(complete(&server, "parts:2000 40"), wanted);
}

#[test]
fn fifty_concurrent_clients_get_their_own_responses() {
    let server = Server::demo(&[]);
    std::thread::scope(|scope| {
        for client in 0..50 {
            let server = &server;
            scope.spawn(move || {
                let words: String = (0..20).map(|word| format!("c{client}w{word} ")).collect();
                let script = format!("say:{words}\nslow:2 20\nsay:{words}");
                let wanted = format!("{words}p0 p1 {words}");
                let received = if client % 2 == 0 {
                    text_of(&stream(server, &script).rest())
                } else {
                    complete(server, &script)
                };
                assert_eq!(received, wanted);
            });
        }
    });
}

#[test]
fn request_reaches_the_model_unchanged() {
    let server = Server::demo(&[]);
    let schema = json!({ "type": "object", "properties": { "path": { "type": "string" } } });
    let request = json!({
        "model": "scripted-1",
        "messages": [
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": [
                { "type": "text", "text": "What is this?" },
                { "type": "image_url", "image_url": { "url": "data:image/jpeg;base64,iVBORw0KGgo=" } },
            ] },
            { "role": "assistant", "content": "A greeting." },
            { "role": "user", "content": "Grüße 😀\ndump:" },
        ],
        "tools": [{ "type": "function", "function": {
            "name": "read_file", "description": "Reads.", "parameters": schema,
        } }],
        "temperature": 0.5,
        "max_tokens": 5000,
        "a_field_nobody_knows": true,
    });
    let text = |text: &str| json!({ "type": "text", "text": text });
    let sha256 = "4c4b6a3be1314ab86138bef4314dde022e600960d8689a2c8f8631802d20dab6";
    assert_eq!(
        dumped(&server, &request),
        json!({
            "messages": [
                { "role": "user", "parts": [text("Be brief.")] },
                { "role": "user", "parts": [
                    text("What is this?"),
                    { "type": "data", "mime": "image/png", "bytes": 8, "sha256": sha256 },
                ] },
                { "role": "assistant", "parts": [text("A greeting.")] },
                { "role": "user", "parts": [text("Grüße 😀\ndump:")] },
            ],
            "tools": [{ "name": "read_file", "description": "Reads.", "inputSchema": schema }],
            "toolMode": "auto",
            "modelOptions": { "temperature": 0.5, "max_tokens": 5000 },
        })
    );
}

fn with_tools(mut request: Value, tools: &[&str]) -> Value {
    let tool = |name: &&str| json!({ "type": "function", "function": { "name": name } });
    request["tools"] = tools.iter().map(tool).collect();
    request
}

#[test]
fn tool_is_called_and_its_result_reaches_the_model() {
    let server = Server::demo(&[]);
    let script = "say:Looking.\ncall:read.file {\"path\":\"a\"}\ncall:get_time\nthen:\ndump:";
    let mut request = with_tools(chat(script), &["read.file", "get_time"]);
    let response = server.post(CHAT, &request).json();
    let choice = &response["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    // The script must use the name that the model knows, which has no dot.
    assert_eq!(choice["message"]["content"], "Looking.no such tool: read.file");
    let call = &choice["message"]["tool_calls"][0];
    let function = json!({ "name": "get_time", "arguments": "{}" });
    assert_eq!(*call, json!({ "id": call["id"], "type": "function", "function": function }));

    let id = call["id"].as_str().unwrap();
    let messages = request["messages"].as_array_mut().unwrap();
    messages.push(choice["message"].clone());
    messages.push(json!({ "role": "tool", "tool_call_id": id, "content": "noon" }));
    let dump = dumped(&server, &request);
    assert_eq!(
        dump["messages"].as_array().unwrap()[1..],
        [
            json!({ "role": "assistant", "parts": [
                { "type": "text", "text": "Looking.no such tool: read.file" },
                { "type": "tool_call", "id": id, "name": "get_time", "input": {} },
            ] }),
            json!({ "role": "user", "parts": [{ "type": "tool_result", "id": id, "text": "noon" }] }),
        ]
    );
}

#[test]
fn streamed_tool_calls_equal_the_models_calls() {
    let server = Server::demo(&[]);
    let script = "call:look {\"at\":[1,\"é\"]}\ncall:look";
    let request = with_tools(streamed(script), &["look"]);
    let events = server.stream(CHAT, &request).rest();
    let chunks: Vec<Value> =
        events.iter().filter(|event| event.starts_with("data: {")).map(|event| data(event)).collect();
    let calls: Vec<Value> = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"].get("tool_calls")?.get(0).cloned())
        .map(|mut call| {
            assert!(call["id"].take().as_str().unwrap().starts_with("call_"));
            call
        })
        .collect();
    let call = |index: u32, arguments: &str| {
        let function = json!({ "name": "look", "arguments": arguments });
        json!({ "index": index, "id": null, "type": "function", "function": function })
    };
    assert_eq!(calls, [call(0, "{\"at\":[1,\"é\"]}"), call(1, "{}")]);
    assert_eq!(chunks.last().unwrap()["choices"][0]["finish_reason"], "tool_calls");
}

#[test]
fn tool_name_invalid_in_the_editor_is_mapped_in_both_directions() {
    let server = Server::demo(&[]);
    let request = with_tools(chat("dump:"), &["files.read"]);
    let mapped = dumped(&server, &request)["tools"][0]["name"].as_str().unwrap().to_owned();
    assert!(mapped.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'), "{mapped}");
    let response = server.post(CHAT, &with_tools(chat(&format!("call:{mapped}")), &["files.read"])).json();
    assert_eq!(response["choices"][0]["message"]["tool_calls"][0]["function"]["name"], "files.read");
}

#[test]
fn tool_choice_limits_the_calls_and_leaves_the_tools() {
    let server = Server::demo(&[]);
    let request = || with_tools(chat("dump:"), &["a", "b"]);
    let names = |dump: &Value| -> Vec<String> {
        let tools = dump["tools"].as_array().unwrap();
        tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
    };
    let none = dumped(&server, &with(request(), &json!({ "tool_choice": "none" })));
    assert_eq!((names(&none), &none["toolMode"]), (vec!["a".into(), "b".into()], &json!("auto")));
    let auto = dumped(&server, &with(request(), &json!({ "tool_choice": "auto" })));
    assert_eq!((names(&auto), &auto["toolMode"]), (vec!["a".into(), "b".into()], &json!("auto")));
    // The required call is in the response.
    let choice = json!({ "type": "function", "function": { "name": "b" } });
    let requiring = with_tools(chat("call:a\ncall:b {\"x\":1}"), &["a", "b"]);
    let response = server.post(CHAT, &with(requiring, &json!({ "tool_choice": choice }))).json();
    let calls = response["choices"][0]["message"]["tool_calls"].as_array().unwrap();
    let names: Vec<&str> = calls.iter().map(|call| call["function"]["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["b"]);
}

#[test]
fn unknown_model_gets_404_with_the_known_names() {
    let server = Server::demo(&[]);
    let response = server.post(CHAT, &with(chat("say:a"), &json!({ "model": "nobody-9" })));
    let (status, kind, code, message) = response.error();
    assert_eq!((status, kind, code), (404, json!("invalid_request_error"), json!("model_not_found")));
    for name in ["nobody-9", "scripted-1", "gpt-4o", "claude-sonnet-4"] {
        assert!(message.contains(name), "{message}");
    }
}

#[test]
fn common_model_names_resolve_to_the_intended_model() {
    let server = Server::demo(&[]);
    for (requested, resolved) in [
        ("scripted-mini", "scripted-mini"),
        ("claude", "claude-opus-4.6"),
        ("sonnet", "claude-sonnet-4"),
        ("claude-3.5-sonnet", "claude-3.5-sonnet"),
        ("copilot-claude-3.5-sonnet", "claude-3.5-sonnet"),
        ("claude-sonnet-4-20250514", "claude-sonnet-4"),
        ("claude-opus-4-6", "claude-opus-4.6"),
        ("claude-haiku-4-5-20251001[1m]", "claude-haiku-4.5"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
    ] {
        let response = server.post(CHAT, &with(chat("say:a"), &json!({ "model": requested })));
        assert_eq!(response.status, 200, "{requested}: {}", response.text());
        assert_eq!(response.json()["model"], resolved, "{requested}");
        assert_eq!(response.header("x-copilot-proxy-model"), Some(resolved));
    }
    let mut nameless = chat("say:a");
    nameless.as_object_mut().unwrap().remove("model");
    assert_eq!(server.post(CHAT, &nameless).json()["model"], "scripted-1");
}

#[test]
fn request_without_an_editor_gets_503_with_a_hint() {
    let server = Server::serve(&["--window-wait", "100"]);
    let (status, kind, code, message) = server.post(CHAT, &chat("say:a")).error();
    assert_eq!((status, kind, code), (503, json!("server_error"), json!("no_models")));
    assert!(message.contains("open VS Code"), "{message}");
}

/// Status, code and the retry headers of an error response.
type ErrorSummary = (u16, Value, Option<String>, Option<String>);

fn error_of(server: &Server, script: &str) -> (ErrorSummary, String) {
    let response = server.post(CHAT, &chat(script));
    let (status, _, code, message) = response.error();
    let header = |name| response.header(name).map(str::to_owned);
    ((status, code, header("retry-after"), header("x-should-retry")), message)
}

#[test]
fn provider_errors_map_to_status_code_and_headers() {
    let server = Server::demo(&[]);
    let yes = |text: &str| Some(text.to_owned());
    for (script, wanted, sentence) in [
        (
            "fail:NoPermissions not now",
            (403, json!("consent_missing"), None, None),
            "Allow Copilot Proxy in VS Code:",
        ),
        (
            "fail:Blocked too many requests",
            (429, json!("rate_limit_exceeded"), yes("5"), yes("false")),
            "blocked by the model provider for another 5 min: too many requests",
        ),
        ("fail:NotFound gone", (503, json!("provider_unavailable"), None, None), "no longer offers"),
        ("fail:ChatQuotaExceeded used up", (429, json!("insufficient_quota"), None, yes("false")), "used up"),
        ("fail:ChatRateLimited slower", (429, json!("rate_limit_exceeded"), yes("10"), None), "slower"),
        ("fail:Error Server error: 504", (504, json!(null), None, None), "Server error: 504"),
        (
            "fail:Error Message exceeds token limit.",
            (400, json!("context_length_exceeded"), None, None),
            "prompt is too long",
        ),
        ("fail:Error Something odd", (502, json!(null), None, None), "Something odd"),
    ] {
        let (summary, message) = error_of(&server, script);
        assert_eq!(summary, wanted, "{script}");
        assert!(message.contains(sentence), "{script}: {message}");
    }
}

#[test]
fn retry_after_doubles_with_each_rate_limit() {
    let server = Server::demo(&[]);
    let retry_after = || error_of(&server, "fail:ChatRateLimited slower").0.2;
    assert_eq!([retry_after(), retry_after(), retry_after()].map(Option::unwrap), ["10", "20", "40"]);
    assert_eq!(complete(&server, "say:better"), "better");
    assert_eq!(retry_after().unwrap(), "10");
}

#[test]
fn failure_after_the_first_part_is_an_error_event() {
    let server = Server::demo(&[]);
    let events = stream(&server, "say:half an answer\nwait:50\nfail:ChatQuotaExceeded used up").rest();
    assert_eq!(text_of(&events), "half an answer");
    assert_eq!(
        data(events.last().unwrap()),
        json!({ "error": {
            "message": "used up",
            "type": "insufficient_quota",
            "param": null,
            "code": "insufficient_quota",
        } }),
        "an error and no [DONE]"
    );
    let whole = server.post(CHAT, &chat("say:half an answer\nfail:ChatQuotaExceeded used up"));
    assert_eq!(whole.status, 429);
}

#[test]
fn failure_before_the_first_part_of_a_stream_is_a_status() {
    let server = Server::demo(&[]);
    let response = server.post(CHAT, &streamed("wait:50\nfail:ChatQuotaExceeded used up"));
    assert_eq!(response.status, 429);
    assert_eq!(response.header("content-type"), Some("application/json"));
}

#[test]
fn unicode_line_separators_are_escaped_in_events() {
    let server = Server::demo(&[]);
    let text = "a\u{85}b\u{2028}c\u{2029}d";
    let events = stream(&server, &format!("say:{text}")).rest();
    assert_eq!(text_of(&events), text);
    let bare = events.iter().find(|event| event.contains(['\u{85}', '\u{2028}', '\u{2029}']));
    assert_eq!(bare, None);
}

#[test]
fn several_choices_are_run_concurrently() {
    let server = Server::demo(&[]);
    let request = with(chat("say:Me too"), &json!({ "n": 3 }));
    let response = server.post(CHAT, &request).json();
    let texts: Vec<(u64, &str)> = response["choices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|choice| (choice["index"].as_u64().unwrap(), choice["message"]["content"].as_str().unwrap()))
        .collect();
    assert_eq!(texts, [(0, "Me too"), (1, "Me too"), (2, "Me too")]);
}

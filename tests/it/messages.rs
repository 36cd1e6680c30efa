//! Anthropic's API: `POST /v1/messages`, `count_tokens` and the models in Anthropic's form.

use serde_json::{Value, json};

use crate::client::{Request, Response};
use crate::openai::until_stats;
use crate::server::Server;

const MESSAGES: &str = "/v1/messages";

fn request_of(script: &str) -> Value {
    json!({ "model": "scripted-1", "max_tokens": 1000, "messages": [{ "role": "user", "content": script }] })
}

fn streamed(script: &str) -> Value {
    crate::openai::with(request_of(script), &json!({ "stream": true }))
}

fn with_tool(request: Value) -> Value {
    let tool = json!({ "name": "look", "description": "Looks.", "input_schema": { "type": "object" } });
    crate::openai::with(request, &json!({ "tools": [tool] }))
}

/// Name and data of an event; checks that they agree.
fn parse_event(event: &str) -> (String, Value) {
    let (name, data) = event.split_once('\n').unwrap_or_else(|| panic!("no name: {event}"));
    let name = name.strip_prefix("event: ").unwrap().to_owned();
    let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
    assert_eq!(data["type"], name.as_str());
    (name, data)
}

/// Status, type and message of an error; checks that its id is that of the header.
fn error(response: &Response) -> (u16, String, String) {
    let body = response.json();
    assert_eq!(body["type"], "error", "{}", response.text());
    assert_eq!(body["request_id"].as_str(), response.header("request-id"));
    let text = |field: &str| body["error"][field].as_str().unwrap().to_owned();
    (response.status, text("type"), text("message"))
}

#[test]
fn whole_response_is_one_message() {
    let server = Server::demo(&[]);
    let script = "think:Hm.\nsay:Hello there\ncall:look {\"at\":\"you\"}\nusage:12 34 5";
    let response = server.post(MESSAGES, &with_tool(request_of(script)));
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(response.header("x-copilot-proxy-model"), Some("scripted-1"));
    let message = response.json();
    assert!(message["id"].as_str().unwrap().starts_with("msg_"));
    assert_eq!((&message["type"], &message["role"]), (&json!("message"), &json!("assistant")));
    assert_eq!(message["stop_reason"], "tool_use");
    let [thought, text, call] = message["content"].as_array().unwrap().as_slice() else {
        panic!("{message}")
    };
    assert_eq!((&thought["type"], &thought["thinking"]), (&json!("thinking"), &json!("Hm.")));
    assert_eq!((&text["type"], &text["text"]), (&json!("text"), &json!("Hello there")));
    assert_eq!(
        (&call["type"], &call["name"], &call["input"]),
        (&json!("tool_use"), &json!("look"), &json!({ "at": "you" }))
    );
    // Anthropic doesn't include cached tokens in `input_tokens`.
    let usage = ["input_tokens", "cache_read_input_tokens", "output_tokens"]
        .map(|field| message["usage"][field].clone());
    assert_eq!(usage, [json!(7), json!(5), json!(34)]);
}

#[test]
fn streamed_blocks_are_nested_and_equal_the_whole_message() {
    let server = Server::demo(&[]);
    let script = "think:Hm.\nsay:Hello there\ncall:look {\"at\":\"you\"}\ncall:look\nusage:12 34 5";
    let whole = server.post(MESSAGES, &with_tool(request_of(script))).json();
    let events: Vec<_> = server
        .stream(MESSAGES, &with_tool(streamed(script)))
        .rest()
        .iter()
        .map(|event| parse_event(event))
        .collect();

    let mut blocks: Vec<Value> = Vec::new();
    let mut open = None;
    let mut names = Vec::new();
    for (name, data) in &events {
        names.push(name.as_str());
        let index = data["index"].as_u64().map(|index| usize::try_from(index).unwrap());
        match name.as_str() {
            "content_block_start" => {
                assert_eq!((open, index), (None, Some(blocks.len())));
                open = index;
                blocks.push(data["content_block"].clone());
            }
            "content_block_delta" => {
                assert_eq!(open, index);
                let block = blocks.last_mut().unwrap();
                let delta = &data["delta"];
                let (field, from) = match delta["type"].as_str().unwrap() {
                    "text_delta" => ("text", "text"),
                    "thinking_delta" => ("thinking", "thinking"),
                    "signature_delta" => ("signature", "signature"),
                    "input_json_delta" => ("json", "partial_json"),
                    other => panic!("{other}"),
                };
                let before = block.get(field).and_then(Value::as_str).unwrap_or_default();
                block[field] = format!("{before}{}", delta[from].as_str().unwrap()).into();
            }
            "content_block_stop" => {
                assert_eq!(open.take(), index);
                let block = blocks.last_mut().unwrap().as_object_mut().unwrap();
                if let Some(json) = block.remove("json") {
                    block.insert("input".into(), serde_json::from_str(json.as_str().unwrap()).unwrap());
                }
            }
            _ => assert_eq!(open, None, "{name} inside a block"),
        }
    }
    assert_eq!(
        (names[0], &names[names.len() - 2..]),
        ("message_start", &["message_delta", "message_stop"][..])
    );
    let without_ids = |blocks: &[Value]| -> Vec<Value> {
        let mut blocks = blocks.to_vec();
        for block in &mut blocks {
            block.as_object_mut().unwrap().remove("id");
        }
        blocks
    };
    assert_eq!(without_ids(&blocks), without_ids(whole["content"].as_array().unwrap()));
    let last = &events[events.len() - 2].1;
    assert_eq!((&last["delta"]["stop_reason"], &last["usage"]), (&json!("tool_use"), &whole["usage"]));
}

#[test]
fn model_names_of_claude_code_resolve_to_the_nearest_model() {
    let server = Server::demo(&[]);
    for (requested, resolved) in [
        ("claude-opus-4-6", "claude-opus-4.6"),
        ("claude-haiku-4-5-20251001[1m]", "claude-haiku-4.5"),
        ("claude-sonnet-9", "claude-sonnet-4"),
    ] {
        let response =
            server.post(MESSAGES, &crate::openai::with(request_of("say:a"), &json!({ "model": requested })));
        assert_eq!(
            (response.status, response.header("x-copilot-proxy-model")),
            (200, Some(resolved)),
            "{requested}"
        );
    }
    let unknown =
        server.post(MESSAGES, &crate::openai::with(request_of("say:a"), &json!({ "model": "nobody-9" })));
    assert_eq!(unknown.status, 200);
    assert!(unknown.header("x-copilot-proxy-model").is_some());
    let embedding = crate::openai::with(request_of("say:a"), &json!({ "model": "text-embedding-3-small" }));
    assert_eq!(error(&server.post(MESSAGES, &embedding)).1, "not_found_error");
}

#[test]
fn failures_have_anthropics_error_form() {
    let server = Server::demo(&[]);
    for (script, status, kind) in [
        ("fail:ChatQuotaExceeded used up", 429, "rate_limit_error"),
        ("fail:ChatRateLimited slower", 429, "rate_limit_error"),
        ("fail:ChatRateLimited Upstream provider rate limit hit", 503, "overloaded_error"),
        ("fail:NoPermissions no", 403, "permission_error"),
        ("fail:Error Message exceeds token limit.", 400, "invalid_request_error"),
    ] {
        let response = server.post(MESSAGES, &request_of(script));
        let (found, found_kind, _) = error(&response);
        assert_eq!((found, found_kind.as_str()), (status, kind), "{script}");
    }
    let events =
        server.stream(MESSAGES, &streamed("say:half\nwait:50\nfail:ChatQuotaExceeded used up")).rest();
    let (name, last) = parse_event(events.last().unwrap());
    assert_eq!((name.as_str(), &last["error"]["type"]), ("error", &json!("rate_limit_error")));

    let mut unlimited = request_of("say:a");
    unlimited.as_object_mut().unwrap().remove("max_tokens");
    assert_eq!(
        error(&server.post(MESSAGES, &unlimited)),
        (400, "invalid_request_error".into(), "max_tokens: Field required".into())
    );
    let thread = crate::openai::with(request_of("say:a"), &json!({ "thread": { "id": "t" } }));
    let response = server.post(MESSAGES, &thread);
    assert_eq!(response.json()["error"]["details"]["error_code"], "thread_unsupported_request");
    for request in [
        Request::get(MESSAGES),
        Request::new("POST", "/v1/messages/nothing"),
        Request::post(MESSAGES, &json!({ "max_tokens": 1, "messages": "Hi" })),
        Request::post(MESSAGES, &request_of("a")).header("host", "evil.test"),
    ] {
        let response = server.send(&request);
        assert!(response.status >= 400);
        error(&response);
    }
}

#[test]
fn silent_stream_sends_pings() {
    let server = Server::demo(&["--open-after", "100", "--ping-every", "100"]);
    let mut stream = server.stream(MESSAGES, &streamed("hang:"));
    assert_eq!(parse_event(&stream.event().unwrap()).0, "message_start");
    for _ in 0..2 {
        assert_eq!(parse_event(&stream.event().unwrap()), ("ping".into(), json!({ "type": "ping" })));
    }
    drop(stream);
    until_stats(&server, &json!({ "started": 1, "completed": 0, "failed": 0, "cancelled": 1, "active": 0 }));
}

#[test]
fn count_tokens_does_not_run_the_model() {
    let server = Server::demo(&[]);
    let count = |request: &Value| {
        let response = server.post("/v1/messages/count_tokens", request);
        assert_eq!(response.status, 200, "{}", response.text());
        response.json()["input_tokens"].as_u64().unwrap()
    };
    let mut request = request_of("Hello there, how are you today?");
    request.as_object_mut().unwrap().remove("max_tokens");
    let alone = count(&request);
    assert!((5..40).contains(&alone), "{alone}");
    assert!(count(&with_tool(request.clone())) > alone);
    // The first event of a stream has the same number.
    let mut stream = server.stream(MESSAGES, &streamed("Hello there, how are you today?"));
    assert_eq!(parse_event(&stream.event().unwrap()).1["message"]["usage"]["input_tokens"], alone);
    stream.rest();
    until_stats(&server, &json!({ "started": 1, "completed": 1, "failed": 0, "cancelled": 0, "active": 0 }));
}

#[test]
fn models_have_anthropics_form_with_the_version_header() {
    let server = Server::demo(&[]);
    let get = |path: &str| server.send(&Request::get(path).header("anthropic-version", "2023-06-01"));
    let list = get("/v1/models?limit=3").json();
    assert_eq!((list["data"].as_array().unwrap().len(), &list["has_more"]), (3, &json!(true)));
    assert_eq!((&list["first_id"], &list["last_id"]), (&json!("scripted-1"), &json!("scripted-usage")));
    let next = get("/v1/models?limit=100&after_id=scripted-usage").json();
    assert_eq!((next["data"].as_array().unwrap().len(), &next["has_more"]), (9, &json!(false)));
    let one = get("/v1/models/claude-sonnet-4").json();
    assert_eq!((&one["type"], &one["id"]), (&json!("model"), &json!("claude-sonnet-4")));
    // A name resolves as that of a message does.
    for name in ["nobody", "gpt-9-codex", "a/b"] {
        let request = crate::openai::with(request_of("say:a"), &json!({ "model": name }));
        let answered_by = server.post(MESSAGES, &request).header("x-copilot-proxy-model").unwrap().to_owned();
        assert_eq!(get(&format!("/v1/models/{name}")).json()["id"], answered_by, "{name}");
    }
    assert_eq!(error(&get("/v1/models/text-embedding-9")).1, "not_found_error");
}

#[test]
fn auto_mode_runs_the_editors_tools() {
    let server = Server::demo(&[]);
    let auto = json!({ "use_vscode_tools": true, "tool_execution": "auto" });
    let script = "say:Let me see. \ncall:get_time\nthen:\nsay:Done.";
    let whole = server.post(MESSAGES, &crate::openai::with(request_of(script), &auto)).json();
    let text: String =
        whole["content"].as_array().unwrap().iter().filter_map(|block| block["text"].as_str()).collect();
    assert_eq!((text.as_str(), &whole["stop_reason"]), ("Let me see. Done.", &json!("end_turn")));
    let events = server.stream(MESSAGES, &crate::openai::with(streamed(script), &auto)).rest();
    let text: String = events
        .iter()
        .filter_map(|event| parse_event(event).1["delta"]["text"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(text, "Let me see. Done.");
}

#[test]
fn builtin_bash_tool_is_offered_and_its_error_reaches_the_model() {
    let server = Server::demo(&[]);
    let bash = json!({ "type": "bash_20250124", "name": "bash" });
    let history = json!([
        { "role": "user", "content": "look" },
        { "role": "assistant", "content": [
            { "type": "tool_use", "id": "c1", "name": "bash", "input": { "command": "ls /nowhere" } },
        ] },
        { "role": "user", "content": [
            { "type": "tool_result", "tool_use_id": "c1", "content": "no such directory", "is_error": true },
            { "type": "text", "text": "dump:" },
        ] },
    ]);
    let request = json!({ "model": "scripted-1", "max_tokens": 1000, "tools": [bash], "messages": history });
    let message = server.post(MESSAGES, &request).json();
    let dump: Value = serde_json::from_str(message["content"][0]["text"].as_str().unwrap()).unwrap();
    let properties = dump["tools"][0]["inputSchema"]["properties"].as_object().unwrap();
    assert_eq!(dump["tools"][0]["name"], "bash");
    assert_eq!(properties.keys().collect::<Vec<_>>(), ["command", "restart"]);
    assert_eq!(
        dump["messages"][2]["parts"][0],
        json!({ "type": "tool_result", "id": "c1", "text": "[The tool failed.]\nno such directory" })
    );
}

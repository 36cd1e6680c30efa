//! Model `auto` and the context size: what Copilot needs in a request so that it neither fails nor loses messages.

use copilot_proxy::bridge::protocol::{ContextSize, FromEditor, UserSettings};
use serde_json::{Value, json};

use crate::client::Request;
use crate::editor::{Editor, model, user_settings};
use crate::gemini_form;
use crate::openai::{CHAT, chat, content, with};
use crate::server::{Process, Server};

const ROUTED: &str = "x-copilot-proxy-routed-model";

/// A server with the simulated editor, and another one that has sent these settings.
fn server_with(settings: UserSettings) -> (Server, Process, Editor) {
    let server = Server::serve(&[]);
    let simulated = server.simulate();
    let mut editor = Editor::attach(&server.home);
    editor.send(0, &FromEditor::UserSettings(UserSettings { port: server.port, ..settings }));
    editor.send_models(&[model("m")]);
    editor.expect_status(|status| status.models == 13);
    (server, simulated, editor)
}

/// A tool turn in each dialect, whose newest message holds only a tool result.
fn tool_turns(model: &str) -> Vec<(String, Value)> {
    let parameters = json!({ "type": "object", "properties": {} });
    let function = json!({ "name": "get", "description": "gets", "parameters": parameters });
    let call =
        json!({ "id": "call_1", "type": "function", "function": { "name": "get", "arguments": "{}" } });
    let script = "call:get {}\nthen:\nsay:the end";
    let of_gemini = json!({ "tools": { "functionDeclarations": function }, "contents": [
        gemini_form::text(script),
        gemini_form::model(&json!([{ "functionCall": { "name": "get", "args": {} } }])),
        gemini_form::user(&json!([{ "functionResponse": { "name": "get", "response": { "output": "found" } } }])),
    ] });
    let of_others = vec![
        (
            CHAT,
            json!({ "model": model, "tools": [{ "type": "function", "function": function }], "messages": [
                { "role": "user", "content": script },
                { "role": "assistant", "content": null, "tool_calls": [call] },
                { "role": "tool", "tool_call_id": "call_1", "content": "found" },
            ] }),
        ),
        (
            "/v1/messages",
            json!({ "model": model, "max_tokens": 99, "tools": [{ "name": "get", "input_schema": parameters }],
                "messages": [
                    { "role": "user", "content": script },
                    { "role": "assistant", "content": [{ "type": "tool_use", "id": "call_1", "name": "get", "input": {} }] },
                    { "role": "user", "content": [{ "type": "tool_result", "tool_use_id": "call_1", "content": "found" }] },
                ] }),
        ),
        (
            "/v1/responses",
            json!({ "model": model, "tools": [with(json!({ "type": "function" }), &function)], "input": [
                { "role": "user", "content": script },
                { "type": "function_call", "call_id": "call_1", "name": "get", "arguments": "{}" },
                { "type": "function_call_output", "call_id": "call_1", "output": "found" },
            ] }),
        ),
        (
            "/api/chat",
            json!({ "model": model, "stream": false, "tools": [{ "type": "function", "function": function }],
                "messages": [
                    { "role": "user", "content": script },
                    { "role": "assistant", "content": "",
                        "tool_calls": [{ "function": { "name": "get", "arguments": {} } }] },
                    { "role": "tool", "tool_name": "get", "content": "found" },
                ] }),
        ),
    ];
    let of_others = of_others.into_iter().map(|(path, request): (&str, Value)| (path.to_owned(), request));
    of_others.chain([(gemini_form::generate(model), of_gemini)]).collect()
}

#[test]
fn tool_turns_on_auto_work_in_every_dialect() {
    let server = Server::demo(&[]);
    for (path, request) in tool_turns("auto") {
        let response = server.post(&path, &request);
        assert_eq!(response.status, 200, "{path} {}", response.text());
        assert!(response.text().contains("the end"), "{path} {}", response.text());
        assert_eq!(response.header(ROUTED), Some("gpt-5-codex"), "{path}");
    }
}

#[test]
fn auto_mode_runs_several_rounds_on_auto() {
    let server = Server::demo(&[]);
    let fields = json!({ "model": "auto:efficiency", "use_vscode_tools": true, "tool_execution": "auto" });
    let script = "call:get_time {}\nthen:\ncall:get_time {}\nthen:\nconfiguration:";
    let response = server.post(CHAT, &with(chat(script), &fields));
    assert_eq!(response.status, 200, "{}", response.text());
    let configuration: Value = serde_json::from_str(&content(&response)).unwrap();
    assert_eq!(configuration["tier"], "efficiency");
    assert_eq!(response.header(ROUTED), Some("gpt-5-mini"));
}

#[test]
fn only_auto_gets_added_text_and_its_prefix_stays_the_same() {
    let server = Server::demo(&[]);
    let dumped = |model: &str, more: &[Value]| {
        let (_, mut request) = tool_turns(model).remove(0);
        request["messages"][0]["content"] = json!("hello");
        request["messages"].as_array_mut().unwrap().extend_from_slice(more);
        request["messages"].as_array_mut().unwrap().push(json!({ "role": "user", "content": "dump:" }));
        let dump: Value = serde_json::from_str(&content(&server.post(CHAT, &request))).unwrap();
        dump["messages"].as_array().unwrap().clone()
    };
    let result = json!({ "type": "tool_result", "id": "call_1", "text": "found" });
    let turn = dumped("auto", &[]);
    assert_eq!(turn[2]["parts"], json!([result, { "type": "text", "text": "Continue." }]));
    assert_eq!(dumped("gpt-4o", &[])[2]["parts"], json!([result]));
    let next = dumped("auto", &[json!({ "role": "user", "content": "and?" })]);
    assert_eq!(next[..3], turn[..3]);
}

#[test]
fn streams_name_the_routed_model_in_their_last_event() {
    let server = Server::demo(&[]);
    for (path, request) in tool_turns("auto:intelligence") {
        let path = gemini_form::in_mode(&path, true);
        let mut stream = server.stream(&path, &with(request, &json!({ "stream": true })));
        let events: Vec<String> = match path.as_str() {
            "/api/chat" => std::iter::from_fn(|| stream.line()).map(|line| line.to_string()).collect(),
            _ => stream.rest(),
        };
        let named = events.iter().filter(|event| event.contains(r#""routed_model":"gpt-5.4""#)).count();
        assert_eq!(named, 1, "{path}");
    }
}

#[test]
fn tier_comes_from_the_name_else_from_the_setting() {
    let settings = UserSettings { auto_tier: "intelligence".into(), ..user_settings() };
    let (server, _simulated, _editor) = server_with(settings);
    let answer = |model: &str| {
        let response = server.post(CHAT, &with(chat("configuration:"), &json!({ "model": model })));
        let configuration: Value = serde_json::from_str(&content(&response)).unwrap();
        (configuration["tier"].clone(), response.json()["model"].clone())
    };
    assert_eq!(answer("auto"), (json!("intelligence"), json!("auto")));
    assert_eq!(answer("auto:balance"), (json!("balance"), json!("auto:balance")));
    assert_eq!(answer("gpt-4o").0, Value::Null);
    let unknown = server.post(CHAT, &with(chat("say:hi"), &json!({ "model": "auto:cheapest" })));
    assert_eq!(unknown.status, 404);
}

#[test]
fn routing_errors_have_their_statuses() {
    let server = Server::demo(&[]);
    for (status, message) in [
        (429, "fail:AutoV2Error Auto request failed with status 402: quota"),
        (429, "fail:AutoV2Error Auto request failed with status 429: slow down"),
        (502, "fail:AutoV2Error Auto request failed with status 404: not found"),
        (400, "fail:Error Auto selected 'gpt-x', which does not support vision, for an image request."),
    ] {
        let response = server.post(CHAT, &with(chat(message), &json!({ "model": "auto" })));
        assert_eq!(response.status, status, "{message} {}", response.text());
    }
}

#[test]
fn prompt_too_long_for_the_routed_model_is_refused_once_that_is_known() {
    let server = Server::demo(&[]);
    let send = |model: &str, tokens: usize| {
        server.post(CHAT, &with(long_conversation(tokens), &json!({ "model": model })))
    };
    assert_eq!(send("auto:efficiency", 10).header(ROUTED), Some("gpt-5-mini"));
    let (status, _, code, message) = send("auto:efficiency", 150_000).error();
    assert_eq!((status, code), (400, json!("context_length_exceeded")), "{message}");
    assert!(message.contains("> 128000 maximum"), "{message}");
    assert_eq!(send("auto:efficiency", 100_000).status, 200);
    assert_eq!(send("auto:intelligence", 150_000).status, 200);
}

/// A long message after a system prompt; what is beyond 32 000 tokens is trimmed by default.
fn long_conversation(tokens: usize) -> Value {
    json!({ "model": "scripted-long", "messages": [
        { "role": "system", "content": "be brief" },
        { "role": "user", "content": "word ".repeat(tokens) },
        { "role": "assistant", "content": "Yes?" },
        { "role": "user", "content": "dump:" },
    ] })
}

#[test]
fn long_context_is_sent_whole() {
    let server = Server::demo(&[]);
    let response = server.post(CHAT, &long_conversation(120_000));
    assert_eq!(response.status, 200);
    let dump: Value = serde_json::from_str(&content(&response)).unwrap();
    assert_eq!(dump["messages"][0]["parts"][0]["text"], "be brief");
    assert_eq!(dump["messages"].as_array().unwrap().len(), 4);
}

#[test]
fn standard_context_refuses_prompts_of_the_long_context_price() {
    let settings = UserSettings { context_size: ContextSize::Standard, ..user_settings() };
    let (server, _simulated, _editor) = server_with(settings);
    let (status, _, code, message) = server.post(CHAT, &long_conversation(120_000)).error();
    assert_eq!((status, code), (400, json!("context_length_exceeded")));
    assert!(message.contains("copilotProxy.contextSize"), "{message}");
    // Found out in the editor, where the long-context price begins at 32 000 tokens.
    let (_, rest) = message.split_once("> ").unwrap();
    let maximum: u64 = rest.split_once(" maximum").unwrap().0.parse().unwrap();
    assert!((31_500..=32_000).contains(&maximum), "{message}");
    assert_eq!(server.post(CHAT, &long_conversation(31_000)).status, 200);
    assert_eq!(server.post(CHAT, &long_conversation(32_000)).status, 400);
    // A model with one price isn't limited.
    let other = with(long_conversation(120_000), &json!({ "model": "scripted-1" }));
    assert_eq!(server.send(&Request::post(CHAT, &other)).status, 200);
}

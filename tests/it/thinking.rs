//! Thinking in every dialect: its signature goes to the client, and back to the model that made it.

use copilot_proxy::bridge::protocol::{FromEditor, ProviderError, ResponsePart};
use copilot_proxy::conversation::{Part, Thinking};
use serde_json::{Value, json};

use crate::client::Request;
use crate::editor::{Editor, model};
use crate::gemini_form;
use crate::openai::with;
use crate::server::Server;

const CLAUDE: &str = "claude-sonnet-4";

/// First turn: thinks, signs it and calls a tool. Second turn: shows what came back.
const SCRIPT: &str = "think:Hm.\nsign:sig\nsay:I look.\ncall:look {}\nthen:\ndump:";

fn sealed(text: &str, api: &str) -> Value {
    json!({
        "type": "thinking",
        "text": text,
        "id": "thinking_0",
        "metadata": { "encrypted_content": "sig", "vscode_thinking_origin_api": api },
    })
}

/// The thinking in the request that a `dump:` shows.
fn thinking_in(dump: &str) -> Vec<Value> {
    let dump: Value = serde_json::from_str(dump).unwrap_or_else(|error| panic!("{error}: {dump}"));
    let messages = dump["messages"].as_array().unwrap().clone();
    let parts = messages.into_iter().flat_map(|message| message["parts"].as_array().unwrap().clone());
    parts.filter(|part| part["type"] == "thinking").collect()
}

fn post(server: &Server, path: &str, body: &Value) -> Value {
    let response = server.post(path, body);
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

fn messages_request(model: &str, messages: &[Value]) -> Value {
    json!({
        "model": model,
        "max_tokens": 1000,
        "thinking": { "type": "adaptive" },
        "tools": [{ "name": "look", "input_schema": { "type": "object" } }],
        "messages": messages,
    })
}

/// Both turns of a tool loop of the Messages API; `change` edits the blocks of the first response.
fn messages_loop(server: &Server, models: [&str; 2], change: impl Fn(&mut Value)) -> Vec<Value> {
    let mut messages = vec![json!({ "role": "user", "content": SCRIPT })];
    let mut first = post(server, "/v1/messages", &messages_request(models[0], &messages));
    assert_eq!(first["content"][0]["thinking"], "Hm.");
    let call = first["content"][2]["id"].clone();
    change(&mut first["content"]);
    messages.push(json!({ "role": "assistant", "content": first["content"] }));
    let result = json!({ "type": "tool_result", "tool_use_id": call, "content": "seen" });
    messages.push(json!({ "role": "user", "content": [result] }));
    let second = post(server, "/v1/messages", &messages_request(models[1], &messages));
    thinking_in(second["content"][0]["text"].as_str().unwrap())
}

#[test]
fn signature_of_messages_is_sent_back_to_its_model() {
    let server = Server::demo(&[]);
    assert_eq!(messages_loop(&server, ["gpt-5-mini"; 2], |_| {}), [sealed("Hm.", "responses")]);
}

#[test]
fn signature_is_sent_to_no_other_model() {
    let server = Server::demo(&[]);
    assert_eq!(messages_loop(&server, ["gpt-5-mini", "scripted-1"], |_| {}), [] as [Value; 0]);
}

#[test]
fn foreign_and_damaged_signatures_are_ignored() {
    let server = Server::demo(&[]);
    for signature in ["", "EqQBCgIYAhIM1gbcDa9GJwZA2b3h", "copilot-proxy:r1:AAAA"] {
        let thinking =
            messages_loop(&server, ["gpt-5-mini"; 2], |blocks| blocks[0]["signature"] = json!(signature));
        assert_eq!(thinking, [] as [Value; 0], "{signature}");
    }
}

#[test]
fn signature_outlives_the_server() {
    let messages = [json!({ "role": "user", "content": "think:Hm.\nsign:sig\nsay:Yes." })];
    let first = post(&Server::demo(&[]), "/v1/messages", &messages_request(CLAUDE, &messages));
    let later = [
        messages[0].clone(),
        json!({ "role": "assistant", "content": first["content"] }),
        json!({ "role": "user", "content": "dump:" }),
    ];
    let second = post(&Server::demo(&[]), "/v1/messages", &messages_request(CLAUDE, &later));
    let dump = second["content"][0]["text"].as_str().unwrap();
    assert_eq!(thinking_in(dump), [sealed("Hm.", "messages")]);
}

#[test]
fn streamed_signature_is_that_of_the_whole_message() {
    let server = Server::demo(&[]);
    let messages = [json!({ "role": "user", "content": "think:Hm.\nsign:sig\nsay:Yes." })];
    let mut request = messages_request(CLAUDE, &messages);
    let whole = post(&server, "/v1/messages", &request);
    request["stream"] = json!(true);
    let events = server.stream("/v1/messages", &request).rest();
    let signatures: Vec<Value> = events
        .iter()
        .filter_map(|event| serde_json::from_str::<Value>(event.split_once("data: ")?.1).ok())
        .filter_map(|event| event.pointer("/delta/signature").cloned())
        .collect();
    assert_eq!(signatures, [whole["content"][0]["signature"].clone()]);
}

#[test]
fn encrypted_reasoning_of_responses_is_sent_back_if_included() {
    let server = Server::demo(&[]);
    let tools = json!([{ "type": "function", "name": "look", "parameters": { "type": "object" } }]);
    for (include, reasoning) in
        [(json!(["reasoning.encrypted_content"]), vec![sealed("Hm.", "responses")]), (json!([]), vec![])]
    {
        let mut input = vec![json!({ "role": "user", "content": SCRIPT })];
        let request = |input: &[Value]| {
            json!({
                "model": "gpt-5-mini", "input": input, "tools": tools, "include": include, "store": false,
            })
        };
        let first = post(&server, "/v1/responses", &request(&input));
        let items = first["output"].as_array().unwrap();
        let call_id = items.iter().find_map(|item| item.get("call_id")).unwrap();
        input.extend(items.iter().cloned());
        input.push(json!({ "type": "function_call_output", "call_id": call_id, "output": "seen" }));
        let second = post(&server, "/v1/responses", &request(&input));
        let dump = second["output"][0]["content"][0]["text"].as_str().unwrap();
        assert_eq!(thinking_in(dump), reasoning);
    }
}

#[test]
fn stored_reasoning_is_sent_back_by_previous_response_id() {
    let server = Server::demo(&[]);
    let script = "think:Hm.\nsign:sig\nsay:Yes.";
    let first = post(&server, "/v1/responses", &json!({ "model": "gpt-5-mini", "input": script }));
    let next = json!({ "model": "gpt-5-mini", "input": "dump:", "previous_response_id": first["id"] });
    let second = post(&server, "/v1/responses", &next);
    let dump = second["output"][0]["content"][0]["text"].as_str().unwrap();
    assert_eq!(thinking_in(dump), [sealed("Hm.", "responses")]);
}

#[test]
fn signature_of_a_chat_completion_is_sent_back() {
    let server = Server::demo(&[]);
    let tools = json!([{ "type": "function", "function": { "name": "look" } }]);
    for kept in ["reasoning_details", "reasoning_opaque"] {
        let mut messages = vec![json!({ "role": "user", "content": SCRIPT })];
        let request = |messages: &[Value]| json!({ "model": "gpt-5-mini", "messages": messages, "tools": tools, "reasoning_effort": "high" });
        let first = post(&server, "/v1/chat/completions", &request(&messages));
        let mut answer = first["choices"][0]["message"].clone();
        assert_eq!(answer["reasoning_content"], "Hm.");
        for name in ["reasoning_details", "reasoning_opaque"] {
            if name != kept {
                answer.as_object_mut().unwrap().remove(name).unwrap();
            }
        }
        let call_id = answer["tool_calls"][0]["id"].clone();
        messages.push(answer);
        messages.push(json!({ "role": "tool", "tool_call_id": call_id, "content": "seen" }));
        let second = post(&server, "/v1/chat/completions", &request(&messages));
        let dump = second["choices"][0]["message"]["content"].as_str().unwrap();
        assert_eq!(thinking_in(dump), [sealed("Hm.", "responses")], "{kept}");
    }
}

#[test]
fn signature_of_gemini_is_sent_back_with_thinking_and_without() {
    let server = Server::demo(&[]);
    let path = gemini_form::generate("gpt-5-mini");
    let request = |contents: &[Value]| {
        with(
            gemini_form::request(contents),
            &json!({
                "tools": [{ "functionDeclarations": [{ "name": "look" }] }],
                "generationConfig": { "thinkingConfig": { "includeThoughts": true } },
            }),
        )
    };
    for keeps_thinking in [true, false] {
        let mut contents = vec![gemini_form::text(SCRIPT)];
        let mut first = post(&server, &path, &request(&contents))["candidates"][0]["content"].take();
        let parts = first["parts"].as_array_mut().unwrap();
        assert_eq!(parts[0], json!({ "text": "Hm.", "thought": true }));
        assert!(parts[1]["thoughtSignature"].as_str().is_some_and(|seal| seal.starts_with("copilot-proxy:")));
        let call = parts.last().unwrap()["functionCall"].clone();
        if !keeps_thinking {
            parts.remove(0);
        }
        contents.push(first);
        let response = json!({ "id": call["id"], "name": "look", "response": { "output": "seen" } });
        contents.push(gemini_form::user(&json!([{ "functionResponse": response }])));
        let second = post(&server, &path, &request(&contents));
        let dump = second["candidates"][0]["content"]["parts"][0]["text"].as_str().unwrap();
        let text = if keeps_thinking { "Hm." } else { "" };
        assert_eq!(thinking_in(dump), [sealed(text, "responses")]);
    }
}

#[test]
fn thinking_is_switched_on_and_off_in_every_dialect() {
    let server = Server::demo(&[]);
    let script = "configuration:\nsay:\\n\ndump:";
    let chat = |fields: Value| {
        let body = with(
            json!({ "model": "gpt-5-mini", "messages": [{ "role": "user", "content": script }] }),
            &fields,
        );
        let response = post(&server, "/v1/chat/completions", &body);
        response["choices"][0]["message"]["content"].as_str().unwrap().to_owned()
    };
    let messages = |fields: Value| {
        let messages = [json!({ "role": "user", "content": script })];
        let mut body = messages_request("gpt-5-mini", &messages);
        body.as_object_mut().unwrap().remove("thinking");
        let response = post(&server, "/v1/messages", &with(body, &fields));
        response["content"][0]["text"].as_str().unwrap().to_owned()
    };
    let responses = |fields: Value| {
        let response =
            post(&server, "/v1/responses", &with(json!({ "model": "gpt-5-mini", "input": script }), &fields));
        response["output"][0]["content"][0]["text"].as_str().unwrap().to_owned()
    };
    let ollama = |fields: Value| {
        let body = json!({
            "model": "gpt-5-mini", "stream": false, "messages": [{ "role": "user", "content": script }],
        });
        let response = post(&server, "/api/chat", &with(body, &fields));
        response["message"]["content"].as_str().unwrap().to_owned()
    };
    let gemini = |config: Value| {
        let body = with(
            gemini_form::request(&[gemini_form::text(script)]),
            &json!({ "generationConfig": { "thinkingConfig": config } }),
        );
        let response = post(&server, &gemini_form::generate("gpt-5-mini"), &body);
        response["candidates"][0]["content"]["parts"][0]["text"].as_str().unwrap().to_owned()
    };
    let effort = |level: &str| json!({ "effort": level });
    for (told, enabled, level) in [
        (chat(json!({})), false, None),
        (chat(json!({ "reasoning_effort": "high" })), true, Some("high")),
        (chat(json!({ "reasoning_effort": "none" })), false, Some("low")),
        (messages(json!({})), false, None),
        (
            messages(json!({ "thinking": { "type": "enabled", "budget_tokens": 10_000 } })),
            true,
            Some("medium"),
        ),
        (messages(json!({ "thinking": { "type": "adaptive" } })), true, None),
        (
            messages(json!({ "thinking": { "type": "adaptive" }, "output_config": effort("low") })),
            true,
            Some("low"),
        ),
        (messages(json!({ "thinking": { "type": "disabled" } })), false, Some("low")),
        (messages(json!({ "output_config": effort("high") })), true, Some("high")),
        (responses(json!({ "reasoning": effort("high") })), true, Some("high")),
        (responses(json!({ "reasoning": { "summary": "auto" } })), true, None),
        (responses(json!({ "reasoning": effort("none") })), false, Some("low")),
        (gemini(Value::Null), false, None),
        (gemini(json!({ "thinkingBudget": 10_000 })), true, Some("medium")),
        (gemini(json!({ "thinkingBudget": -1 })), true, None),
        (gemini(json!({ "thinkingLevel": "HIGH" })), true, Some("high")),
        (gemini(json!({ "thinkingBudget": 0 })), false, Some("low")),
        (ollama(json!({ "think": true })), true, None),
        (ollama(json!({ "think": "medium" })), true, Some("medium")),
        (ollama(json!({ "think": false })), false, Some("low")),
    ] {
        let (configuration, dump) = told.split_once('\n').unwrap();
        let configuration: Value = serde_json::from_str(configuration).unwrap();
        let dump: Value = serde_json::from_str(dump).unwrap();
        assert_eq!(configuration["reasoningEffort"].as_str(), level, "{told}");
        assert_eq!(dump["modelOptions"]["_enableThinking"] == json!(true), enabled, "{told}");
    }
}

#[test]
fn request_that_is_rejected_for_its_thinking_is_sent_with_less() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    let mut messages = vec![json!({ "role": "user", "content": "Hi" })];
    client.send(&Request::post("/v1/messages", &messages_request("m", &messages)));
    let (stream, first) = editor.expect_chat();
    assert!(first.include_encrypted_thinking);
    let metadata = json!({ "encrypted_content": "sig" }).as_object().cloned();
    let sealed = Thinking { id: Some("thinking_0".into()), metadata, ..Thinking::text("Hm.") };
    let part = Part::Thinking(sealed.clone());
    editor.send(stream, &FromEditor::Part(ResponsePart { part: part.clone() }));
    editor.respond(stream, "Hello");
    messages.push(json!({ "role": "assistant", "content": client.response().json()["content"] }));
    messages.push(json!({ "role": "user", "content": "And?" }));

    client.send(&Request::post("/v1/messages", &messages_request("m", &messages)));
    let (stream, second) = editor.expect_chat();
    assert_eq!(second.messages[1].parts, [part, Part::text("Hello")]);
    assert_eq!(second.options["_enableThinking"], json!(true));
    let message = "Request Failed: 400 {\"error\":{\"message\":\"Invalid `signature` in `thinking` block\"}}";
    let error = ProviderError { name: "Error".into(), code: None, message: message.into() };
    editor.send(stream, &FromEditor::Failed(error.clone()));
    let (stream, less) = editor.expect_chat();
    assert_eq!(less.messages[1].parts, [Part::text("Hello")]);
    assert_eq!(less.options["_enableThinking"], json!(true));
    editor.send(stream, &FromEditor::Failed(error));
    let (stream, plain) = editor.expect_chat();
    assert_eq!(plain.options.get("_enableThinking"), None);
    editor.respond(stream, "Yes");
    let response = client.response();
    assert_eq!((response.status, &response.json()["content"][0]["text"]), (200, &json!("Yes")));
}

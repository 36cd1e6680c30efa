//! Features that the server adds to responses: stop sequences, token limits, required tool calls, JSON schemas, usage.
//! Tested through OpenAI's API; all dialects share them.

use copilot_proxy::bridge::protocol::{FromEditor, ModelInfo, ResponsePart};
use copilot_proxy::conversation::{Part, ToolCall};
use serde_json::{Value, json};

use crate::client::{Request, Response};
use crate::editor::{Editor, model};
use crate::openai::{CHAT, chat, content, data, dumped, streamed, text_of, until_stats, with};
use crate::server::Server;

/// Text and finish reason of a whole response; checks that a streamed one has the same.
fn whole_and_streamed(server: &Server, script: &str, fields: &Value) -> (String, String) {
    let whole = server.post(CHAT, &with(chat(script), fields));
    assert_eq!(whole.status, 200, "{}", whole.text());
    let finish = |choice: &Value| choice["finish_reason"].as_str().map(str::to_owned);
    let response = (content(&whole), finish(&whole.json()["choices"][0]).unwrap());
    let events = server.stream(CHAT, &with(streamed(script), fields)).rest();
    let reasons = events.iter().filter(|event| event.starts_with("data: {"));
    let reasons: Vec<String> = reasons.filter_map(|event| finish(data(event)["choices"].get(0)?)).collect();
    assert_eq!((text_of(&events), reasons), (response.0.clone(), vec![response.1.clone()]));
    response
}

fn text_and_reason(text: &str, reason: &str) -> (String, String) {
    (text.into(), reason.into())
}

#[test]
fn response_ends_at_the_first_stop_sequence_across_parts() {
    let server = Server::demo(&[]);
    for (script, stop, text) in [
        ("say:one two three", json!(["three", "two"]), "one "),
        ("units:one two three", json!(["two", "wo t"]), "one "),
        ("say:a b c d", json!(["b c", "z"]), "a "),
        ("say:one two", json!(["twofold", "x"]), "one two"),
        ("say:one two", json!("two"), "one "),
    ] {
        let expected = text_and_reason(text, "stop");
        assert_eq!(
            whole_and_streamed(&server, script, &json!({ "stop": stop })),
            expected,
            "{script} {stop}"
        );
    }
}

#[test]
fn stop_sequence_cancels_the_model() {
    let server = Server::demo(&[]);
    let fields = json!({ "stop": ["END", "STOP"] });
    let response = server.post(CHAT, &with(chat("say:all of it END\nhang:"), &fields));
    assert_eq!(content(&response), "all of it ");
    until_stats(&server, &json!({ "started": 1, "completed": 0, "failed": 0, "cancelled": 1, "active": 0 }));
}

#[test]
fn max_tokens_is_enforced() {
    let server = Server::demo(&[]);
    for field in ["max_tokens", "max_completion_tokens"] {
        let (text, reason) =
            whole_and_streamed(&server, "say:one two three four five six", &json!({ field: 3 }));
        assert_eq!((text.as_str(), reason.as_str()), ("one two three", "length"));
    }
    assert_eq!(
        whole_and_streamed(&server, "say:one two", &json!({ "max_tokens": 3 })),
        text_and_reason("one two", "stop")
    );
}

#[test]
fn response_cut_by_the_provider_finishes_with_length() {
    let server = Server::demo(&[]);
    let of = |model: &str| json!({ "model": model });
    // A missing usage part reveals the cut, for models that always send one.
    assert_eq!(
        whole_and_streamed(&server, "say:cut sho\ncut:", &of("scripted-usage")),
        text_and_reason("cut sho", "length")
    );
    assert_eq!(
        whole_and_streamed(&server, "say:whole", &of("scripted-usage")),
        text_and_reason("whole", "stop")
    );
    assert_eq!(whole_and_streamed(&server, "say:whole", &of("scripted-1")), text_and_reason("whole", "stop"));
}

#[test]
fn usage_is_reported_by_the_provider_or_counted() {
    let server = Server::demo(&[]);
    let send = |script: &str, model: &str| server.post(CHAT, &with(chat(script), &json!({ "model": model })));
    let usage = |response: &Response| {
        let usage = &response.json()["usage"];
        ["prompt_tokens", "completion_tokens", "total_tokens"].map(|field| usage[field].as_u64().unwrap())
    };
    let reported = send("say:Hello\nusage:12 34 5", "scripted-1");
    assert_eq!(
        (usage(&reported), reported.header("x-copilot-proxy-usage")),
        ([12, 34, 46], Some("reported"))
    );
    assert_eq!(reported.json()["usage"]["prompt_tokens_details"]["cached_tokens"], 5);

    let counted = send("say:Hello there", "scripted-1");
    let [input, output, total] = usage(&counted);
    assert_eq!((output, total, counted.header("x-copilot-proxy-usage")), (2, input + 2, Some("counted")));
    assert!(input > 3, "{input}");

    let request =
        with(streamed("say:Hello\nusage:12 34 5"), &json!({ "stream_options": { "include_usage": true } }));
    let events = server.stream(CHAT, &request).rest();
    let last = data(&events[events.len() - 2]);
    assert_eq!(last["usage"], reported.json()["usage"], "the same in a stream and in a whole response");
    assert_eq!(last["copilot_proxy"]["usage"], "reported");
}

#[test]
fn oversized_prompt_is_rejected_instead_of_trimmed() {
    let server = Server::demo(&[]);
    let long = "word ".repeat(17_000);
    let request = with(chat(&format!("say:a\n{long}")), &json!({ "model": "scripted-mini" }));
    let (status, kind, code, message) = server.post(CHAT, &request).error();
    assert_eq!((status, kind, code), (400, json!("invalid_request_error"), json!("context_length_exceeded")));
    assert!(
        message.starts_with("prompt is too long: ") && message.ends_with(" tokens > 16384 maximum"),
        "{message}"
    );
    assert_eq!(content(&server.post(CHAT, &with(request, &json!({ "model": "scripted-1" })))), "a");
}

#[test]
fn more_than_128_tools_get_400() {
    let server = Server::demo(&[]);
    let tools = |number: usize| -> Value {
        let tool = |number| json!({ "type": "function", "function": { "name": format!("t{number}") } });
        json!({ "tools": (0..number).map(tool).collect::<Vec<_>>() })
    };
    let (status, _, _, message) = server.post(CHAT, &with(chat("say:a"), &tools(129))).error();
    assert_eq!((status, message.as_str()), (400, "tools: found 129 tools, a request can have at most 128"));
    assert_eq!(dumped(&server, &with(chat("dump:"), &tools(128)))["tools"].as_array().unwrap().len(), 128);
}

fn of_m(request: Value) -> Value {
    with(request, &json!({ "model": "m" }))
}

fn send_call(editor: &mut Editor, stream: u32, name: &str, input: Value) {
    let call = ToolCall { id: format!("id-{stream}"), name: name.into(), input };
    editor.send(stream, &FromEditor::Part(ResponsePart { part: Part::ToolCall(call) }));
    editor.send(stream, &FromEditor::End);
}

#[test]
fn required_tool_call_is_retried_once() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let tool = |name| json!({ "type": "function", "function": { "name": name } });
    let request =
        with(of_m(chat("Hello")), &json!({ "tools": [tool("a"), tool("b")], "tool_choice": "required" }));
    let mut client = server.client();
    client.send(&Request::post(CHAT, &request));
    let (stream_id, chat) = editor.expect_chat();
    // Copilot's provider refuses to demand one of several.
    assert!(!chat.required && chat.tools.len() == 2);
    editor.respond(stream_id, "I would rather not");
    let (again, _) = editor.expect_chat();
    send_call(&mut editor, again, "b", json!({ "x": 1 }));
    let choice = client.response().json()["choices"][0].clone();
    assert_eq!(choice["finish_reason"], "tool_calls");
    assert_eq!(
        choice["message"]["tool_calls"][0]["function"],
        json!({ "name": "b", "arguments": "{\"x\":1}" })
    );

    client.send(&Request::post(CHAT, &request));
    for _ in 0..2 {
        let (stream_id, _) = editor.expect_chat();
        editor.respond(stream_id, "I would rather not");
    }
    let (status, _, code, _) = client.response().error();
    assert_eq!((status, code), (502, json!("bad_answer")));
}

#[test]
fn json_schema_becomes_one_required_tool_and_is_retried_once() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let schema = json!({
        "type": "object",
        "properties": { "age": { "type": "integer" } },
        "required": ["age"],
        "additionalProperties": false,
    });
    let format = json!({ "type": "json_schema", "json_schema": { "name": "person", "schema": schema, "strict": true } });
    let request = with(of_m(chat("How old?")), &json!({ "response_format": format }));
    for (first, needs_retry) in [(json!({ "age": 7 }), false), (json!({ "age": "seven" }), true)] {
        let mut client = server.client();
        client.send(&Request::post(CHAT, &request));
        let (stream_id, chat) = editor.expect_chat();
        assert!(chat.required);
        let [tool] = chat.tools.as_slice() else { panic!("{:?}", chat.tools) };
        assert_eq!(tool.input_schema.as_ref(), Some(&schema));
        send_call(&mut editor, stream_id, &tool.name, first);
        if needs_retry {
            let (again, chat) = editor.expect_chat();
            assert!(chat.messages.len() > 1);
            send_call(&mut editor, again, &tool.name, json!({ "age": 7 }));
        }
        let response = client.response();
        assert_eq!(content(&response), "{\"age\":7}");
        let choice = &response.json()["choices"][0];
        assert_eq!((&choice["finish_reason"], choice["message"].get("tool_calls")), (&json!("stop"), None));
    }
}

#[test]
fn lone_blank_is_dropped_only_before_a_tool_call() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let tool = json!([{ "type": "function", "function": { "name": "a" } }]);
    for (is_called, expected) in [(true, "Hello"), (false, "Hello ")] {
        let mut client = server.client();
        client.send(&Request::post(CHAT, &with(of_m(chat("Hello")), &json!({ "tools": tool }))));
        let (stream_id, _) = editor.expect_chat();
        editor.send_text(stream_id, "Hello");
        editor.send_text(stream_id, " ");
        if is_called {
            send_call(&mut editor, stream_id, "a", json!({}));
        } else {
            editor.send(stream_id, &FromEditor::End);
        }
        assert_eq!(content(&client.response()), expected);
    }
}

#[test]
fn internal_data_parts_of_the_provider_are_dropped() {
    let server = Server::serve(&[]);
    let marked = ModelInfo { reports_usage: true, ..model("m") };
    let mut editor = Editor::with_models(&server.home, &[marked]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &of_m(chat("Hello"))));
    let (stream_id, _) = editor.expect_chat();
    editor.send_text(stream_id, "Hi");
    let data = |mime: &str, base64: &str| {
        let data = copilot_proxy::conversation::Data { mime: mime.into(), base64: base64.into() };
        FromEditor::Part(ResponsePart { part: Part::Data(data) })
    };
    editor.send(stream_id, &data("stateful_marker", "bW9kZWxccmVzcF8x"));
    // {"prompt_tokens":7,"completion_tokens":5,"total_tokens":12}
    editor.send(
        stream_id,
        &data("usage", "eyJwcm9tcHRfdG9rZW5zIjo3LCJjb21wbGV0aW9uX3Rva2VucyI6NSwidG90YWxfdG9rZW5zIjoxMn0="),
    );
    editor.send(stream_id, &FromEditor::End);
    let response = client.response();
    assert_eq!((content(&response).as_str(), response.text().contains("resp_1")), ("Hi", false));
    assert_eq!(response.json()["usage"]["total_tokens"], 12);
}

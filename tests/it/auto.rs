//! Auto mode: the server runs the editor's tools that the model calls, until the model calls none.

use copilot_proxy::bridge::protocol::{
    AutoModeStatus, AutoTools, EditorTool, FromEditor, ResponsePart, StopRequest, ToEditor, ToolOutput,
    Tools, UserSettings, Watch,
};
use copilot_proxy::conversation::{Content, Data, Part, Tool, ToolCall, ToolResult};
use serde_json::{Value, json};

use crate::client::Request;
use crate::editor::{Editor, model, user_settings};
use crate::openai::{CHAT, chat, content, data, read_until, streamed, text_of, until_stats, with};
use crate::server::Server;

fn auto(request: Value) -> Value {
    with(request, &json!({ "use_vscode_tools": true, "tool_execution": "auto" }))
}

#[test]
fn editor_tools_run_until_the_model_calls_none() {
    let server = Server::demo(&[]);
    let script = "say:Let me see. \ncall:read_file {\"path\":\"README.md\"}\ncall:get_time\nthen:\nsay:Done.";
    let response = server.post(CHAT, &auto(chat(script)));
    assert_eq!(content(&response), "Let me see. Done.");
    assert_eq!(response.json()["choices"][0]["finish_reason"], "stop");
    assert_eq!(response.json()["choices"][0]["message"].get("tool_calls"), None);
    let trace = response.json()["copilot_proxy"].to_string();
    for word in ["read_file", "get_time", "2026-01-01T12:00:00Z"] {
        assert!(trace.contains(word), "{trace}");
    }

    let events = server.stream(CHAT, &auto(streamed(script))).rest();
    assert_eq!(text_of(&events), "Let me see. Done.");
    assert_eq!(events.last().map(String::as_str), Some("data: [DONE]"));
    assert!(events.iter().any(|event| event.contains("\"copilot_proxy\"") && event.contains("read_file")));
}

#[test]
fn results_of_every_kind_reach_the_model() {
    let server = Server::demo(&[]);
    let script = "call:get_time\ncall:always_fails {\"message\":\"no luck\"}\ncall:take_screenshot";
    let response = content(&server.post(CHAT, &auto(chat(script))));
    assert!(response.starts_with("tool said: 2026-01-01T12:00:00Z\n"), "{response}");
    for words in ["no luck", "The editor, as it looks now:"] {
        assert!(response.contains(words), "{response}");
    }
}

#[test]
fn response_after_the_last_round_is_text() {
    let server = Server::demo(&[]);
    let script = "call:get_time\nthen:\ncall:get_time\nthen:\ncall:get_time\nthen:\nsay:four";
    for (rounds, text, finish) in [
        (0, "four", "stop"),
        (4, "four", "stop"),
        (3, "four", "length"),
        (2, "four", "length"),
        (10, "four", "stop"),
    ] {
        let request = with(auto(chat(script)), &json!({ "max_tool_rounds": rounds }));
        let response = server.post(CHAT, &request);
        let finish_reason = response.json()["choices"][0]["finish_reason"].clone();
        assert_eq!((content(&response).as_str(), &finish_reason), (text, &json!(finish)), "{rounds} rounds");
        // After two rounds the model calls once more, which is dropped, and then answers.
        let dropped = response.json()["copilot_proxy"]["dropped_calls"].clone();
        assert_eq!(dropped, if rounds == 2 { json!(1) } else { Value::Null });
    }
}

#[test]
fn response_after_the_last_round_has_the_same_tools() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    let request = with(auto(chat("Hello")), &json!({ "model": "m", "max_tool_rounds": 1 }));
    client.send(&Request::post(CHAT, &request));
    send_tools(&mut editor, &["a", "b"]);
    let (stream_id, first) = editor.expect_chat();
    send_calls(&mut editor, stream_id, &["a"]);
    let (tool, _) = expect_invocation(&mut editor);
    send_result(&mut editor, tool, "result");
    let (stream_id, last) = editor.expect_chat();
    assert_eq!((first.tools.len(), &last.tools), (2, &first.tools));
    assert!(last.messages.starts_with(&first.messages));
    send_calls(&mut editor, stream_id, &["b"]);
    let (stream_id, again) = editor.expect_chat();
    assert_eq!(again.tools, first.tools);
    assert!(again.messages.starts_with(&last.messages));
    editor.respond(stream_id, "Words");
    let response = client.response();
    assert_eq!(content(&response), "Words");
    assert_eq!(response.json()["choices"][0]["finish_reason"], "length");
    assert_eq!(response.json()["copilot_proxy"]["dropped_calls"], 1);
}

#[test]
fn calls_of_one_round_run_concurrently() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(auto(chat("Hello")), &json!({ "model": "m" }))));
    send_tools(&mut editor, &["a", "b"]);
    let (stream_id, _) = editor.expect_chat();
    send_calls(&mut editor, stream_id, &["a", "b"]);
    // Both calls are sent before either result.
    let (one, _) = expect_invocation(&mut editor);
    let (two, _) = expect_invocation(&mut editor);
    send_result(&mut editor, two, "second");
    send_result(&mut editor, one, "first");
    let (stream_id, chat) = editor.expect_chat();
    let results: Vec<String> = chat
        .messages
        .last()
        .unwrap()
        .parts
        .iter()
        .map(|part| match part {
            Part::ToolResult(result) => format!("{} {:?}", result.id, result.content),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(results, ["id-a [Text { text: \"first\" }]", "id-b [Text { text: \"second\" }]"]);
    editor.respond(stream_id, "Both");
    assert_eq!(content(&client.response()), "Both");
}

fn send_tools(editor: &mut Editor, names: &[&str]) {
    let (stream, message) = editor.expect_message();
    assert_eq!(message, ToEditor::ListTools);
    let tool = |name: &&str| EditorTool {
        tool: Tool { name: (*name).into(), description: String::new(), input_schema: None },
        tags: vec![],
    };
    editor.send(stream, &FromEditor::Tools(Tools { tools: names.iter().map(tool).collect() }));
}

fn send_calls(editor: &mut Editor, stream: u32, names: &[&str]) {
    for name in names {
        let call = ToolCall { id: format!("id-{name}"), name: (*name).into(), input: json!({}) };
        editor.send(stream, &FromEditor::Part(ResponsePart { part: Part::ToolCall(call) }));
    }
    editor.send(stream, &FromEditor::End);
}

fn expect_invocation(editor: &mut Editor) -> (u32, String) {
    match editor.expect_message() {
        (stream, ToEditor::InvokeTool(invoke)) => (stream, invoke.name),
        other => panic!("no tool: {other:?}"),
    }
}

fn send_result(editor: &mut Editor, stream: u32, text: &str) {
    let content = vec![Content::Text { text: text.into() }];
    editor.send(stream, &FromEditor::ToolOutput(ToolOutput { content }));
}

#[test]
fn images_of_tools_have_their_true_type_or_become_text() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(auto(chat("Hello")), &json!({ "model": "m" }))));
    send_tools(&mut editor, &["a"]);
    let (stream_id, _) = editor.expect_chat();
    send_calls(&mut editor, stream_id, &["a"]);
    let (tool, _) = expect_invocation(&mut editor);
    let data = |mime: &str, base64: &str| Content::Data(Data { mime: mime.into(), base64: base64.into() });
    let content = vec![data("image/jpg", "iVBORw0KGgo="), data("image/svg+xml", "PHN2Zy8+")];
    editor.send(tool, &FromEditor::ToolOutput(ToolOutput { content }));
    let (stream_id, chat) = editor.expect_chat();
    let words = "[image of type image/svg+xml left out: only PNG, JPEG, GIF or WebP can be shown]";
    let expected = ToolResult {
        id: "id-a".into(),
        content: vec![data("image/png", "iVBORw0KGgo="), Content::Text { text: words.into() }],
        is_error: false,
    };
    assert_eq!(chat.messages.last().unwrap().parts, [Part::ToolResult(expected)]);
    editor.respond(stream_id, "Seen");
    assert_eq!(crate::openai::content(&client.response()), "Seen");
}

#[test]
fn disconnect_cancels_tool_and_model() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    for request in [chat("Hello"), streamed("Hello")] {
        let mut client = server.client();
        client.send(&Request::post(CHAT, &with(auto(request), &json!({ "model": "m" }))));
        send_tools(&mut editor, &["a"]);
        let (stream_id, _) = editor.expect_chat();
        send_calls(&mut editor, stream_id, &["a"]);
        let (tool, _) = expect_invocation(&mut editor);
        drop(client);
        editor.expect_cancel(tool);
    }
    let server = Server::demo(&[]);
    let mut stream = server.stream(CHAT, &auto(streamed("call:get_time\nthen:\nsay:now\nhang:")));
    read_until(&mut stream, "now");
    drop(stream);
    until_stats(&server, &json!({ "started": 2, "completed": 1, "failed": 0, "cancelled": 1, "active": 0 }));
}

#[test]
fn tool_call_of_a_halted_window_fails_and_another_window_goes_on() {
    let server = Server::serve(&["--heartbeat", "50"]);
    let mut halted = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(auto(chat("Hello")), &json!({ "model": "m" }))));
    send_tools(&mut halted, &["a"]);
    let (stream_id, _) = halted.expect_chat();
    send_calls(&mut halted, stream_id, &["a"]);
    let (tool, _) = expect_invocation(&mut halted);
    // From here on the first window reads nothing and so answers no ping.
    let mut other = Editor::attach(&server.home);
    other.send_models(&[model("m")]);
    let (stream_id, chat) = other.expect_chat();
    let content = vec![Content::Text {
        text: "[The tool failed.]\nthe VS Code window of the tool does not respond".into(),
    }];
    let expected = ToolResult { id: "id-a".into(), content, is_error: false };
    assert_eq!(chat.messages.last().unwrap().parts, [Part::ToolResult(expected)]);
    other.respond(stream_id, "Later");
    assert_eq!(crate::openai::content(&client.response()), "Later");
    halted.expect_cancel(tool);
}

#[test]
fn client_tool_calls_are_returned_and_finished_rounds_stored() {
    let server = Server::demo(&[]);
    let own = json!([{ "type": "function", "function": { "name": "mine" } }]);
    let request = with(
        auto(chat("call:get_time\ncall:mine {\"a\":1}\nthen:\ndump:\nthen:\ndump:")),
        &json!({ "tools": own }),
    );
    let response = server.post(CHAT, &request).json();
    let choice = &response["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    let calls = choice["message"]["tool_calls"].as_array().unwrap();
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0]["function"], json!({ "name": "mine", "arguments": "{\"a\":1}" }));

    let mut next = request.clone();
    let messages = next["messages"].as_array_mut().unwrap();
    messages.push(choice["message"].clone());
    messages.push(json!({ "role": "tool", "tool_call_id": calls[0]["id"], "content": "my result" }));
    let response = server.post(CHAT, &next);
    let dump: Value = serde_json::from_str(&content(&response)).unwrap();
    let messages = dump["messages"].to_string();
    for words in ["2026-01-01T12:00:00Z", "my result", "get_time", "mine"] {
        assert!(messages.contains(words), "{messages}");
    }
}

#[test]
fn tool_denied_by_the_user_is_not_offered() {
    let server = Server::serve(&[]);
    let _models = server.simulate();
    let simulated = server.get("/health").json()["models_available"].as_u64().unwrap();
    let mut person = Editor::attach(&server.home);
    let auto_tools =
        AutoTools { allow: vec!["get_*".into(), "read_file".into()], deny: vec!["*_time".into()] };
    person.send(
        0,
        &FromEditor::UserSettings(UserSettings { port: server.port, auto_tools, ..user_settings() }),
    );
    person.send_models(&[model("m")]);
    person.expect_status(|status| u64::from(status.models) == simulated + 1);
    let response = server.post(CHAT, &auto(chat("dump:")));
    let dump: Value = serde_json::from_str(&content(&response)).unwrap();
    let names: Vec<&str> =
        dump["tools"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["get_open_editors", "read_file"]);
}

#[test]
fn editor_lost_between_rounds_ends_the_stream_with_an_error_event() {
    let server = Server::serve(&["--window-wait", "100"]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(auto(streamed("Hello")), &json!({ "model": "m" }))));
    send_tools(&mut editor, &["a"]);
    let (stream_id, _) = editor.expect_chat();
    editor.send_text(stream_id, "Wait.");
    let mut stream = client.stream();
    read_until(&mut stream, "Wait.");
    send_calls(&mut editor, stream_id, &["a"]);
    expect_invocation(&mut editor);
    drop(editor);
    let events = stream.rest();
    assert!(data(events.last().unwrap())["error"]["message"].is_string(), "{events:?}");
}

#[test]
fn stopped_session_cancels_its_tools_and_fails_its_stream() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    editor.send(0, &FromEditor::Watch(Watch { enabled: true }));
    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(auto(streamed("Hello")), &json!({ "model": "m" }))));
    send_tools(&mut editor, &["a"]);
    let (stream_id, _) = editor.expect_chat();
    editor.send_text(stream_id, "Wait.");
    let mut stream = client.stream();
    read_until(&mut stream, "Wait.");
    send_calls(&mut editor, stream_id, &["a"]);
    let (tool, _) = expect_invocation(&mut editor);

    let running = Some(AutoModeStatus { round: 1, running_tools: vec!["a".into()] });
    let record = loop {
        let activity = editor.expect_activity();
        if let Some(record) = activity.requests.into_iter().find(|record| record.auto_mode == running) {
            break record;
        }
    };
    editor.send(0, &FromEditor::StopRequest(StopRequest { id: record.id }));
    editor.expect_cancel(tool);
    let events = stream.rest();
    let error = &data(events.last().unwrap())["error"];
    assert_eq!(error["message"], "the request was cancelled in Copilot Proxy", "{events:?}");
}

#[test]
fn server_stop_stops_sessions_between_rounds() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(auto(streamed("Hello")), &json!({ "model": "m" }))));
    send_tools(&mut editor, &["a"]);
    let (stream_id, _) = editor.expect_chat();
    editor.send_text(stream_id, "Wait.");
    let mut stream = client.stream();
    read_until(&mut stream, "Wait.");
    send_calls(&mut editor, stream_id, &["a"]);
    let (tool, _) = expect_invocation(&mut editor);
    editor.send(0, &FromEditor::Stop);
    editor.expect_cancel(tool);
    let events = stream.rest();
    assert_eq!(data(events.last().unwrap())["error"]["message"], "Copilot Proxy was stopped", "{events:?}");
}

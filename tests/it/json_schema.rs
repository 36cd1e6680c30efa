//! JSON of a schema in every dialect: the model is instructed, its response is validated and retried once.

use copilot_proxy::bridge::protocol::{Chat, FromEditor, ResponsePart};
use copilot_proxy::conversation::{Part, ToolCall};
use serde_json::{Value, json};

use crate::client::Request;
use crate::editor::{Editor, model};
use crate::openai::with;
use crate::server::Server;

/// Path and body of each dialect, and the place of the content in its response.
fn dialects() -> [(&'static str, Value, &'static str); 4] {
    let schema = json!({
        "type": "object",
        "properties": { "age": { "type": "integer" } },
        "required": ["age"],
    });
    let messages = json!([{ "role": "user", "content": "How old?" }]);
    let named = json!({ "type": "json_schema", "name": "person", "schema": schema });
    let inner = json!({ "name": "person", "schema": schema });
    let format = json!({ "type": "json_schema", "schema": schema });
    [
        (
            "/v1/chat/completions",
            json!({ "messages": messages, "response_format": { "type": "json_schema", "json_schema": inner } }),
            "/choices/0/message/content",
        ),
        (
            "/v1/messages",
            json!({ "messages": messages, "max_tokens": 100, "output_config": { "format": format } }),
            "/content/0/text",
        ),
        (
            "/v1/responses",
            json!({ "input": messages, "text": { "format": named } }),
            "/output/0/content/0/text",
        ),
        ("/api/chat", json!({ "messages": messages, "format": schema }), "/message/content"),
    ]
}

fn request(path: &str, body: &Value, stream: bool) -> Request {
    Request::post(path, &with(body.clone(), &json!({ "model": "m", "stream": stream })))
}

fn call_output(editor: &mut Editor, stream: u32, chat: &Chat, input: Value) {
    let name = chat.tools.last().unwrap().name.clone();
    let call = ToolCall { id: format!("id_{stream}"), name, input };
    editor.send(stream, &FromEditor::Part(ResponsePart { part: Part::ToolCall(call) }));
    editor.send(stream, &FromEditor::End);
}

fn last_text(chat: &Chat) -> &str {
    match chat.messages.last().unwrap().parts.as_slice() {
        [Part::Text { text }] => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn text_instead_of_json_is_retried_once() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    for (path, body, content) in dialects() {
        let mut client = server.client();
        client.send(&request(path, &body, false));
        let (stream, first) = editor.expect_chat();
        let name = first.tools[0].name.clone();
        assert!(first.required && last_text(&first).contains(&format!("`{name}`")), "{path}");
        editor.respond(stream, "She is seven.");
        let (stream, second) = editor.expect_chat();
        assert!(second.messages.starts_with(&first.messages), "{path}");
        assert!(last_text(&second).contains(&format!("`{name}`")), "{path}");
        call_output(&mut editor, stream, &second, json!({ "age": 7 }));
        let response = client.response();
        assert_eq!(response.json().pointer(content), Some(&json!("{\"age\":7}")), "{}", response.text());
    }
}

#[test]
fn second_invalid_response_is_an_error_without_its_text() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    for (path, body, _) in dialects() {
        for is_streamed in [false, true] {
            let mut client = server.client();
            client.send(&request(path, &body, is_streamed));
            let (stream, _) = editor.expect_chat();
            editor.respond(stream, "She is seven.");
            let (stream, chat) = editor.expect_chat();
            call_output(&mut editor, stream, &chat, json!({ "age": "seven" }));
            let response = client.response();
            assert_eq!(response.status, 502, "{path}: {}", response.text());
            assert!(!response.text().contains("She is"), "{path}: {}", response.text());
        }
    }
}

#[test]
fn calls_beside_json_follow_the_tool_choice() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let (path, body, content) = dialects().into_iter().next().unwrap();
    let tools = json!([{ "type": "function", "function": { "name": "look" } }]);
    for (choice, is_dropped) in [("auto", false), ("none", true)] {
        let mut client = server.client();
        let fields = json!({ "tools": tools, "tool_choice": choice });
        client.send(&request(path, &with(body.clone(), &fields), false));
        let (stream, chat) = editor.expect_chat();
        let names: Vec<&str> = chat.tools.iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!((names, chat.required), (vec!["look", "person"], false));
        let look = ToolCall { id: "look".into(), name: "look".into(), input: json!({}) };
        editor.send(stream, &FromEditor::Part(ResponsePart { part: Part::ToolCall(look) }));
        call_output(&mut editor, stream, &chat, json!({ "age": 7 }));
        let response = client.response().json();
        assert_eq!(response.pointer(content), Some(&json!("{\"age\":7}")));
        assert_eq!(response["copilot_proxy"]["dropped_calls"] == 1, is_dropped, "{response}");
        let finish = if is_dropped { "stop" } else { "tool_calls" };
        assert_eq!(response["choices"][0]["finish_reason"], finish);
    }
}

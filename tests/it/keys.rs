//! The user's API keys: what a named key permits, and that a revoked one is of no use at once.

use copilot_proxy::bridge::protocol::FromEditor;
use copilot_proxy::bridge::protocol::{Outcome, PersonKey, ToEditor, Watch, Window};
use serde_json::{Value, json};

use crate::budgets::{models, respond};
use crate::client::{Request, Stream};
use crate::editor::{Editor, model, person_key};
use crate::openai::{CHAT, chat, streamed, with};
use crate::server::Server;
use crate::wait::until;

/// A server whose user has these keys, and its editor with the models `large` and `small`.
fn serve_with(keys: &[PersonKey]) -> (Server, Editor) {
    let server = Server::serve(&[]);
    let mut editor = Editor::attach(&server.home);
    // Messages of an editor are handled in order: the keys before the models.
    editor.send_keys(keys);
    editor.send_models(&[model("large"), model("small")]);
    editor.expect_status(|status| status.models == 2);
    (server, editor)
}

fn keyed(request: Request, key: &str) -> Request {
    request.header("x-api-key", key)
}

#[test]
fn key_is_accepted_in_the_header_of_every_vendor() {
    let (server, _editor) = serve_with(&[person_key("one", "sesame"), person_key("two", "other")]);
    for (name, value, status) in [
        ("authorization", "Bearer sesame", 200),
        ("authorization", "Bearer other", 200),
        ("authorization", "Bearer Sesame", 401),
        ("x-api-key", "sesame", 200),
        ("x-api-key", "sesam", 401),
        ("x-goog-api-key", "sesame", 200),
        ("x-goog-api-key", "", 401),
    ] {
        let response = server.send(&Request::get("/v1/models").header(name, value));
        assert_eq!(response.status, status, "{name}: {value}");
    }
    assert_eq!(server.get("/v1/models?key=sesame").status, 401);
    let refused = server.get("/v1/models").error();
    assert!(refused.3.contains("Manage Keys"), "{refused:?}");
}

#[test]
fn restricted_key_sees_and_uses_its_models_only() {
    let ci = PersonKey { models: vec!["sm*".into()], ..person_key("ci", "sesame") };
    let (server, mut editor) = serve_with(&[ci]);
    let list = server.send(&keyed(Request::get("/v1/models"), "sesame")).json();
    assert_eq!((list["data"].as_array().map(Vec::len), &list["data"][0]["id"]), (Some(1), &json!("small")));
    let tags = server.send(&keyed(Request::get("/api/tags"), "sesame")).json();
    assert_eq!(tags["models"].as_array().map(Vec::len), Some(1));

    let message = "the key `ci` may not use the model `large`; it may use: sm*";
    let large = |path: &str| {
        keyed(
            Request::post(path, &with(chat("Hello"), &json!({ "model": "large", "max_tokens": 9 }))),
            "sesame",
        )
    };
    let refused = server.send(&large(CHAT));
    assert_eq!(
        refused.error(),
        (403, json!("invalid_request_error"), json!("model_not_allowed"), message.into())
    );
    let refused = server.send(&large("/v1/messages"));
    assert_eq!(
        (refused.status, &refused.json()["error"]),
        (403, &json!({ "type": "permission_error", "message": message }))
    );
    let refused = server.send(&large("/api/chat"));
    assert_eq!((refused.status, refused.json()), (403, json!({ "error": message })));

    // A request that names no model gets a permitted one.
    let mut client = server.client();
    let nameless = json!({ "messages": [{ "role": "user", "content": "Hello" }] });
    client.send(&keyed(Request::post(CHAT, &nameless), "sesame"));
    let (stream, chat) = editor.expect_chat();
    assert_eq!(chat.model, "small");
    editor.respond(stream, "Hello");
    assert_eq!(client.response().status, 200);
}

#[test]
fn key_without_permission_for_tools_sees_and_runs_none() {
    let without = PersonKey { tools: false, ..person_key("ci", "sesame") };
    let (server, mut editor) = serve_with(&[without, person_key("mine", "other")]);
    let message = "this key may not use the editor's tools";
    let auto = with(chat("Hello"), &json!({ "tool_execution": "auto" }));
    for request in [Request::get("/v1/tools"), Request::post(CHAT, &auto)] {
        let (status, _, code, text) = server.send(&keyed(request, "sesame")).error();
        assert_eq!((status, code), (403, json!("tools_not_allowed")));
        assert!(text.starts_with(message), "{text}");
    }
    let mut client = server.client();
    client.send(&keyed(Request::get("/v1/tools"), "other"));
    assert!(matches!(editor.expect_message(), (_, ToEditor::ListTools)));
}

#[test]
fn record_and_usage_have_the_name_of_the_key() {
    let (server, mut editor) = serve_with(&[person_key("ci", "sesame")]);
    let mut client = server.client();
    client.send(&keyed(Request::post(CHAT, &with(chat("Hello"), &json!({ "model": "small" }))), "sesame"));
    let (stream, _) = editor.expect_chat();
    editor.respond(stream, "Hello");
    assert_eq!(client.response().status, 200);
    editor.send(0, &FromEditor::Watch(Watch { enabled: true }));
    let activity = editor.expect_activity();
    assert_eq!(activity.requests[0].key.as_deref(), Some("ci"));
    until("the usage of the key", || {
        let usage = server.send(&keyed(Request::get("/v1/usage?by=key"), "sesame")).json();
        (usage["data"][0]["key"] == "ci").then_some(())
    });
}

/// A streamed request in each dialect, and its last event when its key is revoked.
fn streams() -> Vec<(&'static str, Value, &'static str)> {
    let hello =
        json!({ "messages": [{ "role": "user", "content": "Hello" }], "model": "small", "stream": true });
    let gemini = json!({ "contents": [{ "role": "user", "parts": [{ "text": "Hello" }] }] });
    vec![
        (CHAT, with(streamed("Hello"), &json!({ "model": "small" })), r#""code":"invalid_api_key""#),
        (
            "/v1/messages",
            with(hello.clone(), &json!({ "max_tokens": 9 })),
            r#""type":"authentication_error""#,
        ),
        (
            "/v1/responses",
            json!({ "input": "Hello", "model": "small", "stream": true }),
            r#""response.failed""#,
        ),
        ("/v1beta/models/small:streamGenerateContent?alt=sse", gemini, r#"UNAUTHENTICATED"#),
        ("/api/chat", hello, r#""error":"#),
    ]
}

/// The rest of a stream: lines of JSON in Ollama's dialect, events in the others.
fn events_of(mut stream: Stream, path: &str) -> Vec<String> {
    if path.starts_with("/api/") {
        return std::iter::from_fn(|| stream.line().map(|line| line.to_string())).collect();
    }
    stream.rest()
}

#[test]
fn revoked_key_ends_its_open_streams_at_once_with_an_error() {
    let both = [person_key("one", "sesame"), person_key("two", "other")];
    for (path, body, last) in streams() {
        let (server, mut editor) = serve_with(&both);
        let mut open = |key: &str| -> (Stream, u32) {
            let mut client = server.client();
            client.send(&keyed(Request::post(path, &body), key));
            let (stream, _) = editor.expect_chat();
            editor.send_text(stream, "half");
            (client.stream(), stream)
        };
        let (revoked, revoked_id) = open("sesame");
        let (other, other_id) = open("other");

        editor.send_keys(&both[1..]);

        let events = events_of(revoked, path);
        let end = events.iter().rev().find(|event| event.contains("was revoked in VS Code"));
        assert!(end.is_some_and(|end| end.contains(last)), "{path}: {events:?}");
        editor.expect_cancel(revoked_id);
        assert_eq!(server.send(&keyed(Request::get("/v1/models"), "sesame")).status, 401);
        editor.send(other_id, &FromEditor::End);
        let events = events_of(other, path);
        assert!(!events.iter().any(|event| event.contains("revoked")), "{path}: {events:?}");
    }
}

#[test]
fn revoked_key_ends_a_request_that_waits_for_its_whole_response() {
    let (server, mut editor) = serve_with(&[person_key("one", "sesame")]);
    let mut client = server.client();
    client.send(&keyed(Request::post(CHAT, &with(chat("Hello"), &json!({ "model": "small" }))), "sesame"));
    let (stream, _) = editor.expect_chat();
    editor.send(0, &FromEditor::Watch(Watch { enabled: true }));
    // The last key is gone: none is necessary any more, and this one is invalid all the same.
    editor.send_keys(&[]);
    let response = client.response();
    assert_eq!((response.status, response.error().2), (401, json!("invalid_api_key")));
    editor.expect_cancel(stream);
    until("the record of the failure", || {
        let activity = editor.expect_activity();
        let failed =
            |outcome: &Outcome| matches!(outcome, Outcome::Failed { kind, .. } if kind == "key_revoked");
        activity.requests.iter().any(|record| failed(&record.outcome)).then_some(())
    });
    assert_eq!(server.get("/v1/models").status, 200);
}

#[test]
fn used_up_limit_of_a_key_refuses_its_requests_only() {
    let server = Server::serve(&[]);
    let mut editor = Editor::attach(&server.home);
    let limited = PersonKey { per_day: Some(2.0), ..person_key("ci", "sesame") };
    editor.send_keys(&[limited, person_key("mine", "other")]);
    editor.send_models(&models());
    editor.expect_status(|status| status.models == 2);
    let request =
        |key: &str| keyed(Request::post(CHAT, &with(chat("Hello"), &json!({ "model": "priced" }))), key);
    let mut spend = |key: &str| {
        let mut client = server.client();
        client.send(&request(key));
        let (stream, _) = editor.expect_chat();
        respond(&mut editor, stream, 2);
        assert_eq!(client.response().status, 200, "{key}");
    };
    spend("sesame");
    let refused = server.send(&request("sesame"));
    assert_eq!((refused.status, refused.error().2), (429, json!("insufficient_quota")), "{}", refused.text());
    spend("other");
}

/// Requests that reach a new server before any window wait for the keys, or end when keys turn out to be necessary.
#[test]
fn keys_hold_from_the_start_of_a_server() {
    let server = Server::serve(&[]);
    let hello = with(chat("Hello"), &json!({ "model": "small" }));
    let large = with(chat("Hello"), &json!({ "model": "large" }));
    let auto = with(chat("Hello"), &json!({ "model": "small", "tool_execution": "auto" }));
    let send = |request: Request| {
        let mut client = server.client();
        client.send(&request);
        client
    };
    let mut refused = [
        send(Request::post(CHAT, &hello)),
        send(keyed(Request::post(CHAT, &hello), "revoked")),
        send(Request::post("/v1/messages", &with(hello.clone(), &json!({ "max_tokens": 9 })))),
        send(Request::post(CHAT, &auto)),
        send(Request::get("/v1/models")),
        send(keyed(Request::get("/v1/models"), "revoked")),
        send(Request::get("/v1/tools")),
        send(Request::post("/mcp", &json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }))),
        send(Request::get("/v1/usage")),
        send(Request::get("/metrics")),
        send(Request::get("/ui/api/usage")),
    ];
    let mut without_tools = send(keyed(Request::get("/v1/tools"), "sesame"));
    let mut wrong_model = send(keyed(Request::post(CHAT, &large), "sesame"));
    let mut permitted = send(keyed(Request::post(CHAT, &hello), "sesame"));
    assert_eq!(server.get("/health").json()["editors"], 0);

    let mut editor = Editor::attach_silently(&server.home, Window::default());
    editor.expect_status(|status| status.editors == 1);
    let ci = PersonKey { models: vec!["sm*".into()], tools: false, ..person_key("ci", "sesame") };
    editor.send_keys(&[ci]);
    editor.send_models(&[model("large"), model("small")]);
    let (stream, chat) = editor.expect_chat();
    assert_eq!(chat.model, "small");
    editor.respond(stream, "Hello");
    assert_eq!(permitted.response().status, 200);
    for (index, client) in refused.iter_mut().enumerate() {
        let response = client.response();
        assert_eq!(response.status, 401, "{index}: {}", response.text());
    }
    assert_eq!(without_tools.response().status, 403);
    assert_eq!(wrong_model.response().error().2, json!("model_not_allowed"));
}

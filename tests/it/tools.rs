//! The editor's tools: `GET /v1/tools`, and requests that use them.

use copilot_proxy::bridge::protocol::{
    EditorTool, Folder, FromEditor, ToEditor, Tools, UserSettings, Window,
};
use copilot_proxy::conversation::Tool;
use serde_json::{Value, json};

use crate::client::{Request, Response};
use crate::editor::{Editor, model, user_settings};
use crate::gemini_form;
use crate::openai::{CHAT, chat, dumped, with};
use crate::server::Server;
use crate::wait::until;

fn names(response: &Response) -> Vec<String> {
    assert_eq!(response.status, 200, "{}", response.text());
    let list = response.json();
    assert_eq!(list["object"], "list");
    list["data"].as_array().unwrap().iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn tools_are_listed_with_schema_and_tags() {
    let server = Server::demo(&[]);
    let response = server.get("/v1/tools");
    assert_eq!(
        names(&response),
        [
            "get_open_editors",
            "list_directory",
            "read_file",
            "get_time",
            "take_screenshot",
            "wait_a_while",
            "always_fails",
            "demo_web_search",
            "demo_fetch_page",
        ]
    );
    let tool = &response.json()["data"][2];
    assert_eq!(
        *tool,
        json!({
            "name": "read_file",
            "description": "Reads a file of the workspace.",
            "inputSchema": tool["inputSchema"],
            "tags": ["vscode", "workspace"],
        })
    );
    assert_eq!(tool["inputSchema"]["required"], json!(["path"]));
    assert_eq!(names(&server.get("/tools")), names(&response));
    assert_eq!(server.send(&Request::new("HEAD", "/v1/tools")).status, 200);
}

#[test]
fn tools_are_filtered_by_all_tags_and_by_name() {
    let server = Server::demo(&[]);
    for (query, expected) in [
        ("tags=vscode,workspace", &["list_directory", "read_file"][..]),
        ("tags=vscode,%20editor", &["get_open_editors"]),
        ("tags=nobody", &[]),
        ("tags=", &names(&server.get("/v1/tools")).iter().map(String::as_str).collect::<Vec<_>>()),
        ("name=GET_*", &["get_open_editors", "get_time"]),
        ("name=get_t?me", &["get_time"]),
        ("name=get", &[]),
        ("name=*e*&tags=vscode,editor", &["get_open_editors"]),
    ] {
        assert_eq!(names(&server.get(&format!("/v1/tools?{query}"))), expected, "{query}");
    }
}

#[test]
fn tools_without_an_editor_get_503_with_a_hint() {
    let server = Server::serve(&["--window-wait", "100"]);
    let (status, _, code, message) = server.get("/v1/tools").error();
    assert_eq!((status, code), (503, json!("no_models")));
    assert!(message.contains("open VS Code"), "{message}");
}

/// Statuses of requests from an origin: three that use the editor's tools, and one that doesn't.
fn statuses_from(server: &Server, origin: &str) -> Vec<u16> {
    let chat_with = |fields: Value| Request::post(CHAT, &with(chat("say:a"), &fields));
    [
        Request::get("/v1/tools"),
        chat_with(json!({ "use_vscode_tools": true })),
        chat_with(json!({ "tool_execution": "auto" })),
        chat_with(json!({})),
    ]
    .map(|request| server.send(&request.header("origin", origin)).status)
    .into()
}

#[test]
fn pages_of_other_origins_may_not_use_editor_tools() {
    let server = Server::demo(&["--allow-origin", "*"]);
    for origin in
        ["https://page.test", "null", "http://localhost.evil.test", "file://", "chrome-extension://abc"]
    {
        assert_eq!(statuses_from(&server, origin), [403, 403, 403, 200], "{origin}");
    }
    for origin in ["http://localhost:3000", "https://127.0.0.1", "http://[::1]:5173", "vscode-webview://abc"]
    {
        assert_eq!(statuses_from(&server, origin), [200, 200, 200, 200], "{origin}");
    }
    let refused = server.send(&Request::get("/v1/tools").header("origin", "https://page.test"));
    let (_, _, code, message) = refused.error();
    assert_eq!(code, json!("origin_not_allowed"));
    assert!(message.contains("copilotProxy.toolOrigins"), "{message}");
    assert_eq!(refused.header("access-control-allow-origin"), Some("*"));
}

#[test]
fn tool_origins_may_use_tools_and_unlisted_origins_get_403() {
    let server = Server::serve(&[]);
    let _editor = server.simulate();
    let mut editor = Editor::attach(&server.home);
    editor.send(
        0,
        &FromEditor::UserSettings(UserSettings {
            port: server.port,
            tool_origins: vec!["https://mine.test".into()],
            allowed_origins: vec!["https://mine.test".into(), "https://friend.test".into()],
            ..user_settings()
        }),
    );
    until("the settings to apply", || (statuses_from(&server, "https://mine.test")[0] == 200).then_some(()));
    // The window focused last is the simulated one; its tools are used.
    assert_eq!(statuses_from(&server, "https://mine.test"), [200, 200, 200, 200]);
    assert_eq!(statuses_from(&server, "https://friend.test"), [403, 403, 403, 200]);
    assert_eq!(statuses_from(&server, "https://page.test"), [403, 403, 403, 403]);
    assert_eq!(statuses_from(&server, "http://localhost:3000"), [200, 200, 200, 200]);
}

#[test]
fn use_vscode_tools_adds_all_editor_tools() {
    let server = Server::demo(&[]);
    let own = json!({ "type": "function", "function": { "name": "get_time", "description": "Mine." } });
    let request = with(chat("dump:"), &json!({ "use_vscode_tools": true, "tools": [own] }));
    let dump = dumped(&server, &request);
    let tools = dump["tools"].as_array().unwrap();
    assert_eq!(tools.len(), 9);
    // The request's own tool comes first and replaces the editor's.
    assert_eq!((&tools[0]["name"], &tools[0]["description"]), (&json!("get_time"), &json!("Mine.")));
    assert_eq!(tools.iter().filter(|tool| tool["name"] == "get_time").count(), 1);
}

fn window(folder: &str, focused: bool) -> Window {
    let folder = Folder { name: folder.into(), path: format!("/home/me/{folder}") };
    Window { focused, folders: vec![folder] }
}

fn respond_with_tool(editor: &mut Editor, name: &str) {
    match editor.expect_message() {
        (stream, ToEditor::ListTools) => {
            let tool = Tool { name: name.into(), description: String::new(), input_schema: None };
            editor.send(stream, &FromEditor::Tools(Tools { tools: vec![EditorTool { tool, tags: vec![] }] }));
        }
        other => panic!("no request for tools: {other:?}"),
    }
}

#[test]
fn tools_come_from_the_named_or_last_focused_window() {
    let server = Server::serve(&[]);
    let mut one = Editor::attach_with(&server.home, window("one", true));
    one.send_models(&[model("m")]);
    let mut other = Editor::attach_with(&server.home, window("other", true));
    other.send_models(&[model("m"), model("n")]);
    other.expect_status(|status| status.models == 2);
    let check = |editor: &mut Editor, header: Option<&str>| {
        let mut client = server.client();
        let request = Request::get("/v1/tools");
        client.send(&match header {
            Some(workspace) => request.header("x-copilot-proxy-workspace", workspace),
            None => request,
        });
        respond_with_tool(editor, "here");
        assert_eq!(names(&client.response()), ["here"]);
    };
    check(&mut other, None);
    check(&mut one, Some("one"));
    check(&mut one, Some("/home/me/one/"));
    check(&mut other, Some("/home/me/other"));
    one.send(0, &FromEditor::Window(window("renamed", true)));
    one.send_models(&[model("m"), model("o")]);
    one.expect_status(|status| status.models == 3);
    check(&mut one, None);
    check(&mut one, Some("renamed"));
    let unknown = server.send(&Request::get("/v1/tools").header("x-copilot-proxy-workspace", "one"));
    let (status, _, _, message) = unknown.error();
    assert_eq!(status, 400);
    assert!(message.contains("no VS Code window has the folder `one` open"), "{message}");
}

/// Two windows; the one focused last doesn't list its tools.
fn halted_and_other(server: &Server) -> (Editor, Editor) {
    let other = Editor::attach_with(&server.home, window("other", true));
    let mut halted = Editor::attach_with(&server.home, window("halted", true));
    halted.send_models(&[model("m")]);
    halted.expect_status(|status| status.models == 1);
    (halted, other)
}

/// Waits for a request for tools that is cancelled without a response.
fn expect_cancelled_listing(editor: &mut Editor) {
    let (stream, message) = editor.expect_message();
    assert_eq!(message, ToEditor::ListTools);
    editor.expect_cancel(stream);
}

#[test]
fn tools_of_the_next_window_replace_those_not_listed_in_time() {
    let server = Server::serve(&["--list-tools-timeout", "50"]);
    let (mut halted, mut other) = halted_and_other(&server);
    let mut client = server.client();
    client.send(&Request::get("/v1/tools"));
    expect_cancelled_listing(&mut halted);
    respond_with_tool(&mut other, "here");
    assert_eq!(names(&client.response()), ["here"]);

    // A request that names a window gets the tools of no other.
    client.send(&Request::get("/v1/tools").header("x-copilot-proxy-workspace", "halted"));
    expect_cancelled_listing(&mut halted);
    assert_eq!(client.response().error().2, json!("tools_timeout"));
}

#[test]
fn tools_not_listed_in_time_by_any_window_get_504() {
    let server = Server::serve(&["--list-tools-timeout", "50"]);
    let (mut halted, mut other) = halted_and_other(&server);
    let messages = json!([{ "role": "user", "content": "Hello" }]);
    for (path, fields) in [
        ("/v1/chat/completions", json!({ "messages": messages })),
        ("/v1/messages", json!({ "messages": messages, "max_tokens": 9 })),
        ("/v1/responses", json!({ "input": "Hello" })),
        ("/api/chat", json!({ "messages": messages })),
        ("/v1beta/models/m:generateContent", gemini_form::request(&gemini_form::contents(&messages))),
    ] {
        for extension in [json!({ "use_vscode_tools": true }), json!({ "tool_execution": "auto" })] {
            let mut client = server.client();
            let body = with(with(fields.clone(), &extension), &json!({ "model": "m" }));
            client.send(&Request::post(path, &body));
            expect_cancelled_listing(&mut halted);
            expect_cancelled_listing(&mut other);
            let response = client.response();
            assert_eq!(response.status, 504, "{path}: {}", response.text());
            assert!(response.text().contains("VS Code did not list its tools within 0.05 seconds"), "{path}");
        }
    }
}

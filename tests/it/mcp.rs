//! The MCP server at `/mcp`, message by message, in both eras of the protocol.

use copilot_proxy::bridge::protocol::{EditorTool, FromEditor, ToEditor, ToolOutput, Tools, UserSettings};
use copilot_proxy::conversation::{Content, Data, Tool};
use serde_json::{Value, json};

use crate::client::{Client, Request, Response, Stream};
use crate::editor::{Editor, model, person_key, user_settings};
use crate::server::Server;
use crate::wait::until;

const MCP: &str = "/mcp";
const STATELESS: &str = "2026-07-28";
const BOTH: &str = "application/json, text/event-stream";

fn post(message: &Value) -> Request {
    Request::post(MCP, message).header("accept", BOTH)
}

fn message(id: i32, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

/// A request of the older era.
fn in_session(session: &str, message: &Value) -> Request {
    post(message).header("mcp-session-id", session).header("mcp-protocol-version", "2025-11-25")
}

/// A request of the newer era.
fn stateless(id: i32, method: &str, mut params: Value) -> Request {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!(STATELESS);
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    let name = params["name"].as_str().map(str::to_owned);
    let request = post(&message(id, method, params))
        .header("mcp-protocol-version", STATELESS)
        .header("mcp-method", method);
    match name {
        Some(name) => request.header("mcp-name", &name),
        None => request,
    }
}

fn call(name: &str, arguments: Value) -> Value {
    json!({ "name": name, "arguments": arguments })
}

/// Begins a session; returns its id.
fn begin(server: &Server) -> String {
    let client = json!({ "name": "test", "version": "1" });
    let params = json!({ "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client });
    let response = server.send(&post(&message(0, "initialize", params)));
    assert_eq!(response.status, 200, "{}", response.text());
    let session = response.header("mcp-session-id").expect("a session").to_owned();
    let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
    assert_eq!(server.send(&in_session(&session, &initialized)).status, 202);
    session
}

fn result(response: &Response) -> Value {
    assert_eq!(response.status, 200, "{}", response.text());
    let body = response.json();
    assert_eq!((&body["jsonrpc"], &body["error"]), (&json!("2.0"), &Value::Null), "{body}");
    body["result"].clone()
}

/// Status, code and message of an error.
fn error(response: &Response) -> (u16, i64, String) {
    let body = response.json();
    let code = body["error"]["code"].as_i64().unwrap_or_else(|| panic!("no error: {body}"));
    (response.status, code, body["error"]["message"].as_str().unwrap().to_owned())
}

fn names(result: &Value) -> Vec<String> {
    let tools = result["tools"].as_array().unwrap_or_else(|| panic!("no tools: {result}"));
    tools.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect()
}

/// The next message of a stream; skips signs of life.
fn event(stream: &mut Stream) -> Option<Value> {
    loop {
        let event = stream.event()?;
        if let Some(data) = event.strip_prefix("data: ") {
            return Some(serde_json::from_str(data).unwrap());
        }
        assert_eq!(event, ": ping");
    }
}

fn open_stream(server: &Server, session: &str) -> Stream {
    let mut client = server.client();
    client.send(&Request::get(MCP).header("accept", "text/event-stream").header("mcp-session-id", session));
    let stream = client.stream();
    assert_eq!(stream.head.status, 200);
    assert_eq!(stream.head.header("content-type"), Some("text/event-stream"));
    stream
}

fn send(server: &Server, request: &Request) -> Client {
    let mut client = server.client();
    client.send(request);
    client
}

#[test]
fn session_lists_and_calls_the_tools_of_the_editor() {
    let server = Server::demo(&[]);
    for (requested, expected) in
        [("2025-11-25", "2025-11-25"), ("2025-06-18", "2025-06-18"), ("1999-01-01", "2025-11-25")]
    {
        let params = json!({ "protocolVersion": requested, "capabilities": {} });
        let found = result(&server.send(&post(&message(0, "initialize", params))));
        assert_eq!(found["protocolVersion"], expected);
        assert_eq!(found["capabilities"], json!({ "tools": { "listChanged": true } }));
        assert_eq!(found["serverInfo"]["name"], "copilot-proxy");
    }
    let session = begin(&server);
    let ask = |id, method: &str, params| server.send(&in_session(&session, &message(id, method, params)));
    assert_eq!(result(&ask(1, "ping", json!({}))), json!({}));
    let list = result(&ask(2, "tools/list", json!({})));
    assert_eq!(names(&list).len(), 9);
    assert_eq!(list["tools"][2]["inputSchema"]["required"], json!(["path"]));
    assert_eq!(list.get("resultType"), None);
    let read = result(&ask(3, "tools/call", call("read_file", json!({ "path": "docs/notes.md" }))));
    let text = "- Say hello to everybody\n- Say it twice\n";
    assert_eq!(read, json!({ "content": [{ "type": "text", "text": text }], "isError": false }));
    let picture = result(&ask(4, "tools/call", call("take_screenshot", json!({}))));
    assert_eq!(
        (&picture["content"][1]["type"], &picture["content"][1]["mimeType"]),
        (&json!("image"), &json!("image/png"))
    );
    let failed = result(&ask(5, "tools/call", call("always_fails", json!({ "message": "no" }))));
    assert_eq!(failed, json!({ "content": [{ "type": "text", "text": "no" }], "isError": true }));
    assert_eq!(ask(6, "tools/call", call("get_time", json!({}))).json()["id"], 6);
}

#[test]
fn stateless_requests_need_no_session() {
    let server = Server::demo(&[]);
    let ask = |method: &str, params| server.send(&stateless(1, method, params));
    let discovered = result(&ask("server/discover", json!({})));
    assert_eq!(discovered["supportedVersions"][0], STATELESS);
    assert_eq!(discovered["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "copilot-proxy");
    assert_eq!(discovered["resultType"], "complete");
    let list = result(&ask("tools/list", json!({})));
    assert_eq!(names(&list).len(), 9);
    assert_eq!((&list["cacheScope"], list["ttlMs"].is_u64()), (&json!("private"), true));
    let time = result(&ask("tools/call", call("get_time", json!({}))));
    assert_eq!(
        (&time["content"][0]["text"], &time["resultType"]),
        (&json!("2026-01-01T12:00:00Z"), &json!("complete"))
    );
    let response = ask("tools/list", json!({}));
    assert_eq!(response.header("mcp-session-id"), None);
}

#[test]
fn both_eras_get_clear_errors() {
    let server = Server::demo(&[]);
    let session = begin(&server);
    let raw = |body: &str| Request::new("POST", MCP).header("mcp-session-id", &session).body(body);
    for (request, expected, words) in [
        (raw("{"), (400, -32700), "not valid JSON"),
        (raw("\u{fffd}"), (400, -32700), "not valid JSON"),
        (raw(&"[".repeat(100_000)), (400, -32700), "recursion limit"),
        (raw("[]"), (400, -32600), "found a batch"),
        (raw("3"), (400, -32600), "expected an object"),
        (raw(r#"{"id":1,"method":"ping"}"#), (400, -32600), "jsonrpc"),
        (raw(r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#), (400, -32600), "id: expected"),
        (
            raw(r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":3}"#),
            (400, -32602),
            "params: found a number",
        ),
        (post(&message(1, "tools/list", json!({}))), (400, -32600), "Mcp-Session-Id is missing"),
        (in_session("gone", &message(1, "ping", json!({}))), (404, -32600), "begin a new one"),
        (in_session(&session, &message(1, "resources/list", json!({}))), (200, -32601), "resources/list"),
        (in_session(&session, &message(1, "initialize", json!({}))), (200, -32602), "protocolVersion"),
        (in_session(&session, &message(1, "tools/call", json!({}))), (200, -32602), "params.name: missing"),
        (
            in_session(&session, &message(1, "tools/call", call("gone", json!({})))),
            (200, -32602),
            "unknown tool `gone`",
        ),
        (
            in_session(&session, &message(1, "tools/call", call("get_time", json!([])))),
            (200, -32602),
            "arguments: found an array",
        ),
        (in_session(&session, &message(1, "tools/list", json!({ "cursor": "x" }))), (200, -32602), "cursor"),
        (
            post(&message(1, "ping", json!({}))).header("mcp-protocol-version", "2099-01-01"),
            (400, -32022),
            "unsupported protocol version `2099-01-01`",
        ),
        (stateless(1, "resources/list", json!({})), (404, -32601), "resources/list"),
        (stateless(1, "ping", json!({})), (404, -32601), "ping"),
        (stateless(1, "subscriptions/listen", json!({})), (200, -32602), "params.notifications: missing"),
        (stateless(1, "tools/call", call("gone", json!({}))), (200, -32602), "unknown tool `gone`"),
        (
            post(&message(1, "tools/list", json!({}))).header("mcp-protocol-version", STATELESS),
            (400, -32602),
            "protocolVersion: missing",
        ),
    ] {
        let response = server.send(&request);
        let (status, code, message) = error(&response);
        assert_eq!((status, code), expected, "{message}");
        assert!(message.contains(words), "{message}");
        assert_eq!(response.header("content-type"), Some("application/json"));
    }
    let other_header = stateless(1, "tools/list", json!({})).bytes();
    let other_header =
        String::from_utf8(other_header).unwrap().replace("mcp-method: tools/list", "mcp-method: tools/call");
    let mut client = server.client();
    client.send_bytes(other_header.as_bytes()).unwrap();
    assert_eq!(error(&client.response()).1, -32020);
    // The server goes on.
    assert_eq!(result(&server.send(&in_session(&session, &message(9, "ping", json!({}))))), json!({}));
}

#[test]
fn deleted_session_is_gone_and_its_stream_ends() {
    let server = Server::demo(&[]);
    let session = begin(&server);
    let stream = open_stream(&server, &session);
    let delete = Request::new("DELETE", MCP).header("mcp-session-id", &session);
    assert_eq!(server.send(&delete).status, 204);
    assert!(stream.rest().iter().all(|event| event == ": ping"));
    assert_eq!(server.send(&delete).status, 404);
    assert_eq!(server.send(&in_session(&session, &message(1, "ping", json!({})))).status, 404);
    let stateless = Request::get(MCP).header("mcp-protocol-version", STATELESS);
    assert_eq!(server.send(&stateless).status, 405);
    let wrong = server.send(&Request::new("PUT", MCP));
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("POST, GET, HEAD, DELETE, OPTIONS")));
    assert_eq!(error(&wrong).1, -32600);
}

#[test]
fn slow_call_is_streamed_and_tells_progress_to_those_who_want_it() {
    let server = Server::demo(&["--open-after", "50", "--ping-every", "50"]);
    let session = begin(&server);
    let mut params = call("wait_a_while", json!({ "milliseconds": 2500 }));
    params["_meta"] = json!({ "progressToken": "p" });
    for request in [
        in_session(&session, &message(1, "tools/call", params.clone())),
        stateless(1, "tools/call", params.clone()),
    ] {
        let mut stream = send(&server, &request).stream();
        let mut told = Vec::new();
        let last = loop {
            let message = event(&mut stream).expect("a response");
            if message["method"] != "notifications/progress" {
                break message;
            }
            assert_eq!(message["params"]["progressToken"], "p");
            told.push(message["params"]["progress"].as_u64().unwrap());
        };
        assert_eq!(told, [0, 1, 2]);
        assert_eq!(last["result"]["content"][0]["text"], "waited 2500 ms");
        assert_eq!(event(&mut stream), None);
    }
    // Without a token there are only signs of life, and a client that takes no stream waits.
    let params = call("wait_a_while", json!({ "milliseconds": 300 }));
    let request = in_session(&session, &message(2, "tools/call", params.clone()));
    let events = send(&server, &request).stream().rest();
    assert!(events.len() > 2 && events.iter().rev().skip(1).all(|event| event == ": ping"), "{events:?}");
    let request = Request::post(MCP, &message(3, "tools/call", params))
        .header("accept", "application/json")
        .header("mcp-session-id", &session);
    assert_eq!(result(&server.send(&request))["content"][0]["text"], "waited 300 ms");
}

/// A server with a scripted editor.
fn scripted(arguments: &[&str]) -> (Server, Editor) {
    let server = Server::serve(arguments);
    let editor = Editor::with_models(&server.home, &[model("m")]);
    (server, editor)
}

/// Answers the next request for tools.
fn list(editor: &mut Editor, names: &[&str]) {
    match editor.expect_message() {
        (stream, ToEditor::ListTools) => send_tools(editor, stream, names),
        other => panic!("no request for tools: {other:?}"),
    }
}

/// Answers the next request for tools of the watcher, which must start no MCP servers.
fn poll(editor: &mut Editor, names: &[&str]) {
    match editor.expect_message() {
        (stream, ToEditor::PollTools) => send_tools(editor, stream, names),
        other => panic!("no poll: {other:?}"),
    }
}

fn send_tools(editor: &mut Editor, stream: u32, names: &[&str]) {
    let tool = |name: &&str| {
        let tool = Tool { name: (*name).into(), description: String::new(), input_schema: None };
        EditorTool { tool, tags: vec![] }
    };
    editor.send(stream, &FromEditor::Tools(Tools { tools: names.iter().map(tool).collect() }));
}

/// Waits for the start of the tool; returns the number of its request.
fn expect_call(editor: &mut Editor, name: &str) -> u32 {
    match editor.expect_message() {
        (stream, ToEditor::InvokeTool(invoke)) => {
            assert_eq!(invoke.name, name);
            stream
        }
        other => panic!("no call: {other:?}"),
    }
}

#[test]
fn cancelled_notification_cancels_the_tool() {
    for (open_after, is_streamed) in [("10", true), ("600000", false)] {
        let (server, mut editor) = scripted(&["--open-after", open_after]);
        let session = begin(&server);
        let mut client =
            send(&server, &in_session(&session, &message(1, "tools/call", call("a", json!({})))));
        list(&mut editor, &["a"]);
        let stream = expect_call(&mut editor, "a");
        if is_streamed {
            assert!(client.responds_within(std::time::Duration::from_secs(5)));
        }
        let again = in_session(&session, &message(1, "tools/call", call("a", json!({}))));
        assert!(error(&server.send(&again)).2.contains("id is running"));
        let params = json!({ "requestId": 1, "reason": "no longer needed" });
        let cancel = json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params });
        assert_eq!(server.send(&in_session(&session, &cancel)).status, 202);
        editor.expect_cancel(stream);
        assert_eq!(client.stream().rest(), Vec::<String>::new());
    }
}

#[test]
fn vanished_client_cancels_the_tool_in_both_eras() {
    for open_after in ["1", "600000"] {
        let (server, mut editor) = scripted(&["--open-after", open_after, "--ping-every", "600000"]);
        let session = begin(&server);
        let params = call("a", json!({}));
        for request in [
            in_session(&session, &message(1, "tools/call", params.clone())),
            stateless(1, "tools/call", params.clone()),
        ] {
            let client = send(&server, &request);
            list(&mut editor, &["a"]);
            let stream = expect_call(&mut editor, "a");
            drop(client);
            editor.expect_cancel(stream);
        }
    }
}

#[test]
fn result_keeps_structured_content_and_other_data() {
    let (server, mut editor) = scripted(&[]);
    let mut client = send(&server, &stateless(1, "tools/call", call("a", json!({ "b": [1] }))));
    list(&mut editor, &["a"]);
    let stream = match editor.expect_message() {
        (stream, ToEditor::InvokeTool(invoke)) => {
            assert_eq!(invoke.input, json!({ "b": [1] }));
            stream
        }
        other => panic!("no call: {other:?}"),
    };
    let data = |mime: &str, base64: &str| Content::Data(Data { mime: mime.into(), base64: base64.into() });
    let content = vec![data("application/json", "eyJhIjoxfQ=="), data("application/zip", "UEsDBAA=")];
    editor.send(stream, &FromEditor::ToolOutput(ToolOutput { content }));
    let result = result(&client.response());
    assert_eq!(result["structuredContent"], json!({ "a": 1 }));
    assert_eq!(result["content"][0], json!({ "type": "text", "text": "{\"a\":1}" }));
    assert_eq!(result["content"][1]["resource"]["blob"], "UEsDBAA=");
}

#[test]
fn tools_that_are_denied_or_need_a_chat_are_not_offered() {
    let server = Server::serve(&[]);
    let _simulated = server.simulate();
    let mut editor = Editor::attach(&server.home);
    let mut settings = UserSettings { port: server.port, ..user_settings() };
    settings.auto_tools.deny = vec!["*_file".into()];
    editor.send(0, &FromEditor::UserSettings(settings));
    let list = || names(&result(&server.send(&stateless(1, "tools/list", json!({})))));
    until("the settings", || (list().len() == 8).then_some(()));
    assert!(!list().contains(&"read_file".to_owned()));
    let response =
        server.send(&stateless(1, "tools/call", call("read_file", json!({ "path": "README.md" }))));
    assert_eq!(error(&response).1, -32602);
    let without_token = call("always_fails", json!({ "message": "toolInvocationToken is missing" }));
    assert_eq!(result(&server.send(&stateless(1, "tools/call", without_token)))["isError"], true);
    assert!(!list().contains(&"always_fails".to_owned()));
}

#[test]
fn changed_tools_are_told_in_both_eras() {
    let (server, mut editor) = scripted(&[]);
    let session = begin(&server);
    let mut client = send(&server, &in_session(&session, &message(1, "tools/list", json!({}))));
    list(&mut editor, &["a"]);
    assert_eq!(names(&result(&client.response())), ["a"]);
    // The list changes before the stream is open.
    let mut stream = open_stream(&server, &session);
    let filter = json!({ "notifications": { "toolsListChanged": true, "promptsListChanged": true } });
    let mut subscription = send(&server, &stateless(7, "subscriptions/listen", filter)).stream();
    let meta = json!({ "io.modelcontextprotocol/subscriptionId": 7 });
    assert_eq!(
        event(&mut subscription).unwrap(),
        json!({
            "jsonrpc": "2.0",
            "method": "notifications/subscriptions/acknowledged",
            "params": { "_meta": meta, "notifications": { "toolsListChanged": true } },
        })
    );
    poll(&mut editor, &["a", "b"]);
    assert_eq!(event(&mut stream).unwrap()["method"], "notifications/tools/list_changed");
    // One reading serves both.
    poll(&mut editor, &["a", "b"]);
    poll(&mut editor, &["b"]);
    assert_eq!(event(&mut stream).unwrap()["method"], "notifications/tools/list_changed");
    assert_eq!(
        event(&mut subscription).unwrap(),
        json!({
            "jsonrpc": "2.0", "method": "notifications/tools/list_changed", "params": { "_meta": meta },
        })
    );
    // The end of the port ends both, and is told where the protocol has words for it.
    editor.send(0, &FromEditor::Stop);
    assert_eq!(event(&mut stream), None);
    let end = event(&mut subscription).unwrap();
    assert_eq!(
        (&end["id"], &end["result"]["_meta"]["io.modelcontextprotocol/subscriptionId"]),
        (&json!(7), &json!(7))
    );
    assert_eq!(event(&mut subscription), None);
    while let Some((_, ToEditor::PollTools | ToEditor::Cancel)) = editor.try_receive() {}
}

#[test]
fn later_stream_takes_the_place_of_an_earlier_one() {
    let server = Server::demo(&[]);
    let session = begin(&server);
    let first = open_stream(&server, &session);
    let _second = open_stream(&server, &session);
    assert!(first.rest().iter().all(|event| event == ": ping"));
}

#[test]
fn workspace_selects_the_window() {
    let server = Server::demo(&[]);
    let path = "/mcp?workspace=nowhere";
    let list = message(
        1,
        "tools/list",
        json!({ "_meta": {
        "io.modelcontextprotocol/protocolVersion": STATELESS, "io.modelcontextprotocol/clientCapabilities": {},
    } }),
    );
    let request = |path| {
        Request::post(path, &list)
            .header("accept", BOTH)
            .header("mcp-protocol-version", STATELESS)
            .header("mcp-method", "tools/list")
    };
    let (_, code, text) = error(&server.send(&request(path)));
    assert_eq!(code, -32602);
    assert!(text.contains("no VS Code window has the folder `nowhere` open"), "{text}");
    let by_header = request(MCP).header("x-copilot-proxy-workspace", "nowhere");
    assert_eq!(error(&server.send(&by_header)).2, text);
    assert_eq!(names(&result(&server.send(&request(MCP)))).len(), 9);
}

#[test]
fn calls_are_in_the_metrics_and_cost_nothing() {
    let server = Server::demo(&[]);
    result(&server.send(&stateless(1, "tools/call", call("get_time", json!({})))));
    result(&server.send(&stateless(1, "tools/call", call("always_fails", json!({})))));
    let metrics = server.get("/metrics");
    for outcome in ["tool_result", "tool_error"] {
        let line =
            format!("requests_total{{dialect=\"mcp\",model=\"\",outcome=\"{outcome}\",origin=\"\"}} 1");
        assert!(metrics.text().contains(&line), "{}", metrics.text());
    }
    assert_eq!(server.get("/v1/usage").json()["totals"]["requests"], 0);
}

#[test]
fn foreign_pages_reach_nothing() {
    let server = Server::demo(&["--allow-origin", "*"]);
    let session = begin(&server);
    let requests = || {
        [
            stateless(1, "tools/list", json!({})),
            stateless(1, "tools/call", call("get_time", json!({}))),
            in_session(&session, &message(1, "tools/list", json!({}))),
            post(&message(1, "initialize", json!({ "protocolVersion": "2025-11-25" }))),
            Request::get(MCP).header("mcp-session-id", &session),
            Request::new("DELETE", MCP).header("mcp-session-id", &session),
            Request::new("OPTIONS", MCP).header("access-control-request-method", "POST"),
        ]
    };
    for origin in
        ["https://page.test", "null", "http://localhost.evil.test", "file://", "chrome-extension://abc", "x"]
    {
        for request in requests() {
            let response = server.send(&request.header("origin", origin));
            let headers = &response.headers;
            assert!(
                !headers.iter().any(|(name, _)| name.starts_with("access-control")),
                "{origin}: {headers:?}"
            );
            assert_eq!(error(&response).0, 403, "{origin}");
        }
    }
    // A page that names no origin, as for an image.
    let embedded =
        Request::get(MCP).header("mcp-session-id", &session).header("sec-fetch-site", "cross-site");
    assert_eq!(server.send(&embedded).status, 403);
    // The session is still there.
    for origin in ["http://localhost:6274", "vscode-webview://abc"] {
        let list = in_session(&session, &message(1, "tools/list", json!({}))).header("origin", origin);
        let response = server.send(&list);
        assert_eq!(names(&result(&response)).len(), 9);
        assert_eq!(response.header("access-control-allow-origin"), Some(origin));
        assert!(response.header("access-control-expose-headers").unwrap().contains("mcp-session-id"));
        let preflight = Request::new("OPTIONS", MCP)
            .header("origin", origin)
            .header("access-control-request-headers", "mcp-session-id");
        let response = server.send(&preflight);
        assert_eq!((response.status, response.header("access-control-allow-origin")), (204, Some(origin)));
    }
}

#[test]
fn listed_origin_may_use_tools() {
    let server = Server::serve(&[]);
    let _simulated = server.simulate();
    let mut editor = Editor::attach(&server.home);
    let tool_origins = vec!["https://mine.test".to_owned()];
    let settings = UserSettings { port: server.port, tool_origins, ..user_settings() };
    editor.send(0, &FromEditor::UserSettings(settings));
    let from = |origin: &str| server.send(&stateless(1, "tools/list", json!({})).header("origin", origin));
    until("the settings", || (from("https://mine.test").status == 200).then_some(()));
    assert_eq!(from("https://mine.test").header("access-control-allow-origin"), Some("https://mine.test"));
    assert_eq!(from("https://other.test").status, 403);
}

#[test]
fn key_is_checked_where_one_is_set() {
    let server = Server::serve(&[]);
    let _simulated = server.simulate();
    let mut editor = Editor::attach(&server.home);
    editor.send_keys(&[person_key("mine", "secret")]);
    let list = || stateless(1, "tools/list", json!({}));
    until("the settings", || (server.send(&list()).status == 401).then_some(()));
    assert_eq!(error(&server.send(&list())).1, -32600);
    assert_eq!(names(&result(&server.send(&list().header("authorization", "Bearer secret")))).len(), 9);
}

#[test]
fn missing_window_is_a_clear_error() {
    let server = Server::serve(&["--window-wait", "0"]);
    let (status, code, message) = error(&server.send(&stateless(1, "tools/list", json!({}))));
    assert_eq!((status, code), (200, -32603));
    assert!(message.contains("open VS Code"), "{message}");
    let called = result(&server.send(&stateless(1, "tools/call", call("a", json!({})))));
    assert_eq!(called["isError"], true);
}

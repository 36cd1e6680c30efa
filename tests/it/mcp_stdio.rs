//! `copilot-proxy mcp`: the server's MCP endpoint on standard input and output.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

use copilot_proxy::bridge::protocol::{EditorTool, FromEditor, ToEditor, Tools};
use copilot_proxy::conversation::Tool;
use serde_json::{Value, json};

use crate::editor::{Editor, model};
use crate::server::{Home, Server};
use crate::wait::{DEADLINE, until};

const STATELESS: &str = "2026-07-28";

/// A running `copilot-proxy mcp`.
struct Bridge {
    child: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Bridge {
    fn start(home: &Home, arguments: &[&str]) -> Bridge {
        let mut child = Command::new(env!("CARGO_BIN_EXE_copilot-proxy"))
            .args(["mcp", "--dir", home.path().to_str().unwrap()])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        Bridge { stdin: child.stdin.take(), child, lines }
    }

    fn send(&mut self, message: &Value) {
        self.send_line(&message.to_string());
    }

    fn send_line(&mut self, line: &str) {
        writeln!(self.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    fn receive(&self) -> Value {
        let line = self.lines.recv_timeout(DEADLINE).expect("a message");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }

    fn ask(&mut self, message: &Value) -> Value {
        self.send(message);
        let response = self.receive();
        assert_eq!(response["id"], message["id"], "{response}");
        response
    }

    /// Closes standard input and waits for the end.
    fn end(mut self) {
        self.stdin = None;
        let status = until("the end of the command", || self.child.try_wait().unwrap());
        assert!(status.success());
    }

    fn initialize(&mut self) {
        let client = json!({ "name": "test", "version": "1" });
        let params = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": client });
        let response = self.ask(&request("first", "initialize", params));
        assert_eq!(response["result"]["protocolVersion"], "2025-06-18", "{response}");
        self.send(&json!({ "jsonrpc": "2.0", "method": "notifications/initialized" }));
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn request(id: impl Into<Value>, method: &str, params: Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id.into(), "method": method, "params": params })
}

fn stateless(id: i32, method: &str, mut params: Value) -> Value {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = json!(STATELESS);
    params["_meta"]["io.modelcontextprotocol/clientCapabilities"] = json!({});
    request(id, method, params)
}

fn names(response: &Value) -> Vec<&str> {
    let tools = response["result"]["tools"].as_array().unwrap_or_else(|| panic!("no tools: {response}"));
    tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect()
}

/// Answers the next request for tools.
fn list(editor: &mut Editor, name: &str) {
    let stream = expect(editor, |message| matches!(message, ToEditor::ListTools | ToEditor::PollTools));
    send_tool(editor, stream, name);
}

fn send_tool(editor: &mut Editor, stream: u32, name: &str) {
    let tool = Tool { name: name.into(), description: String::new(), input_schema: None };
    let tools = vec![EditorTool { tool, tags: vec![] }];
    editor.send(stream, &FromEditor::Tools(Tools { tools }));
}

/// Waits for a message that matches; answers requests for tools, as the stream of a session sends them.
fn expect(editor: &mut Editor, matches: impl Fn(&ToEditor) -> bool) -> u32 {
    loop {
        match editor.expect_message() {
            (stream, message) if matches(&message) => return stream,
            (stream, ToEditor::ListTools | ToEditor::PollTools) => send_tool(editor, stream, "a"),
            (_, other) => panic!("unexpected: {other:?}"),
        }
    }
}

#[test]
fn both_eras_work_over_stdio() {
    let server = Server::serve(&[]);
    let _simulated = server.simulate();
    until("the models", || (server.get("/health").json()["models_available"] != 0).then_some(()));
    let mut bridge = Bridge::start(&server.home, &[]);
    let found = bridge.ask(&stateless(1, "server/discover", json!({})));
    assert_eq!(found["result"]["supportedVersions"][0], STATELESS);
    let time = json!({ "name": "get_time", "arguments": {} });
    let called = bridge.ask(&stateless(2, "tools/call", time.clone()));
    assert_eq!(called["result"]["content"][0]["text"], "2026-01-01T12:00:00Z");
    bridge.initialize();
    assert_eq!(names(&bridge.ask(&request(3, "tools/list", json!({})))).len(), 9);
    let called = bridge.ask(&request(4, "tools/call", time));
    assert_eq!(called["result"]["content"][0]["text"], "2026-01-01T12:00:00Z");
    let mut slow = json!({ "name": "wait_a_while", "arguments": { "milliseconds": 300 } });
    slow["_meta"] = json!({ "progressToken": 1 });
    bridge.send(&request(5, "tools/call", slow));
    assert_eq!(bridge.receive()["method"], "notifications/progress");
    assert_eq!(bridge.receive()["id"], 5);
    // Bad lines get the server's errors.
    bridge.send_line("{");
    assert_eq!(bridge.receive()["error"]["code"], -32700);
    bridge.send_line("[]");
    assert_eq!(bridge.receive()["error"]["code"], -32600);
    assert_eq!(bridge.ask(&request(6, "gone", json!({})))["error"]["code"], -32601);
    bridge.end();
}

#[test]
fn cancellation_reaches_the_editor_in_both_eras() {
    let server = Server::serve(&["--open-after", "10"]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    for is_stateless in [true, false] {
        let mut bridge = Bridge::start(&server.home, &[]);
        let call = json!({ "name": "a", "arguments": {} });
        if is_stateless {
            bridge.send(&stateless(7, "tools/call", call));
        } else {
            bridge.initialize();
            bridge.send(&request(7, "tools/call", call));
        }
        let stream = expect(&mut editor, |message| matches!(message, ToEditor::InvokeTool(_)));
        let mut params = json!({ "requestId": 7 });
        if is_stateless {
            params["_meta"] = json!({ "io.modelcontextprotocol/protocolVersion": STATELESS });
        }
        bridge.send(&json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": params }));
        assert_eq!(expect(&mut editor, |message| matches!(message, ToEditor::Cancel)), stream);
        bridge.end();
    }
    while editor.try_receive().is_some() {}
}

#[test]
fn closed_input_cancels_what_still_runs() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut bridge = Bridge::start(&server.home, &[]);
    bridge.send(&stateless(1, "tools/call", json!({ "name": "a" })));
    list(&mut editor, "a");
    let (stream, message) = editor.expect_message();
    assert!(matches!(message, ToEditor::InvokeTool(_)), "{message:?}");
    bridge.end();
    editor.expect_cancel(stream);
}

#[test]
fn changes_of_the_tools_are_passed_on() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut bridge = Bridge::start(&server.home, &[]);
    bridge.initialize();
    list(&mut editor, "a");
    list(&mut editor, "b");
    assert_eq!(bridge.receive()["method"], "notifications/tools/list_changed");
    bridge.end();
    while editor.try_receive().is_some() {}
}

#[test]
fn session_survives_a_new_server() {
    let home = Home::new();
    let mut server = Server::serve_in(&home, &[]);
    // The tools are closed until the keys of a window are known.
    let mut editor = Editor::with_models(&home, &[model("m")]);
    let mut bridge = Bridge::start(&home, &[]);
    bridge.initialize();
    assert_eq!(bridge.ask(&request(1, "ping", json!({})))["result"], json!({}));
    server.process.kill();
    drop(server);
    while editor.try_receive().is_some() {}
    drop(editor);
    let _server = Server::serve_in(&home, &[]);
    let mut editor = Editor::with_models(&home, &[model("m")]);
    bridge.send(&request(2, "ping", json!({})));
    let mut received = [bridge.receive(), bridge.receive()];
    received.sort_by_key(|message| message["id"].is_null());
    assert_eq!((&received[0]["id"], &received[0]["result"]), (&json!(2), &json!({})));
    assert_eq!(received[1]["method"], "notifications/tools/list_changed");
    bridge.end();
    while editor.try_receive().is_some() {}
}

#[test]
fn missing_server_is_named_with_its_remedy() {
    let home = Home::new();
    let output = Command::new(env!("CARGO_BIN_EXE_copilot-proxy"))
        .args(["mcp", "--dir", home.path().to_str().unwrap(), "--url", "http://127.0.0.1:9"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), b"".as_slice()));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("Open VS Code with the Copilot Proxy extension"), "{error}");
}

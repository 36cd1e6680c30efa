//! Long histories on the bridge: an editor gets what is new of them, and everything again if it no longer has the rest.

use copilot_proxy::conversation::{Part, Role};
use serde_json::{Value, json};

use crate::client::Request;
use crate::editor::{Editor, model};
use crate::openai::CHAT;
use crate::server::Server;

/// A request whose history has so many turns of 10 KB, and then one short message.
fn request(turns: usize, last: &str) -> Request {
    let mut messages: Vec<Value> = (0..turns)
        .map(|turn| {
            let role = if turn % 2 == 0 { "user" } else { "assistant" };
            json!({ "role": role, "content": format!("{turn} {}", "größer ".repeat(1250)) })
        })
        .collect();
    messages.push(json!({ "role": "user", "content": last }));
    let tools: Vec<Value> = (0..20)
        .map(|number| {
            let parameters = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
            json!({ "type": "function", "function": { "name": format!("tool_{number}"), "parameters": parameters } })
        })
        .collect();
    Request::post(CHAT, &json!({ "model": "m", "messages": messages, "tools": tools }))
}

/// Runs a request and checks that the editor gets all of it; returns the bytes that it read for it.
fn run(server: &Server, editor: &mut Editor, turns: usize, last: &str) -> u64 {
    let before = editor.bytes_read();
    let mut client = server.client();
    client.send(&request(turns, last));
    let (stream, chat) = editor.expect_chat();
    let read = editor.bytes_read() - before;
    assert_eq!((chat.messages.len(), chat.tools.len()), (turns + 1, 20));
    for (turn, message) in chat.messages.iter().take(turns).enumerate() {
        assert_eq!(message.role, if turn % 2 == 0 { Role::User } else { Role::Assistant });
        assert_eq!(message.parts, [Part::text(format!("{turn} {}", "größer ".repeat(1250)))]);
    }
    assert_eq!(chat.messages.last().unwrap().parts, [Part::text(last)]);
    editor.respond(stream, "Yes");
    let response = client.response();
    assert_eq!(response.json()["choices"][0]["message"]["content"], "Yes");
    read
}

#[test]
fn later_turns_send_what_is_new() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let first = run(&server, &mut editor, 6, "one");
    let second = run(&server, &mut editor, 8, "two");
    let third = run(&server, &mut editor, 8, "three");
    assert!(first > 60_000, "{first}");
    // Two more messages of 11 KB, and then none.
    assert!((20_000..40_000).contains(&second), "{second}");
    assert!(third < 4000, "{third}");
}

#[test]
fn history_that_the_editor_has_dropped_is_sent_again_without_an_error() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let first = run(&server, &mut editor, 6, "one");
    editor.forget_histories();
    let again = run(&server, &mut editor, 6, "two");
    // Log lines and statuses come beside it.
    assert!(first > 60_000 && again > 60_000, "{first} {again}");
    assert!(run(&server, &mut editor, 6, "three") < 4000);
}

#[test]
fn each_window_gets_the_whole_history_once() {
    let server = Server::serve(&[]);
    let mut one = Editor::with_models(&server.home, &[model("m")]);
    let first = run(&server, &mut one, 6, "one");
    drop(one);
    let mut other = Editor::attach(&server.home);
    other.send_models(&[model("m")]);
    assert!(first > 60_000 && run(&server, &mut other, 6, "two") > 60_000);
}

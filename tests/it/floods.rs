//! Editors that flood the server with valid frames, or don't read: they are dropped, memory stays bounded, and other windows
//! are served.

use bytes::BytesMut;
use copilot_proxy::bridge::frames::{Kind, put_message, put_text};
use copilot_proxy::bridge::protocol::{FromEditor, GetExchange, Models, UserSettings, Watch};
use serde_json::json;

use crate::client::Request;
use crate::editor::{Editor, model, user_settings};
use crate::openai::{CHAT, chat, content, with};
use crate::server::Server;
use crate::wait::until;

/// Memory that a flood may take, in bytes: what an editor may send at once, and what the allocator keeps of it.
const MEMORY: u64 = 200 * 1024 * 1024;

/// Number of models in a flood of models.
const FLOODED_MODELS: u32 = 500;

/// Sends these bytes until the server closes the connection.
fn flood(mut editor: Editor, bytes: &[u8]) {
    while editor.send_bytes(bytes).is_ok() {}
    editor.expect_disconnect();
    // Messages that it was sent before don't matter.
    while editor.try_receive().is_some() {}
}

/// Checks that the server drops an editor that sends these bytes without end, with this reason in the log, and that another
/// window is served meanwhile and after.
fn assert_dropped(bytes: &[u8], reason: &str) {
    let server = Server::serve(&[]);
    let mut other = Editor::with_models(&server.home, &[model("m")]);
    let before = server.process.memory();
    let flooder = Editor::attach(&server.home);
    std::thread::scope(|scope| {
        scope.spawn(|| flood(flooder, bytes));
        for count in 2..7 {
            let models: Vec<_> = (0..count).map(|number| model(&format!("m{number}"))).collect();
            other.send_models(&models);
            // The flooder's models may be listed, too.
            other.expect_status(|status| status.models % FLOODED_MODELS == count);
        }
    });
    let line = other.expect_log("editor dropped");
    assert!(line.text.contains(reason), "{}", line.text);
    other.send_models(&[model("m")]);
    other.expect_status(|status| status.models == 1);

    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(chat("Hello"), &json!({ "model": "m" }))));
    let (stream_id, _) = other.expect_chat();
    other.respond(stream_id, "Hello");
    assert_eq!(content(&client.response()), "Hello");
    if let (Some(before), Some(after)) = (before, server.process.memory()) {
        assert!(after < before + MEMORY, "{before} -> {after} bytes");
    }
}

/// Frames of a message about the connection, many times.
fn many(message: &FromEditor) -> BytesMut {
    let mut bytes = BytesMut::new();
    for _ in 0..100 {
        put_message(0, message, &mut bytes).unwrap();
    }
    bytes
}

const TOO_MANY: &str = "it sends more than 50 messages a second about the connection";

#[test]
fn editor_that_floods_with_models_is_dropped() {
    let models = (0..FLOODED_MODELS).map(|number| model(&format!("{number}-{}", "x".repeat(1000)))).collect();
    let models = FromEditor::Models(Models { models });
    assert_dropped(&many(&models), "it sends more than ");
}

#[test]
fn editor_that_floods_with_messages_is_dropped() {
    for message in [
        FromEditor::Watch(Watch { enabled: true }),
        FromEditor::GetExchange(GetExchange { id: "x".into() }),
        FromEditor::Pong,
    ] {
        assert_dropped(&many(&message), TOO_MANY);
    }
}

#[test]
fn editor_that_floods_with_text_of_closed_requests_is_dropped() {
    let mut bytes = BytesMut::new();
    put_text(Kind::Text, 7, &"x".repeat(1024 * 1024), &mut bytes);
    assert_dropped(&bytes, "it sends more than 8 MiB a second that belong to no running request");
}

#[test]
fn editor_with_more_than_1000_models_is_dropped() {
    let models = (0..1001).map(|number| model(&number.to_string())).collect();
    let models = FromEditor::Models(Models { models });
    assert_dropped(&many(&models), "it offers 1001 models, at most 1000 are accepted");
}

#[test]
fn empty_pieces_before_the_hello_end_the_connection() {
    let server = Server::serve(&[]);
    let mut other = Editor::attach(&server.home);
    let mut pieces = Vec::new();
    for stream in 1..=60_000u32 {
        pieces.extend_from_slice(&[5, 0, 0, 0, 3]);
        pieces.extend_from_slice(&stream.to_le_bytes());
    }
    let mut unknown = Editor::connect(&server.home);
    // The server may close the connection before it has read everything.
    let _ = unknown.send_bytes(&pieces);
    unknown.expect_disconnect();
    assert!(other.expect_log("connection dropped before its hello").text.contains("an empty piece"));
}

#[test]
fn editor_that_reads_nothing_is_dropped() {
    let server = Server::serve(&[]);
    let mut other = Editor::with_models(&server.home, &[model("m")]);
    let mut deaf = Editor::attach(&server.home);
    deaf.send(0, &FromEditor::Watch(Watch { enabled: true }));
    // Each log line goes to all windows, and each request to those that show the panel.
    let unknown = json!([{ "role": "x".repeat(3000), "content": "" }]);
    let settings = UserSettings { port: server.port, raw_logging: true, ..user_settings() };
    other.send(0, &FromEditor::UserSettings(settings));
    let mut client = server.client();
    let request = Request::post(CHAT, &json!({ "messages": unknown }));
    loop {
        for _ in 0..100 {
            client.send(&request);
            assert_eq!(client.response().status, 400);
        }
        if other.has_log("editor dropped") {
            break;
        }
    }
    deaf.expect_disconnect();
    assert_eq!(server.editors(), 1);
}

/// A body of 9 MB in many small messages, which leaves holes everywhere when it is freed.
#[test]
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn memory_of_large_requests_is_returned() {
    let server = Server::serve(&[]);
    let _editor = Editor::with_models(&server.home, &[model("m")]);
    let mut messages = vec![json!({ "role": "user", "content": "word ".repeat(20) }); 70_000];
    // The last message is refused, so that a slow machine needn't count the tokens of the others.
    messages.push(json!({ "role": "unknown", "content": "" }));
    let request = Request::post(CHAT, &json!({ "model": "m", "messages": messages }));
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| assert_eq!(server.send(&request).error().0, 400));
        }
    });
    until("less than 60 MB", || (server.process.memory()? < 60_000_000).then_some(()));
}

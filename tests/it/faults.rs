//! Editors that die, that talk nonsense and that are strangers: one connection's fault never harms another.

use bytes::BytesMut;
use copilot_proxy::bridge::frames::{Kind, MAX_PAYLOAD, put_message, put_text};
use copilot_proxy::bridge::protocol::{FromEditor, Hello, PROTOCOL, ProviderError, RefusedReason, ToEditor};
use serde_json::json;

use crate::client::Request;
use crate::editor::{Editor, hello, model};
use crate::openai::{CHAT, chat, complete, content, data, read_until, stream, streamed, text_of, with};
use crate::server::Server;
use crate::wait::until;

#[test]
fn every_stream_of_a_killed_editor_ends_with_an_error_event() {
    let server = Server::serve(&[]);
    let mut editor = server.simulate();
    let mut streams: Vec<_> =
        (0..5).map(|number| stream(&server, &format!("say:so{number} far\nhang:"))).collect();
    for (number, stream) in streams.iter_mut().enumerate() {
        assert_eq!(read_until(stream, "far"), format!("so{number} far"));
    }
    editor.kill();
    for stream in streams {
        let events = stream.rest();
        let error = json!({ "error": {
            "message": "the VS Code window that answered has gone; send the request again",
            "type": "server_error",
            "param": null,
            "code": "editor_gone",
        } });
        assert_eq!(events.iter().map(|event| data(event)).collect::<Vec<_>>(), [error]);
    }
    until("the list of models without the editor's", || {
        (server.get("/health").json()["models_available"] == 0).then_some(())
    });
}

#[test]
fn a_whole_answer_of_a_killed_editor_is_an_error() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(chat("Hello"), &json!({ "model": "m" }))));
    let (asked, _) = editor.expect_chat();
    editor.send_text(asked, "half");
    drop(editor);
    let answer = client.response();
    assert_eq!((answer.error().0, answer.error().2), (503, json!("editor_gone")));
    assert_eq!(answer.header("retry-after"), Some("1"));
}

/// The words that an event adds, whatever its dialect.
fn delta(event: &str) -> String {
    let data = data(event.split_once("data: ").map_or(event, |(name, _)| &event[name.len()..]));
    let places = [&data["choices"][0]["delta"]["content"], &data["delta"]["text"], &data["delta"]];
    places.into_iter().find_map(|words| words.as_str()).unwrap_or_default().to_owned()
}

#[test]
fn what_was_said_just_before_a_failure_is_told_before_it() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let message = json!([{ "role": "user", "content": "Hello" }]);
    for (path, fields, error) in [
        (CHAT, json!({ "messages": message }), "data: {\"error\":"),
        ("/v1/messages", json!({ "messages": message, "max_tokens": 9 }), "event: error\n"),
        ("/v1/responses", json!({ "input": "Hello" }), "event: response.failed\n"),
    ] {
        let mut client = server.client();
        client.send(&Request::post(path, &with(fields, &json!({ "model": "m", "stream": true }))));
        let (asked, _) = editor.expect_chat();
        // In one write: the words have not been taken when the failure comes.
        let mut bytes = BytesMut::new();
        put_text(Kind::Text, asked, "half a sen", &mut bytes);
        put_text(Kind::Text, asked, "tence", &mut bytes);
        let failed = ProviderError { name: "Error".into(), code: None, message: "the line is cut".into() };
        put_message(asked, &FromEditor::Failed(failed), &mut bytes).unwrap();
        editor.send_bytes(&bytes).unwrap();
        let events = client.stream().rest();
        let (last, before) = events.split_last().unwrap();
        assert!(last.starts_with(error), "{path}: {events:?}");
        assert_eq!(before.iter().map(|event| delta(event)).collect::<String>(), "half a sentence", "{path}");
        assert!(last.contains("the line is cut"), "{path}: {events:?}");
    }
}

/// Two editors that have the model `m`; the one that attached first is asked first.
fn two_editors(server: &Server) -> (Editor, Editor) {
    let one = Editor::with_models(&server.home, &[model("m")]);
    let mut other = Editor::attach(&server.home);
    // The second model is how it is seen that the server knows of both editors.
    other.send_models(&[model("m"), model("n")]);
    other.expect_status(|status| status.models == 2);
    (one, other)
}

#[test]
fn a_question_nobody_has_begun_to_answer_moves_to_another_editor() {
    for request in [chat("Hello"), streamed("Hello")] {
        let server = Server::serve(&[]);
        let (mut one, mut other) = two_editors(&server);
        let mut client = server.client();
        client.send(&Request::post(CHAT, &with(request.clone(), &json!({ "model": "m" }))));
        let (_, asked) = one.expect_chat();
        drop(one);
        let (stream, again) = other.expect_chat();
        assert_eq!(again, asked);
        other.respond(stream, "Here I am");
        if request["stream"] == true {
            assert_eq!(text_of(&client.stream().rest()), "Here I am");
        } else {
            assert_eq!(content(&client.response()), "Here I am");
        }
    }
}

#[test]
fn a_window_that_attached_after_the_question_takes_it_over_too() {
    let server = Server::serve(&[]);
    let mut one = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(streamed("Hello"), &json!({ "model": "m" }))));
    let (_, asked) = one.expect_chat();
    let mut other = Editor::attach(&server.home);
    other.send_models(&[model("m"), model("n")]);
    other.expect_status(|status| status.models == 2);
    drop(one);
    let (stream, again) = other.expect_chat();
    assert_eq!(again, asked);
    other.respond(stream, "Here I am");
    assert_eq!(text_of(&client.stream().rest()), "Here I am");
}

#[test]
fn an_editor_whose_model_is_gone_is_asked_for_its_models() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(chat("Hello"), &json!({ "model": "m" }))));
    let (asked, _) = editor.expect_chat();
    let error = ProviderError {
        name: "LanguageModelError".into(),
        code: Some("NotFound".into()),
        message: "test/m".into(),
    };
    editor.send(asked, &FromEditor::Failed(error));
    assert_eq!(client.response().error().2, "provider_unavailable");
    assert_eq!(editor.expect_message(), (0, ToEditor::RefreshModels));
}

#[test]
fn an_answer_that_has_begun_does_not_move() {
    let server = Server::serve(&[]);
    let (mut one, other) = two_editors(&server);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(streamed("Hello"), &json!({ "model": "m" }))));
    let (asked, _) = one.expect_chat();
    one.send_text(asked, "half");
    let mut stream = client.stream();
    read_until(&mut stream, "half");
    drop(one);
    let events = stream.rest();
    assert_eq!(data(events.last().unwrap())["error"]["code"], "editor_gone");
    // Dropped without a message unheard: nobody asked the other one.
    drop(other);
}

/// Says this on a connection of its own, before or after its hello, and waits until the server hangs up; meanwhile
/// another editor is in the middle of an answer.
fn dropped(attached: bool, bytes: &[u8]) {
    let server = Server::serve(&[]);
    let _other = server.simulate();
    let mut answer = stream(&server, "say:before \nwait:200\nsay:after");
    let mut editor = if attached { Editor::attach(&server.home) } else { Editor::connect(&server.home) };
    editor.send_bytes(bytes).expect("a server that reads");
    editor.expect_disconnect();
    assert_eq!(read_until(&mut answer, "after"), "before after");
    assert_eq!(complete(&server, "say:still here"), "still here");
    assert_eq!(server.editors(), 1);
}

fn frame(length: u32, kind: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    [&length.to_le_bytes()[..], &[kind], &stream.to_le_bytes(), payload].concat()
}

fn of(kind: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    frame(5 + u32::try_from(payload.len()).unwrap(), kind, stream, payload)
}

#[test]
fn garbage_ends_a_connection_and_nothing_else() {
    dropped(false, b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
    dropped(true, b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
    dropped(true, &[0xff; 64]);
}

#[test]
fn a_frame_of_the_wrong_length_ends_a_connection_before_it_has_come() {
    let too_long = u32::try_from(5 + MAX_PAYLOAD + 1).unwrap();
    dropped(false, &frame(too_long, 0, 0, b""));
    dropped(true, &frame(too_long, 1, 7, b""));
    dropped(true, &frame(u32::MAX, 1, 7, b""));
    dropped(true, &frame(4, 1, 7, b""));
    dropped(true, &frame(0, 1, 7, b""));
}

#[test]
fn what_is_in_a_frame_must_be_of_its_kind() {
    dropped(true, &of(9, 0, b"{}"));
    dropped(true, &of(0, 0, b"{"));
    dropped(true, &of(0, 0, b"{\"type\":\"sing\"}"));
    dropped(true, &of(1, 7, b"\xff\xfe"));
}

#[test]
fn an_editor_that_ends_inside_a_frame_fails_its_answers() {
    let server = Server::serve(&["--window-wait", "100"]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(chat("Hello"), &json!({ "model": "m" }))));
    let (asked, _) = editor.expect_chat();
    editor.send_bytes(&of(1, asked, b"half a sentence")[..12]).unwrap();
    drop(editor);
    assert_eq!(client.response().error().2, "editor_gone");
}

#[test]
fn words_nobody_asked_for_are_late_and_not_wrong() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    editor.send_text(77, "words of an answer that was cancelled");
    editor.send(77, &FromEditor::End);
    editor.send_models(&[model("m"), model("n")]);
    editor.expect_status(|status| status.models == 2);
    assert_eq!(server.editors(), 1);
}

#[test]
fn a_stranger_without_the_token_is_refused_and_learns_nothing() {
    let server = Server::serve(&[]);
    for token in ["", "0", "00000000000000000000000000000000"] {
        let mut stranger = Editor::connect(&server.home);
        // The token is looked at first: what the stranger says of versions does not matter.
        let hello = Hello { token: token.into(), protocol: PROTOCOL + 1, ..hello(&server.home) };
        stranger.send(0, &FromEditor::Hello(hello));
        let refused = stranger.expect_refused();
        assert_eq!(refused.reason, RefusedReason::Token);
        assert_eq!(refused.message, "the token is not this server's");
        stranger.expect_disconnect();
    }
    assert_eq!(server.editors(), 0);
}

#[test]
fn who_begins_with_something_else_than_a_hello_is_refused() {
    let server = Server::serve(&[]);
    for (stream, message) in
        [(0, FromEditor::Stop), (0, FromEditor::Pong), (1, FromEditor::Hello(hello(&server.home)))]
    {
        let mut stranger = Editor::connect(&server.home);
        stranger.send(stream, &message);
        assert_eq!(stranger.expect_refused().reason, RefusedReason::NotHello);
        stranger.expect_disconnect();
    }
    assert_eq!(server.get("/health").status, 200, "a stranger's Stop is not heeded");
}

#[test]
fn who_says_nothing_is_not_waited_for() {
    let server = Server::serve(&["--handshake-timeout", "1500"]);
    let mut silent = Editor::connect(&server.home);
    let mut half = Editor::connect(&server.home);
    half.send_bytes(&[9, 0, 0]).unwrap();
    silent.expect_disconnect();
    half.expect_disconnect();
    // One that attached in time is left in peace.
    let _editor = Editor::attach(&server.home);
    assert_eq!(server.editors(), 1);
}

#[test]
fn an_older_editor_is_told_to_reload_its_window() {
    let server = Server::serve(&[]);
    let mut old = Editor::connect(&server.home);
    let hello = Hello { protocol: PROTOCOL - 1, version: "0.0.1".into(), ..hello(&server.home) };
    old.send(0, &FromEditor::Hello(hello));
    let refused = old.expect_refused();
    assert_eq!(refused.reason, RefusedReason::EditorTooOld);
    assert_eq!(
        refused.message,
        format!(
            "Copilot Proxy {} is running, this window still has 0.0.1: reload the window",
            env!("CARGO_PKG_VERSION")
        )
    );
    old.expect_disconnect();
    assert_eq!(server.get("/health").status, 200);
}

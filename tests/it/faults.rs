//! Faulty editors: killed, sending garbage or without the token. A fault ends only its own connection.

use bytes::BytesMut;
use copilot_proxy::bridge::frames::{Kind, MAX_PAYLOAD, put_message, put_text};
use copilot_proxy::bridge::protocol::{FromEditor, Hello, PROTOCOL, ProviderError, RefusedReason, ToEditor};
use serde_json::json;

use crate::client::Request;
use crate::disconnects::every_dialect_and_mode;
use crate::editor::{Editor, hello, model};
use crate::gemini_form;
use crate::openai::{CHAT, chat, complete, content, data, read_until, stream, streamed, text_of, with};
use crate::server::Server;
use crate::wait::until;

#[test]
fn streams_of_a_killed_editor_end_with_an_error_event() {
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
            "message": "the connection to the VS Code window was lost; send the request again",
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
fn whole_response_of_a_killed_editor_gets_503() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(chat("Hello"), &json!({ "model": "m" }))));
    let (stream_id, _) = editor.expect_chat();
    editor.send_text(stream_id, "half");
    drop(editor);
    let response = client.response();
    assert_eq!((response.error().0, response.error().2), (503, json!("editor_gone")));
    assert_eq!(response.header("retry-after"), Some("1"));
}

/// The text that an event adds, in any dialect of server-sent events.
fn delta(event: &str) -> String {
    let data = data(event.split_once("data: ").map_or(event, |(name, _)| &event[name.len()..]));
    let places = [
        &data["choices"][0]["delta"]["content"],
        &data["delta"]["text"],
        &data["delta"],
        &data["candidates"][0]["content"]["parts"][0]["text"],
    ];
    places.into_iter().find_map(|text| text.as_str()).unwrap_or_default().to_owned()
}

#[test]
fn text_before_a_failure_is_sent_before_the_error() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let message = json!([{ "role": "user", "content": "Hello" }]);
    for (path, fields, error) in [
        (CHAT, json!({ "messages": message }), "data: {\"error\":"),
        ("/v1/messages", json!({ "messages": message, "max_tokens": 9 }), "event: error\n"),
        ("/v1/responses", json!({ "input": "Hello" }), "event: response.failed\n"),
        (
            "/v1beta/models/m:streamGenerateContent?alt=sse",
            gemini_form::request(&[gemini_form::text("Hello")]),
            "data: {\"error\":",
        ),
    ] {
        let mut client = server.client();
        client.send(&Request::post(path, &with(fields, &json!({ "model": "m", "stream": true }))));
        let (stream_id, _) = editor.expect_chat();
        // One write: the text has not been read yet when the failure arrives.
        let mut bytes = BytesMut::new();
        put_text(Kind::Text, stream_id, "half a sen", &mut bytes);
        put_text(Kind::Text, stream_id, "tence", &mut bytes);
        let failed = ProviderError { name: "Error".into(), code: None, message: "the line is cut".into() };
        put_message(stream_id, &FromEditor::Failed(failed), &mut bytes).unwrap();
        editor.send_bytes(&bytes).unwrap();
        let events = client.stream().rest();
        let (last, before) = events.split_last().unwrap();
        assert!(last.starts_with(error), "{path}: {events:?}");
        assert_eq!(before.iter().map(|event| delta(event)).collect::<String>(), "half a sentence", "{path}");
        assert!(last.contains("the line is cut"), "{path}: {events:?}");
    }
}

#[test]
fn long_error_of_an_editor_is_cut_in_every_dialect_and_mode() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let long = "é".repeat(250_000);
    let json = json!({ "error": { "message": long, "code": long } });
    let texts = [long.clone(), format!("Request Failed: 422 {json}"), json["error"].to_string()];
    for (path, body) in every_dialect_and_mode() {
        for message in &texts {
            for begins in [false, true] {
                let mut client = server.client();
                client.send(&Request::post(&path, &body));
                let (stream_id, _) = editor.expect_chat();
                if begins {
                    editor.send_text(stream_id, "Hello");
                }
                let error = ProviderError { name: "Error".into(), code: None, message: message.clone() };
                editor.send(stream_id, &FromEditor::Failed(error));
                let text = String::from_utf8(client.response().body).unwrap();
                assert!(text.contains("éé...") && text.len() < 30_000, "{path}: {} bytes", text.len());
            }
        }
    }
}

/// Attaches two editors with the model `m`; requests go to the first one.
fn two_editors(server: &Server) -> (Editor, Editor) {
    let one = Editor::with_models(&server.home, &[model("m")]);
    let mut other = Editor::attach(&server.home);
    // The second model shows that the server has the models of both editors.
    other.send_models(&[model("m"), model("n")]);
    other.expect_status(|status| status.models == 2);
    (one, other)
}

#[test]
fn request_without_output_moves_to_another_editor() {
    for request in [chat("Hello"), streamed("Hello")] {
        let server = Server::serve(&[]);
        let (mut one, mut other) = two_editors(&server);
        let mut client = server.client();
        client.send(&Request::post(CHAT, &with(request.clone(), &json!({ "model": "m" }))));
        let (_, first) = one.expect_chat();
        drop(one);
        let (stream_id, retried) = other.expect_chat();
        assert_eq!(retried, first);
        other.respond(stream_id, "Here I am");
        if request["stream"] == true {
            assert_eq!(text_of(&client.stream().rest()), "Here I am");
        } else {
            assert_eq!(content(&client.response()), "Here I am");
        }
    }
}

#[test]
fn request_moves_to_an_editor_that_attached_after_it() {
    let server = Server::serve(&[]);
    let mut one = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(streamed("Hello"), &json!({ "model": "m" }))));
    let (_, first) = one.expect_chat();
    let mut other = Editor::attach(&server.home);
    other.send_models(&[model("m"), model("n")]);
    other.expect_status(|status| status.models == 2);
    drop(one);
    let (stream_id, retried) = other.expect_chat();
    assert_eq!(retried, first);
    other.respond(stream_id, "Here I am");
    assert_eq!(text_of(&client.stream().rest()), "Here I am");
}

#[test]
fn missing_model_triggers_a_refresh_of_the_editors_models() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(chat("Hello"), &json!({ "model": "m" }))));
    let (stream_id, _) = editor.expect_chat();
    let error = ProviderError {
        name: "LanguageModelError".into(),
        code: Some("NotFound".into()),
        message: "test/m".into(),
    };
    editor.send(stream_id, &FromEditor::Failed(error));
    assert_eq!(client.response().error().2, "provider_unavailable");
    assert_eq!(editor.expect_message(), (0, ToEditor::RefreshModels));
}

#[test]
fn response_with_output_does_not_move() {
    let server = Server::serve(&[]);
    let (mut one, other) = two_editors(&server);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(streamed("Hello"), &json!({ "model": "m" }))));
    let (stream_id, _) = one.expect_chat();
    one.send_text(stream_id, "half");
    let mut stream = client.stream();
    read_until(&mut stream, "half");
    drop(one);
    let events = stream.rest();
    assert_eq!(data(events.last().unwrap())["error"]["code"], "editor_gone");
    // The drop checks that the other editor received no request.
    drop(other);
}

/// Sends bytes before or after the handshake and waits until the server closes the connection, while another editor
/// streams a response.
fn assert_disconnects(attached: bool, bytes: &[u8]) {
    let server = Server::serve(&[]);
    let _other = server.simulate();
    let mut response = stream(&server, "say:before \nwait:200\nsay:after");
    let mut editor = if attached { Editor::attach(&server.home) } else { Editor::connect(&server.home) };
    editor.send_bytes(bytes).expect("a server that reads");
    editor.expect_disconnect();
    assert_eq!(read_until(&mut response, "after"), "before after");
    assert_eq!(complete(&server, "say:still here"), "still here");
    assert_eq!(server.editors(), 1);
}

fn frame(length: u32, kind: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    [&length.to_le_bytes()[..], &[kind], &stream.to_le_bytes(), payload].concat()
}

fn valid_frame(kind: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    frame(5 + u32::try_from(payload.len()).unwrap(), kind, stream, payload)
}

#[test]
fn garbage_ends_only_its_connection() {
    assert_disconnects(false, b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
    assert_disconnects(true, b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n");
    assert_disconnects(true, &[0xff; 64]);
}

#[test]
fn frame_with_invalid_length_ends_its_connection_at_once() {
    let too_long = u32::try_from(5 + MAX_PAYLOAD + 1).unwrap();
    assert_disconnects(false, &frame(too_long, 0, 0, b""));
    assert_disconnects(true, &frame(too_long, 1, 7, b""));
    assert_disconnects(true, &frame(u32::MAX, 1, 7, b""));
    assert_disconnects(true, &frame(4, 1, 7, b""));
    assert_disconnects(true, &frame(0, 1, 7, b""));
}

#[test]
fn payload_that_does_not_match_its_kind_ends_its_connection() {
    assert_disconnects(true, &valid_frame(9, 0, b"{}"));
    assert_disconnects(true, &valid_frame(0, 0, b"{"));
    assert_disconnects(true, &valid_frame(0, 0, b"{\"type\":\"sing\"}"));
    assert_disconnects(true, &valid_frame(1, 7, b"\xff\xfe"));
}

#[test]
fn connection_that_ends_inside_a_frame_fails_its_requests() {
    let server = Server::serve(&["--window-wait", "100"]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(chat("Hello"), &json!({ "model": "m" }))));
    let (stream_id, _) = editor.expect_chat();
    editor.send_bytes(&valid_frame(1, stream_id, b"half a sentence")[..12]).unwrap();
    drop(editor);
    assert_eq!(client.response().error().2, "editor_gone");
}

#[test]
fn text_for_an_unknown_stream_is_ignored() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    editor.send_text(77, "text of a cancelled request");
    editor.send(77, &FromEditor::End);
    editor.send_models(&[model("m"), model("n")]);
    editor.expect_status(|status| status.models == 2);
    assert_eq!(server.editors(), 1);
}

#[test]
fn editor_without_the_token_is_refused_before_its_version_is_checked() {
    let server = Server::serve(&[]);
    for token in ["", "0", "00000000000000000000000000000000"] {
        let mut unknown = Editor::connect(&server.home);
        // The token is checked first: the reason isn't the protocol version.
        let hello = Hello { token: token.into(), protocol: PROTOCOL + 1, ..hello(&server.home) };
        unknown.send(0, &FromEditor::Hello(hello));
        let refused = unknown.expect_refused();
        assert_eq!(refused.reason, RefusedReason::Token);
        assert_eq!(refused.message, "the token is not this server's");
        unknown.expect_disconnect();
    }
    assert_eq!(server.editors(), 0);
}

#[test]
fn first_message_other_than_hello_is_refused() {
    let server = Server::serve(&[]);
    for (stream, message) in
        [(0, FromEditor::Stop), (0, FromEditor::Pong), (1, FromEditor::Hello(hello(&server.home)))]
    {
        let mut unknown = Editor::connect(&server.home);
        unknown.send(stream, &message);
        assert_eq!(unknown.expect_refused().reason, RefusedReason::NotHello);
        unknown.expect_disconnect();
    }
    assert_eq!(server.get("/health").status, 200, "a Stop before the handshake is ignored");
}

#[test]
fn connection_without_hello_is_closed_after_the_timeout() {
    let server = Server::serve(&["--handshake-timeout", "1500"]);
    let mut silent = Editor::connect(&server.home);
    let mut half = Editor::connect(&server.home);
    half.send_bytes(&[9, 0, 0]).unwrap();
    silent.expect_disconnect();
    half.expect_disconnect();
    // An editor that attached in time stays connected.
    let _editor = Editor::attach(&server.home);
    assert_eq!(server.editors(), 1);
}

#[test]
fn older_editor_is_refused_with_a_hint_to_reload() {
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

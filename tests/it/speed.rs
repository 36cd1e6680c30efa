//! Latency that a setting of the socket makes or breaks, and models that stop when nobody listens any more.

use std::time::{Duration, Instant};

use copilot_proxy::bridge::protocol::FromEditor;
use serde_json::json;

use crate::client::{Client, Request};
use crate::editor::{Editor, model};
use crate::openai::{CHAT, chat, read_until, stream, streamed, until_stats, with};
use crate::server::Server;

/// Without `tcp_nodelay` a first part waits 44 ms for the client's delayed acknowledgement; with it, it takes
/// far less than a millisecond. In between lies room for a busy machine.
const FIRST_PART: Duration = Duration::from_millis(20);

#[test]
fn a_first_part_does_not_wait_for_an_acknowledgement() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let request = Request::post(CHAT, &with(streamed("Hello"), &json!({ "model": "m" })));
    let mut client = server.client();
    let mut times: Vec<Duration> = (0..21)
        .map(|_| {
            // On a connection that is used again a client's acknowledgements are late, as in real life.
            client.send(&request);
            let (asked, _) = editor.expect_chat();
            // The opening goes out with the first part; what comes after it is what a delay would hold back.
            editor.send_text(asked, "first");
            client.skip_past("first");
            let said = Instant::now();
            editor.send_text(asked, "second");
            client.skip_past("second");
            let time = client.received.last().unwrap().0 - said;
            editor.send(asked, &FromEditor::End);
            client.skip_past("0\r\n\r\n");
            time
        })
        .collect();
    times.sort();
    assert!(times[10] < FIRST_PART, "{times:?}");
}

/// What one answer that was given up leaves in the model's books.
fn one_cancelled() -> serde_json::Value {
    json!({ "started": 1, "completed": 0, "failed": 0, "cancelled": 1, "active": 0 })
}

fn one_active() -> serde_json::Value {
    json!({ "started": 1, "completed": 0, "failed": 0, "cancelled": 0, "active": 1 })
}

/// A client that asks and is being answered.
fn asking(server: &Server, request: &serde_json::Value) -> Client {
    let mut client = server.client();
    client.send(&Request::post(CHAT, request));
    until_stats(server, &one_active());
    client
}

#[test]
fn a_client_that_vanishes_while_the_model_is_silent_cancels_a_whole_answer() {
    let server = Server::demo(&[]);
    drop(asking(&server, &chat("say:a\nhang:")));
    until_stats(&server, &one_cancelled());
}

#[test]
fn a_client_that_vanishes_before_the_first_part_cancels_a_stream() {
    let server = Server::demo(&[]);
    drop(asking(&server, &streamed("hang:")));
    until_stats(&server, &one_cancelled());
}

#[test]
fn a_client_that_vanishes_in_the_middle_of_a_stream_cancels_it() {
    let server = Server::demo(&[]);
    let mut stream = stream(&server, "say:so far\nhang:");
    assert_eq!(read_until(&mut stream, "far"), "so far");
    drop(stream);
    until_stats(&server, &one_cancelled());
}

#[test]
fn a_client_that_only_says_goodbye_has_gone_too() {
    // What a killed process leaves is a FIN and nothing else: no reset, since nobody writes to it.
    let server = Server::demo(&[]);
    let client = asking(&server, &chat("hang:"));
    client.shut_down_write();
    until_stats(&server, &one_cancelled());
}

#[test]
fn the_editor_hears_of_a_cancel_in_any_mode() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    for request in [chat("Hello"), streamed("Hello")] {
        let mut client = server.client();
        client.send(&Request::post(CHAT, &with(request, &json!({ "model": "m" }))));
        let (asked, _) = editor.expect_chat();
        drop(client);
        editor.expect_cancel(asked);
    }
}

//! Latency of chunks on the socket, and cancellation of the model when the client disconnects.

use std::time::{Duration, Instant};

use copilot_proxy::bridge::protocol::FromEditor;
use serde_json::json;

use crate::client::{Client, Request};
use crate::editor::{Editor, model};
use crate::openai::{CHAT, chat, read_until, stream, streamed, until_stats, with};
use crate::server::Server;

/// Without `tcp_nodelay` a chunk waits 44 ms for the client's delayed acknowledgement; with it, it takes far less than
/// a millisecond. The limit leaves time for a busy machine.
const MAX_LATENCY: Duration = Duration::from_millis(20);

#[test]
fn chunks_do_not_wait_for_tcp_acknowledgements() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let request = Request::post(CHAT, &with(streamed("Hello"), &json!({ "model": "m" })));
    let mut client = server.client();
    let mut times: Vec<Duration> = (0..21)
        .map(|_| {
            // Acknowledgements are delayed on a connection that is reused, as clients do.
            client.send(&request);
            let (stream_id, _) = editor.expect_chat();
            // The headers are sent with the first chunk; the second one is what a delayed acknowledgement holds back.
            editor.send_text(stream_id, "first");
            client.skip_past("first");
            let sent = Instant::now();
            editor.send_text(stream_id, "second");
            client.skip_past("second");
            let time = client.received.last().unwrap().0 - sent;
            editor.send(stream_id, &FromEditor::End);
            client.skip_past("0\r\n\r\n");
            time
        })
        .collect();
    times.sort();
    assert!(times[10] < MAX_LATENCY, "{times:?}");
}

/// Counts of the scripted model after one cancelled request.
fn one_cancelled() -> serde_json::Value {
    json!({ "started": 1, "completed": 0, "failed": 0, "cancelled": 1, "active": 0 })
}

/// Counts of the scripted model during one request.
fn one_active() -> serde_json::Value {
    json!({ "started": 1, "completed": 0, "failed": 0, "cancelled": 0, "active": 1 })
}

/// Sends a request and waits until the model runs.
fn send_and_wait(server: &Server, request: &serde_json::Value) -> Client {
    let mut client = server.client();
    client.send(&Request::post(CHAT, request));
    until_stats(server, &one_active());
    client
}

#[test]
fn disconnect_before_a_whole_response_cancels_the_model() {
    let server = Server::demo(&[]);
    drop(send_and_wait(&server, &chat("say:a\nhang:")));
    until_stats(&server, &one_cancelled());
}

#[test]
fn disconnect_before_the_first_part_cancels_the_model() {
    let server = Server::demo(&[]);
    drop(send_and_wait(&server, &streamed("hang:")));
    until_stats(&server, &one_cancelled());
}

#[test]
fn disconnect_during_a_stream_cancels_the_model() {
    let server = Server::demo(&[]);
    let mut stream = stream(&server, "say:so far\nhang:");
    assert_eq!(read_until(&mut stream, "far"), "so far");
    drop(stream);
    until_stats(&server, &one_cancelled());
}

#[test]
fn half_closed_connection_cancels_the_model() {
    // A killed process leaves only a FIN: there is no reset as long as the server writes nothing.
    let server = Server::demo(&[]);
    let client = send_and_wait(&server, &chat("hang:"));
    client.shut_down_write();
    until_stats(&server, &one_cancelled());
}

#[test]
fn disconnect_sends_cancel_to_the_editor_in_both_modes() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    for request in [chat("Hello"), streamed("Hello")] {
        let mut client = server.client();
        client.send(&Request::post(CHAT, &with(request, &json!({ "model": "m" }))));
        let (stream_id, _) = editor.expect_chat();
        drop(client);
        editor.expect_cancel(stream_id);
    }
}

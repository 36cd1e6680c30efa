//! Processes that are halted for a while, as by a suspend of the machine or a debugger.
#![cfg(unix)]

use std::time::{Duration, Instant};

use copilot_proxy::bridge::protocol::ModelInfo;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::json;

use crate::client::Request;
use crate::editor::{Editor, model};
use crate::openai::{CHAT, chat, complete, content, with};
use crate::server::{Process, Server};
use crate::wait::until;

fn signal(process: &Process, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(process.id()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

#[test]
fn frozen_server_keeps_its_editors_and_answers_queued_requests() {
    let server = Server::serve(&["--heartbeat", "5"]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(chat("Hello"), &json!({ "model": "m" }))));
    let (stream_id, _) = editor.expect_chat();

    signal(&server.process, Signal::STOP);
    let frozen = Instant::now();
    editor.respond(stream_id, "Hello");
    let mut late = server.client();
    late.send(&Request::post(CHAT, &with(chat("Later"), &json!({ "model": "m" }))));
    until("a hundred heartbeats", || (frozen.elapsed() > Duration::from_millis(500)).then_some(()));
    signal(&server.process, Signal::CONT);

    assert_eq!(content(&client.response()), "Hello");
    let (stream_id, _) = editor.expect_chat();
    editor.respond(stream_id, "Later");
    assert_eq!(content(&late.response()), "Later");
    assert_eq!(server.editors(), 1);
}

#[test]
fn frozen_editor_is_chosen_last_and_its_requests_time_out() {
    // The model is silent for five heartbeats; three unanswered ones make an editor unresponsive.
    let times = ["--heartbeat", "300", "--model-timeout", "1500", "--list-tools-timeout", "50"];
    let server = Server::serve(&times);
    let halted = server.simulate();
    assert_eq!(complete(&server, "say:here"), "here");
    signal(&halted, Signal::STOP);

    let alone = server.post(CHAT, &chat("say:never"));
    assert_eq!((alone.error().0, alone.error().2), (504, json!("model_timeout")));
    assert_eq!(server.get("/v1/tools").error().2, json!("tools_timeout"));

    // A second window with the same model takes the requests, one after the other. Its other model shows that the server
    // knows its models.
    let mut other = Editor::attach(&server.home);
    other.send_models(&[ModelInfo { vendor: "demo".into(), ..model("scripted-1") }, model("other")]);
    until("the other model", || (server.get("/v1/models/other").status == 200).then_some(()));
    for number in 0..5 {
        let mut client = server.client();
        client.send(&Request::post(CHAT, &with(chat("Hello"), &json!({ "model": "scripted-1" }))));
        let (stream_id, _) = other.expect_chat();
        other.respond(stream_id, &number.to_string());
        assert_eq!(content(&client.response()), number.to_string());
    }

    // The first editor continues without a reconnect.
    signal(&halted, Signal::CONT);
    drop(other);
    until("the first window", || (server.editors() == 1).then_some(()));
    assert_eq!(complete(&server, "say:back"), "back");
}

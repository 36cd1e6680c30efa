//! Questions that come while no window has a model: one that reloads, or has just opened, is waited for.

use copilot_proxy::bridge::protocol::{FromEditor, HttpState};
use serde_json::json;

use crate::client::{Client, Request};
use crate::editor::{Editor, model};
use crate::openai::{CHAT, chat, content, with};
use crate::server::Server;
use crate::wait::until;

/// Longer than a test would wait for anything.
const FOR_EVER: [&str; 2] = ["--window-wait", "600000"];

/// Asks, and sees that the server waits for somebody to ask.
fn waiting(server: &Server) -> Client {
    let client = asking(server);
    until("a question that waits", || (waits(server) > 0).then_some(()));
    client
}

fn asking(server: &Server) -> Client {
    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(chat("Hello"), &json!({ "model": "m" }))));
    client
}

/// How often the log tells that a question waits.
fn waits(server: &Server) -> usize {
    server.process.stderr().matches("waits for a window").count()
}

/// A window asked the question, and its answer arrives.
fn answered(editor: &mut Editor, client: &mut Client) {
    let (stream, _) = editor.expect_chat();
    editor.respond(stream, "Here I am");
    assert_eq!(content(&client.response()), "Here I am");
}

#[test]
fn a_question_waits_for_a_window_that_reloads() {
    let server = Server::serve(&FOR_EVER);
    drop(Editor::with_models(&server.home, &[model("m")]));
    until("the window's leaving", || (server.editors() == 0).then_some(()));
    let mut client = waiting(&server);
    answered(&mut Editor::with_models(&server.home, &[model("m")]), &mut client);
}

#[test]
fn a_question_waits_for_the_models_of_a_window_that_has_just_opened() {
    let server = Server::serve(&FOR_EVER);
    let mut editor = Editor::attach(&server.home);
    let mut client = waiting(&server);
    // Nobody has signed in yet, as it looks at first.
    editor.send_models(&[]);
    until("another wait", || (waits(&server) > 1).then_some(()));
    editor.send_models(&[model("m")]);
    answered(&mut editor, &mut client);
}

#[test]
fn a_question_nobody_has_begun_to_answer_survives_the_reload_of_its_window() {
    let server = Server::serve(&FOR_EVER);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = asking(&server);
    editor.expect_chat();
    drop(editor);
    until("a question that waits", || (waits(&server) > 0).then_some(()));
    answered(&mut Editor::with_models(&server.home, &[model("m")]), &mut client);
}

#[test]
fn the_models_of_a_window_that_reloads_are_waited_for() {
    let server = Server::serve(&FOR_EVER);
    let mut client = server.client();
    client.send(&Request::get("/v1/models"));
    until("a question that waits", || (waits(&server) > 0).then_some(()));
    let _editor = Editor::with_models(&server.home, &[model("m")]);
    assert_eq!(client.response().json()["data"][0]["id"], "m");
}

#[test]
fn the_tools_of_a_window_that_reloads_are_waited_for() {
    let server = Server::serve(&FOR_EVER);
    let mut client = server.client();
    client.send(&Request::get("/v1/tools"));
    until("a question that waits", || (waits(&server) > 0).then_some(()));
    let _editor = server.simulate();
    assert_eq!(client.response().status, 200);
}

#[test]
fn a_question_waits_no_longer_than_a_reload_takes() {
    let server = Server::serve(&["--window-wait", "200"]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = asking(&server);
    editor.expect_chat();
    drop(editor);
    let (status, _, code, _) = client.response().error();
    assert_eq!((status, code), (503, json!("editor_gone")));
    let (status, _, code, _) = asking(&server).response().error();
    assert_eq!((status, code), (503, json!("no_models")));
}

#[test]
fn a_question_for_a_window_without_models_does_not_wait_for_ever() {
    let server = Server::serve(&["--window-wait", "200"]);
    let mut editor = Editor::attach(&server.home);
    editor.send_models(&[]);
    let (status, _, code, message) = asking(&server).response().error();
    assert_eq!((status, code), (503, json!("no_models")));
    assert!(message.contains("sign in"), "{message}");
}

#[test]
fn those_who_wait_for_a_window_are_no_more_than_may_wait_for_anything() {
    let server = Server::serve(&[&FOR_EVER[..], &["--max-waiting", "1"]].concat());
    let mut client = waiting(&server);
    assert_eq!(asking(&server).response().status, 429);
    answered(&mut Editor::with_models(&server.home, &[model("m")]), &mut client);
}

#[test]
fn stop_ends_the_waiting() {
    let server = Server::serve(&FOR_EVER);
    let mut editor = Editor::attach(&server.home);
    let mut client = waiting(&server);
    editor.send(0, &FromEditor::Stop);
    let (status, _, code, _) = client.response().error();
    assert_eq!((status, code), (503, json!("no_models")));
    editor.expect_http(|http| *http == HttpState::Off);
}

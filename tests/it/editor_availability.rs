//! Requests that arrive while no window has a model: they wait for a window that reloads or has just opened.

use copilot_proxy::bridge::protocol::{FromEditor, HttpState};
use serde_json::json;

use crate::client::{Client, Request};
use crate::editor::{Editor, model};
use crate::openai::{CHAT, chat, content, with};
use crate::server::Server;
use crate::wait::until;

/// A timeout longer than any test waits.
const NO_TIMEOUT: [&str; 2] = ["--window-wait", "600000"];

/// Sends a request and checks that it waits for a window.
fn send_and_wait(server: &Server) -> Client {
    let client = send_chat(server);
    until("a request that waits", || (waits(server) > 0).then_some(()));
    client
}

fn send_chat(server: &Server) -> Client {
    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(chat("Hello"), &json!({ "model": "m" }))));
    client
}

/// Number of waits in the log.
fn waits(server: &Server) -> usize {
    server.process.stderr().matches("waits for a window").count()
}

/// Responds to the request in the editor and checks that the client receives it.
fn respond(editor: &mut Editor, client: &mut Client) {
    let (stream, _) = editor.expect_chat();
    editor.respond(stream, "Here I am");
    assert_eq!(content(&client.response()), "Here I am");
}

#[test]
fn request_waits_for_a_reloading_window() {
    let server = Server::serve(&NO_TIMEOUT);
    drop(Editor::with_models(&server.home, &[model("m")]));
    until("the window to leave", || (server.editors() == 0).then_some(()));
    let mut client = send_and_wait(&server);
    respond(&mut Editor::with_models(&server.home, &[model("m")]), &mut client);
}

#[test]
fn request_waits_for_the_models_of_a_new_window() {
    let server = Server::serve(&NO_TIMEOUT);
    let mut editor = Editor::attach(&server.home);
    let mut client = send_and_wait(&server);
    // At first the list is empty, as if the user had not signed in.
    editor.send_models(&[]);
    until("another wait", || (waits(&server) > 1).then_some(()));
    editor.send_models(&[model("m")]);
    respond(&mut editor, &mut client);
}

#[test]
fn request_without_output_survives_the_reload_of_its_window() {
    let server = Server::serve(&NO_TIMEOUT);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = send_chat(&server);
    editor.expect_chat();
    drop(editor);
    until("a request that waits", || (waits(&server) > 0).then_some(()));
    respond(&mut Editor::with_models(&server.home, &[model("m")]), &mut client);
}

#[test]
fn model_list_waits_for_a_reloading_window() {
    let server = Server::serve(&NO_TIMEOUT);
    let mut client = server.client();
    client.send(&Request::get("/v1/models"));
    until("a request that waits", || (waits(&server) > 0).then_some(()));
    let _editor = Editor::with_models(&server.home, &[model("m")]);
    assert_eq!(client.response().json()["data"][0]["id"], "m");
}

#[test]
fn tool_list_waits_for_a_reloading_window() {
    let server = Server::serve(&NO_TIMEOUT);
    let mut client = server.client();
    client.send(&Request::get("/v1/tools"));
    until("a request that waits", || (waits(&server) > 0).then_some(()));
    let _editor = server.simulate();
    assert_eq!(client.response().status, 200);
}

#[test]
fn wait_for_a_window_ends_after_the_timeout() {
    let server = Server::serve(&["--window-wait", "200"]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = send_chat(&server);
    editor.expect_chat();
    drop(editor);
    let (status, _, code, _) = client.response().error();
    assert_eq!((status, code), (503, json!("editor_gone")));
    let (status, _, code, _) = send_chat(&server).response().error();
    assert_eq!((status, code), (503, json!("no_models")));
}

#[test]
fn wait_for_models_ends_after_the_timeout() {
    let server = Server::serve(&["--window-wait", "200"]);
    let mut editor = Editor::attach(&server.home);
    editor.send_models(&[]);
    let (status, _, code, message) = send_chat(&server).response().error();
    assert_eq!((status, code), (503, json!("no_models")));
    assert!(message.contains("sign in"), "{message}");
}

#[test]
fn requests_that_wait_for_a_window_count_as_queued() {
    let server = Server::serve(&[&NO_TIMEOUT[..], &["--max-waiting", "1"]].concat());
    let mut client = send_and_wait(&server);
    assert_eq!(send_chat(&server).response().status, 429);
    respond(&mut Editor::with_models(&server.home, &[model("m")]), &mut client);
}

#[test]
fn stop_ends_the_wait_for_a_window() {
    let server = Server::serve(&NO_TIMEOUT);
    let mut editor = Editor::attach(&server.home);
    let mut client = send_and_wait(&server);
    editor.send(0, &FromEditor::Stop);
    let (status, _, code, _) = client.response().error();
    assert_eq!((status, code), (503, json!("no_models")));
    editor.expect_http(|http| *http == HttpState::Off);
}

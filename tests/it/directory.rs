//! The server's directory under faults: files removed while it runs, no room on the disk.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;

use copilot_proxy::bridge::protocol::FromEditor;
use serde_json::{Value, json};

use crate::client::Request;
use crate::editor::{Editor, model};
use crate::openai::{CHAT, read_until, streamed, with};
use crate::server::{Home, Server, start_serving};
use crate::wait::until;

const CHECK_OFTEN: [&str; 2] = ["--directory-check", "20"];

/// Waits until an editor can attach; returns `server.json`.
fn attached_again(server: &Server) -> Value {
    let file = until("server.json", || {
        let file = server.home.server_file()?;
        fs::exists(file["endpoint"].as_str()?).ok()?.then_some(file)
    });
    assert_eq!(Editor::attach(&server.home).expect_port(), server.port);
    file
}

#[test]
fn removed_server_file_is_written_again() {
    let server = Server::serve(&CHECK_OFTEN);
    let before = server.home.server_file();
    for _ in 0..3 {
        fs::remove_file(server.home.path().join("server.json")).unwrap();
        assert_eq!(Some(attached_again(&server)), before);
    }
    fs::write(server.home.path().join("server.json"), "{}").unwrap();
    until("the content", || (server.home.server_file() == before).then_some(()));
}

#[test]
fn removed_socket_is_opened_again() {
    let server = Server::serve(&CHECK_OFTEN);
    let before = server.home.server_file().unwrap();
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    fs::remove_file(before["endpoint"].as_str().unwrap()).unwrap();
    let after = until("another socket", || {
        server.home.server_file().filter(|after| after["endpoint"] != before["endpoint"])
    });
    assert_ne!(after["token"], before["token"]);
    // An editor that was attached stays, and another one attaches under an id of its own.
    let mut other = Editor::attach(&server.home);
    other.expect_log("editor attached editor=1");
    editor.send_models(&[]);
    other.expect_status(|status| status.editors == 2 && status.models == 0);
}

#[test]
fn removed_directory_is_created_again_with_its_lock() {
    let server = Server::serve(&CHECK_OFTEN);
    server.home.remove();
    attached_again(&server);
    let mut second = start_serving(&server.home, "0", &[]);
    assert_eq!(second.wait_for_exit().code(), Some(3), "the new lock is held");
}

#[test]
fn server_hands_over_when_another_one_takes_its_directory() {
    let mut server = Server::serve(&["--directory-check", "1000"]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(streamed("Hello"), &json!({ "model": "m" }))));
    let (stream_id, _) = editor.expect_chat();
    editor.send_text(stream_id, "before ");
    let mut response = client.stream();
    read_until(&mut response, "before");
    server.home.remove();
    let port = server.port.to_string();
    let mut second = start_serving(&server.home, &port, &["--port-retry", "50"]);
    until("the other's file", || (server.home.server_file()?["pid"] == second.id()).then_some(()));
    // The running response finishes, then the port is free.
    editor.send_text(stream_id, "after");
    editor.send(stream_id, &FromEditor::End);
    let events = response.rest();
    assert_eq!(events.last().map(String::as_str), Some("data: [DONE]"));
    assert_eq!(server.process.wait_for_exit().code(), Some(0));
    assert_eq!(second.wait_until_listening(), server.port);
    assert!(second.is_running());
    assert_eq!(server.home.server_file().unwrap()["pid"], second.id());
}

/// Makes every write of `server.json` fail as on a full disk.
#[cfg(target_os = "linux")]
fn fill_disk(home: &Home) -> std::path::PathBuf {
    let path = home.path().join("server.json.new");
    symlink("/dev/full", &path).unwrap();
    path
}

#[cfg(target_os = "linux")]
#[test]
fn server_file_is_written_once_the_disk_has_space() {
    let server = Server::serve(&CHECK_OFTEN);
    let mut editor = Editor::attach(&server.home);
    let full = fill_disk(&server.home);
    fs::remove_file(server.home.path().join("server.json")).unwrap();
    let line = editor.expect_log("windows can't find the server");
    assert!(line.text.contains("No space left on device"), "{}", line.text);
    assert_eq!(server.get("/health").status, 200, "the server serves on");
    fs::remove_file(full).unwrap();
    attached_again(&server);
}

#[cfg(target_os = "linux")]
#[test]
fn start_on_a_full_disk_fails_with_the_reason() {
    use std::os::unix::fs::DirBuilderExt;
    let home = Home::new();
    fs::DirBuilder::new().mode(0o700).create(home.path()).unwrap();
    fill_disk(&home);
    let mut server = start_serving(&home, "0", &[]);
    assert_eq!(server.wait_for_exit().code(), Some(1));
    until("the reason", || server.stderr().contains("server.json: No space left on device").then_some(()));
}

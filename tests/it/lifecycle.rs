//! Start and end of a server: directory, lock, grace time, signals.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt, symlink};
use std::path::PathBuf;
use std::time::Duration;

use copilot_proxy::bridge::directory::Directory;
use copilot_proxy::bridge::protocol::PROTOCOL;
use serde_json::json;

use crate::editor::Editor;
use crate::openai::{data, read_until, stream};
use crate::server::{Home, Process, Server, start_serving, taken_port};
use crate::wait::until;

/// Exit code if the directory has a server already.
const ALREADY_RUNNING: Option<i32> = Some(3);

#[test]
fn second_server_in_a_directory_exits_at_once() {
    let server = Server::serve(&[]);
    let before = server.home.server_file();
    let mut second = start_serving(&server.home, "0", &[]);
    assert_eq!(second.wait_for_exit().code(), ALREADY_RUNNING);
    until("its reason", || {
        second.stderr().contains("another Copilot Proxy server is running in this directory").then_some(())
    });
    assert_eq!(server.home.server_file(), before);
    assert_eq!(server.get("/health").status, 200);
}

/// Number of repetitions of a race: a fault of one in a hundred needs more than one run.
fn rounds() -> u32 {
    std::env::var("COPILOT_PROXY_ROUNDS").map_or(10, |rounds| rounds.parse().expect("a number of rounds"))
}

#[test]
fn twenty_concurrent_starts_leave_one_server() {
    (0..rounds()).for_each(|_| twenty_starts_at_once());
}

fn twenty_starts_at_once() {
    let home = Home::new();
    let mut starts: Vec<Process> = (0..20).map(|_| start_serving(&home, "0", &[])).collect();
    let runs = until("nineteen to leave", || {
        let running: Vec<u32> =
            starts.iter_mut().filter_map(|start| start.is_running().then_some(start.id())).collect();
        (running.len() == 1).then(|| running[0])
    });
    for start in starts.iter_mut().filter(|start| start.id() != runs) {
        assert_eq!(start.wait_for_exit().code(), ALREADY_RUNNING);
    }
    home.port();
    assert_eq!(home.server_file().unwrap()["pid"], runs);
    drop(Editor::attach(&home));
    assert!(starts.iter_mut().find(|start| start.id() == runs).unwrap().is_running());
}

fn sockets(home: &Home) -> Vec<PathBuf> {
    let entries = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "sock")).collect()
}

#[test]
fn files_of_a_killed_server_are_removed() {
    let mut killed = Server::serve(&[]);
    killed.process.kill();
    let left = sockets(&killed.home);
    assert_eq!(left.len(), 1);
    assert!(killed.home.server_file().is_some());

    let next = Server::serve_in(&killed.home, &[]);
    let now = sockets(&next.home);
    assert_eq!(now.len(), 1);
    assert_ne!(now, left);
    assert_eq!(next.home.server_file().unwrap()["pid"], next.process.id());
    drop(Editor::attach(&next.home));
}

#[test]
fn server_json_is_readable_by_its_user_only() {
    let server = Server::serve(&[]);
    let file = server.home.server_file().unwrap();
    assert_eq!(
        file,
        json!({
            "pid": server.process.id(),
            "version": env!("CARGO_PKG_VERSION"),
            "protocol": { "min": PROTOCOL, "max": PROTOCOL },
            "endpoint": sockets(&server.home)[0].to_str().unwrap(),
            "token": file["token"],
            "port": server.port,
            "startedAt": file["startedAt"],
            "instance": server.get("/health").json()["instance"],
        })
    );
    assert_eq!(file["token"].as_str().map(str::len), Some(32));
    assert!(file["startedAt"].as_u64() > Some(1_700_000_000_000));
    let mode = |path: PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(server.home.path().join("server.json")), 0o600);
    assert_eq!(mode(server.home.path().to_owned()), 0o700);
}

#[test]
fn each_start_has_its_own_token_and_socket() {
    let mut first = Server::serve(&[]);
    let one = Directory::server(first.home.path()).unwrap();
    first.process.terminate();
    first.process.wait_for_exit();
    let second = Server::serve_in(&first.home, &[]);
    let two = Directory::server(second.home.path()).unwrap();
    assert_ne!(one.token, two.token);
    assert_ne!(one.endpoint, two.endpoint);
}

#[test]
fn directory_accessible_to_others_is_refused() {
    for mode in [0o755, 0o750, 0o701] {
        let home = Home::new();
        fs::DirBuilder::new().mode(mode).create(home.path()).unwrap();
        fs::set_permissions(home.path(), fs::Permissions::from_mode(mode)).unwrap();
        let mut process = start_serving(&home, "0", &[]);
        assert_eq!(process.wait_for_exit().code(), Some(1));
        let path = home.path().to_str().unwrap();
        let reason = format!(
            "copilot-proxy: {path}: must be a directory that you own and that only you can open (mode 0700)"
        );
        until(&reason, || process.stderr().contains(&reason).then_some(()));
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0, "nothing is written there");
    }
}

#[test]
fn symbolic_link_as_directory_is_refused() {
    let real = Home::new();
    fs::DirBuilder::new().mode(0o700).create(real.path()).unwrap();
    let home = Home::new();
    symlink(real.path(), home.path()).unwrap();
    let mut process = start_serving(&home, "0", &[]);
    assert_eq!(process.wait_for_exit().code(), Some(1));
    fs::remove_file(home.path()).unwrap();
}

#[test]
fn server_exits_after_the_grace_time_without_editors() {
    let mut server = Server::serve(&["--grace", "5000"]);
    let one = Editor::attach(&server.home);
    let other = Editor::attach(&server.home);
    drop(one);
    drop(other);
    assert_eq!(server.process.wait_for_exit().code(), Some(0));
    assert_eq!(server.home.server_file(), None);
}

#[test]
fn server_exits_if_no_editor_ever_attaches() {
    let mut server = Server::serve(&["--grace", "100"]);
    assert_eq!(server.process.wait_for_exit().code(), Some(0));
}

#[test]
fn reload_within_the_grace_time_keeps_the_server() {
    let server = Server::serve(&[]);
    let before = server.get("/health").json()["instance"].clone();
    for _ in 0..5 {
        drop(Editor::attach(&server.home));
        until("the editor's leaving", || (server.editors() == 0).then_some(()));
    }
    assert_eq!(server.get("/health").json()["instance"], before);
}

#[test]
fn signals_end_running_responses_with_an_error_event() {
    use rustix::process::Signal;

    for signal in [Signal::TERM, Signal::HUP] {
        let mut server = Server::serve(&[]);
        let _editor = server.simulate();
        let mut stream = stream(&server, "say:so far\nhang:");
        read_until(&mut stream, "far");
        server.process.signal(signal);
        let events = stream.rest();
        assert_eq!(data(events.last().unwrap())["error"]["code"], "stopping");
        assert_eq!(server.process.wait_for_exit().code(), Some(0));
        assert_eq!(server.home.server_file(), None);
    }
}

#[test]
fn idle_demo_keeps_running() {
    let mut demo = Server::demo(&["--grace", "100"]);
    // Five times the grace time: there is no event to wait for where nothing happens.
    std::thread::sleep(Duration::from_millis(500));
    assert!(demo.process.is_running());
}

#[test]
fn demo_removes_its_files() {
    let mut demo = Server::demo(&[]);
    let left = || fs::read_dir(demo.home.path().join("tmp")).unwrap().count();
    assert_eq!(left(), 1);
    demo.process.terminate();
    assert_eq!(demo.process.wait_for_exit().code(), Some(0));
    assert_eq!(left(), 0);
}

#[test]
fn demo_on_a_taken_port_fails_with_a_hint() {
    let (_listener, port) = taken_port();
    let home = Home::new();
    fs::create_dir_all(home.path().join("tmp")).unwrap();
    let mut demo = Process::start(&home, &["demo", "--port", &port.to_string()]);
    assert_eq!(demo.wait_for_exit().code(), Some(1));
    until("the way out", || demo.stderr().contains("`--port 0` takes a free one").then_some(()));
}

#[test]
fn simulate_without_a_server_fails_with_a_hint() {
    let home = Home::new();
    let mut editor = Process::start(&home, &["simulate", "--dir", home.path().to_str().unwrap()]);
    assert_eq!(editor.wait_for_exit().code(), Some(1));
    until("the way out", || editor.stderr().contains("start one with `copilot-proxy serve`").then_some(()));
}

#[test]
fn simulate_exits_with_its_server() {
    let mut server = Server::serve(&[]);
    let mut editor = server.simulate();
    server.process.kill();
    assert_eq!(editor.wait_for_exit().code(), Some(0));
}

//! `copilot-proxy doctor`: findings of working and faulty installations.

use std::io::{Read, Write};

use serde_json::{Value, json};

use crate::server::{Home, Server, start_serving, taken_port};
use crate::terminal::Terminal;
use crate::wait::until;

/// Subject and status of each finding about the server.
fn findings(terminal: &Terminal, arguments: &[&str]) -> (Option<i32>, Vec<(Value, Value)>) {
    let ended = terminal.run(&[&["doctor", "--json"], arguments].concat());
    let report: Value = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{ended:?}"));
    assert_eq!(report["ok"], ended.code == Some(0));
    let findings = report["findings"].as_array().unwrap().iter();
    let findings = findings.filter(|finding| finding["subject"] != "place");
    let short = |finding: &Value| {
        assert_eq!(finding["hint"].is_string(), finding["status"] != "ok", "{finding}");
        (finding["subject"].clone(), finding["status"].clone())
    };
    (ended.code, findings.map(short).collect())
}

fn lines(findings: &[(&str, &str)]) -> Vec<(Value, Value)> {
    findings.iter().map(|(subject, status)| (json!(subject), json!(status))).collect()
}

#[test]
fn working_installation_has_only_ok_findings() {
    let server = Server::serve(&[]);
    let _editor = server.simulate();
    let terminal = Terminal::beside(&server.home);
    let ok = [("server", "ok"), ("port", "ok"), ("windows", "ok"), ("models", "ok")];
    assert_eq!(findings(&terminal, &["--no-question"]), (Some(0), lines(&ok)));
    let asked = [&ok[..], &[("request", "ok")]].concat();
    assert_eq!(findings(&terminal, &[]), (Some(0), lines(&asked)));

    let output = terminal.run(&["doctor"]);
    assert!(output.stdout.starts_with(&format!("ok      server    version {}", env!("CARGO_PKG_VERSION"))));
}

#[test]
fn missing_server_is_an_error_with_a_hint() {
    let (listener, port) = taken_port();
    drop(listener);
    let terminal = Terminal::beside(&Home::new());
    let url = format!("http://127.0.0.1:{port}");
    assert_eq!(findings(&terminal, &["--url", &url]), (Some(1), lines(&[("server", "error")])));
}

#[test]
fn server_without_windows_is_an_error() {
    let server = Server::serve(&["--window-wait", "100"]);
    assert_eq!(
        findings(&Terminal::beside(&server.home), &[]),
        (Some(1), lines(&[("server", "ok"), ("port", "ok"), ("windows", "error"), ("models", "error")]))
    );
}

#[test]
fn port_of_another_server_and_of_another_program_are_distinguished() {
    let demo = Server::demo(&[]);
    let waiting = Home::new();
    let _process = start_serving(&waiting, &demo.port.to_string(), &[]);
    until("a server without a port", || waiting.server_file());
    let terminal = Terminal::beside(&waiting);
    let url = format!("http://127.0.0.1:{}", demo.port);
    let (code, found) = findings(&terminal, &["--no-question", "--url", &url]);
    assert_eq!((code, &found[..2]), (Some(1), &lines(&[("server", "ok"), ("port", "error")])[..]));

    let (stranger, port) = taken_port();
    std::thread::spawn(move || {
        while let Ok((mut client, _)) = stranger.accept() {
            let _ = client.read(&mut [0; 1024]);
            let _ = client.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi");
        }
    });
    let url = format!("http://127.0.0.1:{port}");
    let (code, found) = findings(&terminal, &["--url", &url]);
    assert_eq!((code, found), (Some(1), lines(&[("server", "ok"), ("port", "error")])));
}

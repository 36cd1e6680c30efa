//! The usage database: `GET /v1/usage` and the command `usage`.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::client::Request;
use crate::openai::{CHAT, chat};
use crate::server::{Home, Process, Server};
use crate::terminal::Terminal;

/// A chat request with a scripted usage, from a client with a name and a session.
fn reported(client: &str, session: Option<(&str, &str)>) -> Request {
    let body = json!({
        "model": "scripted-usage",
        "messages": [{ "role": "user", "content": "usage:120 30 80\nsay:hello" }],
    });
    let request = Request::post(CHAT, &body).header("user-agent", client);
    match session {
        Some((name, value)) => request.header(name, value),
        None => request,
    }
}

fn usage(server: &Server, query: &str) -> Value {
    let response = server.get(&format!("/v1/usage?{query}"));
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

/// Key and number of requests of each group.
fn groups(report: &Value) -> Vec<(String, u64)> {
    let group =
        |group: &Value| (group["key"].as_str().unwrap().to_owned(), group["requests"].as_u64().unwrap());
    report["data"].as_array().unwrap().iter().map(group).collect()
}

#[test]
fn finished_requests_are_summed_by_client_session_and_model() {
    let server = Server::demo(&[]);
    for (client, session) in [
        ("claude-cli/2.1.0 (external, cli)", Some(("x-claude-code-session-id", "s-1"))),
        ("codex_cli_rs/0.155.0", Some(("session_id", "s-2"))),
        ("codex_cli_rs/0.155.0", Some(("thread-id", "s-2"))),
        ("curl/8.5.0", None),
    ] {
        assert_eq!(server.send(&reported(client, session)).status, 200);
    }
    assert_eq!(server.post(CHAT, &chat("fail:ChatRateLimited slowly")).status, 429);

    let report = usage(&server, "by=session");
    let mut sessions = groups(&report);
    sessions.sort();
    assert_eq!(sessions, [("".into(), 1), ("curl/8.5.0".into(), 1), ("s-1".into(), 1), ("s-2".into(), 2)]);
    let totals = &report["totals"];
    assert_eq!(totals["requests"], 5);
    assert_eq!(totals["input_tokens"], 480);
    assert_eq!(totals["output_tokens"], 120);
    assert_eq!(totals["cached_tokens"], 320);
    assert_eq!(
        groups(&usage(&server, "by=client")).first().unwrap(),
        &("codex_cli_rs/0.155.0".to_owned(), 2)
    );
    let day = usage(&server, "")["data"][0]["key"].as_str().unwrap().to_owned();
    assert_eq!(groups(&usage(&server, &format!("from={day}&to={day}"))), [(day, 5)]);
    assert_eq!(groups(&usage(&server, "to=2020-01-01")), []);
}

#[test]
fn wrong_parameters_get_400_that_names_them() {
    let server = Server::demo(&[]);
    for (query, name, wanted) in [
        ("from=yesterday", "from", "YYYY-MM-DD"),
        ("to=2026-02-30", "to", "YYYY-MM-DD"),
        ("by=hour", "by", "day, model, client, session, key"),
    ] {
        let response = server.get(&format!("/v1/usage?{query}"));
        assert_eq!(response.status, 400, "{query}");
        let error = &response.json()["error"];
        assert_eq!(error["param"], name, "{error}");
        assert!(error["message"].as_str().unwrap().contains(wanted), "{error}");
    }
}

#[test]
fn foreign_page_cannot_read_the_usage() {
    let server = Server::demo(&[]);
    let request = Request::get("/v1/usage").header("origin", "https://example.org");
    assert_eq!(server.send(&request).status, 403);
    let image = Request::get("/v1/usage").header("sec-fetch-site", "cross-site");
    assert_eq!(server.send(&image).status, 403);
}

#[test]
fn rows_survive_a_killed_server_and_the_next_one_adds_to_them() {
    let home: Arc<Home> = Home::new();
    let run = || {
        let mut server = Server::serve_in(&home, &[]);
        let editor: Process = server.simulate();
        assert_eq!(server.send(&reported("curl/8.5.0", None)).status, 200);
        let requests = usage(&server, "")["totals"]["requests"].as_u64().unwrap();
        server.process.kill();
        drop(editor);
        requests
    };
    assert_eq!((run(), run()), (1, 2));
}

#[test]
fn command_prints_a_table_json_and_csv_without_a_server() {
    let home = Home::new();
    let terminal = Terminal::beside(&home);
    let missing = terminal.gives(&["usage"]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.complained.contains("no usage has been recorded yet"), "{missing:?}");

    let mut server = Server::serve_in(&terminal.server, &[]);
    let editor = server.simulate();
    assert_eq!(server.send(&reported("curl/8.5.0", None)).status, 200);
    let report = usage(&server, "by=client");
    server.process.kill();
    drop(editor);

    let table = terminal.gives(&["usage"]);
    assert_eq!((table.code, table.complained.as_str()), (Some(0), ""));
    for part in
        ["Today", "1 requests, 120 input tokens (66 % cached), 30 output tokens", "by client", "curl/8.5.0"]
    {
        assert!(table.said.contains(part), "{part}: {}", table.said);
    }
    let json = terminal.gives(&["usage", "--by", "client", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&json.said).unwrap(), report);
    let csv = terminal.gives(&["usage", "--by", "model", "--csv"]);
    assert!(csv.said.lines().nth(1).unwrap().starts_with("scripted-usage,1,120,80,30,"), "{}", csv.said);
    assert_eq!(terminal.gives(&["usage", "--from", "now"]).code, Some(2));
}

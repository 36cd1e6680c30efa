//! The usage database: `GET /v1/usage` and the command `usage`.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::client::Request;
use crate::gemini_form;
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
        ("codex_cli_rs/0.155.0", Some(("session-id", "s-2"))),
        ("opencode/1.2.0", Some(("x-session-id", "s-3"))),
        ("curl/8.5.0", None),
    ] {
        assert_eq!(server.send(&reported(client, session)).status, 200);
    }
    assert_eq!(server.post(CHAT, &chat("fail:ChatRateLimited slowly")).status, 429);

    let report = usage(&server, "by=session");
    let mut sessions = groups(&report);
    sessions.sort();
    assert_eq!(
        sessions,
        [("".into(), 1), ("curl/8.5.0".into(), 1), ("s-1".into(), 1), ("s-2".into(), 3), ("s-3".into(), 1)]
    );
    let totals = &report["totals"];
    assert_eq!(totals["requests"], 7);
    assert_eq!(totals["input_tokens"], 720);
    assert_eq!(totals["output_tokens"], 180);
    assert_eq!(totals["cached_tokens"], 480);
    assert_eq!(
        groups(&usage(&server, "by=client")).first().unwrap(),
        &("codex_cli_rs/0.155.0".to_owned(), 3)
    );
    let day = usage(&server, "")["data"][0]["key"].as_str().unwrap().to_owned();
    assert_eq!(groups(&usage(&server, &format!("from={day}&to={day}"))), [(day, 7)]);
    assert_eq!(groups(&usage(&server, "to=2020-01-01")), []);
}

/// A request to each endpoint that runs a model.
fn endpoints() -> Vec<(&'static str, Value)> {
    let messages = json!([{ "role": "user", "content": "say:hello" }]);
    vec![
        (CHAT, json!({ "messages": messages, "stream_options": { "include_usage": true } })),
        (CHAT, json!({ "messages": messages, "n": 2 })),
        (CHAT, json!({ "messages": messages, "tool_execution": "auto" })),
        ("/v1/completions", json!({ "prompt": "say:hello" })),
        ("/v1/messages", json!({ "messages": messages, "max_tokens": 99 })),
        ("/v1/responses", json!({ "input": messages })),
        ("/api/chat", json!({ "messages": messages })),
        ("/api/generate", json!({ "prompt": "say:hello" })),
        (
            "/v1beta/models/scripted-long:generateContent",
            gemini_form::request(&[gemini_form::text("say:hello")]),
        ),
    ]
}

/// The last value of a field anywhere in a body.
fn last_number(body: &str, field: &str) -> f64 {
    let (_, rest) =
        body.rsplit_once(&format!("\"{field}\":")).unwrap_or_else(|| panic!("no {field}: {body}"));
    let number: String = rest.chars().take_while(|c| !matches!(c, ',' | '}')).collect();
    number.trim().parse().unwrap()
}

#[test]
fn reported_credits_agree_in_responses_usage_metrics_and_database() {
    let server = Server::demo(&[]);
    let mut sum = 0.0;
    for (path, body) in endpoints() {
        for stream in [false, true] {
            let mut body = body.clone();
            body["model"] = "scripted-long".into();
            body["stream"] = stream.into();
            if !stream {
                body.as_object_mut().unwrap().remove("stream_options");
            }
            let path = gemini_form::in_mode(path, stream);
            let response = server.send(&Request::post(&path, &body).header("user-agent", "test/1"));
            assert_eq!(response.status, 200, "{path}: {}", response.text());
            let credits = if stream && body["n"] == 2 {
                // Each choice ends with the cost of its own.
                response
                    .text()
                    .match_indices("\"credits\":")
                    .map(|(at, _)| last_number(&response.text()[..at + 40].replace('\n', ","), "credits"))
                    .sum()
            } else {
                last_number(response.text(), "credits")
            };
            assert!(credits > 0.0, "{path} {stream}");
            assert!(
                response.text().contains("\"credits_source\":\"reported\""),
                "{path} {stream}: {}",
                response.text()
            );
            sum += credits;
        }
    }
    let report = usage(&server, "by=model");
    let near = |credits: f64| (credits - sum).abs() < 1e-9;
    assert!(near(report["totals"]["credits"].as_f64().unwrap()), "{sum}: {report}");
    assert_eq!(report["totals"]["estimated_credits"], 0.0);
    assert_eq!(report["totals"]["unknown_requests"], 0);
    let metrics = server.get("/metrics").text().to_owned();
    let counted: f64 = metrics
        .lines()
        .filter(|line| line.starts_with("copilot_proxy_credits_total{") && line.contains("client=\"test/1\""))
        .map(|line| line.rsplit_once(' ').unwrap().1.parse::<f64>().unwrap())
        .sum();
    assert!(near(counted), "{sum}: {counted}");
}

#[test]
fn request_that_the_provider_refuses_costs_nothing() {
    let server = Server::demo(&[]);
    assert_eq!(server.post(CHAT, &chat("fail:ChatRateLimited slowly")).status, 429);
    let totals = usage(&server, "")["totals"].clone();
    assert_eq!((&totals["requests"], &totals["unknown_requests"]), (&json!(1), &json!(0)));
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
    // One that may use the models can't, either.
    let server = Server::demo(&["--allow-origin", "https://example.org"]);
    let request = Request::get("/v1/usage").header("origin", "https://example.org");
    assert_eq!(server.send(&request).status, 403);
    assert_eq!(server.send(&Request::get("/v1/models").header("origin", "https://example.org")).status, 200);
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

#[cfg(unix)]
#[test]
fn usage_history_is_in_the_users_state_directory() {
    let home = Home::new();
    let server = Server::serve_for_user(&home);
    usage(&server, "");
    assert!(home.path().join("state/copilot-proxy/usage.db").exists());
    assert!(!home.path().join("run/copilot-proxy/usage.db").exists());
}

#[test]
fn command_prints_a_table_json_and_csv_without_a_server() {
    let home = Home::new();
    let terminal = Terminal::beside(&home);
    let missing = terminal.run(&["usage"]);
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.contains("no usage has been recorded yet"), "{missing:?}");

    let mut server = Server::serve_in(&terminal.server, &[]);
    let editor = server.simulate();
    assert_eq!(server.send(&reported("curl/8.5.0", None)).status, 200);
    let report = usage(&server, "by=client");
    server.process.kill();
    drop(editor);

    let table = terminal.run(&["usage"]);
    assert_eq!((table.code, table.stderr.as_str()), (Some(0), ""));
    for part in
        ["Today", "1 requests, 120 input tokens (66 % cached), 30 output tokens", "by client", "curl/8.5.0"]
    {
        assert!(table.stdout.contains(part), "{part}: {}", table.stdout);
    }
    let json = terminal.run(&["usage", "--by", "client", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&json.stdout).unwrap(), report);
    let csv = terminal.run(&["usage", "--by", "model", "--csv"]);
    assert!(csv.stdout.lines().nth(1).unwrap().starts_with("scripted-usage,1,120,80,30,"), "{}", csv.stdout);
    assert_eq!(terminal.run(&["usage", "--from", "now"]).code, Some(2));
}

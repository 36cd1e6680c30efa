//! Many windows, one server: what a person does in one of them holds for all.

use std::net::{TcpListener, TcpStream};

use copilot_proxy::bridge::protocol::{
    FromEditor, Hello, HttpState, LogLevel, ModelInfo, PROTOCOL, ProviderError, RefusedReason, Status,
    UserSettings,
};
use serde_json::{Value, json};

use crate::client::{Client, Request};
use crate::editor::{Editor, hello, model, user_settings};
use crate::openai::{CHAT, chat, data, read_until, stream, streamed, text_of, with};
use crate::server::{Home, Server, start_serving, taken_port};
use crate::wait::until;

fn of_m(request: Value) -> Value {
    with(request, &json!({ "model": "m" }))
}

/// The ids that `/v1/models` lists.
fn listed(server: &Server) -> Vec<String> {
    let list = server.get("/v1/models").json();
    list["data"].as_array().unwrap().iter().map(|model| model["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn stop_ends_running_answers_and_closes_the_port_for_all() {
    let server = Server::serve(&[]);
    let mut one = Editor::with_models(&server.home, &[model("m")]);
    let mut other = Editor::attach(&server.home);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &of_m(streamed("Hello"))));
    let (asked, _) = one.expect_chat();
    one.send_text(asked, "half");
    let mut stream = client.stream();
    read_until(&mut stream, "half");

    other.send(0, &FromEditor::Stop);
    let events = stream.rest();
    assert_eq!(
        events.iter().map(|event| data(event)).collect::<Vec<_>>(),
        [json!({ "error": {
            "message": "Copilot Proxy was stopped",
            "type": "server_error",
            "param": null,
            "code": "stopping",
        } })]
    );
    one.expect_cancel(asked);
    for editor in [&mut one, &mut other] {
        editor.expect_http(|http| *http == HttpState::Off);
    }
    assert!(TcpStream::connect(("127.0.0.1", server.port)).is_err());
    assert_eq!(server.home.server_file().unwrap()["port"], Value::Null);

    // A later window does not start it.
    let mut late = Editor::attach(&server.home);
    assert_eq!(late.expect_status(|_| true).http, HttpState::Off);

    late.send(0, &FromEditor::Start);
    let port = one.expect_port();
    assert_eq!(other.expect_port(), port);
    assert_eq!(server.home.port(), port);
    assert_eq!(server.process.wait_until_listening(), port);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
}

/// A client that is in the middle of its request, which a closing port would wait for.
fn half_a_request(server: &Server) -> Client {
    let mut client = server.client();
    client.send(&Request::post(CHAT, &of_m(chat("Hello"))).header("content-length", "5000"));
    client
}

#[test]
fn nobody_waits_for_the_connections_of_a_port_that_was_stopped() {
    // Longer than this test would wait for anything.
    let server = Server::serve(&["--drain", "600000", "--receive-timeout", "600000"]);
    let mut editor = Editor::attach(&server.home);
    let port = editor.expect_port();
    editor.send(0, &FromEditor::UserSettings(UserSettings { port, ..user_settings() }));
    let _slow = half_a_request(&server);
    for _ in 0..3 {
        editor.send(0, &FromEditor::Stop);
        editor.expect_http(|http| *http == HttpState::Off);
        editor.send(0, &FromEditor::Start);
        assert_eq!(editor.expect_port(), port);
        assert_eq!(server.get("/health").status, 200);
    }
    // Nor for those of a port that was left for another one.
    let _slow = half_a_request(&server);
    let (listener, other) = taken_port();
    drop(listener);
    editor.send(0, &FromEditor::UserSettings(UserSettings { port: other, ..user_settings() }));
    editor.expect_http(|http| *http == HttpState::Running { port: other });
}

#[test]
fn connections_of_a_stopped_port_are_cut_when_their_time_is_over() {
    let server = Server::serve(&["--drain", "100", "--receive-timeout", "600000"]);
    let mut editor = Editor::attach(&server.home);
    let mut slow = half_a_request(&server);
    editor.send(0, &FromEditor::Stop);
    slow.read_until_closed();
}

#[test]
fn start_while_it_runs_and_stop_while_it_is_off_change_nothing() {
    let server = Server::serve(&[]);
    let mut editor = Editor::attach(&server.home);
    editor.send(0, &FromEditor::Start);
    assert_eq!(editor.expect_port(), server.port);
    editor.send(0, &FromEditor::Stop);
    editor.send(0, &FromEditor::Stop);
    editor.expect_http(|http| *http == HttpState::Off);
    editor.send(0, &FromEditor::Start);
    assert_eq!(editor.expect_port(), server.process.wait_until_listening());
}

#[test]
fn a_stop_is_forgotten_when_the_last_editor_has_left() {
    let server = Server::serve(&[]);
    let mut one = Editor::attach(&server.home);
    let mut other = Editor::attach(&server.home);
    one.send(0, &FromEditor::Stop);
    other.expect_http(|http| *http == HttpState::Off);
    drop(one);
    other.expect_status(|status| status.editors == 1 && status.http == HttpState::Off);
    drop(other);
    // The server has to see it leave before the next one comes.
    until("the port to open for a new window", || {
        let mut next = Editor::attach(&server.home);
        let status = next.expect_status(|_| true);
        match status.http {
            HttpState::Running { port } => Some(port),
            _ => None,
        }
    });
}

#[test]
fn a_taken_port_is_told_and_served_as_soon_as_it_is_free() {
    let (listener, port) = taken_port();
    let home = Home::new();
    let server = start_serving(&home, &port.to_string(), &["--port-retry", "50"]);
    until("the server", || home.server_file());
    let mut editor = Editor::attach(&home);
    assert_eq!(editor.expect_status(|_| true).http, HttpState::PortTaken { port });
    assert_eq!(editor.expect_log("waiting until it is free").level, LogLevel::Warn);
    assert_eq!(home.server_file().unwrap()["port"], Value::Null);
    drop(listener);
    assert_eq!(editor.expect_port(), port);
    assert_eq!(server.wait_until_listening(), port);
    assert_eq!(home.port(), port);
}

#[test]
fn stop_holds_while_the_port_is_taken() {
    let (listener, port) = taken_port();
    let home = Home::new();
    let _server = start_serving(&home, &port.to_string(), &["--port-retry", "50"]);
    until("the server", || home.server_file());
    let mut editor = Editor::attach(&home);
    editor.expect_http(|http| matches!(http, HttpState::PortTaken { .. }));
    editor.send(0, &FromEditor::Stop);
    editor.expect_http(|http| *http == HttpState::Off);
    drop(listener);
    editor.send(0, &FromEditor::Start);
    assert_eq!(editor.expect_port(), port);
}

#[test]
fn the_port_a_person_sets_is_opened_at_once() {
    let server = Server::serve(&[]);
    let mut editor = Editor::attach(&server.home);
    assert_eq!(editor.expect_port(), server.port);
    let (listener, port) = taken_port();
    drop(listener);
    editor.send(0, &FromEditor::UserSettings(UserSettings { port, ..user_settings() }));
    editor.expect_http(|http| *http == HttpState::Running { port });
    assert!(TcpStream::connect(("127.0.0.1", port)).is_ok());
    assert!(TcpStream::connect(("127.0.0.1", server.port)).is_err());
}

#[test]
fn ipv6_is_served_while_the_person_wants_it() {
    if TcpListener::bind("[::1]:0").is_err() {
        return crate::skipped("this machine has no [::1]");
    }
    let server = Server::serve(&["--ipv6"]);
    let port = server.port;
    let reach = || TcpStream::connect(("::1", port));
    let ask = |host: &str| {
        let mut client = Client::on(reach().expect("a server that listens"));
        client.send(&Request::get("/health").header("host", host));
        client.response()
    };
    assert_eq!(ask(&format!("[::1]:{port}")).status, 200);
    assert_eq!(ask("evil.test").error().2, "host_not_allowed");

    let mut editor = Editor::attach(&server.home);
    let mut prefer = |ipv6| {
        editor.send(0, &FromEditor::UserSettings(UserSettings { port, ipv6, ..user_settings() }));
    };
    prefer(false);
    until("a closed [::1]", || reach().is_err().then_some(()));
    assert_eq!(server.get("/health").status, 200, "127.0.0.1 stays");
    prefer(true);
    until("an open [::1]", || reach().ok());
    assert_eq!(ask("localhost").status, 200);
    editor.send(0, &FromEditor::Stop);
    editor.expect_http(|http| *http == HttpState::Off);
    assert!(reach().is_err());
}

#[test]
fn an_ipv6_port_of_somebody_else_is_a_line_in_the_log() {
    let (free, port) = taken_port();
    let Ok(_taken) = TcpListener::bind(("::1", port)) else {
        return crate::skipped("this machine has no [::1]");
    };
    drop(free);
    let home = Home::new();
    let server = start_serving(&home, &port.to_string(), &["--ipv6"]);
    assert_eq!(server.wait_until_listening(), port);
    let mut editor = Editor::attach(&home);
    assert_eq!(editor.expect_log(&format!("[::1]:{port} can't be opened")).level, LogLevel::Warn);
}

#[test]
fn every_change_is_told_to_every_editor() {
    let server = Server::serve(&[]);
    let mut one = Editor::attach(&server.home);
    let mut other = Editor::attach(&server.home);
    let first = other.expect_status(|status| status.editors == 2);
    let started_at = first.started_at;
    let still = Status {
        http: HttpState::Running { port: server.port },
        in_flight: 0,
        editors: 2,
        models: 0,
        consent_needed: false,
        requests: 0,
        tokens_in: 0,
        tokens_out: 0,
        started_at,
    };
    assert_eq!(first, still);
    one.send_models(&[model("m"), model("n")]);
    assert_eq!(other.expect_status(|status| status.models == 2), Status { models: 2, ..still.clone() });

    let mut client = server.client();
    client.send(&Request::post(CHAT, &of_m(chat("Hello"))));
    let (asked, _) = one.expect_chat();
    other.expect_status(|status| status.in_flight == 1 && status.requests == 0);
    one.respond(asked, "Hello");
    assert_eq!(client.response().status, 200);
    other.expect_status(|status| status.in_flight == 0 && status.requests == 1);

    drop(one);
    let last = other.expect_status(|status| status.editors == 1);
    assert_eq!((last.models, last.requests), (0, 1));
    // One that comes later is told at once.
    let mut late = Editor::attach(&server.home);
    assert_eq!(late.expect_status(|status| status.editors == 2).requests, 1);
}

#[test]
fn a_missing_consent_is_told_until_a_request_succeeds() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let refused = ProviderError {
        name: "LanguageModelError".into(),
        code: Some("NoPermissions".into()),
        message: "not now".into(),
    };
    let mut client = server.client();
    client.send(&Request::post(CHAT, &of_m(chat("Hello"))));
    let (asked, _) = editor.expect_chat();
    editor.send(asked, &FromEditor::Failed(refused));
    assert_eq!(client.response().status, 403);
    editor.expect_status(|status| status.consent_needed);
    client.send(&Request::post(CHAT, &of_m(chat("Hello"))));
    let (asked, _) = editor.expect_chat();
    editor.respond(asked, "Hello");
    assert_eq!(client.response().status, 200);
    editor.expect_status(|status| !status.consent_needed);
}

#[test]
fn log_lines_are_replayed_to_late_editors() {
    let server = Server::serve(&[]);
    let mut one = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &of_m(chat("My deepest secret"))));
    let (asked, _) = one.expect_chat();
    one.respond(asked, "I keep it");
    let id = client.response().header("x-request-id").unwrap().to_owned();
    let told = one.expect_log(&id);

    let mut late = Editor::attach(&server.home);
    assert_eq!(late.expect_log("listening on").level, LogLevel::Info);
    late.expect_log("editor 0: attached");
    assert_eq!(late.expect_log(&id), told);
    for words in ["My deepest secret", "I keep it"] {
        assert!(!told.text.contains(words), "{told:?}");
    }
}

#[test]
fn log_lines_quote_no_client_unless_the_person_wants_it() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut why = |raw_logging| {
        let preferences = UserSettings { port: server.port, raw_logging, ..user_settings() };
        editor.send(0, &FromEditor::UserSettings(preferences));
        // What an editor says is heeded in its order.
        editor.send_models(&[]);
        editor.expect_status(|status| status.models == 0);
        editor.send_models(&[model("m")]);
        editor.expect_status(|status| status.models == 1);
        let role = json!([{ "role": "My deepest secret", "content": "x" }]);
        let refused = server.post(CHAT, &json!({ "messages": role }));
        assert_eq!(refused.status, 400);
        let line = editor.expect_log(refused.header("x-request-id").unwrap()).text;
        let error = line.split_once(" error=").unwrap().1;
        serde_json::from_str::<String>(error).unwrap()
    };
    assert_eq!(why(false), "invalid_request (400) at messages[0].role");
    let told = why(true);
    assert!(told.starts_with("messages[0].role: unknown variant `My deepest secret`"), "{told}");
}

#[test]
fn log_lines_hold_no_stop_sequence_and_a_model_name_only_quoted() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(of_m(chat("Hello")), &json!({ "stop": ["secret stop", "b"] }))));
    let (asked, _) = editor.expect_chat();
    editor.send_text(asked, "some words secret stop and more");
    editor.expect_cancel(asked);
    let id = client.response().header("x-request-id").unwrap().to_owned();
    let finished = editor.expect_log("request finished").text;
    assert!(finished.contains(&id) && finished.contains("reason=stop_sequence"), "{finished}");
    assert!(!finished.contains("secret"), "{finished}");

    let name = "m\nforged line\u{1b}[31m";
    assert_eq!(server.post(CHAT, &with(chat("Hello"), &json!({ "model": name }))).status, 404);
    let mut client = server.client();
    client.send(&Request::post(
        "/v1/messages",
        &json!({
            "model": name, "max_tokens": 9, "messages": [{ "role": "user", "content": "Hello" }],
        }),
    ));
    let resolved = editor.expect_log("model resolved").text;
    assert!(resolved.ends_with(r#"requested="m\nforged line\u{1b}[31m" model="m""#), "{resolved}");
    let (asked, _) = editor.expect_chat();
    editor.respond(asked, "Hello");
    assert_eq!(client.response().status, 200);
}

#[test]
fn a_newer_editor_replaces_the_server_and_no_answer_is_lost() {
    let mut server = Server::serve(&[]);
    let mut old = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &of_m(streamed("Hello"))));
    let (asked, _) = old.expect_chat();
    old.send_text(asked, "before ");
    let mut stream = client.stream();
    read_until(&mut stream, "before");

    let mut newer = Editor::connect(&server.home);
    let hello = Hello { protocol: PROTOCOL + 1, ..hello(&server.home) };
    newer.send(0, &FromEditor::Hello(hello));
    let refused = newer.expect_refused();
    assert_eq!(refused.reason, RefusedReason::ServerTooOld);
    assert!(refused.message.contains("it makes room"), "{}", refused.message);
    newer.expect_disconnect();

    until("no more server.json", || server.home.server_file().is_none().then_some(()));
    until("a closed port", || TcpStream::connect(("127.0.0.1", server.port)).is_err().then_some(()));
    assert!(server.process.is_running());
    old.send_text(asked, "and after");
    old.send(asked, &FromEditor::End);
    let events = stream.rest();
    assert_eq!(text_of(&events), "and after");
    assert_eq!(events.last().map(String::as_str), Some("data: [DONE]"));
    assert_eq!(server.process.wait_for_exit().code(), Some(0));
    // The directory is free for the newer one.
    Server::serve_in(&server.home, &[]);
}

#[test]
fn an_editor_may_ask_for_a_handover_and_all_are_told() {
    let mut server = Server::serve(&[]);
    let mut editor = Editor::attach(&server.home);
    let mut other = Editor::attach(&server.home);
    editor.send(0, &FromEditor::Handover);
    for each in [&mut editor, &mut other] {
        each.expect_disconnect();
        assert!(each.superseded);
    }
    assert_eq!(server.process.wait_for_exit().code(), Some(0));
}

#[test]
fn a_handover_does_not_wait_for_ever() {
    let mut server = Server::serve(&["--handover", "100"]);
    let _editor = server.simulate();
    let mut stream = stream(&server, "say:so far\nhang:");
    read_until(&mut stream, "far");
    Editor::attach(&server.home).send(0, &FromEditor::Handover);
    assert_eq!(server.process.wait_for_exit().code(), Some(0));
}

#[test]
fn the_lists_of_all_windows_are_united() {
    let server = Server::serve(&["--window-wait", "100"]);
    let with_vendor = |vendor: &str, id: &str| ModelInfo { vendor: vendor.into(), ..model(id) };
    let mut one = Editor::with_models(&server.home, &[with_vendor("other", "a"), with_vendor("other", "b")]);
    let mut other = Editor::attach(&server.home);
    other.send_models(&[with_vendor("copilot", "a"), with_vendor("other", "b"), with_vendor("copilot", "c")]);
    other.expect_status(|status| status.models == 4);
    // Copilot's first; an id that a second vendor has too appears there with its vendor.
    assert_eq!(listed(&server), ["a", "c", "other/a", "b"]);
    one.send_models(&[]);
    other.expect_status(|status| status.models == 3);
    assert_eq!(listed(&server), ["a", "c", "b"]);
    drop(other);
    one.expect_status(|status| status.editors == 1 && status.models == 0);
    assert_eq!(listed(&server), Vec::<String>::new());
}

#[test]
fn models_that_cannot_answer_are_not_listed() {
    let server = Server::serve(&[]);
    let copilot = |vendor: &str, id: &str| ModelInfo { vendor: vendor.into(), ..model(id) };
    let mut editor = Editor::attach(&server.home);
    editor.send_models(&[
        copilot("copilotcli", "auto"),
        copilot("copilot", "copilot-utility"),
        copilot("copilot", "copilot-utility-small"),
        copilot("copilot", "copilot-dictation-cleanup-nano"),
        copilot("copilot", "gpt-4.1"),
    ]);
    editor.expect_status(|status| status.models == 1);
    assert_eq!(listed(&server), ["gpt-4.1"]);
}

#[test]
fn requests_go_to_the_window_that_has_been_idle_longest() {
    let server = Server::serve(&[]);
    let mut one = Editor::with_models(&server.home, &[model("m")]);
    let mut other = Editor::attach(&server.home);
    other.send_models(&[model("m"), model("n")]);
    other.expect_status(|status| status.models == 2);
    let ask = || {
        let mut client = server.client();
        client.send(&Request::post(CHAT, &of_m(chat("Hello"))));
        client
    };
    // The first stays busy, so that the second goes to the other, and the third too when that is idle again.
    let mut busy = ask();
    let (first, _) = one.expect_chat();
    for _ in 0..2 {
        let mut client = ask();
        let (asked, _) = other.expect_chat();
        other.respond(asked, "Hello");
        assert_eq!(client.response().status, 200);
    }
    one.respond(first, "Hello");
    assert_eq!(busy.response().status, 200);
    // Both are idle, the first one for longer since it was asked.
    let mut client = ask();
    let (asked, _) = one.expect_chat();
    one.respond(asked, "Hello");
    assert_eq!(client.response().status, 200);
}

#[test]
fn what_a_person_sets_holds_at_once() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m"), model("n")]);
    let port = server.port;
    let get = |request: Request| server.send(&request);
    editor.send(
        0,
        &FromEditor::UserSettings(UserSettings {
            port,
            api_key: "sesame".into(),
            allowed_hosts: vec!["proxy.corp".into()],
            allowed_origins: vec!["https://mine.test".into()],
            ..user_settings()
        }),
    );
    until("the key to be asked for", || (get(Request::get("/v1/models")).status == 401).then_some(()));

    let refused = get(Request::get("/v1/models"));
    assert_eq!(refused.error().2, json!("invalid_api_key"));
    for (name, value, status) in [
        ("authorization", "Bearer sesame", 200),
        ("x-api-key", "sesame", 200),
        ("authorization", "Bearer Sesame", 401),
        ("authorization", "sesame", 401),
        ("x-api-key", "sesam", 401),
        ("x-api-key", "", 401),
    ] {
        assert_eq!(get(Request::get("/v1/models").header(name, value)).status, status, "{name}: {value}");
    }
    assert_eq!(get(Request::new("OPTIONS", CHAT)).status, 204, "a preflight carries no key");

    let keyed = |request: Request| get(request.header("x-api-key", "sesame"));
    assert_eq!(keyed(Request::get("/health").header("host", "proxy.corp:80")).status, 200);
    assert_eq!(keyed(Request::get("/health").header("host", "other.corp")).status, 403);
    let allowed = |origin: &str| {
        let answer = keyed(Request::get("/health").header("origin", origin));
        answer.header("access-control-allow-origin").map(str::to_owned)
    };
    assert_eq!(allowed("https://mine.test").as_deref(), Some("https://mine.test"));
    assert_eq!(allowed("https://other.test"), None);
    // Local pages may send requests whatever the setting says, so they must be able to read the responses.
    assert_eq!(allowed("http://localhost:3000").as_deref(), Some("http://localhost:3000"));
}

#[test]
fn the_default_model_answers_requests_that_name_none() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m"), model("n")]);
    let preferred = UserSettings { port: server.port, default_model: "n".into(), ..user_settings() };
    editor.send(0, &FromEditor::UserSettings(preferred));
    // What an editor says is heeded in its order: the models come after the preferences.
    editor.send_models(&[model("m"), model("n"), model("o")]);
    editor.expect_status(|status| status.models == 3);
    let mut client = server.client();
    let nameless = json!({ "messages": [{ "role": "user", "content": "Hello" }] });
    client.send(&Request::post(CHAT, &nameless));
    let (asked, chat) = editor.expect_chat();
    assert_eq!((chat.vendor.as_str(), chat.model.as_str()), ("test", "n"));
    editor.respond(asked, "Hello");
    assert_eq!(client.response().json()["model"], "n");
}

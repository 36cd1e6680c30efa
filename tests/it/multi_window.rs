//! Several windows at one server: commands, settings, models, status, log and handover.

use std::net::{TcpListener, TcpStream};

use copilot_proxy::bridge::protocol::{
    FromEditor, Hello, HttpState, LogLevel, ModelInfo, PROTOCOL, ProviderError, RefusedReason, Status,
    UserSettings,
};
use serde_json::{Value, json};

use crate::client::{Client, Request};
use crate::editor::{Editor, hello, model, person_key, user_settings};
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
fn stop_fails_running_requests_and_closes_the_port() {
    let server = Server::serve(&[]);
    let mut one = Editor::with_models(&server.home, &[model("m")]);
    let mut other = Editor::attach(&server.home);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &of_m(streamed("Hello"))));
    let (stream_id, _) = one.expect_chat();
    one.send_text(stream_id, "half");
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
    one.expect_cancel(stream_id);
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

/// Sends an incomplete request, whose connection stays open.
fn send_half_a_request(server: &Server) -> Client {
    let mut client = server.client();
    client.send(&Request::post(CHAT, &of_m(chat("Hello"))).header("content-length", "5000"));
    client
}

#[test]
fn start_does_not_wait_for_connections_of_the_stopped_port() {
    // Longer than this test waits.
    let server = Server::serve(&["--drain", "600000", "--receive-timeout", "600000"]);
    let mut editor = Editor::attach(&server.home);
    let port = editor.expect_port();
    editor.send(0, &FromEditor::UserSettings(UserSettings { port, ..user_settings() }));
    let _slow = send_half_a_request(&server);
    for _ in 0..3 {
        editor.send(0, &FromEditor::Stop);
        editor.expect_http(|http| *http == HttpState::Off);
        editor.send(0, &FromEditor::Start);
        assert_eq!(editor.expect_port(), port);
        assert_eq!(server.get("/health").status, 200);
    }
    // A change of the port doesn't wait for them either.
    let _slow = send_half_a_request(&server);
    let (listener, other) = taken_port();
    drop(listener);
    editor.send(0, &FromEditor::UserSettings(UserSettings { port: other, ..user_settings() }));
    editor.expect_http(|http| *http == HttpState::Running { port: other });
}

#[test]
fn connections_of_a_stopped_port_are_closed_after_the_drain_time() {
    let server = Server::serve(&["--drain", "100", "--receive-timeout", "600000"]);
    let mut editor = Editor::attach(&server.home);
    let mut slow = send_half_a_request(&server);
    editor.send(0, &FromEditor::Stop);
    slow.read_until_closed();
}

#[test]
fn repeated_start_and_stop_change_nothing() {
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
fn stop_lasts_until_the_last_editor_detaches() {
    let server = Server::serve(&[]);
    let mut one = Editor::attach(&server.home);
    let mut other = Editor::attach(&server.home);
    one.send(0, &FromEditor::Stop);
    other.expect_http(|http| *http == HttpState::Off);
    drop(one);
    other.expect_status(|status| status.editors == 1 && status.http == HttpState::Off);
    drop(other);
    // The server must notice that it left before the next one attaches.
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
fn taken_port_is_reported_and_opened_once_free() {
    let (listener, port) = taken_port();
    let home = Home::new();
    let server = start_serving(&home, &port.to_string(), &["--port-retry", "50"]);
    until("the server", || home.server_file());
    let mut editor = Editor::attach(&home);
    editor.expect_http(|http| matches!(http, HttpState::PortTaken { port: taken, .. } if *taken == port));
    assert_eq!(editor.expect_log("waiting until it is free").level, LogLevel::Warn);
    assert_eq!(home.server_file().unwrap()["port"], Value::Null);
    drop(listener);
    assert_eq!(editor.expect_port(), port);
    assert_eq!(server.wait_until_listening(), port);
    assert_eq!(home.port(), port);
}

#[test]
#[cfg(target_os = "linux")]
fn taken_port_is_reported_with_the_program_that_has_it_and_the_next_free_port() {
    let (_listener, port) = taken_port();
    let home = Home::new();
    let _server = start_serving(&home, &port.to_string(), &[]);
    until("the server", || home.server_file());
    let mut editor = Editor::attach(&home);
    let known = |http: &HttpState| matches!(http, HttpState::PortTaken { holder: Some(_), .. });
    let HttpState::PortTaken { holder: Some(holder), free_port: Some(free_port), .. } =
        editor.expect_status(|status| known(&status.http)).http
    else {
        panic!("no free port");
    };
    assert_eq!(holder.pid, std::process::id());
    assert!(free_port > port);
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
fn changed_port_setting_applies_at_once() {
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
fn ipv6_follows_the_setting() {
    if TcpListener::bind("[::1]:0").is_err() {
        return crate::skipped("this machine has no [::1]");
    }
    let server = Server::serve(&["--ipv6"]);
    let port = server.port;
    let connect = || TcpStream::connect(("::1", port));
    let ask = |host: &str| {
        let mut client = Client::on(connect().expect("a server that listens"));
        client.send(&Request::get("/health").header("host", host));
        client.response()
    };
    assert_eq!(ask(&format!("[::1]:{port}")).status, 200);
    assert_eq!(ask("evil.test").error().2, "host_not_allowed");

    let mut editor = Editor::attach(&server.home);
    let mut set_ipv6 = |ipv6| {
        editor.send(0, &FromEditor::UserSettings(UserSettings { port, ipv6, ..user_settings() }));
    };
    set_ipv6(false);
    until("a closed [::1]", || connect().is_err().then_some(()));
    assert_eq!(server.get("/health").status, 200, "127.0.0.1 stays");
    set_ipv6(true);
    until("an open [::1]", || connect().ok());
    assert_eq!(ask("localhost").status, 200);
    editor.send(0, &FromEditor::Stop);
    editor.expect_http(|http| *http == HttpState::Off);
    assert!(connect().is_err());
}

#[test]
fn taken_ipv6_port_is_only_logged() {
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
fn status_changes_are_sent_to_all_editors() {
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
    let (stream_id, _) = one.expect_chat();
    other.expect_status(|status| status.in_flight == 1 && status.requests == 0);
    one.respond(stream_id, "Hello");
    assert_eq!(client.response().status, 200);
    other.expect_status(|status| status.in_flight == 0 && status.requests == 1);

    drop(one);
    let last = other.expect_status(|status| status.editors == 1);
    assert_eq!((last.models, last.requests), (0, 1));
    // An editor that attaches later gets the status at once.
    let mut late = Editor::attach(&server.home);
    assert_eq!(late.expect_status(|status| status.editors == 2).requests, 1);
}

#[test]
fn missing_consent_is_reported_until_a_request_succeeds() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let refused = ProviderError {
        name: "LanguageModelError".into(),
        code: Some("NoPermissions".into()),
        message: "not now".into(),
    };
    let mut client = server.client();
    client.send(&Request::post(CHAT, &of_m(chat("Hello"))).header("user-agent", "curl/8.1"));
    let (stream_id, chat_message) = editor.expect_chat();
    // VS Code shows it to the user.
    assert_eq!(chat_message.client.as_deref(), Some("curl/8.1"));
    editor.send(stream_id, &FromEditor::Failed(refused));
    assert_eq!(client.response().status, 403);
    editor.expect_status(|status| status.consent_needed);
    client.send(&Request::post(CHAT, &of_m(chat("Hello"))));
    let (stream_id, _) = editor.expect_chat();
    editor.respond(stream_id, "Hello");
    assert_eq!(client.response().status, 200);
    editor.expect_status(|status| !status.consent_needed);
}

#[test]
fn log_lines_are_replayed_to_late_editors() {
    let server = Server::serve(&[]);
    let mut one = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &of_m(chat("My deepest secret"))));
    let (stream_id, _) = one.expect_chat();
    one.respond(stream_id, "I keep it");
    let id = client.response().header("x-request-id").unwrap().to_owned();
    let line = one.expect_log(&id);

    let mut late = Editor::attach(&server.home);
    assert_eq!(late.expect_log("listening on").level, LogLevel::Info);
    late.expect_log("editor attached editor=0");
    assert_eq!(late.expect_log(&id), line);
    for words in ["My deepest secret", "I keep it"] {
        assert!(!line.text.contains(words), "{line:?}");
    }
}

#[test]
fn log_lines_quote_clients_only_with_raw_logging() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut why = |raw_logging| {
        let settings = UserSettings { port: server.port, raw_logging, ..user_settings() };
        editor.send(0, &FromEditor::UserSettings(settings));
        // Messages of an editor are processed in order.
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
    assert_eq!(why(false), r#"invalid_request (400) at "messages[0].role""#);
    let message = why(true);
    assert!(message.starts_with("messages[0].role: unknown variant `My deepest secret`"), "{message}");
}

#[test]
fn log_lines_quote_model_names_and_have_no_stop_sequences() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(of_m(chat("Hello")), &json!({ "stop": ["secret stop", "b"] }))));
    let (stream_id, _) = editor.expect_chat();
    editor.send_text(stream_id, "some words secret stop and more");
    editor.expect_cancel(stream_id);
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
    let (stream_id, _) = editor.expect_chat();
    editor.respond(stream_id, "Hello");
    assert_eq!(client.response().status, 200);
}

#[test]
fn newer_editor_replaces_the_server_after_its_running_responses() {
    let mut server = Server::serve(&[]);
    let mut old = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &of_m(streamed("Hello"))));
    let (stream_id, _) = old.expect_chat();
    old.send_text(stream_id, "before ");
    let mut stream = client.stream();
    read_until(&mut stream, "before");

    let mut newer = Editor::connect(&server.home);
    let hello = Hello { protocol: PROTOCOL + 1, ..hello(&server.home) };
    newer.send(0, &FromEditor::Hello(hello));
    let refused = newer.expect_refused();
    assert_eq!(refused.reason, RefusedReason::ServerTooOld);
    assert!(refused.message.contains("it hands over"), "{}", refused.message);
    newer.expect_disconnect();

    until("no more server.json", || server.home.server_file().is_none().then_some(()));
    until("a closed port", || TcpStream::connect(("127.0.0.1", server.port)).is_err().then_some(()));
    assert!(server.process.is_running());
    old.send_text(stream_id, "and after");
    old.send(stream_id, &FromEditor::End);
    let events = stream.rest();
    assert_eq!(text_of(&events), "and after");
    assert_eq!(events.last().map(String::as_str), Some("data: [DONE]"));
    assert_eq!(server.process.wait_for_exit().code(), Some(0));
    // The directory is free for the newer one.
    Server::serve_in(&server.home, &[]);
}

#[test]
fn handover_notifies_all_editors() {
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
fn handover_ends_after_its_timeout() {
    let mut server = Server::serve(&["--handover", "100"]);
    let _editor = server.simulate();
    let mut stream = stream(&server, "say:so far\nhang:");
    read_until(&mut stream, "far");
    Editor::attach(&server.home).send(0, &FromEditor::Handover);
    // Running responses end with an error event, not with the connection.
    let events = stream.rest();
    assert_eq!(data(events.last().unwrap())["error"]["code"], "stopping");
    assert_eq!(server.process.wait_for_exit().code(), Some(0));
}

#[test]
fn model_lists_of_all_windows_are_merged() {
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
fn internal_models_are_not_listed() {
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
fn requests_go_to_the_longest_idle_window() {
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
        let (stream_id, _) = other.expect_chat();
        other.respond(stream_id, "Hello");
        assert_eq!(client.response().status, 200);
    }
    one.respond(first, "Hello");
    assert_eq!(busy.response().status, 200);
    // Both are idle, the first one for longer.
    let mut client = ask();
    let (stream_id, _) = one.expect_chat();
    one.respond(stream_id, "Hello");
    assert_eq!(client.response().status, 200);
}

#[test]
fn changed_access_settings_apply_at_once() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m"), model("n")]);
    let port = server.port;
    let get = |request: Request| server.send(&request);
    editor.send(
        0,
        &FromEditor::UserSettings(UserSettings {
            port,
            allowed_hosts: vec!["proxy.corp".into()],
            allowed_origins: vec!["https://mine.test".into()],
            ..user_settings()
        }),
    );
    editor.send_keys(&[person_key("mine", "sesame")]);
    until("the key to be required", || (get(Request::get("/v1/models")).status == 401).then_some(()));

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
        let response = keyed(Request::get("/health").header("origin", origin));
        response.header("access-control-allow-origin").map(str::to_owned)
    };
    // Any page can read a response: also why it may not send requests.
    for origin in ["https://mine.test", "https://other.test", "http://localhost:3000"] {
        assert_eq!(allowed(origin).as_deref(), Some("*"), "{origin}");
    }
}

#[test]
fn default_model_is_used_by_requests_without_a_model() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m"), model("n")]);
    let preferred = UserSettings { port: server.port, default_model: "n".into(), ..user_settings() };
    editor.send(0, &FromEditor::UserSettings(preferred));
    // Messages of an editor are processed in order: the models after the settings.
    editor.send_models(&[model("m"), model("n"), model("o")]);
    editor.expect_status(|status| status.models == 3);
    let mut client = server.client();
    let nameless = json!({ "messages": [{ "role": "user", "content": "Hello" }] });
    client.send(&Request::post(CHAT, &nameless));
    let (stream_id, chat) = editor.expect_chat();
    assert_eq!((chat.vendor.as_str(), chat.model.as_str()), ("test", "n"));
    editor.respond(stream_id, "Hello");
    assert_eq!(client.response().json()["model"], "n");
}

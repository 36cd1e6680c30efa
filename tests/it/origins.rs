//! Web pages: which origins may use the models, the question to the user, and the quota of foreign pages.

use copilot_proxy::bridge::protocol::{FromEditor, OriginAnswer, OriginDecision, ToEditor, UserSettings};
use serde_json::{Value, json};

use crate::client::{Client, Request};
use crate::editor::{Editor, model, user_settings};
use crate::openai::{CHAT, chat, content, with};
use crate::server::Server;
use crate::wait::until;

const PAGE: &str = "https://page.test";

/// A completion that a page of this origin asks for.
fn from_page(origin: &str) -> Request {
    Request::post(CHAT, &with(chat("say:hello"), &json!({ "model": "m" }))).header("origin", origin)
}

fn send(server: &Server, request: &Request) -> Client {
    let mut client = server.client();
    client.send(request);
    client
}

/// Waits for the question about an origin; returns the number of its stream.
fn expect_question(editor: &mut Editor, origin: &str) -> u32 {
    loop {
        match editor.expect_message() {
            (stream, ToEditor::AskOrigin(ask)) => {
                assert_eq!(ask.origin, origin);
                return stream;
            }
            (_, ToEditor::Chat(_)) => panic!("a model was asked before the user had answered"),
            _ => {}
        }
    }
}

fn answer(editor: &mut Editor, question: u32, decision: OriginDecision) {
    editor.send(question, &FromEditor::OriginAnswer(OriginAnswer { decision }));
}

/// Answers the next completion and fails if there is a question before it.
fn serve_one(editor: &mut Editor) {
    loop {
        match editor.expect_message() {
            (stream, ToEditor::Chat(_)) => return editor.respond(stream, "hello"),
            (_, ToEditor::AskOrigin(ask)) => panic!("a question about {}", ask.origin),
            _ => {}
        }
    }
}

fn refusal(client: &mut Client) -> String {
    let response = client.response();
    // The page can read why.
    assert_eq!(response.header("access-control-allow-origin"), Some("*"));
    let (status, _, code, message) = response.error();
    assert_eq!((status, code), (403, json!("origin_not_allowed")), "{message}");
    message
}

fn apply(server: &Server, editor: &mut Editor, settings: UserSettings) {
    editor.send(0, &FromEditor::UserSettings(UserSettings { port: server.port, ..settings }));
    // Messages of an editor are processed in order.
    editor.send_models(&[model("m"), model("n")]);
    until("the settings", || (server.get("/health").json()["models_available"] == 2).then_some(()));
}

#[test]
fn foreign_page_waits_for_the_user_and_is_asked_about_once() {
    for origin in [PAGE, "null"] {
        let server = Server::serve(&[]);
        let mut editor = Editor::with_models(&server.home, &[model("m")]);
        let mut waiting = [send(&server, &from_page(origin)), send(&server, &from_page(origin))];
        let question = expect_question(&mut editor, origin);
        answer(&mut editor, question, OriginDecision::Allow);
        // They may arrive in either order.
        waiting.iter().for_each(|_| serve_one(&mut editor));
        for client in &mut waiting {
            assert_eq!(content(&client.response()), "hello");
        }
        let mut later = send(&server, &from_page(origin));
        serve_one(&mut editor);
        assert_eq!(content(&later.response()), "hello");
        // The origin is in the metrics.
        let metrics = server.get("/metrics");
        assert!(metrics.text().contains(&format!("origin=\"{origin}\"")), "{}", metrics.text());
    }
}

#[test]
fn blocked_page_gets_403_without_another_question() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = send(&server, &from_page(PAGE));
    let question = expect_question(&mut editor, PAGE);
    answer(&mut editor, question, OriginDecision::Block);
    assert!(refusal(&mut client).contains("has blocked"));
    assert!(refusal(&mut send(&server, &from_page(PAGE))).contains("has blocked"));
    // The setting applies even after the server has forgotten the answer.
    let blocked_origins = vec!["https://other.test".to_owned()];
    apply(&server, &mut editor, UserSettings { blocked_origins, ..user_settings() });
    assert!(refusal(&mut send(&server, &from_page("https://other.test"))).contains("has blocked"));
}

#[test]
fn origin_removed_from_the_settings_is_asked_about_again() {
    for decision in [OriginDecision::Allow, OriginDecision::Block] {
        let server = Server::serve(&[]);
        let mut editor = Editor::with_models(&server.home, &[model("m")]);
        let mut client = send(&server, &from_page(PAGE));
        let question = expect_question(&mut editor, PAGE);
        answer(&mut editor, question, decision);
        let list = vec![PAGE.to_owned()];
        let settings = if decision == OriginDecision::Allow {
            serve_one(&mut editor);
            UserSettings { allowed_origins: list, ..user_settings() }
        } else {
            UserSettings { blocked_origins: list, ..user_settings() }
        };
        client.response();
        apply(&server, &mut editor, settings);
        editor.send(0, &FromEditor::UserSettings(UserSettings { port: server.port, ..user_settings() }));
        editor.send_models(&[model("m")]);
        until("the settings", || (server.get("/health").json()["models_available"] == 1).then_some(()));
        let mut again = send(&server, &from_page(PAGE));
        let question = expect_question(&mut editor, PAGE);
        answer(&mut editor, question, OriginDecision::Unanswered);
        refusal(&mut again);
    }
}

#[test]
fn there_is_one_question_at_a_time_and_a_flood_gets_none() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    for number in 0..5 {
        let origin = format!("https://{number}.test");
        let mut client = send(&server, &from_page(&origin));
        let question = expect_question(&mut editor, &origin);
        let other = refusal(&mut send(&server, &from_page("https://other.test")));
        assert!(other.contains("another web page"), "{other}");
        answer(&mut editor, question, OriginDecision::Unanswered);
        refusal(&mut client);
    }
    let flood = refusal(&mut send(&server, &from_page("https://flood.test")));
    assert!(flood.contains("too many web pages"), "{flood}");
}

#[test]
fn unanswered_question_ends_the_wait_and_a_late_answer_counts() {
    let server = Server::serve(&["--permission-wait", "1"]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let message = refusal(&mut send(&server, &from_page(PAGE)));
    assert!(message.contains("VS Code asks"), "{message}");
    let question = expect_question(&mut editor, PAGE);
    answer(&mut editor, question, OriginDecision::Allow);
    until("the permission", || {
        let mut client = send(&server, &from_page(PAGE));
        if client.responds_within(std::time::Duration::from_millis(100)) {
            return None;
        }
        serve_one(&mut editor);
        (content(&client.response()) == "hello").then_some(())
    });
}

#[test]
fn page_gets_403_if_the_asked_window_closes() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = send(&server, &from_page(PAGE));
    expect_question(&mut editor, PAGE);
    drop(editor);
    refusal(&mut client);
}

#[test]
fn demo_refuses_foreign_pages_at_once_unless_allowed() {
    let server = Server::demo(&[]);
    let message = refusal(&mut send(&server, &from_page(PAGE)));
    assert!(message.contains("--allow-origin"), "{message}");
    for allowed in [PAGE, "*"] {
        let server = Server::demo(&["--allow-origin", allowed]);
        let mut client = send(&server, &Request::post(CHAT, &chat("say:a")).header("origin", PAGE));
        assert_eq!(content(&client.response()), "a");
    }
}

#[test]
fn listed_origins_need_no_question() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let list = |origin: &str| vec![origin.to_owned()];
    let listed = UserSettings {
        allowed_origins: list("https://listed.test"),
        tool_origins: list("https://tools.test"),
        ..user_settings()
    };
    apply(&server, &mut editor, listed);
    for origin in ["https://listed.test", "https://tools.test", "http://localhost:3000", "vscode-webview://a"]
    {
        let mut client = send(&server, &from_page(origin));
        serve_one(&mut editor);
        let response = client.response();
        assert_eq!(response.header("access-control-allow-origin"), Some("*"), "{origin}");
        assert_eq!(content(&response), "hello");
    }
}

#[test]
fn only_routes_with_costs_or_private_data_need_permission() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let status = |request: Request| server.send(&request.header("origin", PAGE)).status;
    for path in ["/", "/health", "/v1/models", "/v1/models/m", "/api/tags", "/api/version", "//v1//models/"] {
        assert_eq!(status(Request::get(path)), 200, "{path}");
    }
    assert_eq!(status(Request::new("OPTIONS", CHAT)), 204);
    assert_eq!(status(Request::get("/nothing")), 404);
    for path in ["/metrics", "/metrics/", "/%6Detrics", "/v1/usage", "/v1/v1/usage"] {
        let response = server.send(&Request::get(path).header("origin", PAGE));
        assert_eq!(response.status, 403, "{path}");
        assert_eq!(response.header("access-control-allow-origin"), None, "{path}");
    }
    assert_eq!(server.send(&Request::get("/metrics").header("origin", "http://localhost:1")).status, 200);
    // Refused without a question: not JSON, no endpoint, no origin.
    let typed = |kind: &str| Request::new("POST", CHAT).header("content-type", kind).body("{}");
    for kind in ["text/plain", "application/x-www-form-urlencoded", ""] {
        assert_eq!(status(typed(kind)), 415, "{kind}");
    }
    assert_eq!(status(Request::post("/nothing", &json!({}))), 403);
    let embedded = Request::get("/v1/responses/resp_1").header("sec-fetch-site", "cross-site");
    assert_eq!(server.send(&embedded).status, 403);
    while let Some((_, message)) = editor.try_receive() {
        assert!(!matches!(message, ToEditor::AskOrigin(_)), "{message:?}");
    }
    // With a question, however the path is written.
    for path in
        ["/v1/chat/completions", "//v1/chat/completions/", "/v1/ch%61t/completions", "/v1/responses/a"]
    {
        let method = if path.ends_with("/a") { "DELETE" } else { "POST" };
        let origin = format!(
            "https://x{}.test",
            path.replace(|character: char| !character.is_ascii_alphanumeric(), "-")
        );
        let request = Request::new(method, path).header("content-type", "application/json");
        let mut client = send(&server, &request.header("origin", &origin).body("{}"));
        let question = expect_question(&mut editor, &origin);
        answer(&mut editor, question, OriginDecision::Block);
        refusal(&mut client);
    }
}

#[test]
fn foreign_pages_share_a_separate_limit() {
    let server = Server::demo(&["--allow-origin", "*"]);
    let hung = |origin: &str| {
        let body = with(chat("hang:"), &json!({ "stream": true }));
        send(&server, &Request::post(CHAT, &body).header("origin", origin))
    };
    let clients: Vec<Client> = (0..8).map(|number| hung(&format!("https://{number}.test"))).collect();
    let running = || (server.get("/metrics").text().contains("requests_in_flight 4\n")).then_some(());
    until("four running requests", running);
    until("a full queue", || {
        let mut client = hung(PAGE);
        client
            .responds_within(std::time::Duration::from_millis(200))
            .then(|| client.response().status)
            .filter(|status| *status == 429)
    });
    // Programs and local pages are served meanwhile.
    assert_eq!(content(&server.post(CHAT, &chat("say:a"))), "a");
    let local = Request::post(CHAT, &chat("say:a")).header("origin", "http://localhost:3000");
    assert_eq!(content(&server.send(&local)), "a");
    drop(clients);
    until("a free permit", || {
        let response = server.send(&Request::post(CHAT, &chat("say:a")).header("origin", PAGE));
        (response.status == 200).then_some(())
    });
}

#[test]
fn origin_of_a_page_is_in_its_record() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    editor.send(0, &FromEditor::Watch(copilot_proxy::bridge::protocol::Watch { enabled: true }));
    let mut client = send(&server, &from_page(PAGE));
    let question = expect_question(&mut editor, PAGE);
    answer(&mut editor, question, OriginDecision::Block);
    refusal(&mut client);
    let origin = until("the record", || {
        let record = editor.expect_activity().requests.pop()?;
        Some(record.origin)
    });
    assert_eq!(json!(origin), Value::from(PAGE));
}

//! Budgets: the user's limits on what requests may cost, refusals past them, and notices in VS Code.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use copilot_proxy::bridge::protocol::{
    BudgetChange, BudgetLimits, Budgets, ChangeBudget, FromEditor, ModelInfo, UserSettings,
};
use serde_json::{Value, json};

use crate::client::{Client, Request, Response};
use crate::costs::{report, until_stored};
use crate::editor::{Editor, model, user_settings};
use crate::openai::CHAT;
use crate::server::{Home, Server};
use crate::wait::until;

const CREDIT: u64 = 1_000_000_000;

/// Models at a credit for a thousand tokens of input, and one without a price.
pub fn models() -> Vec<ModelInfo> {
    let prices = json!({ "inputCost": 1000, "outputCost": 1000 });
    let priced = ModelInfo { extra: prices.as_object().unwrap().clone(), ..model("priced") };
    vec![priced, model("unpriced")]
}

fn per_day(credits: f64) -> BudgetLimits {
    BudgetLimits { per_day: Some(credits), ..BudgetLimits::default() }
}

fn of_all(all: BudgetLimits) -> Budgets {
    Budgets { all, ..Budgets::default() }
}

fn serve(budgets: Budgets) -> (Server, Editor) {
    let server = Server::serve(&[]);
    let editor = attach(&server, budgets);
    (server, editor)
}

/// Attaches an editor and waits until the server has its models and the budgets.
fn attach(server: &Server, budgets: Budgets) -> Editor {
    let mut editor = Editor::attach(&server.home);
    editor.send(0, &FromEditor::UserSettings(UserSettings { budgets: Box::new(budgets), ..user_settings() }));
    // The server applies messages in their order.
    editor.send_models(&models());
    editor.expect_status(|status| status.models == 2);
    editor
}

fn body(model: &str) -> Value {
    json!({ "model": model, "messages": [{ "role": "user", "content": "one two three" }] })
}

fn request(model: &str) -> Request {
    Request::post(CHAT, &body(model)).header("user-agent", "test/1.0")
}

fn send(server: &Server, request: &Request) -> Client {
    let mut client = server.client();
    client.send(request);
    client
}

/// Answers the next request at this cost.
fn answer(editor: &mut Editor, credits: u64) {
    let (stream, _) = editor.expect_chat();
    respond(editor, stream, credits);
}

pub fn respond(editor: &mut Editor, stream: u32, credits: u64) {
    editor.send_text(stream, "four");
    editor.send(stream, &report(credits * CREDIT));
    editor.send(stream, &FromEditor::End);
}

/// Sends a request that is answered at this cost.
fn spend(server: &Server, editor: &mut Editor, credits: u64) {
    let mut client = send(server, &request("priced"));
    answer(editor, credits);
    assert_eq!(client.response().status, 200);
}

fn refused(server: &Server, request: &Request) -> Response {
    let response = server.send(request);
    assert_eq!(response.status, 429, "{}", response.text());
    assert_eq!(response.header("x-should-retry"), Some("false"));
    response
}

#[test]
fn used_up_budget_refuses_in_every_api_and_says_what_to_do() {
    let (server, mut editor) = serve(of_all(per_day(10.0)));
    spend(&server, &mut editor, 7);
    assert_eq!(editor.budget_notices(), []);
    spend(&server, &mut editor, 1);
    let near = editor.expect_budget_notice();
    assert!(
        near.message.starts_with("80 % of the budget of 10 credits a day is used (8 credits)."),
        "{near:?}"
    );
    assert_eq!(near.add, None);
    spend(&server, &mut editor, 3);
    let used_up = editor.expect_budget_notice();
    assert!(
        used_up.message.starts_with("The budget of 10 credits a day is used up (11 credits used)."),
        "{used_up:?}"
    );
    assert_eq!(used_up.add.as_deref(), Some("Add 50"));

    let messages = json!([{ "role": "user", "content": "one" }]);
    for (path, body) in [
        (CHAT, json!({ "messages": messages })),
        (CHAT, json!({ "messages": messages, "stream": true })),
        ("/v1/completions", json!({ "prompt": "one" })),
        ("/v1/messages", json!({ "messages": messages, "max_tokens": 9 })),
        ("/v1/responses", json!({ "input": "one" })),
        ("/api/chat", json!({ "messages": messages })),
        (
            "/v1beta/models/priced:generateContent",
            json!({ "contents": [{ "role": "user", "parts": [{ "text": "one" }] }] }),
        ),
    ] {
        let mut body = body;
        if !path.starts_with("/v1beta") {
            body["model"] = "priced".into();
        }
        let response = refused(&server, &Request::post(path, &body));
        for words in [
            "the budget of 10 credits a day is used up (11 credits used)",
            "midnight",
            "Add 50",
            "Lift for Today",
        ] {
            assert!(response.text().contains(words), "{path}: {words}: {}", response.text());
        }
        if path.starts_with("/v1/") && path != "/v1/messages" {
            assert_eq!(response.json()["error"]["code"], "insufficient_quota", "{path}");
        }
    }
    assert_eq!(editor.budget_notices(), [], "one notice is enough");
}

#[test]
fn addition_and_lifting_take_effect_at_once_and_survive_a_restart() {
    let home: Arc<Home> = Home::new();
    let mut server = Server::serve_in(&home, &[]);
    let mut editor = attach(&server, of_all(per_day(10.0)));
    let change = |editor: &mut Editor, change| {
        let budget = "all/day/credits".to_owned();
        editor.send(0, &FromEditor::ChangeBudget(ChangeBudget { budget, change }));
    };
    spend(&server, &mut editor, 20);
    refused(&server, &request("priced"));
    change(&mut editor, BudgetChange::Add);
    editor.expect_log("budget raised");
    spend(&server, &mut editor, 30);
    spend(&server, &mut editor, 11);
    refused(&server, &request("priced"));
    // The rows are written before a report is made.
    server.get("/v1/usage");
    drop(editor);
    server.process.kill();

    let server = Server::serve_in(&home, &[]);
    let mut editor = attach(&server, of_all(per_day(10.0)));
    let response = refused(&server, &request("priced"));
    assert!(
        response.text().contains("the budget of 60 credits a day is used up (61 credits used)"),
        "{}",
        response.text()
    );
    change(&mut editor, BudgetChange::LiftToday);
    editor.expect_log("budget lifted");
    spend(&server, &mut editor, 100);
    spend(&server, &mut editor, 100);
}

/// After an ordinary handover the newer server starts when the older one has written everything. Two run at once where
/// something has removed the lock, such as a cleaner of temporary files.
#[test]
fn spending_through_another_server_counts_within_seconds() {
    let home: Arc<Home> = Home::new();
    let other = Server::serve_in(&home, &[]);
    let mut other_editor = attach(&other, of_all(per_day(10.0)));
    let mut running = send(&other, &request("priced"));
    let (stream, _) = other_editor.expect_chat();
    std::fs::remove_file(home.path().join("lock")).unwrap();
    let server = Server::serve_in(&home, &[]);
    let mut editor = attach(&server, of_all(per_day(10.0)));
    spend(&server, &mut editor, 1);

    respond(&mut other_editor, stream, 20);
    assert_eq!(running.response().status, 200);
    let ended = Instant::now();
    let response = until("the spending of the other server", || {
        let mut client = send(&server, &request("priced"));
        if client.responds_within(Duration::from_secs(1)) {
            return Some(client.response());
        }
        answer(&mut editor, 0);
        assert_eq!(client.response().status, 200);
        None
    });
    assert_eq!(response.status, 429);
    assert!(response.text().contains("(21 credits used)"), "{}", response.text());
    assert!(ended.elapsed() < Duration::from_secs(8), "{:?}", ended.elapsed());
}

#[test]
fn cost_of_a_request_that_a_kill_interrupts_counts() {
    let home: Arc<Home> = Home::new();
    let mut server = Server::serve_in(&home, &[]);
    let mut editor = attach(&server, of_all(per_day(10.0)));
    let client = send(&server, &request("priced"));
    let (stream, _) = editor.expect_chat();
    editor.send(stream, &report(12 * CREDIT));
    // Before its end.
    until_stored(&home, 12.0);
    server.process.kill();
    drop((client, editor));

    let server = Server::serve_in(&home, &[]);
    let _editor = attach(&server, of_all(per_day(10.0)));
    let response = refused(&server, &request("priced"));
    assert!(response.text().contains("(12 credits used)"), "{}", response.text());
}

#[test]
fn clients_have_budgets_of_their_own() {
    let per_client = BTreeMap::from([("Codex_cli_rs".to_owned(), per_day(5.0))]);
    let (server, mut editor) = serve(Budgets { per_client, ..Budgets::default() });
    let codex = || Request::post(CHAT, &body("priced")).header("user-agent", "codex_cli_rs/0.155.0 (Linux)");
    let mut client = send(&server, &codex());
    answer(&mut editor, 6);
    assert_eq!(client.response().status, 200);
    let response = refused(&server, &codex());
    assert!(response.text().contains("for codex_cli_rs is used up"), "{}", response.text());
    spend(&server, &mut editor, 6);
}

#[test]
fn header_limits_a_session() {
    let (server, mut editor) = serve(Budgets::default());
    let limited = |credits: &str, session: &str| {
        request("priced").header("x-copilot-proxy-max-credits", credits).header("x-session-id", session)
    };
    let mut client = send(&server, &limited("5", "a"));
    answer(&mut editor, 6);
    assert_eq!(client.response().status, 200);
    let response = refused(&server, &limited("5", "a"));
    assert!(response.text().contains("x-copilot-proxy-max-credits"), "{}", response.text());
    for next in [limited("7", "a"), limited("5", "b"), request("priced")] {
        let mut client = send(&server, &next);
        answer(&mut editor, 0);
        assert_eq!(client.response().status, 200);
    }
    let response = server.send(&limited("many", "a"));
    assert_eq!(response.status, 400);
    assert!(response.text().contains("x-copilot-proxy-max-credits: found `many`"), "{}", response.text());
    assert_eq!(editor.budget_notices(), []);
}

#[test]
fn tokens_limit_a_model_of_unknown_cost() {
    let limits = BudgetLimits { tokens_per_day: Some(10.0), ..BudgetLimits::default() };
    let (server, mut editor) = serve(of_all(limits));
    let mut client = send(&server, &request("unpriced"));
    let (stream, _) = editor.expect_chat();
    editor.respond(stream, "four five six seven eight nine ten eleven twelve");
    assert_eq!(client.response().status, 200);
    let response = refused(&server, &request("unpriced"));
    assert!(response.text().contains("10 tokens a day"), "{}", response.text());
    spend(&server, &mut editor, 1);
}

/// The estimate of each request, a thousand tokens of output and some input, is a little above one credit; it costs two.
#[test]
fn concurrent_streams_exceed_a_budget_by_no_more_than_the_running_ones() {
    const REQUESTS: usize = 64;
    const LIMIT: u64 = 20;
    let (server, mut editor) = serve(of_all(per_day(LIMIT as f64)));
    let mut stream_body = body("priced");
    stream_body["stream"] = true.into();
    let mut clients: Vec<Client> =
        (0..REQUESTS).map(|_| send(&server, &Request::post(CHAT, &stream_body))).collect();
    let streams: Vec<u32> = (0..LIMIT).map(|_| editor.expect_chat().0).collect();
    for stream in streams {
        respond(&mut editor, stream, 2);
    }
    let statuses: Vec<u16> = clients.iter_mut().map(|client| client.response().status).collect();
    let count = |wanted| statuses.iter().filter(|status| **status == wanted).count();
    assert_eq!((count(200), count(429)), (20, 44));
    // The 20 credits of the budget, and no more than the running ones cost above their estimate.
    assert_eq!(server.get("/v1/usage").json()["totals"]["credits"], 40.0);
    refused(&server, &request("priced"));
}

//! The cost of requests, however they end: every attempt at a provider is in the response, `/v1/usage` and `/metrics`.

use std::sync::Arc;

use copilot_proxy::bridge::protocol::{
    EditorTool, FromEditor, ModelInfo, ProviderError, ResponsePart, ToEditor, Tools,
};
use copilot_proxy::conversation::{Data, Part, Tool, ToolCall};
use serde_json::{Value, json};

use crate::client::Request;
use crate::editor::{Editor, model};
use crate::openai::CHAT;
use crate::server::{Home, Server};
use crate::wait::until;

/// A model with these properties of its price.
fn priced(id: &str, prices: &Value) -> ModelInfo {
    ModelInfo { extra: prices.as_object().unwrap().clone(), ..model(id) }
}

/// A server with models at 1000 credits for a million tokens of input and 2000 for a million of output, and one that
/// counts as a third of a premium request.
fn serve() -> (Server, Editor) {
    let server = Server::serve(&[]);
    let prices = json!({ "inputCost": 1000, "outputCost": 2000 });
    let third = priced("third", &json!({ "pricing": "0.33x" }));
    let editor = Editor::with_models(&server.home, &[priced("a", &prices), priced("b", &prices), third]);
    (server, editor)
}

fn request(model: &str) -> Value {
    json!({ "model": model, "messages": [{ "role": "user", "content": "one two three four five" }] })
}

fn totals(server: &Server) -> Value {
    server.get("/v1/usage").json()["totals"].clone()
}

/// Waits until a request has ended, and returns the totals.
fn totals_after(server: &Server, requests: u64) -> Value {
    until("the end of the requests", || Some(totals(server)).filter(|found| found["requests"] == requests))
}

/// Estimated cost of these totals in tokens of input and of output.
fn estimate(input: u64, output: u64) -> Value {
    let thousandths = input + 2 * output;
    json!(thousandths as f64 / 1000.0)
}

fn failed(name: &str, message: &str) -> FromEditor {
    FromEditor::Failed(ProviderError { name: name.into(), code: None, message: message.into() })
}

/// A provider's report of a usage and its cost.
pub fn report(nano: u64) -> FromEditor {
    use base64::Engine as _;
    let report =
        json!({ "prompt_tokens": 10, "completion_tokens": 1, "copilot_usage": { "total_nano_aiu": nano } });
    let base64 = base64::engine::general_purpose::STANDARD.encode(report.to_string());
    FromEditor::Part(ResponsePart { part: Part::Data(Data { mime: "usage".into(), base64 }) })
}

/// Waits until the usage database has rows of this many credits: at most the last 100 ms are missing.
pub fn until_stored(home: &Home, credits: f64) {
    let path = home.path().join("usage.db");
    let sum = || -> rusqlite::Result<f64> {
        rusqlite::Connection::open(&path)?.query_row(
            "SELECT coalesce(sum(credits), 0.0) FROM requests",
            [],
            |row| row.get(0),
        )
    };
    // The database may be busy, or not there yet.
    until("the rows", || sum().ok().filter(|sum| *sum >= credits));
}

#[test]
fn costs_before_a_kill_are_kept() {
    let home: Arc<Home> = Home::new();
    let prices = json!({ "inputCost": 1000, "outputCost": 2000 });
    let mut server = Server::serve_in(&home, &[]);
    let mut editor = Editor::with_models(&home, &[priced("a", &prices)]);
    // The second round of auto mode runs; a request has got no part; one has its cost, but not its end.
    let mut body = request("a");
    body["tool_execution"] = "auto".into();
    body["use_vscode_tools"] = true.into();
    let mut auto = server.client();
    auto.send(&Request::post(CHAT, &body));
    first_round(&mut editor);
    editor.expect_chat();
    let mut silent = server.client();
    silent.send(&Request::post(CHAT, &request("a")));
    editor.expect_chat();
    let mut reported = server.client();
    reported.send(&Request::post(CHAT, &request("a")));
    let (stream, _) = editor.expect_chat();
    editor.send(stream, &report(7_000_000_000));
    // The rounds and the report cost 10, the input of the two others something.
    until_stored(&home, 10.01);
    assert_eq!(totals(&server)["requests"], 0, "running requests are no part of the sums");
    server.process.kill();
    drop((auto, silent, reported, editor));

    let server = Server::serve_in(&home, &[]);
    let totals = totals(&server);
    assert_eq!(totals["requests"], 3);
    let credits = totals["credits"].as_f64().unwrap();
    let input = credits - 10.0;
    assert!((0.01..1.0).contains(&input), "{totals}");
    // The round's cost was reported, but the sum of the request has an estimate in it.
    assert_eq!(totals["estimated_credits"], json!(((credits - 7.0) * 1e9).round() / 1e9));
}

/// The report comes right before the end, and either may be the last thing that happens.
#[test]
fn reported_cost_holds_however_the_request_ends() {
    let (server, mut editor) = serve();
    let mut failing = server.client();
    failing.send(&Request::post(CHAT, &request("a")));
    let (stream, _) = editor.expect_chat();
    editor.send_text(stream, "six");
    editor.send(stream, &report(7_000_000_000));
    editor.send(stream, &failed("Error", "Server error: 500"));
    assert!(failing.response().status >= 500);
    let mut leaving = server.client();
    let mut body = request("a");
    body["stream"] = true.into();
    leaving.send(&Request::post(CHAT, &body));
    let (stream, _) = editor.expect_chat();
    editor.send(stream, &report(5_000_000_000));
    editor.send_text(stream, "six");
    leaving.skip_past("six");
    drop(leaving);
    editor.expect_cancel(stream);
    let totals = totals_after(&server, 2);
    assert_eq!((&totals["credits"], &totals["estimated_credits"]), (&json!(12.0), &json!(0.0)));
}

#[test]
fn failed_request_costs_its_input_and_the_output_so_far() {
    let (server, mut editor) = serve();
    let mut client = server.client();
    client.send(&Request::post(CHAT, &request("a")));
    let (stream, _) = editor.expect_chat();
    editor.send_text(stream, "six seven eight");
    editor.send(stream, &failed("Error", "Server error: 500"));
    assert!(client.response().status >= 500);
    let totals = totals_after(&server, 1);
    let (input, output) =
        (totals["input_tokens"].as_u64().unwrap(), totals["output_tokens"].as_u64().unwrap());
    assert!(input > 5 && output == 3, "{totals}");
    assert_eq!(totals["credits"], estimate(input, output));
    assert_eq!(totals["estimated_credits"], totals["credits"]);
    assert!(server.get("/metrics").text().contains("copilot_proxy_credits_total{"));
}

#[test]
fn disconnected_client_pays_the_input_and_the_output_so_far() {
    let (server, mut editor) = serve();
    let mut client = server.client();
    let mut body = request("a");
    body["stream"] = true.into();
    client.send(&Request::post(CHAT, &body));
    let (stream, _) = editor.expect_chat();
    editor.send_text(stream, "six seven");
    client.skip_past("seven");
    drop(client);
    editor.expect_cancel(stream);
    let totals = totals_after(&server, 1);
    let input = totals["input_tokens"].as_u64().unwrap();
    assert_eq!(totals["output_tokens"], 2);
    assert_eq!(totals["credits"], estimate(input, 2));
}

#[test]
fn request_that_is_cancelled_before_its_first_part_costs_its_input() {
    let (server, mut editor) = serve();
    let mut client = server.client();
    client.send(&Request::post(CHAT, &request("a")));
    let (stream, _) = editor.expect_chat();
    drop(client);
    editor.expect_cancel(stream);
    let totals = totals_after(&server, 1);
    let input = totals["input_tokens"].as_u64().unwrap();
    assert!(input > 5, "{totals}");
    assert_eq!(totals["credits"], estimate(input, 0));
}

#[test]
fn model_that_was_cut_before_its_fallback_answers_is_paid_too() {
    let (server, mut editor) = serve();
    let mut body = request("a");
    body["models"] = json!(["b"]);
    let mut client = server.client();
    client.send(&Request::post(CHAT, &body));
    // The provider refuses the first one, which costs nothing. The window of the second one closes after it was sent.
    let (stream, _) = editor.expect_chat();
    editor.send(stream, &failed("ChatRateLimited", "slow down"));
    let (_, chat) = editor.expect_chat();
    assert_eq!(chat.model, "b");
    let prices = json!({ "inputCost": 1000, "outputCost": 2000 });
    let mut other = Editor::attach(&server.home);
    other.send_models(&[priced("b", &prices)]);
    other.expect_status(|status| status.editors == 2 && status.models == 3);
    drop(editor);
    let (stream, _) = other.expect_chat();
    other.send_text(stream, "six");
    other.send(stream, &report(7_000_000_000));
    other.send(stream, &FromEditor::End);
    let response = client.response();
    assert_eq!(response.status, 200, "{}", response.text());
    let told = &response.json()["copilot_proxy"];
    let totals = totals_after(&server, 1);
    assert_eq!(told["credits"], totals["credits"]);
    assert_eq!(told["credits_source"], "estimated");
    // The provider's report, and the counted input of the lost one.
    let input = totals["credits"].as_f64().unwrap() - 7.0;
    assert!((0.006..0.1).contains(&input), "{totals}");
}

/// Runs the first round of a request in auto mode, which costs three credits, and its tool.
fn first_round(editor: &mut Editor) {
    let (list, message) = editor.expect_message();
    assert_eq!(message, ToEditor::ListTools);
    let tool = Tool { name: "look".into(), description: "Look.".into(), input_schema: None };
    editor.send(list, &FromEditor::Tools(Tools { tools: vec![EditorTool { tool, tags: Vec::new() }] }));
    let (stream, _) = editor.expect_chat();
    let call = ToolCall { id: "1".into(), name: "look".into(), input: json!({}) };
    editor.send(stream, &FromEditor::Part(ResponsePart { part: Part::ToolCall(call) }));
    editor.send(stream, &report(3_000_000_000));
    editor.send(stream, &FromEditor::End);
    let (tool, message) = editor.expect_message();
    assert!(matches!(message, ToEditor::InvokeTool(_)), "{message:?}");
    editor.send(tool, &failed("Error", "no such file"));
}

#[test]
fn auto_mode_that_fails_costs_the_rounds_before() {
    let (server, mut editor) = serve();
    let mut body = request("a");
    body["tool_execution"] = "auto".into();
    body["use_vscode_tools"] = true.into();
    let mut client = server.client();
    client.send(&Request::post(CHAT, &body));
    first_round(&mut editor);
    let (stream, _) = editor.expect_chat();
    editor.send(stream, &failed("ChatQuotaExceeded", "used up"));
    assert_eq!(client.response().status, 429);
    assert_eq!(totals_after(&server, 1)["credits"], 3.0);
}

/// The JSON value behind the last occurrence of a field.
fn last_value(text: &str, field: &str) -> Value {
    let (_, rest) =
        text.rsplit_once(&format!("\"{field}\":")).unwrap_or_else(|| panic!("no {field}: {text}"));
    serde_json::Deserializer::from_str(rest).into_iter().next().unwrap().unwrap()
}

#[test]
fn auto_mode_tells_the_cost_of_each_round_in_every_api() {
    let (server, mut editor) = serve();
    let messages = json!([{ "role": "user", "content": "one" }]);
    let contents = json!([{ "role": "user", "parts": [{ "text": "one" }] }]);
    for (path, body) in [
        (CHAT, json!({ "messages": messages })),
        (CHAT, json!({ "messages": messages, "stream": true })),
        (CHAT, json!({ "messages": messages, "stream": true, "stream_options": { "include_usage": true } })),
        ("/v1/messages", json!({ "messages": messages, "max_tokens": 9 })),
        ("/v1/messages", json!({ "messages": messages, "max_tokens": 9, "stream": true })),
        ("/v1/responses", json!({ "input": "one" })),
        ("/v1/responses", json!({ "input": "one", "stream": true })),
        ("/api/chat", json!({ "messages": messages, "stream": false })),
        ("/api/chat", json!({ "messages": messages })),
        ("/v1beta/models/a:generateContent", json!({ "contents": contents })),
        ("/v1beta/models/a:streamGenerateContent?alt=sse", json!({ "contents": contents })),
    ] {
        let mut body = body;
        if !path.starts_with("/v1beta") {
            body["model"] = "a".into();
        }
        body["tool_execution"] = "auto".into();
        body["use_vscode_tools"] = true.into();
        let mut client = server.client();
        client.send(&Request::post(path, &body));
        first_round(&mut editor);
        let (stream, _) = editor.expect_chat();
        editor.send_text(stream, "six");
        editor.send(stream, &report(4_000_000_000));
        editor.send(stream, &FromEditor::End);
        let response = client.response();
        assert_eq!(response.status, 200, "{path}: {}", response.text());
        let round = |round: u32, credits: f64| {
            json!({
                "round": round, "model": "a", "input_tokens": 10, "output_tokens": 1, "credits": credits,
                "credits_source": "reported",
            })
        };
        let rounds = last_value(response.text(), "rounds");
        assert_eq!(rounds, json!([round(1, 3.0), round(2, 4.0)]), "{path}: {}", response.text());
        assert!(response.text().contains("\"credits\":7.0"), "{path}: {}", response.text());
    }
}

#[test]
fn multiplier_counts_premium_requests() {
    let (server, mut editor) = serve();
    for _ in 0..2 {
        let mut client = server.client();
        client.send(&Request::post(CHAT, &request("third")));
        let (stream, _) = editor.expect_chat();
        editor.respond(stream, "six");
        let told = client.response().json()["copilot_proxy"].clone();
        assert_eq!(told, json!({ "premium_requests": 0.33 }));
    }
    let totals = totals_after(&server, 2);
    assert_eq!(
        (&totals["premium_requests"], &totals["credits"], &totals["unknown_requests"]),
        (&json!(0.66), &json!(0.0), &json!(0))
    );
    let metrics = server.get("/metrics").text().to_owned();
    let line =
        metrics.lines().find(|line| line.starts_with("copilot_proxy_premium_requests_total{")).unwrap();
    assert!(line.contains("model=\"third\"") && line.ends_with(" 0.66"), "{line}");
}

//! `GET /v1/models` and `GET /v1/models/{id}`.

use serde_json::{Value, json};

use crate::client::Request;
use crate::server::Server;

const DEMO: [&str; 12] = [
    "scripted-1",
    "scripted-mini",
    "scripted-usage",
    "gpt-4o",
    "gpt-5-mini",
    "claude-3.5-sonnet",
    "claude-sonnet-4",
    "claude-opus-4.6",
    "claude-haiku-4.5",
    "gemini-2.5-pro",
    "auto",
    "scripted-long",
];

fn scripted_mini() -> Value {
    json!({
        "id": "scripted-mini",
        "object": "model",
        "owned_by": "demo",
        "name": "scripted-mini (demo)",
        "family": "scripted-mini",
        "version": "scripted-mini-2026-01-01",
        "maxInputTokens": 16_384,
        "context_length": 16_384,
        "context_window": 16_384,
        "max_model_len": 16_384,
        "capabilities": { "toolCalling": true, "imageInput": false },
    })
}

fn without_date(mut model: Value) -> Value {
    let created = model.as_object_mut().unwrap().remove("created");
    assert!(created.is_some_and(|created| created.as_u64() > Some(1_700_000_000)));
    model
}

#[test]
fn list_contains_all_models() {
    let server = Server::demo(&[]);
    let response = server.get("/v1/models");
    assert_eq!((response.status, response.header("content-type")), (200, Some("application/json")));
    let list = response.json();
    assert_eq!(list["object"], "list");
    let models = list["data"].as_array().unwrap();
    assert_eq!(models.iter().map(|model| model["id"].as_str().unwrap()).collect::<Vec<_>>(), DEMO);
    assert_eq!(without_date(models[1].clone()), scripted_mini());
}

#[test]
fn model_is_found_by_its_id() {
    let server = Server::demo(&[]);
    let response = server.get("/v1/models/scripted-mini");
    assert_eq!(response.status, 200);
    assert_eq!(without_date(response.json()), scripted_mini());
    // SDKs percent-encode path segments.
    assert_eq!(server.get("/v1/models/claude%2D3.5%2Dsonnet").json()["id"], "claude-3.5-sonnet");
}

#[test]
fn names_that_a_completion_accepts_are_found() {
    let server = Server::demo(&[]);
    for name in [
        "claude-sonnet-4-20250514",
        "demo/claude-sonnet-4",
        "demo%2Fclaude-sonnet-4",
        "copilot-claude-sonnet-4",
    ] {
        let path = format!("/v1/models/{name}");
        assert_eq!(server.get(&path).json()["id"], "claude-sonnet-4", "{name}");
        let anthropic = server.send(&Request::get(&path).header("anthropic-version", "2023-06-01")).json();
        assert_eq!((&anthropic["id"], &anthropic["type"]), (&json!("claude-sonnet-4"), &json!("model")));
    }
    // Claude Code sends names of its own, so a message with an unknown name is answered.
    let unknown = Request::get("/v1/models/claude-9-mystery").header("anthropic-version", "2023-06-01");
    assert_eq!(server.send(&unknown).status, 200);
}

#[test]
fn codex_gets_an_empty_model_list_in_its_form() {
    let server = Server::demo(&[]);
    for path in ["/v1/models?client_version=0.155.0", "/models?a=b&client_version="] {
        let list = server.get(path).json();
        assert_eq!((&list["models"], list["data"].as_array().unwrap().len()), (&json!([]), DEMO.len()));
    }
    assert_eq!(server.get("/v1/models?limit=1").json().get("models"), None);
}

#[test]
fn unknown_model_id_gets_404_with_the_known_names() {
    let server = Server::demo(&[]);
    for path in ["/v1/models/nobody-9", "/v1/models/demo/nobody"] {
        let (status, _, code, message) = server.get(path).error();
        assert_eq!((status, code), (404, json!("model_not_found")));
        assert!(message.contains("scripted-1"), "{message}");
    }
}

#[test]
fn endpoints_work_without_v1_and_with_head() {
    let server = Server::demo(&[]);
    for path in ["/models", "/models/scripted-mini"] {
        assert_eq!(server.get(path).json(), server.get(&format!("/v1{path}")).json());
        for path in [path.to_owned(), format!("/v1{path}")] {
            let head = server.send(&Request::new("HEAD", &path));
            assert_eq!((head.status, head.body.as_slice()), (200, b"".as_slice()), "{path}");
            let length = server.get(&path).body.len().to_string();
            assert_eq!(head.header("content-length"), Some(length.as_str()), "{path}");
        }
    }
}

#[test]
fn list_without_an_editor_is_empty() {
    let server = Server::serve(&["--window-wait", "100"]);
    assert_eq!(server.get("/v1/models").json(), json!({ "object": "list", "data": [] }));
}

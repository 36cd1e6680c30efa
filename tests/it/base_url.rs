//! Wrong base URLs, upgrade requests, and other slips that still get an answer.

use serde_json::{Value, json};

use crate::client::Request;
use crate::openai::{CHAT, chat, content};
use crate::server::Server;

#[test]
fn slips_in_the_base_url_are_corrected() {
    let server = Server::demo(&[]);
    for path in [
        "/v1//chat/completions",
        "//v1/chat/completions/",
        "/v1/v1/chat/completions",
        "/api/v1/chat/completions",
        "/v1/v1/chat/completions?beta=true",
    ] {
        assert_eq!(content(&server.post(path, &chat("say:ok"))), "ok", "{path}");
    }
    let anthropic = json!({ "model": "scripted-1", "max_tokens": 99, "messages": [{ "role": "user", "content": "say:ok" }] });
    for path in ["/v1/v1/messages", "/v1/messages/", "//messages", "/api/v1//messages"] {
        assert_eq!(server.post(path, &anthropic).json()["content"][0]["text"], "ok", "{path}");
    }
    let gemini = json!({ "contents": [{ "parts": [{ "text": "say:ok" }] }] });
    for path in [
        "/v1beta/models/scripted-1:generateContent/",
        "/v1/v1beta/models/scripted-1:generateContent",
        "/v1beta/v1beta//models/scripted-1:generateContent",
        "/v1beta/v1/models/scripted-1:generateContent?alt=json",
        "/v1alpha/models/scripted-1:generateContent",
    ] {
        let text = server.post(path, &gemini).json()["candidates"][0]["content"]["parts"][0]["text"].take();
        assert_eq!(text, "ok", "{path}");
    }
    for path in
        ["/v1/v1/models", "/v1/models/", "/api/v1/models", "/v1/api/tags", "/api//tags/", "//health/", "//"]
    {
        assert_eq!(server.get(path).status, 200, "{path}");
    }
    // A base URL that ends with `/api/v1`, in a client of Ollama.
    let ollama = json!({ "model": "scripted-1", "stream": false, "messages": [{ "role": "user", "content": "say:ok" }] });
    for path in ["/api/v1/chat", "/v1/api/chat", "/api/api/chat"] {
        assert_eq!(server.post(path, &ollama).json()["message"]["content"], "ok", "{path}");
    }
    // The base URL itself, as a browser or a check of a client opens it.
    for path in ["/v1", "/v1/", "/v1/v1", "/api", "/api/", "/api/v1/"] {
        assert_eq!(server.get(path).json()["name"], "Copilot Proxy", "{path}");
        assert_eq!(server.send(&Request::new("HEAD", path)).status, 200, "{path}");
        assert_eq!(server.post(path, &json!({})).status, 405, "{path}");
    }
    let model = server.get("/v1/v1//models/claude-sonnet-4/?x=1").json();
    assert_eq!(model["id"], "claude-sonnet-4");
    let failure = server.get("/v1//nothing").error();
    assert!(failure.0 == 404 && failure.3.contains("/v1//nothing"), "{failure:?}");
    assert!(failure.3.contains("the base URL is http://127.0.0.1/v1 for"), "{failure:?}");
    assert_eq!(server.get("/v1//chat/completions/").status, 405);
}

fn handshake(method: &'static str, path: &str) -> Request {
    Request::new(method, path)
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ==")
}

#[test]
fn web_socket_gets_426_where_get_is_not_accepted() {
    let server = Server::demo(&[]);
    for path in ["/v1/responses", "/responses", "/v1/responses/", "/v1/v1/responses", CHAT, "/v1/messages"] {
        let response = server.send(&handshake("GET", path));
        assert_eq!((response.status, response.header("upgrade")), (426, Some("HTTP/1.1")), "{path}");
        assert!(response.json().get("error").is_some(), "{}", response.text());
        assert_eq!(server.get(path).status, 405, "{path}");
    }
}

#[test]
fn upgrade_request_gets_a_response_at_every_endpoint() {
    let server = Server::demo(&[]);
    for (path, status) in [
        ("/", 200),
        ("/health", 200),
        ("/v1/models", 200),
        ("/v1/models/scripted-1", 200),
        ("/v1/tools", 200),
        ("/metrics", 200),
        ("/api/tags", 200),
        ("/v1/responses/resp_1", 404),
        ("/v1/realtime", 404),
    ] {
        assert_eq!(server.send(&handshake("GET", path)).status, status, "{path}");
        let h2c = Request::get(path)
            .header("connection", "Upgrade, HTTP2-Settings")
            .header("upgrade", "h2c")
            .header("http2-settings", "AAMAAABkAAQAoAAAAAIAAAAA");
        assert_eq!(server.send(&h2c).status, status, "{path}");
    }
}

#[test]
fn body_of_an_upgrade_request_is_read() {
    let server = Server::demo(&[]);
    let body = chat("say:ok").to_string();
    for protocol in ["websocket", "h2c", "TLS/1.0", "websocket, h2c"] {
        let request = Request::new("POST", CHAT)
            .header("connection", "Upgrade")
            .header("upgrade", protocol)
            .header("content-type", "application/json");
        assert_eq!(content(&server.send(&request.clone().body(body.clone()))), "ok", "{protocol}");
        assert_eq!(server.send(&request).status, 400, "{protocol}");
    }
}

#[test]
fn errors_have_anthropics_form_wherever_the_version_was_sent() {
    let server = Server::demo(&[]);
    for (method, path, status, kind) in [
        ("GET", "/v1/files", 404, "not_found_error"),
        ("POST", "/v1/messages/batches", 404, "not_found_error"),
        ("GET", "/nothing", 404, "not_found_error"),
        ("GET", CHAT, 405, "invalid_request_error"),
        ("DELETE", "/api/tags", 405, "invalid_request_error"),
        ("POST", "/v1/embeddings", 400, "invalid_request_error"),
        ("GET", "/v1/responses/resp_1", 404, "not_found_error"),
    ] {
        let request = Request::new(method, path).header("anthropic-version", "2023-06-01");
        let response = server.send(&request);
        let body: Value = response.json();
        assert_eq!(
            (response.status, &body["type"], &body["error"]["type"]),
            (status, &json!("error"), &json!(kind)),
            "{method} {path}"
        );
    }
}

//! A bug that panics in one request ends that request with an error in its API's form, and no other.

use serde_json::{Value, json};

use crate::client::Request;
use crate::disconnects::every_dialect_and_mode;
use crate::editor::{Editor, model};
use crate::openai::{CHAT, chat, content, with};
use crate::server::Server;
use crate::wait::until;

/// A server that panics where it finds this word.
fn server() -> Server {
    Server::serve(&["--panic-at", "boom", "--window-wait", "0"])
}

const MESSAGE: &str = "internal error: the request handler panicked; please report it";

/// The message of an error in any API's form.
fn message(body: &Value) -> &str {
    body["error"]["message"].as_str().or(body["error"].as_str()).unwrap_or_default()
}

#[test]
fn panic_in_each_handler_gets_500_in_the_form_of_its_path() {
    let mut server = server();
    let listed = server.get("/").json();
    let listed: Vec<String> =
        listed["endpoints"].as_array().unwrap().iter().map(|row| row.as_str().unwrap().to_owned()).collect();
    assert!(listed.len() > 20, "{listed:?}");
    for row in listed.iter().map(String::as_str).chain(["PUT /v1/models", "GET /v1/messages"]) {
        let (method, path) = row.split_once(' ').unwrap();
        let path = path.replace("{id}", "x").replace("{name}", "x");
        let method = ["GET", "POST", "DELETE", "PUT"].into_iter().find(|known| *known == method).unwrap();
        let request = Request::new(method, &format!("{path}?boom-handler"));
        let response = server.send(&request.header("content-type", "application/json").body("{}"));
        assert_eq!((response.status, message(&response.json())), (500, MESSAGE), "{row}");
        let form = match path.as_str() {
            path if path.contains("/messages") => response.json()["type"] == "error",
            path if path.starts_with("/api") && !path.starts_with("/api/v0") => {
                response.json()["error"].is_string()
            }
            "/mcp" => response.json()["error"]["code"] == -32603,
            path if path.starts_with("/v1beta") => response.json()["error"]["status"] == "INTERNAL",
            _ => response.json()["error"]["type"] == "server_error",
        };
        assert!(form, "{row}: {}", response.text());
        assert!(response.header("x-request-id").is_some(), "{row}");
    }
    assert_eq!(server.get("/health").status, 200);
    assert!(server.process.is_running());
}

#[test]
fn panic_outside_of_the_handlers_gets_500_in_the_form_of_its_path() {
    let mut server = server();
    let send = |path: &str, headers: &[(&str, &str)]| {
        let mut client = server.client();
        let post = Request::post(path, &json!({}));
        client.send(&headers.iter().fold(post, |request, (name, value)| request.header(name, value)));
        let response = client.response();
        assert_eq!((response.status, message(&response.json())), (500, MESSAGE), "{path}");
        assert!(response.header("x-request-id").is_some(), "{path}");
        (client, response.json())
    };
    // Routing has failed: the connection goes on.
    let (mut client, body) = send("/nothing?boom-handler", &[]);
    assert_eq!(body["error"]["type"], "server_error");
    client.send(&Request::get("/health"));
    assert_eq!(client.response().status, 200);
    let version = ("anthropic-version", "2023-06-01");
    let (_, body) = send("/nothing?boom-handler", &[version]);
    assert_eq!(body["type"], "error");
    // In a middleware: the connection ends.
    for (path, headers, place, value) in [
        (CHAT, &[][..], "/error/type", json!("server_error")),
        (CHAT, &[version], "/type", json!("error")),
        ("/v1/messages", &[], "/type", json!("error")),
        ("/api/chat", &[], "/error", json!(MESSAGE)),
        ("/v1beta/models/m:generateContent", &[], "/error/status", json!("INTERNAL")),
        ("/mcp", &[], "/error/code", json!(-32603)),
        ("/nothing", &[], "/error/type", json!("server_error")),
    ] {
        let (mut client, body) = send(&format!("{path}?boom-access"), headers);
        assert_eq!(body.pointer(place), Some(&value), "{path}: {body}");
        assert!(client.is_closed(), "{path}");
    }
    assert_eq!(server.get("/health").status, 200);
    assert!(server.process.is_running());
}

#[test]
fn panic_during_a_response_ends_only_that_response() {
    let mut server = server();
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let request = every_dialect_and_mode().remove(0);
    let mut other = server.client();
    other.send(&Request::post(&request.0, &request.1));
    let (other_stream, _) = editor.expect_chat();
    editor.send_text(other_stream, "begin");
    other.skip_past("begin");
    let mut failed = 0;
    for (path, body) in every_dialect_and_mode() {
        // A limit of a few tokens holds text back.
        let body = if path == "/v1/messages" { with(body, &json!({ "max_tokens": 1000 })) } else { body };
        for place in ["events", "encoder"] {
            let mut client = server.client();
            client.send(&Request::post(&path, &body));
            let (stream, _) = editor.expect_chat();
            if body["stream"] == true {
                editor.send_text(stream, "before");
                client.skip_past("before");
                editor.send_text(stream, &format!("boom-{place} and more words"));
                client.skip_past(MESSAGE);
                client.skip_past("0\r\n\r\n");
            } else if place == "events" {
                editor.send_text(stream, "boom-events");
                let response = client.response();
                assert_eq!((response.status, message(&response.json())), (500, MESSAGE), "{path}");
            } else {
                // A whole response has no encoder.
                editor.respond(stream, "boom-encoder");
                assert_eq!(client.response().status, 200, "{path}");
                continue;
            }
            failed += 1;
            editor.expect_cancel(stream);
            // The connection serves the next request.
            client.send(&Request::get("/health"));
            assert_eq!(client.response().status, 200, "{path} {place}");
        }
    }
    editor.respond(other_stream, " and end");
    other.skip_past(" and end");
    other.skip_past("0\r\n\r\n");
    let counted = || {
        let metrics = server.get("/metrics").text().to_owned();
        let in_flight =
            metrics.lines().find(|line| line.starts_with("copilot_proxy_requests_in_flight")).unwrap();
        in_flight.ends_with(" 0").then_some(())
    };
    until("the end of all requests", counted);
    let places = |(_, body): &(String, Value)| if body["stream"] == true { 2 } else { 1 };
    assert_eq!(failed, every_dialect_and_mode().iter().map(places).sum::<i32>());
    assert!(server.process.is_running());
}

#[test]
fn server_without_the_option_does_not_panic() {
    let server = Server::demo(&[]);
    assert_eq!(server.get("/v1/models?boom-handler").status, 200);
    assert_eq!(content(&server.post(CHAT, &chat("say:boom-events"))), "boom-events");
}

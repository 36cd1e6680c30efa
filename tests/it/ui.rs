//! The inspector in a browser: its page, its data, who may reach it, and the log-in where a key is required.

use std::time::{Duration, Instant};

use copilot_proxy::bridge::protocol::{FromEditor, PersonKey, ToEditor, WriteSetting};
use serde_json::{Value, json};

use crate::client::{Request, Response, Stream};
use crate::editor::{Editor, model, person_key};
use crate::openai::{CHAT, chat, with};
use crate::server::Server;
use crate::wait::until;

/// All endpoints below `/ui`.
const ENDPOINTS: [(&str, &str); 10] = [
    ("GET", "/ui"),
    ("GET", "/ui/panel.js"),
    ("GET", "/ui/panel.css"),
    ("POST", "/ui/login"),
    ("GET", "/ui/api/events"),
    ("GET", "/ui/api/usage"),
    ("GET", "/ui/api/tools"),
    ("POST", "/ui/api/settings"),
    ("GET", "/ui/api/requests/req_1"),
    ("POST", "/ui/api/requests/req_1/cancel"),
];

/// A request of the server's own page in a browser.
fn own(request: Request) -> Request {
    request.header("sec-fetch-site", "same-origin")
}

fn post(path: &str, body: &Value) -> Request {
    own(Request::post(path, body)).header("origin", "http://127.0.0.1:8080")
}

fn login(key: &str) -> Request {
    own(Request::new("POST", "/ui/login"))
        .header("content-type", "application/x-www-form-urlencoded")
        .body(format!("key={key}"))
}

fn events(server: &Server) -> Stream {
    let mut client = server.client();
    client.send(&own(Request::get("/ui/api/events")));
    client.stream()
}

/// The next message of this type.
fn message(stream: &mut Stream, kind: &str, matches: impl Fn(&Value) -> bool) -> Value {
    loop {
        let event = stream.event().expect("a stream that goes on");
        let Some(data) = event.strip_prefix("data: ") else { continue };
        let message: Value = serde_json::from_str(data).unwrap();
        if message["type"] == kind && matches(&message) {
            return message;
        }
    }
}

fn refused_without_cors(response: &Response, of: &str) {
    assert_eq!(response.error().2, json!("origin_not_allowed"), "{of}");
    assert_eq!(response.status, 403, "{of}");
    assert_eq!(response.header("access-control-allow-origin"), None, "{of}");
}

#[test]
fn page_runs_only_its_own_files_and_is_framed_by_none() {
    let server = Server::demo(&[]);
    let page = server.send(&Request::get("/ui").header("sec-fetch-site", "none"));
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = page.header("content-security-policy").unwrap();
    for rule in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
    assert!(!page.text().contains("<script>") && !page.text().contains("style="), "{}", page.text());
    for (path, kind) in [("/ui/panel.js", "text/javascript"), ("/ui/panel.css", "text/css")] {
        assert!(page.text().contains(&format!("\"{path}\"")));
        let file = server.send(&own(Request::get(path)));
        assert_eq!(file.status, 200);
        assert!(file.header("content-type").unwrap().starts_with(kind));
        assert_eq!(file.header("access-control-allow-origin"), None);
        assert_eq!(file.header("cross-origin-resource-policy"), Some("same-origin"));
    }
}

#[test]
fn other_pages_reach_no_endpoint_of_the_inspector() {
    let server = Server::demo(&[]);
    for (method, path) in ENDPOINTS {
        let request = || match method {
            "POST" => Request::post(path, &json!({ "name": "logRequestsToUI", "value": true })),
            _ => Request::get(path),
        };
        for site in ["cross-site", "same-site", "other"] {
            let response = server.send(&request().header("sec-fetch-site", site));
            refused_without_cors(&response, &format!("{method} {path} {site}"));
        }
        // Browsers that send no `Sec-Fetch-Site`, and headers that a page's script can't make the browser send.
        for origin in ["http://127.0.0.1:3000", "https://evil.test", "null", "vscode-webview://x"] {
            let response = server.send(&request().header("origin", origin));
            refused_without_cors(&response, &format!("{method} {path} {origin}"));
        }
        let preflight = Request::new("OPTIONS", path)
            .header("origin", "https://evil.test")
            .header("access-control-request-method", method);
        let preflight = server.send(&preflight);
        for name in ["origin", "methods", "headers"] {
            assert_eq!(preflight.header(&format!("access-control-allow-{name}")), None, "{method} {path}");
        }
        let rebound = server.send(&own(request()).header("host", "evil.test"));
        assert_eq!(rebound.error().2, json!("host_not_allowed"), "{path}");
    }
    let health = server.get("/health").json();
    assert_eq!(health["status"], "ok");
}

#[test]
fn events_show_requests_and_a_cancel_reaches_the_provider() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut stream = events(&server);
    assert_eq!(stream.head.header("content-type"), Some("text/event-stream"));
    let view = message(&mut stream, "view", |_| true);
    assert_eq!(view["view"]["needsKey"], false);
    let listed = message(&mut stream, "model_catalog", |message| message["models"][0].is_object());
    assert_eq!(listed["models"][0]["request_name"], "m");

    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(chat("Hello"), &json!({ "model": "m" }))));
    let (chat_stream, _) = editor.expect_chat();
    let running = |message: &Value| message["activity"]["requests"][0]["model"] == "m";
    let record = message(&mut stream, "activity", running)["activity"]["requests"][0].clone();
    let start = Instant::now();
    let path = format!("/ui/api/requests/{}/cancel", record["id"].as_str().unwrap());
    assert_eq!(server.send(&post(&path, &json!({}))).status, 200);
    editor.expect_cancel(chat_stream);
    assert!(start.elapsed() < Duration::from_millis(100), "{:?}", start.elapsed());
    let ended = |message: &Value| message["activity"]["requests"][0]["outcome"]["state"] == "failed";
    let record = message(&mut stream, "activity", ended)["activity"]["requests"][0].clone();
    assert_eq!(record["outcome"]["kind"], "cancelled");
}

#[test]
fn open_stream_does_not_keep_the_port_open() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut stream = events(&server);
    message(&mut stream, "view", |_| true);
    let start = Instant::now();
    editor.send(0, &FromEditor::Stop);
    stream.rest();
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
}

#[test]
fn bodies_are_recorded_once_the_page_switches_it_on() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let setting = json!({ "name": "logRequestsToUI", "value": true });
    assert_eq!(server.send(&post("/ui/api/settings", &setting)).status, 200);
    let written = loop {
        if let (0, ToEditor::WriteSetting(written)) = editor.expect_message() {
            break written;
        }
    };
    assert_eq!(written, WriteSetting { name: "logRequestsToUI".into(), value: json!(true) });
    let mut client = server.client();
    client.send(&Request::post(CHAT, &with(chat("a secret"), &json!({ "model": "m" }))));
    let (stream, _) = editor.expect_chat();
    editor.respond(stream, "an answer");
    let id = client.response().header("x-request-id").unwrap().to_owned();
    let exchange = server.send(&own(Request::get(&format!("/ui/api/requests/{id}")))).json();
    assert!(exchange["request"]["text"].as_str().unwrap().contains("a secret"), "{exchange}");
    assert!(exchange["response"]["text"].as_str().unwrap().contains("an answer"), "{exchange}");

    for wrong in [
        json!({ "name": "port", "value": 1 }),
        json!({ "name": "logRequestsToUI", "value": "yes" }),
        json!({ "name": "autoTools", "value": { "allow": 7 } }),
    ] {
        assert_eq!(server.send(&post("/ui/api/settings", &wrong)).status, 400, "{wrong}");
    }
}

#[test]
fn usage_and_tools_are_read_by_the_page() {
    let server = Server::demo(&[]);
    server.post(CHAT, &chat("say:hello"));
    let usage = server.send(&own(Request::get("/ui/api/usage?by=model"))).json();
    assert_eq!(usage["totals"]["requests"], 1);
    let tools = server.send(&own(Request::get("/ui/api/tools"))).json();
    assert!(tools["tools"][0]["name"].is_string(), "{tools}");
}

#[test]
fn log_in_exchanges_the_key_for_a_cookie_of_own_pages() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let ci = PersonKey { models: vec!["m".into()], ..person_key("ci", "restricted") };
    editor.send_keys(&[person_key("mine", "secret"), ci]);
    let api = || own(Request::get("/ui/api/requests/req_1"));
    let answers = |request: &Request| server.send(request).status;
    until("the key to be required", || (answers(&api()) == 401).then_some(()));

    let form = server.send(&own(Request::get("/ui")));
    assert!(form.text().contains("action=\"/ui/login\"") && !form.text().contains("panel.js"));
    assert_eq!(answers(&login("wrong")), 401);
    assert_eq!(answers(&login("restricted")), 401, "it would permit more than the key");
    assert_eq!(answers(&api().header("x-api-key", "restricted")), 403);
    let refused = server.send(&login("secret").header("sec-fetch-site", "cross-site"));
    assert_eq!((refused.status, refused.header("set-cookie")), (403, None));
    let accepted = server.send(&login("secret"));
    assert_eq!((accepted.status, accepted.header("location")), (303, Some("/ui")));
    let cookie = accepted.header("set-cookie").unwrap();
    for attribute in ["; HttpOnly", "; SameSite=Strict"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    let cookie = cookie.split(';').next().unwrap();
    assert!(!cookie.contains("secret"));
    assert_eq!(answers(&api().header("cookie", cookie)), 200);
    assert!(server.send(&own(Request::get("/ui")).header("cookie", cookie)).text().contains("panel.js"));
    assert_eq!(answers(&own(Request::get("/v1/models")).header("cookie", cookie)), 200, "resending works");
    for site in ["cross-site", "same-site"] {
        let foreign = Request::get("/v1/models").header("sec-fetch-site", site).header("cookie", cookie);
        assert_eq!(answers(&foreign), 401, "{site}");
    }
    assert_eq!(answers(&Request::get("/v1/models").header("cookie", cookie)), 401, "no browser");
    let wrong = format!("{}x", &cookie[..cookie.len() - 1]);
    assert_eq!(answers(&api().header("cookie", &wrong)), 401);
    // With its key the cookie ends, too.
    editor.send_keys(&[person_key("mine", "another")]);
    until("the cookie to be invalid", || (answers(&api().header("cookie", cookie)) == 401).then_some(()));
}

#[test]
fn browsers_get_a_first_page_and_programs_json() {
    let server = Server::serve(&[]);
    let odd = model("<script>alert(1)</script>{{url}}");
    let _editor = Editor::with_models(&server.home, &[model("m"), odd]);
    let html = server.send(&Request::get("/").header("accept", "text/html,*/*;q=0.8"));
    assert_eq!(html.header("content-type"), Some("text/html; charset=utf-8"));
    assert!(html.header("content-security-policy").unwrap().contains("script-src 'self'"));
    for part in ["href=\"/ui\"", "/v1</code>", "<option>m</option>", "POST /v1/messages"] {
        assert!(html.text().contains(part), "{part}");
    }
    assert!(html.text().contains("&lt;script&gt;alert(1)&lt;/script&gt;{{url}}"), "{}", html.text());
    assert_eq!(server.get("/").json()["name"], "Copilot Proxy");
    assert_eq!(server.send(&own(Request::get("/ui/welcome.js"))).status, 200);
}

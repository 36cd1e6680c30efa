//! Rules that hold for all endpoints: unknown paths, wrong methods, request ids, CORS, the `Host` header, peers.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use copilot_proxy::bridge::protocol::ToEditor;
use serde_json::json;

use crate::client::{Request, Response};
use crate::editor::{Editor, model};
use crate::openai::{CHAT, chat, stream};
use crate::server::Server;

#[test]
fn unknown_path_gets_404_in_json() {
    let server = Server::serve(&[]);
    for path in ["/nothing", "/v1/nothing", "/v1/chat", "/v1/chat/completions/more", "/v2/models"] {
        let (status, kind, code, message) = server.get(path).error();
        assert_eq!(
            (status, kind, code),
            (404, json!("invalid_request_error"), json!("unknown_url")),
            "{path}"
        );
        assert!(message.contains(path), "{message}");
    }
}

#[test]
fn wrong_method_gets_405_with_allowed_methods() {
    let server = Server::serve(&[]);
    for (method, path, allow) in [
        ("GET", "/v1/chat/completions", "POST, OPTIONS"),
        ("DELETE", "/chat/completions", "POST, OPTIONS"),
        ("HEAD", "/v1/chat/completions", "POST, OPTIONS"),
        ("POST", "/v1/models", "GET, HEAD, OPTIONS"),
        ("PUT", "/v1/models/a", "GET, HEAD, OPTIONS"),
        ("POST", "/health", "GET, HEAD, OPTIONS"),
        ("POST", "/", "GET, HEAD, OPTIONS"),
    ] {
        let response = server.send(&Request::new(method, path));
        assert_eq!((response.status, response.header("allow")), (405, Some(allow)), "{method} {path}");
        if method != "HEAD" {
            assert_eq!(response.error().2, json!("method_not_supported"));
        }
    }
}

/// One response of each kind: successful, failed, refused by access control.
fn responses_of_all_kinds(server: &Server, add: impl Fn(Request) -> Request) -> Vec<(u16, Response)> {
    let chat = |script: &str| Request::post(CHAT, &chat(script));
    [
        (200, Request::get("/")),
        (200, Request::get("/health")),
        (200, Request::get("/v1/models")),
        (200, Request::new("HEAD", "/v1/models")),
        (404, Request::get("/nothing")),
        (405, Request::get(CHAT)),
        (204, Request::new("OPTIONS", CHAT)),
        (204, Request::new("OPTIONS", "/nothing")),
        (200, chat("say:a")),
        (429, chat("fail:ChatQuotaExceeded a")),
        (400, Request::new("POST", CHAT).header("content-type", "application/json").body("{")),
        (403, Request::get("/").header("host", "evil.test")),
    ]
    .map(|(status, request)| (status, server.send(&add(request))))
    .into()
}

#[test]
fn every_response_has_a_unique_id_and_cors_headers() {
    let server = Server::demo(&["--allow-origin", "https://page.test"]);
    let mut responses =
        responses_of_all_kinds(&server, |request| request.header("origin", "https://page.test"));
    responses.push((200, stream(&server, "say:a").head));
    let count = responses.len();
    let mut ids = HashSet::new();
    for (status, response) in responses {
        assert_eq!(response.status, status, "{response:?}");
        assert_eq!(response.header("access-control-allow-origin"), Some("*"), "{response:?}");
        let exposed = response.header("access-control-expose-headers").unwrap_or_default();
        for name in ["x-request-id", "retry-after", "x-should-retry", "x-copilot-proxy-model"] {
            assert!(exposed.split(", ").any(|known| known == name), "{name}: {response:?}");
        }
        let id = response.header("x-request-id").expect("an id");
        assert!(id.strip_prefix("req_").is_some_and(|id| id.len() == 32), "{id}");
        assert_eq!(response.header("request-id"), Some(id));
        ids.insert(id.to_owned());
    }
    assert_eq!(ids.len(), count);
}

#[test]
fn preflight_allows_the_requested_headers() {
    let server = Server::serve(&[]);
    let preflight = Request::new("OPTIONS", CHAT)
        .header("origin", "https://page.test")
        .header("access-control-request-method", "POST")
        .header("access-control-request-headers", "authorization,content-type,x-stainless-os")
        .header("access-control-request-private-network", "true");
    let response = server.send(&preflight);
    assert_eq!((response.status, response.body.as_slice()), (204, b"".as_slice()));
    for (name, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "GET, HEAD, POST, DELETE, OPTIONS"),
        ("access-control-allow-headers", "authorization,content-type,x-stainless-os"),
        ("access-control-allow-private-network", "true"),
        ("access-control-max-age", "86400"),
    ] {
        assert_eq!(response.header(name), Some(value), "{name}");
    }
    let plain = server.send(&Request::new("OPTIONS", "/v1/models"));
    assert_eq!(plain.header("access-control-allow-private-network"), None);
}

#[test]
fn host_that_is_not_loopback_gets_403() {
    let server = Server::serve(&[]);
    for host in
        ["127.0.0.1", "127.0.0.1:8080", "localhost", "localhost:1", "LOCALHOST", "[::1]:8080", "a.localhost"]
    {
        assert_eq!(server.send(&Request::get("/health").header("host", host)).status, 200, "{host}");
    }
    for host in [
        "evil.test",
        "evil.test:8080",
        "127.0.0.1.evil.test",
        "localhost.evil.test",
        "192.168.0.1",
        "0.0.0.0",
        "",
    ] {
        for request in
            [Request::get("/health"), Request::post(CHAT, &chat("say:a")), Request::get("/nothing")]
        {
            let (status, _, code, message) = server.send(&request.header("host", host)).error();
            assert_eq!((status, code), (403, json!("host_not_allowed")), "{host}");
            assert!(message.contains("copilotProxy.allowedHosts"), "{message}");
        }
    }
}

#[test]
fn host_of_an_absolute_target_is_checked_too() {
    let server = Server::serve(&[]);
    let status = |target: &str| server.send(&Request::get(target).header("host", "127.0.0.1")).status;
    assert_eq!(status("http://evil.test/health"), 403);
    assert_eq!(status("http://localhost:8080/health"), 200);
}

/// Time for which the server is watched while it has no descriptors left.
#[cfg(unix)]
const WATCHED: Duration = Duration::from_secs(2);

#[cfg(unix)]
#[test]
fn file_descriptors_are_reserved_for_editors() {
    use copilot_proxy::bridge::protocol::LogLine;

    let server = Server::serve_with_open_files(128);
    let clients: Vec<_> = (0..300).map(|_| server.client()).collect();
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    // Connections beyond the limit wait without using the CPU.
    let before = server.process.cpu_time();
    std::thread::sleep(WATCHED);
    let used = server.process.cpu_time().zip(before).map_or(Duration::ZERO, |(after, before)| after - before);
    assert!(used * 20 < WATCHED, "{used:?} of {WATCHED:?}");
    drop(clients);
    let is_listed = || (server.get("/v1/models").json()["data"][0]["id"] == "m").then_some(());
    crate::wait::until("the editor's model", is_listed);
    // A busy machine may delay the first request after a release, but not each time.
    let answered = (0..5).map(|_| {
        let clients: Vec<_> = (0..300).map(|_| server.client()).collect();
        drop(clients);
        let released = Instant::now();
        assert_eq!(server.get("/health").status, 200);
        released.elapsed()
    });
    let quickest = answered.min().unwrap();
    assert!(quickest < Duration::from_millis(100), "{quickest:?}");
    let is_about_accepting = |line: &LogLine| line.text.contains("can't be accepted");
    let lines = std::iter::from_fn(|| editor.try_receive()).filter_map(|(_, message)| match message {
        ToEditor::Log(line) => Some(line),
        _ => None,
    });
    assert!(lines.filter(is_about_accepting).count() <= 1);
}

#[test]
fn missing_window_has_retry_headers() {
    let server = Server::serve(&["--window-wait", "0"]);
    let response = server.post(CHAT, &chat("say:a"));
    assert_eq!((response.status, response.header("retry-after")), (503, Some("5")));
}

/// On a shared machine every user can connect to 127.0.0.1. Only root can run the test's client as another user.
#[cfg(target_os = "linux")]
#[test]
fn connection_of_another_user_gets_403() {
    use std::os::unix::process::CommandExt;

    const NOBODY: u32 = 65534;
    if !rustix::process::geteuid().is_root() {
        return crate::skipped("only root can become another user");
    }
    let server = Server::demo(&["--ipv6"]);
    let has_ipv6 = std::net::TcpListener::bind("[::1]:0").is_ok();
    for address in if has_ipv6 { &["127.0.0.1", "::1"][..] } else { &["127.0.0.1"] } {
        let script = format!(
            "exec 3<>/dev/tcp/{address}/{}; printf 'GET /v1/models HTTP/1.1\\r\\nhost: localhost\\r\\nconnection: close\\r\\n\\r\\n' >&3; cat <&3",
            server.port
        );
        let output = std::process::Command::new("bash").args(["-c", &script]).uid(NOBODY).output().unwrap();
        let response = String::from_utf8(output.stdout).unwrap();
        assert!(
            response.starts_with("HTTP/1.1 403 "),
            "{response}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        assert!(response.contains("\"user_not_allowed\""), "{response}");
    }
    assert_eq!(server.get("/v1/models").status, 200);
}

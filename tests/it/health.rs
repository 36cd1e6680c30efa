//! `GET /health` and `GET /`: is it up, and what is it?

use serde_json::json;

use crate::client::Request;
use crate::server::Server;

#[test]
fn health_tells_models_and_editors() {
    let server = Server::serve(&[]);
    let without = server.get("/health").json();
    assert_eq!(
        without,
        json!({
            "status": "ok",
            "models_available": 0,
            "version": env!("CARGO_PKG_VERSION"),
            "uptime": without["uptime"],
            "editors": 0,
            "instance": without["instance"],
            "windows": [],
        })
    );
    assert!(without["uptime"].is_u64());
    assert_eq!(without["instance"].as_str().map(str::len), Some(32));

    let _editor = server.simulate();
    let with = server.get("/health").json();
    assert_eq!((&with["models_available"], &with["editors"]), (&json!(10), &json!(1)));
    assert_eq!(with["instance"], without["instance"]);
    assert_eq!(with["windows"].as_array().map(Vec::len), Some(1));
}

#[test]
fn web_pages_are_not_told_what_the_windows_show() {
    let server = Server::serve(&[]);
    let page = |origin| server.send(&Request::get("/health").header("origin", origin)).json();
    assert_eq!(page("https://example.org")["windows"], json!(null));
    assert_eq!(page("http://localhost:3000")["windows"], json!([]));
}

#[test]
fn what_answers_at_the_port_is_the_server_that_the_file_names() {
    let server = Server::serve(&[]);
    assert_eq!(server.home.server_file().unwrap()["instance"], server.get("/health").json()["instance"]);
}

#[test]
fn two_servers_on_one_machine_are_told_apart() {
    let instance = |server: &Server| server.get("/health").json()["instance"].clone();
    assert_ne!(instance(&Server::serve(&[])), instance(&Server::serve(&[])));
}

#[test]
fn the_root_says_what_this_is() {
    let server = Server::serve(&["--window-wait", "100"]);
    let root = server.get("/");
    assert_eq!(root.status, 200);
    assert_eq!(root.json()["name"], "Copilot Proxy");
    // Clients of Ollama look for these words in it.
    assert!(root.text().contains("Ollama is running"));
    for door in root.json()["endpoints"].as_array().unwrap() {
        let (method, path) = door.as_str().unwrap().split_once(' ').unwrap();
        let path = path.replace("{id}", "any");
        let method = ["GET", "DELETE"].into_iter().find(|known| *known == method).unwrap_or("POST");
        // Each is there: nothing says 404 but a model or a response that nobody has.
        let answer = server.send(&Request::new(method, &path));
        let is_there = answer.status != 404 || answer.error().2 != "unknown_url";
        assert!(is_there, "{method} {path}: {}", answer.text());
    }
    for path in ["/", "/health", "/api/hello"] {
        let head = server.send(&Request::new("HEAD", path));
        assert_eq!((head.status, head.body.as_slice()), (200, b"".as_slice()), "{path}");
    }
}

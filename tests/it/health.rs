//! `GET /health` and `GET /`: state and description of the server.

use serde_json::json;

use crate::client::Request;
use crate::server::Server;

#[test]
fn health_reports_models_and_editors() {
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
    assert_eq!((&with["models_available"], &with["editors"]), (&json!(12), &json!(1)));
    assert_eq!(with["instance"], without["instance"]);
    assert_eq!(with["windows"].as_array().map(Vec::len), Some(1));
}

#[test]
fn health_hides_folder_names_from_web_pages() {
    let server = Server::serve(&[]);
    let page = |origin| server.send(&Request::get("/health").header("origin", origin)).json();
    assert_eq!(page("https://example.org")["windows"], json!(null));
    assert_eq!(page("http://localhost:3000")["windows"], json!([]));
}

#[test]
fn health_and_server_json_have_the_same_instance() {
    let server = Server::serve(&[]);
    assert_eq!(server.home.server_file().unwrap()["instance"], server.get("/health").json()["instance"]);
}

#[test]
fn each_server_has_its_own_instance() {
    let instance = |server: &Server| server.get("/health").json()["instance"].clone();
    assert_ne!(instance(&Server::serve(&[])), instance(&Server::serve(&[])));
}

#[test]
fn root_describes_the_server_and_lists_existing_endpoints() {
    let server = Server::serve(&["--window-wait", "100"]);
    let root = server.get("/");
    assert_eq!(root.status, 200);
    assert_eq!(root.json()["name"], "Copilot Proxy");
    // Clients of Ollama match this text.
    assert!(root.text().contains("Ollama is running"));
    for endpoint in root.json()["endpoints"].as_array().unwrap() {
        let (method, path) = endpoint.as_str().unwrap().split_once(' ').unwrap();
        let path = path.replace("{id}", "any");
        let method = ["GET", "DELETE"].into_iter().find(|known| *known == method).unwrap_or("POST");
        // Only an unknown model or response gets 404.
        let response = server.send(&Request::new(method, &path));
        let exists = response.status != 404 || response.error().2 != "unknown_url";
        assert!(exists, "{method} {path}: {}", response.text());
    }
    for path in ["/", "/health", "/api/hello"] {
        let head = server.send(&Request::new("HEAD", path));
        assert_eq!((head.status, head.body.as_slice()), (200, b"".as_slice()), "{path}");
    }
}

//! `GET /openapi.json` and `GET /docs`: the description of the API is true to what the server takes and sends.

use boon::{Compiler, Draft, Schemas};
use serde_json::{Value, json};

use crate::client::Request;
use crate::server::Server;

const LOCATION: &str = "urn:openapi";

/// Fails if `value` doesn't match a schema of the document.
fn check(document: &Value, schema: &str, value: &Value) {
    let mut compiler = Compiler::new();
    compiler.set_default_draft(Draft::V2020_12);
    compiler.add_resource(LOCATION, document.clone()).unwrap();
    let mut schemas = Schemas::new();
    let index = compiler.compile(&format!("{LOCATION}{schema}"), &mut schemas).unwrap();
    schemas.validate(value, index).unwrap_or_else(|error| panic!("{schema}: {error:#}\n{value:#}"));
}

/// The schema of a body of JSON, as a reference.
fn schema_of(content: &Value) -> Option<&str> {
    content["content"]["application/json"]["schema"]["$ref"].as_str()
}

#[test]
fn every_example_gets_the_response_that_its_schema_describes() {
    let server = Server::demo(&[]);
    let document = server.get("/openapi.json").json();
    assert_eq!(document["openapi"], "3.1.0");
    // The address is the one that the client has used.
    assert_eq!(document["servers"][0]["url"], "http://127.0.0.1");
    let mut checked = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        if path == "/mcp" || path == "/docs" || path == "/ui" || path == "/metrics" {
            continue; // no plain JSON
        }
        for (method, operation) in operations.as_object().unwrap() {
            let path = path.replace("{model}", "gpt-4o").replace("/models/{id}", "/models/gpt-4o");
            if path.contains('{') {
                continue; // needs an id of a stored response
            }
            let request = schema_of(&operation["requestBody"]);
            let response = match request {
                Some(schema) => {
                    let example = document.pointer(&format!("{}/examples/0", &schema[1..]));
                    let example = example.cloned().unwrap_or_else(|| panic!("{schema} has no example"));
                    check(&document, schema, &example);
                    server.post(&path, &example)
                }
                None => server.send(&Request::get(&path)),
            };
            assert_eq!((method.as_str() == "post", response.status), (request.is_some(), 200), "{path}");
            let schema = schema_of(&operation["responses"]["200"]).unwrap();
            check(&document, schema, &response.json());
            checked += 1;
        }
    }
    assert!(checked > 20, "{checked}");
}

#[test]
fn errors_have_the_described_form() {
    let server = Server::demo(&[]);
    let document = server.get("/openapi.json").json();
    for (path, operations) in document["paths"].as_object().unwrap() {
        let Some(operation) =
            operations.get("post").filter(|operation| operation.get("requestBody").is_some())
        else {
            continue;
        };
        if path == "/mcp" {
            continue; // its errors are those of JSON-RPC
        }
        let response = server.post(&path.replace("{model}", "gpt-4o"), &json!([]));
        assert_eq!(response.status, 400, "{path}");
        check(&document, schema_of(&operation["responses"]["default"]).unwrap(), &response.json());
    }
}

#[test]
fn page_of_the_api_needs_no_other_host() {
    let server = Server::demo(&[]);
    let page = server.get("/docs");
    assert!(page.header("content-security-policy").unwrap().contains("default-src 'none'"));
    let script = server.get("/ui/docs.js");
    assert!(script.header("content-type").unwrap().starts_with("text/javascript"));
    for text in [page.text(), script.text()] {
        assert!(!text.contains("https://") && !text.contains("//cdn"), "{text}");
    }
    let embedded = server.send(&Request::get("/docs").header("sec-fetch-site", "cross-site"));
    assert_eq!(embedded.status, 403);
}

//! OpenAI's `POST /v1/responses` with stored responses, and the legacy `POST /v1/completions`.

use serde_json::{Value, json};

use crate::client::Request;
use crate::openai::with;
use crate::server::Server;

const RESPONSES: &str = "/v1/responses";

fn request_of(script: &str) -> Value {
    json!({ "model": "scripted-1", "input": script })
}

fn text(response: &Value) -> String {
    let items = response["output"].as_array().unwrap_or_else(|| panic!("no output: {response}"));
    let contents = items.iter().filter_map(|item| item["content"].as_array()).flatten();
    contents.filter_map(|content| content["text"].as_str()).collect()
}

/// The data of a stream's events; checks their names and sequence numbers.
fn streamed(server: &Server, request: &Value) -> Vec<Value> {
    let events = server.stream(RESPONSES, &with(request.clone(), &json!({ "stream": true }))).rest();
    let data: Vec<Value> = events
        .iter()
        .map(|event| {
            let (name, data) = event.split_once('\n').unwrap_or_else(|| panic!("no name: {event}"));
            let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
            assert_eq!(name.strip_prefix("event: "), data["type"].as_str());
            data
        })
        .collect();
    for (number, data) in data.iter().enumerate() {
        assert_eq!(data["sequence_number"], number, "{data}");
    }
    data
}

#[test]
fn whole_response_is_one_response_object() {
    let server = Server::demo(&[]);
    let tool = json!({ "type": "function", "name": "look", "parameters": { "type": "object" } });
    let request =
        with(request_of("say:Hello there\ncall:look {\"a\":1}\nusage:12 34 5"), &json!({ "tools": [tool] }));
    let response = server.post(RESPONSES, &request).json();
    assert!(response["id"].as_str().unwrap().starts_with("resp_"));
    assert_eq!((&response["object"], &response["status"]), (&json!("response"), &json!("completed")));
    assert_eq!(text(&response), "Hello there");
    let call = &response["output"][1];
    assert_eq!(
        (&call["type"], &call["name"], &call["arguments"]),
        (&json!("function_call"), &json!("look"), &json!("{\"a\":1}"))
    );
    let usage =
        ["input_tokens", "output_tokens", "total_tokens"].map(|field| response["usage"][field].clone());
    assert_eq!(usage, [json!(12), json!(34), json!(46)]);
}

#[test]
fn input_tokens_are_those_of_the_usage_and_no_model_runs() {
    let server = Server::demo(&[]);
    let tool = json!({ "type": "function", "name": "look", "parameters": { "type": "object" } });
    for request in [
        request_of("say:hello"),
        with(request_of("say:hello"), &json!({ "instructions": "Be brief.", "tools": [tool] })),
        json!({ "model": "scripted-1", "input": [{ "role": "user", "content": [{ "type": "input_text", "text": "say:a" }] }] }),
    ] {
        let counted = server.post("/v1/responses/input_tokens", &request).json();
        let answered = server.post(RESPONSES, &request).json();
        assert_eq!(
            counted,
            json!({ "object": "response.input_tokens", "input_tokens": answered["usage"]["input_tokens"] })
        );
    }
    assert_eq!(crate::openai::complete(&server, "stats:"), stats(3));
    let stored = server.post(RESPONSES, &request_of("say:first")).json();
    let next = json!({ "model": "scripted-1", "previous_response_id": stored["id"], "input": "say:second" });
    let counted = server.post("/responses/input_tokens", &next).json();
    assert_eq!(counted["input_tokens"], server.post(RESPONSES, &next).json()["usage"]["input_tokens"]);
    assert_eq!(
        server.post("/v1/responses/input_tokens", &json!({ "model": "nobody", "input": "a" })).status,
        404
    );
    assert_eq!(
        server.post("/v1/responses/input_tokens", &json!({ "model": "scripted-1", "input": 5 })).status,
        400
    );
}

fn stats(completed: u64) -> String {
    json!({ "started": completed, "completed": completed, "failed": 0, "cancelled": 0, "active": 0 })
        .to_string()
}

#[test]
fn input_items_of_a_stored_response_are_listed() {
    let server = Server::demo(&[]);
    let input = json!([
        { "role": "user", "content": "one" },
        { "type": "message", "id": "msg_2", "role": "assistant", "content": [{ "type": "output_text", "text": "two" }] },
        { "role": "user", "content": "say:three" },
    ]);
    let stored = server.post(RESPONSES, &json!({ "model": "scripted-1", "input": input })).json();
    let path = format!("{RESPONSES}/{}/input_items", stored["id"].as_str().unwrap());
    let list = server.get(&path).json();
    let items = list["data"].as_array().unwrap();
    assert_eq!((&list["object"], &list["has_more"], items.len()), (&json!("list"), &json!(false), 3));
    assert_eq!(items[0]["content"], json!([{ "type": "input_text", "text": "say:three" }]));
    assert_eq!((&items[1]["id"], &items[1]["type"]), (&json!("msg_2"), &json!("message")));
    assert_eq!((&list["first_id"], &list["last_id"]), (&items[0]["id"], &items[2]["id"]));

    let first = server.get(&format!("{path}?order=asc&limit=1")).json();
    assert_eq!((&first["data"][0]["content"][0]["text"], &first["has_more"]), (&json!("one"), &json!(true)));
    let after = first["last_id"].as_str().unwrap();
    let rest = server.get(&format!("{path}?order=asc&after={after}")).json();
    assert_eq!((rest["data"].as_array().unwrap().len(), &rest["first_id"]), (2, &json!("msg_2")));

    let reference = json!([{ "type": "item_reference", "id": stored["output"][0]["id"] }, { "role": "user", "content": "say:b" }]);
    let next = server.post(RESPONSES, &json!({ "model": "scripted-1", "input": reference })).json();
    let list =
        server.get(&format!("{RESPONSES}/{}/input_items?order=asc", next["id"].as_str().unwrap())).json();
    assert_eq!(list["data"][0], stored["output"][0]);

    assert_eq!(server.get(&format!("{path}?order=sideways")).status, 400);
    assert_eq!(server.get(&format!("{path}?limit=0")).status, 400);
    assert_eq!(server.get("/v1/responses/resp_unknown/input_items").status, 404);
    assert_eq!(server.post(&path, &json!({})).header("allow"), Some("GET, HEAD, OPTIONS"));
}

#[test]
fn streamed_events_follow_the_documented_order() {
    let server = Server::demo(&[]);
    let events = streamed(&server, &request_of("say:Hello there"));
    let kinds: Vec<&str> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    let deltas = events.iter().filter(|event| event["type"] == "response.output_text.delta");
    assert_eq!(deltas.filter_map(|event| event["delta"].as_str()).collect::<String>(), "Hello there");
    let mut distinct = kinds.clone();
    distinct.dedup();
    assert_eq!(
        distinct,
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.output_text.done",
            "response.content_part.done",
            "response.output_item.done",
            "response.completed",
        ]
    );
    assert_eq!(text(&events.last().unwrap()["response"]), "Hello there");
}

#[test]
fn previous_response_id_continues_a_stored_response() {
    let server = Server::demo(&[]);
    for first in [
        server.post(RESPONSES, &request_of("say:My name is Ada")).json()["id"].clone(),
        streamed(&server, &request_of("say:My name is Ada")).last().unwrap()["response"]["id"].clone(),
    ] {
        let request = with(request_of("dump:"), &json!({ "previous_response_id": first }));
        let dump: Value = serde_json::from_str(&text(&server.post(RESPONSES, &request).json())).unwrap();
        let messages: Vec<(&str, &str)> = dump["messages"]
            .as_array()
            .unwrap()
            .iter()
            .map(|message| (message["role"].as_str().unwrap(), message["parts"][0]["text"].as_str().unwrap()))
            .collect();
        assert_eq!(
            messages,
            [("user", "say:My name is Ada"), ("assistant", "My name is Ada"), ("user", "dump:")]
        );
    }
    let unknown =
        server.post(RESPONSES, &with(request_of("say:a"), &json!({ "previous_response_id": "resp_nobody" })));
    let (status, _, _, message) = unknown.error();
    assert!((400..500).contains(&status) && message.contains("resp_nobody"), "{status} {message}");
}

#[test]
fn item_reference_resolves_to_a_stored_item() {
    let server = Server::demo(&[]);
    let first = server.post(RESPONSES, &request_of("say:My name is Ada")).json();
    let item = &first["output"][0]["id"];
    let first_message = |input: Value| {
        let response = server.post(RESPONSES, &json!({ "model": "scripted-1", "input": input }));
        assert_eq!(response.status, 200, "{}", response.text());
        let dump: Value = serde_json::from_str(&text(&response.json())).unwrap();
        dump["messages"][0].clone()
    };
    let wanted = json!({ "role": "assistant", "parts": [{ "type": "text", "text": "My name is Ada" }] });
    let dump = json!({ "role": "user", "content": "dump:" });
    assert_eq!(first_message(json!([{ "type": "item_reference", "id": item }, dump])), wanted);
    assert_eq!(first_message(json!([{ "id": item }, dump])), wanted);

    // The item may be gone, for example after a restart: that must not end the session.
    for unknown in [json!({ "type": "item_reference", "id": "msg_nobody" }), json!({ "id": "msg_nobody" })] {
        let message = first_message(json!([unknown, dump]));
        let text = message["parts"][0]["text"].as_str().unwrap();
        assert!(message["role"] == "assistant" && text.contains("missing here: msg_nobody"), "{message}");
        let alone = json!({ "input": [unknown] });
        let (status, _, _, message) = server.post(RESPONSES, &alone).error();
        assert!(status == 404 && message.contains("msg_nobody"), "{status} {message}");
    }
}

#[test]
fn stored_response_can_be_read_and_deleted() {
    let server = Server::demo(&[]);
    for stored in [
        server.post(RESPONSES, &request_of("say:My name is Ada")).json(),
        streamed(&server, &request_of("say:My name is Ada")).last().unwrap()["response"].clone(),
    ] {
        let path = format!("{RESPONSES}/{}", stored["id"].as_str().unwrap());
        let response = server.get(&path);
        assert_eq!((response.status, response.header("content-type")), (200, Some("application/json")));
        assert_eq!(response.json(), stored);
        assert_eq!(server.get(path.strip_prefix("/v1").unwrap()).json(), stored);
        let (status, _, _, message) = server.get(&format!("{path}?stream=true")).error();
        assert_eq!((status, message.split(':').next()), (400, Some("stream")));

        let deleted = server.send(&Request::new("DELETE", &path));
        let wanted = json!({ "id": stored["id"], "object": "response", "deleted": true });
        assert_eq!((deleted.status, deleted.json()), (200, wanted));
        for again in [server.get(&path), server.send(&Request::new("DELETE", &path))] {
            let (status, kind, code, message) = again.error();
            assert_eq!((status, kind, code), (404, json!("invalid_request_error"), Value::Null));
            assert!(
                message
                    .starts_with(&format!("Response with id {} not found.", stored["id"]).replace('"', "'"))
            );
        }
        let continued = with(request_of("say:a"), &json!({ "previous_response_id": stored["id"] }));
        assert_eq!(server.post(RESPONSES, &continued).error().2, "previous_response_not_found");
    }
    let not_stored = server.post(RESPONSES, &with(request_of("say:a"), &json!({ "store": false }))).json();
    assert_eq!(server.get(&format!("{RESPONSES}/{}", not_stored["id"].as_str().unwrap())).status, 404);
    let wrong = server.post(&format!("{RESPONSES}/resp_1"), &json!({}));
    assert_eq!((wrong.status, wrong.header("allow")), (405, Some("GET, HEAD, DELETE, OPTIONS")));
}

#[test]
fn failure_of_an_open_stream_is_an_event() {
    let server = Server::demo(&[]);
    let events = streamed(&server, &request_of("say:half\nwait:50\nfail:ChatQuotaExceeded used up"));
    let last = events.last().unwrap();
    assert_eq!(last["type"], "response.failed", "{last}");
    assert_eq!(last["response"]["error"]["message"], "used up");
    assert_eq!(server.post(RESPONSES, &request_of("fail:ChatQuotaExceeded used up")).status, 429);
}

#[test]
fn max_output_tokens_makes_a_response_incomplete() {
    let server = Server::demo(&[]);
    let request = with(
        request_of(
            "say:one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen",
        ),
        &json!({ "max_output_tokens": 16 }),
    );
    let response = server.post(RESPONSES, &request).json();
    assert_eq!(
        (&response["status"], &response["incomplete_details"]["reason"]),
        (&json!("incomplete"), &json!("max_output_tokens"))
    );
}

#[test]
fn legacy_completions_work_whole_and_streamed() {
    let server = Server::demo(&[]);
    let request = json!({ "model": "scripted-1", "prompt": "say:Hello there" });
    let whole = server.post("/v1/completions", &request).json();
    assert_eq!(
        (&whole["object"], &whole["choices"][0]["text"]),
        (&json!("text_completion"), &json!("Hello there"))
    );
    let events = server.stream("/v1/completions", &with(request, &json!({ "stream": true }))).rest();
    assert_eq!(events.last().map(String::as_str), Some("data: [DONE]"));
    let text: String = events[..events.len() - 1]
        .iter()
        .filter_map(|event| crate::openai::data(event)["choices"].get(0)?["text"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(text, "Hello there");
}

#[test]
fn endpoints_without_vs_code_api_get_400_with_the_reason() {
    let server = Server::demo(&[]);
    for path in ["embeddings", "moderations", "images/generations", "audio/speech"] {
        for prefix in ["/v1", ""] {
            let response = server.post(&format!("{prefix}/{path}"), &json!({ "model": "x", "input": "a" }));
            let (status, kind, _, message) = response.error();
            assert_eq!((status, kind), (400, json!("invalid_request_error")));
            assert!(message.contains(path) && message.contains("VS Code"), "{message}");
        }
    }
}

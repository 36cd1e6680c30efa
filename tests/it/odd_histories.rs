//! Histories made of odd parts, as a property: whatever stands in an old turn, in any dialect, the request is answered, the
//! text in it reaches the model, and base64 does not.

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::client::Response;
use crate::gemini_form;
use crate::server::Server;

/// The text of every part that holds any.
const TEXT: &str = "a zebra";

/// Base64 of a PDF, of an SVG, and of nothing known.
const PAYLOADS: [&str; 3] = ["JVBERi0xLjQK/////w==", "PHN2Zy8+PHN2Zy8+", "AAAAIGZ0eXBoZWlj"];

const APIS: [&str; 5] = ["chat", "responses", "messages", "ollama", "gemini"];

/// Places in which a part may stand.
const PLACES: [&str; 4] = ["user", "assistant", "system", "result"];

/// Ids of calls as other servers make them.
const IDS: [&str; 7] = ["functions.f:0", "toolu_01", "call/1|fc_2", "größe", "a b", "\u{1f980}", "c"];

/// Arguments of calls as models write them.
const ARGUMENTS: [&str; 9] = ["", " ", "[1]", "5", "null", "\"a\"", "{\"a\":", "{} x", "{\"a\":{\"b\":[]}}"];

/// Parts of types that no document has, and media that no model takes, by the API's way of naming them.
fn parts(api: &str) -> Vec<Value> {
    if api == "gemini" {
        return gemini_parts();
    }
    let mut parts = vec![
        json!({ "type": "connector_text", "text": TEXT }),
        json!({ "type": "hologram", "note": TEXT, "payload": { "data": PAYLOADS[0], "deep": [PAYLOADS[1]] } }),
        json!({ "type": "hologram", "id": "h1", "signature": PAYLOADS[2], "encrypted_content": PAYLOADS[0], "note": TEXT }),
        json!({ "type": "server_tool_use", "id": "s1", "name": "web_search", "input": { "query": TEXT } }),
        json!({ "type": "web_search_tool_result", "tool_use_id": "s1", "content": [{ "title": TEXT, "encrypted_content": PAYLOADS[2] }] }),
        json!({ "type": "mcp_tool_result", "content": [{ "type": "text", "text": TEXT }], "is_error": null }),
        json!({ "type": "video", "source": { "type": "base64", "data": PAYLOADS[1] }, "title": TEXT }),
    ];
    for data in PAYLOADS {
        let url = format!("data:application/octet-stream;base64,{data}");
        parts.extend(match api {
            "chat" => vec![
                json!({ "type": "image_url", "image_url": { "url": url } }),
                json!({ "type": "file", "file": { "filename": TEXT, "file_data": data } }),
                json!({ "type": "input_audio", "input_audio": { "data": data, "format": "wav" } }),
            ],
            "responses" => vec![
                json!({ "type": "input_image", "image_url": url, "file_id": null }),
                json!({ "type": "input_file", "filename": TEXT, "file_data": url }),
                json!({ "type": "input_audio", "input_audio": { "data": data, "format": "mp3" } }),
            ],
            _ => {
                let source = json!({ "type": "base64", "media_type": "application/pdf", "data": data });
                vec![
                    json!({ "type": "image", "source": source }),
                    json!({ "type": "document", "title": TEXT, "source": source }),
                ]
            }
        });
    }
    parts
}

fn gemini_parts() -> Vec<Value> {
    let mut parts = vec![
        json!({ "hologram": { "note": TEXT, "payload": { "data": PAYLOADS[0], "deep": [PAYLOADS[1]] } } }),
        json!({ "hologram": TEXT, "partMetadata": { "a": 1 }, "videoMetadata": { "fps": 1 } }),
        json!({ "executableCode": { "language": "PYTHON", "code": TEXT } }),
        json!({ "code_execution_result": { "outcome": "OUTCOME_FAILED", "output": TEXT } }),
        json!({ "toolCall": { "toolType": "GOOGLE_SEARCH", "args": { "query": TEXT } } }),
        json!({ "toolResponse": { "id": "s1", "response": { "text": TEXT, "data": PAYLOADS[2] } } }),
        json!({ "fileData": { "mimeType": "application/pdf", "fileUri": "https://example.com/a zebra" } }),
        json!({ "text": TEXT, "thought": null, "thoughtSignature": null }),
    ];
    for data in PAYLOADS {
        parts.push(json!({ "inlineData": { "mimeType": "application/octet-stream", "data": data } }));
        parts.push(json!({ "inline_data": { "mime_type": "image/png", "data": data } }));
    }
    parts
}

/// The messages or items of a turn in which a part stands in this place.
fn turn(api: &str, place: &str, part: &Value, id: &str, arguments: &str) -> Vec<Value> {
    let content = json!([part]);
    match (api, place) {
        ("gemini", "result") => {
            let args = serde_json::from_str(arguments).ok().filter(Value::is_object).unwrap_or(Value::Null);
            gemini_form::call_and_result(id, &args, TEXT, &content).into()
        }
        ("gemini", "assistant") => vec![gemini_form::model(&content)],
        ("gemini", _) => vec![gemini_form::user(&content)],
        ("ollama", "result") => vec![
            json!({ "role": "assistant", "tool_calls": [{ "id": id, "function": { "name": "f", "arguments": arguments } }] }),
            json!({ "role": "tool", "tool_call_id": id, "content": TEXT, "images": PAYLOADS }),
        ],
        ("ollama", role) => vec![json!({ "role": role, "content": TEXT, "images": PAYLOADS })],
        ("chat", "result") => vec![
            json!({ "role": "assistant", "content": null, "tool_calls": [
                { "id": id, "type": "function", "function": { "name": "f", "arguments": arguments } },
            ] }),
            json!({ "role": "tool", "tool_call_id": id, "content": content }),
        ],
        ("responses", "result") => vec![
            json!({ "type": "function_call", "call_id": id, "name": "f", "arguments": arguments }),
            json!({ "type": "function_call_output", "call_id": id, "output": content }),
        ],
        ("messages", "result") => vec![
            json!({ "role": "assistant", "content": [{ "type": "tool_use", "id": id, "name": "f", "input": {} }] }),
            json!({ "role": "user", "content": [{ "type": "tool_result", "tool_use_id": id, "content": content }] }),
        ],
        (_, role) => vec![json!({ "role": role, "content": content })],
    }
}

fn send(server: &Server, api: &str, turns: &[Value], stream: bool) -> Response {
    if api == "gemini" {
        let last = [gemini_form::model(&json!([{ "text": "y" }])), gemini_form::text("dump:")];
        let contents: Vec<Value> =
            [gemini_form::text("x")].iter().chain(turns).cloned().chain(last).collect();
        let path = gemini_form::in_mode(&gemini_form::generate("scripted-1"), stream);
        return server.post(&path, &gemini_form::request(&contents));
    }
    let user = |text: &str| json!({ "role": "user", "content": text });
    let messages: Vec<Value> = [user("x")]
        .iter()
        .chain(turns)
        .cloned()
        .chain([json!({ "role": "assistant", "content": "y" }), user("dump:")])
        .collect();
    let (path, field) = match api {
        "chat" => ("/v1/chat/completions", "messages"),
        "responses" => ("/v1/responses", "input"),
        "messages" => ("/v1/messages", "messages"),
        _ => ("/api/chat", "messages"),
    };
    server.post(
        path,
        &json!({ "model": "scripted-1", "max_tokens": 99_999, "stream": stream, field: messages }),
    )
}

#[test]
fn odd_parts_of_old_turns_are_answered_in_words() {
    let server = Server::demo(&[]);
    let turns: Vec<(&str, Vec<Value>, bool)> = APIS
        .iter()
        .flat_map(|api| {
            let parts =
                parts(api).into_iter().flat_map(move |part| PLACES.map(|place| (part.clone(), place)));
            parts.enumerate().map(move |(number, (part, place))| {
                let (id, arguments) = (IDS[number % IDS.len()], ARGUMENTS[number % ARGUMENTS.len()]);
                let has_text = part.to_string().contains(TEXT) && part["type"] != "image";
                (*api, turn(api, place, &part, id, arguments), has_text)
            })
        })
        .collect();
    let check = |api: &str, turns: &[Value], stream: bool, has_text: bool| {
        let response = send(&server, api, turns, stream);
        assert_eq!(response.status, 200, "{api} {turns:?}: {}", response.text());
        assert!(!has_text || response.text().contains(TEXT), "{api} {turns:?}: {}", response.text());
        for payload in PAYLOADS {
            assert!(!response.text().contains(payload), "{api} {turns:?}: {}", response.text());
        }
    };
    for (api, turn, has_text) in &turns {
        check(api, turn, false, *has_text);
    }
    let histories = (select(&APIS), prop::collection::vec(select(turns), 2..8), any::<bool>());
    let config = ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() };
    TestRunner::new(config)
        .run(&histories, |(api, turns, stream)| {
            let of_api = turns.into_iter().filter(|(of, ..)| *of == api);
            let messages: Vec<Value> = of_api.flat_map(|(_, turn, _)| turn).collect();
            check(api, &messages, stream, false);
            Ok(())
        })
        .unwrap();
}

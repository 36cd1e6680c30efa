//! Google's Gemini API: `:generateContent`, `:streamGenerateContent`, `:countTokens` and models in its form.

use copilot_proxy::options::MAX_BODY;
use serde_json::{Value, json};

use crate::client::{Request, Response};
use crate::editor::{Editor, model, person_key};
use crate::openai::with;
use crate::server::Server;
use crate::wait::until;

const GENERATE: &str = "/v1beta/models/scripted-1:generateContent";
const STREAM: &str = "/v1beta/models/scripted-1:streamGenerateContent";
const COUNT: &str = "/v1beta/models/scripted-1:countTokens";

/// A request with one message of the user.
fn request(text: &str) -> Value {
    json!({ "contents": [{ "role": "user", "parts": [{ "text": text }] }] })
}

fn parts(response: &Response) -> Value {
    let response = response.json();
    let parts = &response["candidates"][0]["content"]["parts"];
    assert!(parts.is_array(), "{response}");
    parts.clone()
}

fn text(response: &Response) -> String {
    parts(response)[0]["text"].as_str().unwrap().to_owned()
}

/// The chunks of a stream of server-sent events.
fn chunks(server: &Server, request: &Value) -> Vec<Value> {
    let stream = server.stream(&format!("{STREAM}?alt=sse"), request);
    assert_eq!(stream.head.header("content-type"), Some("text/event-stream; charset=utf-8"));
    let chunk = |event: String| {
        let data = event.trim_start().strip_prefix("data: ").unwrap().to_owned();
        serde_json::from_str(&data).unwrap()
    };
    stream.rest().into_iter().filter(|event| !event.trim().is_empty()).map(chunk).collect()
}

/// Status code, canonical status and message of an error.
fn error(response: &Response) -> (u16, String, String) {
    let json = response.json();
    assert_eq!(json.as_object().unwrap().len(), 1, "{json}");
    let error = &json["error"];
    assert_eq!(error["code"], response.status, "{json}");
    let field = |name: &str| error[name].as_str().unwrap_or_else(|| panic!("no {name}: {json}")).to_owned();
    (response.status, field("status"), field("message"))
}

#[test]
fn chunks_of_both_forms_add_up_to_the_whole_response() {
    let server = Server::demo(&[]);
    let request = with(
        request("think:Hm.\nsay:Hello\u{2028}there\ncall:get {\"a\":1}\nusage:12 34 5"),
        &json!({
            "tools": [{ "functionDeclarations": [{ "name": "get" }] }],
            "generationConfig": { "thinkingConfig": { "includeThoughts": true } },
        }),
    );
    let whole = server.post(GENERATE, &request);
    assert_eq!((whole.status, whole.header("content-type")), (200, Some("application/json")));
    assert_eq!(whole.header("x-copilot-proxy-usage"), Some("reported"));
    assert_eq!(whole.header("x-copilot-proxy-model"), Some("scripted-1"));
    let json = whole.json();
    assert_eq!(json["modelVersion"], "scripted-1");
    let wanted = parts(&whole);
    assert_eq!(wanted[0], json!({ "text": "Hm.", "thought": true }));
    assert_eq!(wanted[1]["text"], "Hello\u{2028}there");
    assert_eq!(wanted[2]["functionCall"]["name"], "get");
    assert_eq!(wanted[2]["functionCall"]["args"], json!({ "a": 1 }));

    let array = server.post(STREAM, &request);
    assert_eq!(array.header("content-type"), Some("application/json; charset=utf-8"));
    for chunks in [array.json().as_array().unwrap().clone(), chunks(&server, &request)] {
        let (last, before) = chunks.split_last().unwrap();
        assert!(before.iter().all(|chunk| chunk["candidates"][0].get("finishReason").is_none()));
        assert_eq!(last["candidates"][0]["finishReason"], "STOP");
        assert_eq!(last["usageMetadata"], json["usageMetadata"]);
        assert_eq!(last["copilot_proxy"]["usage"], "reported");
        let texts = |is_thought: bool| -> String {
            let parts = chunks
                .iter()
                .flat_map(|chunk| chunk["candidates"][0]["content"]["parts"].as_array().unwrap());
            parts
                .filter(|part| part.get("thought").is_some() == is_thought)
                .filter_map(|part| part["text"].as_str())
                .collect()
        };
        assert_eq!((texts(true), texts(false)), ("Hm.".into(), "Hello\u{2028}there".into()));
        let calls = chunks
            .iter()
            .filter(|chunk| chunk["candidates"][0]["content"]["parts"][0].get("functionCall").is_some());
        assert_eq!(calls.count(), 1);
        let ids: Vec<_> = chunks.iter().map(|chunk| &chunk["responseId"]).collect();
        assert!(ids.iter().all(|id| *id == ids[0]));
    }
    assert_eq!(
        json["usageMetadata"],
        json!({ "promptTokenCount": 12, "cachedContentTokenCount": 5, "candidatesTokenCount": 34, "totalTokenCount": 46 })
    );
}

#[test]
fn thinking_is_shown_on_request() {
    let server = Server::demo(&[]);
    let plain = server.post(GENERATE, &request("think:Hm.\nsay:a"));
    assert_eq!(parts(&plain), json!([{ "text": "a" }]));
}

#[test]
fn model_is_named_in_the_path() {
    let server = Server::demo(&[]);
    for (path, model) in [
        (GENERATE, "scripted-1"),
        ("/v1/models/scripted-1:generateContent", "scripted-1"),
        ("/models/scripted-1:generateContent", "scripted-1"),
        ("/v1beta/models/demo/scripted-1:generateContent", "scripted-1"),
        ("/v1beta/models/demo%2Fscripted-1:generateContent", "scripted-1"),
        ("/v1beta/models/scripted-1%3AgenerateContent", "scripted-1"),
        ("/v1beta/models/models/scripted-mini:generateContent", "scripted-mini"),
        ("/v1/v1beta/models/scripted-1:generateContent", "scripted-1"),
        ("/v1beta/v1beta//models/scripted-1:generateContent/", "scripted-1"),
        ("/v1alpha/models/scripted-1:generateContent", "scripted-1"),
        ("/v1beta/models/sonnet:generateContent?key=unused", "claude-sonnet-4"),
    ] {
        let response = server.post(path, &request("say:ok"));
        assert_eq!(response.status, 200, "{path}: {}", response.text());
        assert_eq!(
            (text(&response), response.json()["modelVersion"].as_str()),
            ("ok".into(), Some(model)),
            "{path}"
        );
    }
    let unknown = server.post("/v1beta/models/nothing-like-it:generateContent", &request("say:ok"));
    let (status, canonical, message) = error(&unknown);
    assert_eq!((status, canonical.as_str()), (404, "NOT_FOUND"));
    assert!(message.contains("scripted-1"), "{message}");
}

#[test]
fn tool_loop_goes_on_with_ids_and_without() {
    let server = Server::demo(&[]);
    let tools = json!([{ "functionDeclarations": [{
        "name": "get_weather", "description": "Weather", "parameters": { "type": "OBJECT", "properties": { "city": { "type": "STRING" } } },
    }] }]);
    let first = request("call:get_weather {\"city\":\"Bern\"}\nthen:\ndump:");
    let response = server.post(GENERATE, &with(first.clone(), &json!({ "tools": tools })));
    let call = parts(&response)[0]["functionCall"].clone();
    assert_eq!((&call["name"], &call["args"]), (&json!("get_weather"), &json!({ "city": "Bern" })));
    assert!(call["id"].as_str().is_some_and(|id| !id.is_empty()), "{call}");
    let bare = json!({ "name": "get_weather", "args": { "city": "Bern" } });
    for (call, id) in [(call.clone(), call["id"].clone()), (bare, Value::Null)] {
        let answer = json!({ "functionResponse": { "id": id, "name": "get_weather", "response": { "output": "21 degrees" } } });
        let mut contents = first["contents"].as_array().unwrap().clone();
        contents.push(json!({ "role": "model", "parts": [{ "functionCall": call }] }));
        contents.push(json!({ "role": "user", "parts": [answer] }));
        let dump = text(&server.post(GENERATE, &json!({ "contents": contents, "tools": tools })));
        let dump: Value = serde_json::from_str(&dump).unwrap();
        assert!(dump.to_string().contains("21 degrees"), "{dump}");
        assert!(
            dump.to_string().contains(r#"{"properties":{"city":{"type":"string"}},"type":"object"}"#)
                || dump.to_string().contains(r#"{"type":"object","properties":{"city":{"type":"string"}}}"#),
            "{dump}"
        );
    }
}

#[test]
fn several_candidates_are_told_apart() {
    let server = Server::demo(&[]);
    let request = with(request("say:ab"), &json!({ "generationConfig": { "candidateCount": 2 } }));
    let whole = server.post(GENERATE, &request).json();
    let indexes: Vec<_> =
        whole["candidates"].as_array().unwrap().iter().map(|candidate| candidate["index"].as_u64()).collect();
    assert_eq!(indexes, [Some(0), Some(1)]);
    let chunks = chunks(&server, &request);
    let ends = chunks.iter().filter(|chunk| chunk["candidates"][0].get("finishReason").is_some());
    assert_eq!(ends.count(), 2);
    assert_eq!(chunks.last().unwrap()["usageMetadata"], whole["usageMetadata"]);
}

#[test]
fn output_of_a_schema_is_valid() {
    let server = Server::demo(&[]);
    let schema = json!({ "type": "OBJECT", "properties": { "n": { "type": "INTEGER" } }, "required": ["n"] });
    let request = with(
        request("say:{\"n\": 3}"),
        &json!({ "generationConfig": { "responseMimeType": "application/json", "responseSchema": schema } }),
    );
    let response = server.post(GENERATE, &request);
    assert_eq!(serde_json::from_str::<Value>(&text(&response)).unwrap(), json!({ "n": 3 }));
}

#[test]
fn tokens_are_counted_without_a_model() {
    let server = Server::demo(&[]);
    let counted = server.post(COUNT, &request("one two three")).json();
    let tokens = counted["totalTokens"].as_u64().unwrap();
    assert!(tokens > 3, "{counted}");
    let anthropic =
        json!({ "model": "scripted-1", "messages": [{ "role": "user", "content": "one two three" }] });
    assert_eq!(server.post("/v1/messages/count_tokens", &anthropic).json()["input_tokens"], tokens);
    let nested =
        json!({ "generateContentRequest": with(request("one two three"), &json!({ "model": "models/x" })) });
    assert_eq!(server.post("/models/scripted-1:countTokens", &nested).json()["totalTokens"], tokens);
    assert_eq!(error(&server.post(COUNT, &json!({}))).0, 400);
}

#[test]
fn models_are_listed_in_pages() {
    let server = Server::demo(&[]);
    let list = server.get("/v1beta/models").json();
    let models = list["models"].as_array().unwrap();
    let openai = server.get("/v1/models").json();
    assert_eq!(models.len(), openai["data"].as_array().unwrap().len());
    let scripted = models.iter().find(|model| model["name"] == "models/scripted-1").unwrap();
    assert_eq!(scripted["inputTokenLimit"], 200_000);
    assert_eq!(scripted["supportedGenerationMethods"][0], "generateContent");
    assert_eq!(server.get("/v1beta/models/scripted-1").json(), *scripted);
    assert_eq!(server.get("/v1beta/models/models/sonnet").json()["baseModelId"], "claude-sonnet-4");
    assert_eq!(error(&server.get("/v1beta/models/nothing-like-it")).1, "NOT_FOUND");
    // Google's SDKs list the models under `/v1`, where other APIs have theirs.
    for header in ["x-goog-api-key", "x-goog-api-client"] {
        let get = |path: &str| server.send(&Request::get(path).header(header, "x"));
        assert_eq!(get("/v1/models").json(), list);
        assert_eq!(get("/v1/models/scripted-1").json(), *scripted);
        assert_eq!(error(&get("/v1/models/nothing-like-it")).1, "NOT_FOUND");
    }

    let mut found = Vec::new();
    let mut token = String::new();
    loop {
        let page = server.get(&format!("/v1beta/models?pageSize=2&pageToken={token}")).json();
        found.extend(page["models"].as_array().unwrap().clone());
        let Some(next) = page["nextPageToken"].as_str() else { break };
        next.clone_into(&mut token);
    }
    assert_eq!(found, *models);
    assert_eq!(server.send(&Request::new("HEAD", "/v1beta/models")).status, 200);
}

#[test]
fn failures_have_googles_form() {
    let server = Server::demo(&[]);
    for (response, status, canonical, words) in [
        (server.post(GENERATE, &json!({})), 400, "INVALID_ARGUMENT", "contents: required, but missing"),
        (
            server.post(GENERATE, &request("fail:ChatQuotaExceeded no more")),
            429,
            "RESOURCE_EXHAUSTED",
            "no more",
        ),
        (server.post(GENERATE, &request("fail:ChatRateLimited slow")), 429, "RESOURCE_EXHAUSTED", "slow"),
        (server.get(GENERATE), 405, "UNIMPLEMENTED", "use POST"),
        (server.get("/v1beta/nothing"), 404, "NOT_FOUND", "/v1beta/nothing"),
        (
            server.post("/v1beta/models/scripted-1:embedContent", &json!({})),
            400,
            "INVALID_ARGUMENT",
            "models/scripted-1:embedContent is not available",
        ),
        (
            server.send(&Request::new("POST", GENERATE).body(vec![b' '; MAX_BODY + 1])),
            413,
            "INVALID_ARGUMENT",
            "larger than",
        ),
    ] {
        let (found, of, message) = error(&response);
        assert_eq!((found, of.as_str()), (status, canonical), "{message}");
        assert!(message.contains(words), "{message}");
    }
    let limited = server.post(GENERATE, &request("fail:ChatRateLimited slow"));
    let seconds = limited.header("retry-after").unwrap().to_owned();
    let details = &limited.json()["error"]["details"];
    let retry = details
        .as_array()
        .unwrap()
        .iter()
        .find(|detail| detail["@type"].as_str().unwrap().ends_with("RetryInfo"));
    assert_eq!(retry.unwrap()["retryDelay"], format!("{seconds}s"));
}

#[test]
fn failure_after_the_first_part_is_the_last_chunk() {
    let server = Server::demo(&[]);
    let request = request("say:a\nfail:ChatQuotaExceeded no more");
    for chunks in
        [chunks(&server, &request), server.post(STREAM, &request).json().as_array().unwrap().clone()]
    {
        let [first, last] = chunks.as_slice() else { panic!("{chunks:?}") };
        assert_eq!(first["candidates"][0]["content"]["parts"][0]["text"], "a");
        assert_eq!(
            (&last["error"]["code"], &last["error"]["status"]),
            (&json!(429), &json!("RESOURCE_EXHAUSTED"))
        );
    }
}

#[test]
fn idle_stream_has_empty_lines_only() {
    let server = Server::demo(&["--ping-every", "20"]);
    let request = request("say:a\nslow:3 150\nsay:b");
    let stream = server.stream(&format!("{STREAM}?alt=sse"), &request);
    let events = stream.rest().join("\n\n");
    assert!(events.contains("\n\n\n"), "{events:?}");
    assert!(events.lines().all(|line| line.is_empty() || line.starts_with("data: {")), "{events:?}");
    let array = server.post(STREAM, &request);
    assert!(array.text().contains("\n\n"), "{}", array.text());
    assert!(array.json().is_array());
}

#[test]
fn tools_of_the_editor_run_in_auto_mode() {
    let server = Server::demo(&[]);
    let request = with(
        request("call:get_time\nthen:\nsay:done"),
        &json!({ "use_vscode_tools": true, "tool_execution": "auto" }),
    );
    let whole = server.post(GENERATE, &request).json();
    assert_eq!(whole["candidates"][0]["content"]["parts"], json!([{ "text": "done" }]));
    assert_eq!(whole["copilot_proxy"]["tools"].as_array().unwrap().len(), 1, "{whole}");
    let chunks = chunks(&server, &request);
    assert!(chunks.iter().any(|chunk| chunk["copilot_proxy"].get("tools").is_some()), "{chunks:?}");
}

#[test]
fn key_is_taken_from_googles_places() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    editor.send_keys(&[person_key("mine", "se/same")]);
    let list = "/v1beta/models";
    until("the key to be required", || (server.get(list).status == 401).then_some(()));
    let refused = server.get(list);
    assert_eq!(error(&refused).1, "UNAUTHENTICATED");
    for (path, status) in [
        ("/v1beta/models?key=se/same", 200),
        ("/v1beta/models?alt=json&key=se%2Fsame", 200),
        ("/v1beta/models?key=other", 401),
        ("/v1beta/models?monkey=se/same", 401),
        // The paths of other APIs have no key in the query.
        ("/v1/models?key=se/same", 401),
    ] {
        assert_eq!(server.get(path).status, status, "{path}");
    }
    assert_eq!(server.send(&Request::get(list).header("x-goog-api-key", "se/same")).status, 200);
    assert_eq!(server.send(&Request::get(list).header("x-goog-api-key", "other")).status, 401);
}

#[test]
fn filtered_prompt_has_feedback_and_no_candidates() {
    let server = Server::demo(&[]);
    let request = request("fail:Error Filtered by Responsible AI Service");
    let whole = server.post(GENERATE, &request);
    assert_eq!(whole.status, 200, "{}", whole.text());
    let array = server.post(STREAM, &request).json();
    let [of_array] = array.as_array().unwrap().as_slice() else { panic!("{array}") };
    let chunks = chunks(&server, &request);
    let [of_stream] = chunks.as_slice() else { panic!("{chunks:?}") };
    for response in [&whole.json(), of_array, of_stream] {
        assert_eq!(response["promptFeedback"]["blockReason"], "SAFETY", "{response}");
        assert!(response["promptFeedback"]["blockReasonMessage"].is_string(), "{response}");
        assert_eq!((response.get("candidates"), response.get("error")), (None, None), "{response}");
    }
}

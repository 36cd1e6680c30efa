//! Compaction of conversations at `/v1/responses`: by an endpoint of its own, and by the last item of the input.

use serde_json::{Value, json};

use crate::openai::with;
use crate::server::Server;

const RESPONSES: &str = "/v1/responses";
const COMPACT: &str = "/v1/responses/compact";

fn user(text: &str) -> Value {
    json!({ "role": "user", "content": text })
}

fn request(input: &[Value]) -> Value {
    json!({ "model": "scripted-1", "input": input })
}

/// The texts that the model reads before the last message, by the `dump:` there.
fn texts_before(server: &Server, items: &[Value]) -> Vec<String> {
    let input: Vec<Value> = items.iter().cloned().chain([user("dump:")]).collect();
    let response = server.post(RESPONSES, &request(&input)).json();
    let dump = response["output"][0]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("{response}"));
    let dump: Value = serde_json::from_str(dump).unwrap();
    let parts =
        dump["messages"].as_array().unwrap().iter().flat_map(|message| message["parts"].as_array().unwrap());
    let texts = parts.filter_map(|part| part["text"].as_str().map(str::to_owned));
    texts.filter(|text| text != "dump:").collect()
}

fn history() -> Vec<Value> {
    vec![
        json!({ "role": "developer", "content": "Be brief." }),
        user("red or blue?"),
        json!({ "type": "function_call", "call_id": "c1", "name": "look", "arguments": "{}" }),
        json!({ "type": "function_call_output", "call_id": "c1", "output": "blue" }),
        json!({ "role": "assistant", "content": "Blue." }),
        user("say:we chose blue"),
    ]
}

#[test]
fn compacted_conversation_has_the_user_messages_and_a_sealed_summary() {
    let server = Server::demo(&[]);
    let compacted = server.post(COMPACT, &request(&history())).json();
    assert_eq!(compacted["object"], "response.compaction");
    assert!(compacted["id"].is_string() && compacted["created_at"].is_u64(), "{compacted}");
    assert!(compacted["usage"]["total_tokens"].as_u64() > Some(10), "{compacted}");
    let output = compacted["output"].as_array().unwrap();
    let kinds: Vec<_> =
        output.iter().map(|item| (item["type"].as_str().unwrap(), item["id"].is_string())).collect();
    assert_eq!(kinds, [("message", true), ("message", true), ("compaction", true)]);
    assert_eq!(output[0]["content"], json!([{ "type": "input_text", "text": "red or blue?" }]));
    assert!(!output[2]["encrypted_content"].as_str().unwrap().contains("blue"));

    let texts = texts_before(&server, output);
    assert_eq!(texts[..2], ["red or blue?", "say:we chose blue"]);
    assert!(texts[2].starts_with('[') && texts[2].ends_with("\nwe chose blue"), "{texts:?}");

    // Another server, as after a restart, opens it too; and a second compaction holds one summary again.
    let restarted = Server::demo(&[]);
    assert_eq!(texts_before(&restarted, output), texts);
    let again: Vec<Value> = output.iter().cloned().chain([user("say:blue, and round")]).collect();
    let again = restarted.post(COMPACT, &request(&again)).json();
    let kinds: Vec<_> = again["output"].as_array().unwrap().iter().map(|item| item["type"].clone()).collect();
    assert_eq!(kinds, ["message", "message", "message", "compaction"]);
}

#[test]
fn trigger_gets_the_summary_alone() {
    let server = Server::demo(&[]);
    let input: Vec<Value> = history().into_iter().chain([json!({ "type": "compaction_trigger" })]).collect();
    let tool = json!({ "type": "function", "name": "look", "parameters": { "type": "object" } });
    let request = with(request(&input), &json!({ "tools": [tool], "tool_choice": "auto", "store": false }));
    let whole = server.post(RESPONSES, &request).json();
    assert_eq!((&whole["object"], &whole["status"]), (&json!("response"), &json!("completed")));
    let output = whole["output"].as_array().unwrap();
    assert_eq!((output.len(), &output[0]["type"]), (1, &json!("compaction")));
    assert!(texts_before(&server, output)[0].ends_with("\nwe chose blue"));

    let streamed = with(request, &json!({ "stream": true }));
    let events: Vec<Value> = server
        .stream(RESPONSES, &streamed)
        .rest()
        .iter()
        .map(|event| serde_json::from_str(event.split_once("data: ").unwrap().1).unwrap())
        .collect();
    let kinds: Vec<_> = events.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds,
        [
            "response.created",
            "response.in_progress",
            "response.output_item.added",
            "response.output_item.done",
            "response.completed"
        ]
    );
    assert_eq!(events[3]["item"]["encrypted_content"], output[0]["encrypted_content"]);
    assert_eq!(events[4]["response"]["output"], json!([events[3]["item"]]));
}

#[test]
fn stored_compaction_continues_without_the_replaced_turns() {
    let server = Server::demo(&[]);
    let input: Vec<Value> = history().into_iter().chain([json!({ "type": "compaction_trigger" })]).collect();
    let compacted = server.post(RESPONSES, &request(&input)).json();
    let next = json!({ "model": "scripted-1", "previous_response_id": compacted["id"], "input": "dump:" });
    let dump = server.post(RESPONSES, &next).json()["output"][0]["content"][0]["text"].to_string();
    assert!(dump.contains("red or blue?") && dump.contains("Their summary:"), "{dump}");
    assert!(!dump.contains("tool_call"), "{dump}");

    let by_id = server
        .post(COMPACT, &json!({ "model": "scripted-1", "previous_response_id": compacted["id"] }))
        .json();
    let kinds: Vec<_> = by_id["output"].as_array().unwrap().iter().map(|item| item["type"].clone()).collect();
    assert_eq!(kinds, ["message", "message", "compaction"]);
}

/// The request of `context_management`, with its threshold.
fn compacting(input: &[Value], threshold: &Value) -> Value {
    let entry = json!({ "type": "compaction", "compact_threshold": threshold });
    with(request(input), &json!({ "context_management": [entry] }))
}

#[test]
fn conversation_past_its_threshold_is_compacted_before_the_response() {
    let server = Server::demo(&[]);
    let long: Vec<Value> = [user(&"word ".repeat(500))].into_iter().chain(history()).collect();
    let whole = server.post(RESPONSES, &compacting(&long, &json!(400.0))).json();
    let output = whole["output"].as_array().unwrap();
    let kinds: Vec<_> = output.iter().map(|item| item["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["compaction", "message"]);
    assert_eq!(output[1]["content"][0]["text"], "we chose blue");

    let events: Vec<Value> = server
        .stream(RESPONSES, &with(compacting(&long, &json!(400)), &json!({ "stream": true })))
        .rest()
        .iter()
        .map(|event| serde_json::from_str(event.split_once("data: ").unwrap().1).unwrap())
        .collect();
    let kinds: Vec<_> = events.iter().take(5).map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(
        kinds[2..],
        ["response.output_item.added", "response.output_item.done", "response.output_item.added"]
    );
    assert_eq!(events[3]["item"]["encrypted_content"], output[0]["encrypted_content"]);
    assert_eq!(events.last().unwrap()["response"]["output"].as_array().unwrap().len(), 2);

    // Everything before the item is gone, whether the client sends it again, leaves it out, or continues the response.
    let again: Vec<Value> = long.iter().chain(output).cloned().collect();
    let texts = texts_before(&server, &again);
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts[0].contains("Their summary:]\nwe chose blue"), "{texts:?}");
    assert_eq!(texts_before(&server, output), texts);
    assert_eq!(texts_before(&Server::demo(&[]), &again), texts);
    let next = json!({ "model": "scripted-1", "previous_response_id": whole["id"], "input": "dump:" });
    let dump = server.post(RESPONSES, &next).json()["output"][0]["content"][0]["text"].to_string();
    assert!(dump.contains("Their summary:") && !dump.contains("word word"), "{dump}");

    for (threshold, length) in [(json!(100_000), 1), (json!(null), 1)] {
        let response = server.post(RESPONSES, &compacting(&long, &threshold)).json();
        assert_eq!(response["output"].as_array().unwrap().len(), length, "{threshold}");
    }
    let (status, .., message) = server.post(RESPONSES, &compacting(&long, &json!("5"))).error();
    assert!(status == 400 && message.starts_with("context_management[0].compact_threshold"), "{message}");
}

#[test]
fn summary_of_another_service_reads_as_missing_turns() {
    let server = Server::demo(&[]);
    for item in [
        json!({ "type": "compaction", "id": "cmp_1", "encrypted_content": "gAAAAABo" }),
        json!({ "type": "compaction_summary", "encrypted_content": "gAAAAABo" }),
        json!({ "type": "context_compaction", "encrypted_content": null }),
        json!({ "type": "compaction", "encrypted_content": "" }),
    ] {
        let texts = texts_before(&server, std::slice::from_ref(&item));
        assert_eq!(texts.len(), 1, "{item}");
        assert!(texts[0].contains("missing") && !texts[0].contains("gAAAA"), "{texts:?}");
    }
}

#[test]
fn misplaced_trigger_and_empty_input_get_400() {
    let server = Server::demo(&[]);
    let trigger = json!({ "type": "compaction_trigger" });
    for input in
        [vec![trigger.clone(), user("Hi")], vec![user("Hi"), trigger.clone(), trigger.clone()], vec![trigger]]
    {
        assert_eq!(server.post(RESPONSES, &request(&input)).error().0, 400, "{input:?}");
    }
    assert_eq!(server.post(COMPACT, &request(&[])).error().0, 400);
    assert_eq!(server.get(COMPACT).header("allow"), Some("POST, OPTIONS"));
}

//! Anthropic's `context_management`: old results and thinking are cleared, a summary takes the place of old turns.

use serde_json::{Value, json};

use crate::client::Request;
use crate::openai::with;
use crate::server::Server;

const MESSAGES: &str = "/v1/messages";

/// Three tool calls, then the text.
fn history(last: &str) -> Vec<Value> {
    let mut messages = vec![json!({ "role": "user", "content": "look" })];
    for id in ["t1", "t2", "t3"] {
        let call = json!({ "type": "tool_use", "id": id, "name": "read", "input": { "path": id } });
        messages.push(json!({ "role": "assistant", "content": [call] }));
        let result =
            json!({ "type": "tool_result", "tool_use_id": id, "content": format!("{id} ").repeat(200) });
        messages.push(json!({ "role": "user", "content": [result] }));
    }
    messages.push(json!({ "role": "assistant", "content": "Seen." }));
    messages.push(json!({ "role": "user", "content": last }));
    messages
}

fn request(last: &str, edit: &Value) -> Value {
    json!({
        "model": "scripted-1", "max_tokens": 9999, "messages": history(last),
        "context_management": { "edits": [edit] },
    })
}

fn send(server: &Server, path: &str, body: &Value) -> Value {
    server.send(&Request::post(path, body).header("anthropic-version", "2023-06-01")).json()
}

fn streamed(server: &Server, request: &Value) -> Vec<Value> {
    let events = server.stream(MESSAGES, &with(request.clone(), &json!({ "stream": true }))).rest();
    events.iter().map(|event| serde_json::from_str(event.split_once("data: ").unwrap().1).unwrap()).collect()
}

#[test]
fn old_tool_results_are_cleared_and_reported() {
    let server = Server::demo(&[]);
    let edit = json!({ "type": "clear_tool_uses_20250919", "trigger": { "type": "input_tokens", "value": 100 },
                       "keep": { "type": "tool_uses", "value": 1 } });
    let request = request("dump:", &edit);
    let message = send(&server, MESSAGES, &request);
    let dump = message["content"][0]["text"].as_str().unwrap();
    assert!(dump.contains("t3 t3") && !dump.contains("t1 t1") && !dump.contains("t2 t2"), "{dump}");
    let applied = &message["context_management"]["applied_edits"][0];
    assert_eq!((&applied["type"], &applied["cleared_tool_uses"]), (&edit["type"], &json!(2)));
    let freed = applied["cleared_input_tokens"].as_u64().unwrap();
    assert!(freed > 300, "{applied}");

    let delta =
        streamed(&server, &request).into_iter().find(|event| event["type"] == "message_delta").unwrap();
    assert_eq!(delta["context_management"], message["context_management"]);
    let counted = send(&server, "/v1/messages/count_tokens", &request);
    let original = counted["context_management"]["original_input_tokens"].as_u64().unwrap();
    assert_eq!(counted["input_tokens"], message["usage"]["input_tokens"]);
    assert!(original > counted["input_tokens"].as_u64().unwrap() + freed / 2, "{counted}");

    let rarely = json!({ "type": "clear_tool_uses_20250919" });
    let message =
        send(&server, MESSAGES, &with(request, &json!({ "context_management": { "edits": [rarely] } })));
    assert_eq!(message["context_management"], json!({ "applied_edits": [] }));
}

#[test]
fn summary_replaces_old_turns() {
    let server = Server::demo(&[]);
    let edit = json!({ "type": "compact_20260112", "trigger": { "type": "input_tokens", "value": 100 } });
    let message = send(&server, MESSAGES, &request("say:we chose blue", &edit));
    let block = &message["content"][0];
    assert_eq!(
        *block,
        json!({ "type": "compaction", "content": "we chose blue", "encrypted_content": null })
    );
    assert_eq!(
        (&message["content"][1]["text"], &message["stop_reason"]),
        (&json!("we chose blue"), &json!("end_turn"))
    );

    let events = streamed(&server, &request("say:we chose blue", &edit));
    let deltas: Vec<_> = events.iter().filter(|event| event["type"] == "content_block_delta").collect();
    assert_eq!(
        deltas[0]["delta"],
        json!({ "type": "compaction_delta", "content": "we chose blue", "encrypted_content": null })
    );
    assert_eq!(events[1]["content_block"]["type"], "compaction");

    // The block comes back: everything before it is gone.
    let mut messages = history("say:we chose blue");
    messages.push(json!({ "role": "assistant", "content": message["content"] }));
    messages.push(json!({ "role": "user", "content": "dump:" }));
    let next = json!({ "model": "scripted-1", "max_tokens": 9999, "messages": messages });
    let dump = send(&server, MESSAGES, &next)["content"][0]["text"].to_string();
    assert!(dump.contains("Their summary:") && !dump.contains("t3 t3"), "{dump}");
}

#[test]
fn response_pauses_after_the_compaction_on_request() {
    let server = Server::demo(&[]);
    let edit = json!({ "type": "compact_20260112", "trigger": { "type": "input_tokens", "value": 100 },
                       "pause_after_compaction": true, "instructions": "Be short." });
    let message = send(&server, MESSAGES, &request("say:we chose blue", &edit));
    assert_eq!(
        (message["content"].as_array().unwrap().len(), &message["stop_reason"]),
        (1, &json!("compaction"))
    );
    let late =
        with(request("say:no", &edit), &json!({ "messages": [{ "role": "user", "content": "say:short" }] }));
    let message = send(&server, MESSAGES, &late);
    assert_eq!(
        (&message["content"][0]["text"], &message["stop_reason"]),
        (&json!("short"), &json!("end_turn"))
    );
}

#[test]
fn usage_tells_a_compaction_apart_from_the_message() {
    let server = Server::demo(&[]);
    let edit = json!({ "type": "compact_20260112", "trigger": { "type": "input_tokens", "value": 100 } });
    let request_of = |pauses: bool| {
        let edit = with(edit.clone(), &json!({ "pause_after_compaction": pauses }));
        request("say:we chose blue", &edit)
    };
    let usage = send(&server, MESSAGES, &request_of(false))["usage"].take();
    let iterations = usage["iterations"].as_array().unwrap();
    let kinds: Vec<_> = iterations.iter().map(|iteration| iteration["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["compaction", "message"]);
    assert!(iterations[0]["input_tokens"].as_u64() > iterations[1]["input_tokens"].as_u64(), "{usage}");
    for field in ["input_tokens", "output_tokens"] {
        assert_eq!(usage[field], iterations[1][field], "{usage}");
    }
    let events = streamed(&server, &request_of(false));
    let delta = events.into_iter().find(|event| event["type"] == "message_delta").unwrap();
    assert_eq!(delta["usage"]["iterations"], usage["iterations"]);

    let usage = send(&server, MESSAGES, &request_of(true))["usage"].take();
    assert_eq!(usage["iterations"].as_array().unwrap().len(), 1, "{usage}");
    assert_eq!((&usage["input_tokens"], &usage["output_tokens"]), (&json!(0), &json!(0)));
    let edit = json!({ "type": "compact_20260112" });
    assert_eq!(send(&server, MESSAGES, &request("say:x", &edit))["usage"].get("iterations"), None);
}

#[test]
fn auto_mode_goes_on_after_a_compaction() {
    let server = Server::demo(&[]);
    let edit = json!({ "type": "compact_20260112", "trigger": { "type": "input_tokens", "value": 100 } });
    let auto = json!({ "use_vscode_tools": true, "tool_execution": "auto" });
    let script = "say:we chose blue\ncall:get_time {}\nthen:\nsay:done";
    let message = send(&server, MESSAGES, &with(request(script, &edit), &auto));
    assert_eq!(message["content"][0]["type"], "compaction", "{message}");
    assert_eq!(message["content"][0]["content"], "we chose blue");
    assert_eq!(message["copilot_proxy"]["tools"].as_array().unwrap().len(), 1, "{message}");
    let last = message["content"].as_array().unwrap().last().unwrap();
    assert_eq!((&last["text"], &message["stop_reason"]), (&json!("done"), &json!("end_turn")));
    let dump = send(&server, MESSAGES, &with(request("dump:", &edit), &auto));
    let dump: Value = serde_json::from_str(dump["content"][1]["text"].as_str().unwrap()).unwrap();
    let messages = dump["messages"].as_array().unwrap();
    let text = messages[0]["parts"][0]["text"].as_str().unwrap();
    assert!(messages.len() == 2 && text.contains("Their summary:"), "{dump}");
}

#[test]
fn failed_summary_fails_the_request() {
    let server = Server::demo(&[]);
    let edit = json!({ "type": "compact_20260112", "trigger": { "type": "input_tokens", "value": 100 } });
    let response = server.post(MESSAGES, &request("fail:ChatQuotaExceeded none", &edit));
    assert_eq!(response.status, 429, "{}", response.text());
}

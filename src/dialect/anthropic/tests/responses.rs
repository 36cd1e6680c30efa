//! Each conversation as a stream, byte for byte, and whole, from the same events.

use serde_json::{Value, json};

use super::{call, end, folded, meta, streamed, text};
use crate::conversation::{Content, Event, Finish, RunTime, Thinking, ToolCall, ToolRan, ToolResult, Usage};
use crate::dialect::anthropic::{Anthropic, ResponseOptions, Thoughts};
use crate::dialect::common::sealed_thinking;
use crate::dialect::{Dialect, Encoder};
use crate::failure::Failure;

const START: &str = r#"{"type":"message_start","message":{"type":"message","id":"msg_1f","role":"assistant","model":"claude-sonnet-4","content":[],"stop_reason":null,"stop_sequence":null,"stop_details":null,"container":null,"usage":{"input_tokens":12,"cache_creation_input_tokens":0,"cache_read_input_tokens":0,"cache_creation":null,"output_tokens":0,"output_tokens_details":{"thinking_tokens":0},"server_tool_use":null,"service_tier":null,"inference_geo":null}}}"#;
const USAGE: &str = r#"{"input_tokens":10,"cache_creation_input_tokens":30,"cache_read_input_tokens":60,"cache_creation":null,"output_tokens":20,"output_tokens_details":{"thinking_tokens":5},"server_tool_use":null,"service_tier":null,"inference_geo":null}"#;
const STOP: &str = r#"{"type":"message_stop"}"#;

/// `said` is the data of the events between the first and the last two, `ending` the reply's reason for
/// ending, `content` its blocks.
fn check(options: ResponseOptions, events: &[Event], said: &[&str], ending: &Value, content: &Value) {
    let delta = format!(
        r#"{{"type":"message_delta","delta":{ending},"usage":{USAGE},"copilot_proxy":{{"usage":"reported"}}}}"#
    );
    let data = [&[START], said, &[&delta, STOP]].concat();
    assert_eq!(streamed(options, events), events_of(&data));
    assert_eq!(whole(options, events), message(ending, content));
}

/// The lines of a stream with these data.
fn events_of(data: &[&str]) -> String {
    let mut lines = String::new();
    for data in data {
        let kind = serde_json::from_str::<Value>(data).unwrap()["type"].clone();
        for line in ["event: ", kind.as_str().unwrap(), "\ndata: ", data, "\n\n"] {
            lines.push_str(line);
        }
    }
    lines
}

fn whole(options: ResponseOptions, events: &[Event]) -> Value {
    Anthropic::response(&meta(), &options, &[events.to_vec()])
}

fn message(ending: &Value, content: &Value) -> Value {
    let mut message = json!({
        "type": "message",
        "id": "msg_1f",
        "role": "assistant",
        "model": "claude-sonnet-4",
        "content": content,
        "usage": serde_json::from_str::<Value>(USAGE).unwrap(),
    });
    for (key, value) in ending.as_object().unwrap() {
        message[key] = value.clone();
    }
    message
}

fn ending(reason: &str) -> Value {
    json!({ "stop_reason": reason, "stop_sequence": null, "stop_details": null, "container": null })
}

fn thought(text: &str, id: Option<&str>) -> Event {
    Event::Thinking(Thinking { id: id.map(str::to_owned), ..Thinking::text(text) })
}

/// Signature of thinking with this id and a text of this length.
fn seal(id: &str, length: usize) -> String {
    let thinking = Thinking { id: Some(id.into()), ..Thinking::default() };
    sealed_thinking::seal_with_length(&thinking, length).unwrap()
}

fn signed(index: u32, id: &str, length: usize) -> String {
    let signature = seal(id, length);
    format!(
        r#"{{"type":"content_block_delta","index":{index},"delta":{{"type":"signature_delta","signature":"{signature}"}}}}"#
    )
}

/// The last piece of a provider's thinking: no text, but what the provider takes back.
fn encrypted(id: &str) -> Event {
    let metadata = json!({ "encrypted_content": "sig", "vscode_thinking_origin_api": "messages" });
    Event::Thinking(Thinking {
        id: Some(id.into()),
        metadata: metadata.as_object().cloned(),
        ..Thinking::default()
    })
}

#[test]
fn thinking_without_text_is_redacted_and_sent_on_request() {
    let Event::Thinking(thinking) = encrypted("rs_1") else { panic!() };
    let data = sealed_thinking::seal(&thinking).unwrap();
    let start = format!(
        r#"{{"type":"content_block_start","index":0,"content_block":{{"type":"redacted_thinking","data":"{data}"}}}}"#
    );
    for thoughts in [Thoughts::Shown, Thoughts::Signed] {
        check(
            ResponseOptions { thoughts, ..ResponseOptions::default() },
            &[encrypted("rs_1"), end(Finish::Stop)],
            &[&start, r#"{"type":"content_block_stop","index":0}"#],
            &ending("end_turn"),
            &json!([{ "type": "redacted_thinking", "data": data }]),
        );
    }
    for thoughts in [Thoughts::Unasked, Thoughts::Hidden] {
        let events = [encrypted("rs_1"), end(Finish::Stop)];
        check(
            ResponseOptions { thoughts, ..ResponseOptions::default() },
            &events,
            &[],
            &ending("end_turn"),
            &json!([]),
        );
    }
}

#[test]
fn provider_signature_is_sealed_in_the_signature() {
    let events =
        [thought("Hm", Some("thinking_0")), encrypted("thinking_0"), text("Yes."), end(Finish::Stop)];
    let message = whole(ResponseOptions { thoughts: Thoughts::Shown, ..ResponseOptions::default() }, &events);
    let block = &message["content"][0];
    let opened =
        sealed_thinking::open(block["thinking"].as_str().unwrap().into(), block["signature"].as_str());
    let Event::Thinking(sealed) = encrypted("thinking_0") else { panic!() };
    assert_eq!(opened, Some(Thinking { text: "Hm".into(), ..sealed }));
}

#[test]
fn text_is_one_block() {
    check(
        ResponseOptions::default(),
        &[text("Good "), text(""), text("day\u{2028}"), end(Finish::Stop)],
        &[
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","citations":null,"text":""}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Good "}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"day\u2028"}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
        ],
        &ending("end_turn"),
        &json!([{ "type": "text", "citations": null, "text": "Good day\u{2028}" }]),
    );
}

#[test]
fn thinking_block_is_signed_before_the_text() {
    check(
        ResponseOptions::default(),
        &[
            thought("Hm, ", None),
            thought("so.", Some("t1")),
            thought("", None),
            text("Yes."),
            end(Finish::Stop),
        ],
        &[
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"Hm, "}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"so."}}"#,
            &signed(0, "t1", 7),
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","citations":null,"text":""}}"#,
            r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Yes."}}"#,
            r#"{"type":"content_block_stop","index":1}"#,
        ],
        &ending("end_turn"),
        &json!([
            { "type": "thinking", "thinking": "Hm, so.", "signature": seal("t1", 7) },
            { "type": "text", "citations": null, "text": "Yes." },
        ]),
    );
}

#[test]
fn each_thinking_id_has_its_own_block() {
    check(
        ResponseOptions::default(),
        &[thought("a", Some("1")), thought("b", Some("2")), end(Finish::Stop)],
        &[
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"a"}}"#,
            &signed(0, "1", 1),
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
            r#"{"type":"content_block_delta","index":1,"delta":{"type":"thinking_delta","thinking":"b"}}"#,
            &signed(1, "2", 1),
            r#"{"type":"content_block_stop","index":1}"#,
        ],
        &ending("end_turn"),
        &json!([
            { "type": "thinking", "thinking": "a", "signature": seal("1", 1) },
            { "type": "thinking", "thinking": "b", "signature": seal("2", 1) },
        ]),
    );
}

#[test]
fn thinking_is_left_out_on_request() {
    let events = [thought("Hm", Some("t1")), text("Yes."), end(Finish::Stop)];
    let words = json!({ "type": "text", "citations": null, "text": "Yes." });
    check(
        ResponseOptions { thoughts: Thoughts::Signed, ..ResponseOptions::default() },
        &events,
        &[
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
            &signed(0, "t1", 2),
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","citations":null,"text":""}}"#,
            r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Yes."}}"#,
            r#"{"type":"content_block_stop","index":1}"#,
        ],
        &ending("end_turn"),
        &json!([{ "type": "thinking", "thinking": "", "signature": seal("t1", 2) }, words]),
    );
    check(
        ResponseOptions { thoughts: Thoughts::Hidden, ..ResponseOptions::default() },
        &events,
        &[
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","citations":null,"text":""}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Yes."}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
        ],
        &ending("end_turn"),
        &json!([words]),
    );
}

#[test]
fn each_call_is_a_block_after_the_text() {
    check(
        ResponseOptions::default(),
        &[
            text("Let me look."),
            call("c1", "read_file", json!({ "path": "a\u{85}.rs", "lines": [1, 2] })),
            call("c2", "get_time", Value::Null),
            end(Finish::ToolCalls),
        ],
        &[
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","citations":null,"text":""}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Let me look."}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"tool_use","id":"c1","name":"read_file","input":{},"caller":{"type":"direct"}}}"#,
            r#"{"type":"content_block_delta","index":1,"delta":{"type":"input_json_delta","partial_json":"{\"path\":\"a\u0085.rs\",\"lines\":[1,2]}"}}"#,
            r#"{"type":"content_block_stop","index":1}"#,
            r#"{"type":"content_block_start","index":2,"content_block":{"type":"tool_use","id":"c2","name":"get_time","input":{},"caller":{"type":"direct"}}}"#,
            r#"{"type":"content_block_delta","index":2,"delta":{"type":"input_json_delta","partial_json":"{}"}}"#,
            r#"{"type":"content_block_stop","index":2}"#,
        ],
        &ending("tool_use"),
        &json!([
            { "type": "text", "citations": null, "text": "Let me look." },
            {
                "type": "tool_use", "id": "c1", "name": "read_file",
                "input": { "path": "a\u{85}.rs", "lines": [1, 2] }, "caller": { "type": "direct" },
            },
            { "type": "tool_use", "id": "c2", "name": "get_time", "input": {}, "caller": { "type": "direct" } },
        ]),
    );
}

#[test]
fn call_input_that_is_no_object_is_wrapped() {
    check(
        ResponseOptions::default(),
        &[call("c1", "add", json!([1, 2])), end(Finish::ToolCalls)],
        &[
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"c1","name":"add","input":{},"caller":{"type":"direct"}}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"input_json_delta","partial_json":"{\"_raw\":[1,2]}"}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
        ],
        &ending("tool_use"),
        &json!([{
            "type": "tool_use", "id": "c1", "name": "add", "input": { "_raw": [1, 2] },
            "caller": { "type": "direct" },
        }]),
    );
}

#[test]
fn empty_response_has_no_block() {
    check(ResponseOptions::default(), &[end(Finish::Stop)], &[], &ending("end_turn"), &json!([]));
}

#[test]
fn stop_reason_follows_the_finish() {
    let refusal = json!({
        "stop_reason": "refusal",
        "stop_sequence": null,
        "stop_details": { "type": "refusal", "category": null, "explanation": null },
        "container": null,
    });
    for (finish, said) in [
        (Finish::Stop, ending("end_turn")),
        (Finish::Length, ending("max_tokens")),
        (Finish::ToolCalls, ending("tool_use")),
        (Finish::Refusal, refusal.clone()),
        (Finish::ContentFilter, refusal),
        (
            Finish::StopSequence("\n\n".into()),
            json!({
                "stop_reason": "stop_sequence",
                "stop_sequence": "\n\n",
                "stop_details": null,
                "container": null,
            }),
        ),
    ] {
        check(ResponseOptions::default(), &[end(finish)], &[], &said, &json!([]));
    }
}

#[test]
fn executed_tools_are_in_ping_events() {
    let ran = ToolRan {
        round: 1,
        call: ToolCall { id: "c1".into(), name: "get_time".into(), input: json!({}) },
        result: ToolResult {
            id: "c1".into(),
            content: vec![Content::Text { text: "noon".into() }],
            is_error: false,
        },
        time: RunTime::default(),
    };
    let trace = r#"{"round":1,"call":{"id":"c1","name":"get_time","input":{}},"result":{"id":"c1","content":[{"type":"text","text":"noon"}],"is_error":false}}"#;
    let events = [text("Let me see. "), Event::ToolRan(ran), text("Noon."), end(Finish::Stop)];
    let ping = format!(r#"{{"type":"ping","copilot_proxy":{{"tools":[{trace}]}}}}"#);
    let delta = format!(
        r#"{{"type":"message_delta","delta":{},"usage":{USAGE},"copilot_proxy":{{"usage":"reported"}}}}"#,
        ending("end_turn")
    );
    assert_eq!(
        streamed(ResponseOptions::default(), &events),
        events_of(&[
            START,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","citations":null,"text":""}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Let me see. "}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
            &ping,
            r#"{"type":"content_block_start","index":1,"content_block":{"type":"text","citations":null,"text":""}}"#,
            r#"{"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Noon."}}"#,
            r#"{"type":"content_block_stop","index":1}"#,
            &delta,
            STOP,
        ])
    );
    let mut whole_message = message(
        &ending("end_turn"),
        &json!([
            { "type": "text", "citations": null, "text": "Let me see. " },
            { "type": "text", "citations": null, "text": "Noon." },
        ]),
    );
    whole_message["copilot_proxy"] = json!({ "tools": [serde_json::from_str::<Value>(trace).unwrap()] });
    assert_eq!(whole(ResponseOptions::default(), &events), whole_message);
    assert_eq!(folded(&streamed(ResponseOptions::default(), &events)), whole_message);
}

#[test]
fn cached_tokens_are_counted_once() {
    for (input, cached, cache_written, fresh) in [(100, 60, 30, 10), (100, 0, 0, 100), (10, 60, 30, 0)] {
        let usage = Usage { input, cached, cache_written, ..Usage::default() };
        let reply = whole(ResponseOptions::default(), &[Event::Finish(Finish::Stop, usage)]);
        assert_eq!(
            reply["usage"],
            json!({
                "input_tokens": fresh,
                "cache_creation_input_tokens": cache_written,
                "cache_read_input_tokens": cached,
                "cache_creation": null,
                "output_tokens": 0,
                "output_tokens_details": { "thinking_tokens": 0 },
                "server_tool_use": null,
                "service_tier": null,
                "inference_geo": null,
            })
        );
    }
}

#[test]
fn failure_ends_the_stream_with_an_error_event_only() {
    let mut out = Vec::new();
    let mut encoder = Anthropic::encoder(&meta(), &ResponseOptions::default());
    encoder.open(&mut out);
    encoder.ping(&mut out);
    encoder.event(0, &text("Half a"), &mut out);
    encoder.failure(&Failure::EditorGone, &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        events_of(&[
            START,
            r#"{"type":"ping"}"#,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","citations":null,"text":""}}"#,
            r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"Half a"}}"#,
            r#"{"type":"error","error":{"type":"api_error","message":"the connection to the VS Code window was lost; send the request again"},"request_id":null}"#,
        ])
    );
}

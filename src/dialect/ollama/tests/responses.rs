//! The same events, in lines and whole.

use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::conversation::{
    Content, Event, Finish, RunTime, Thinking, Timing, ToolCall, ToolRan, ToolResult, Usage,
};
use crate::dialect::common::arbitrary::event;
use crate::dialect::ollama::{Chat, Instead, Ollama, ResponseOptions, TextField};
use crate::dialect::{Dialect, Encoder, ResponseMeta};
use crate::failure::Failure;

const CHAT: ResponseOptions =
    ResponseOptions { text_field: TextField::InMessage, shows_thoughts: true, instead: None };
const GENERATE: ResponseOptions = ResponseOptions { text_field: TextField::InResponse, ..CHAT };

fn meta() -> ResponseMeta {
    ResponseMeta { id: "0f".into(), created: 1_700_000_000, model: "scripted-1".into(), counted_input: 7 }
}

fn lines(options: ResponseOptions, events: &[Event]) -> String {
    let mut out = Vec::new();
    let mut encoder = Ollama::<Chat>::encoder(&meta(), &options);
    encoder.open(&mut out);
    for event in events {
        encoder.event(0, event, &mut out);
    }
    encoder.close(&mut out);
    String::from_utf8(out).unwrap()
}

fn whole(options: ResponseOptions, events: &[Event]) -> Value {
    Ollama::<Chat>::response(&meta(), &options, &[events.to_vec()])
}

/// The begin of every line and of every whole response.
const HEAD: &str = r#"{"model":"scripted-1","created_at":"2023-11-14T22:13:20Z","#;

/// The usage in both.
const COST: &str = r#""total_duration":9000000000,"load_duration":1000000000,"prompt_eval_count":7,"prompt_eval_duration":3000000000,"eval_count":2,"eval_duration":5000000000"#;

/// `expected` are the stream's lines but the last and `reply` is the whole answer, each without its `HEAD`; `nothing` is
/// the chunk of the endpoint without text.
fn check(
    options: ResponseOptions,
    events: &[Event],
    expected: &[&str],
    nothing: &str,
    reply: &str,
    reason: &str,
) {
    let expected: Vec<_> =
        expected.iter().map(|expected| format!("{HEAD}{expected},\"done\":false}}\n")).collect();
    let end = format!("\"done\":true,\"done_reason\":\"{reason}\",{COST}");
    let last = format!("{HEAD}{nothing},{end},\"copilot_proxy\":{{\"usage\":\"counted\"}}}}\n");
    assert_eq!(lines(options, events), expected.concat() + &last);
    let wanted: Value = serde_json::from_str(&format!("{HEAD}{reply},{end}}}")).unwrap();
    assert_eq!(whole(options, events), wanted);
}

fn text(text: &str) -> Event {
    Event::Text(text.into())
}

fn thinking(text: &str) -> Event {
    Event::Thinking(Thinking::text(text))
}

fn call(id: &str, name: &str, input: Value) -> Event {
    Event::ToolCall(ToolCall { id: id.into(), name: name.into(), input })
}

fn end(finish: Finish) -> Event {
    let second = Duration::from_secs(1);
    let timing = Timing { ready: second, first: 3 * second, rest: 5 * second };
    Event::Finish(finish, Usage { input: 7, output: 2, timing, ..Usage::default() })
}

const NOTHING: &str = r#""message":{"role":"assistant","content":""}"#;

#[test]
fn thinking_comes_before_text() {
    check(
        CHAT,
        &[thinking("Hm\u{2028}"), thinking(""), text("Hel"), text(""), text("lo"), end(Finish::Stop)],
        &[
            r#""message":{"role":"assistant","content":"","thinking":"Hm\u2028"}"#,
            r#""message":{"role":"assistant","content":"Hel"}"#,
            r#""message":{"role":"assistant","content":"lo"}"#,
        ],
        NOTHING,
        r#""message":{"role":"assistant","content":"Hello","thinking":"Hm\u2028"}"#,
        "stop",
    );
}

#[test]
fn unwanted_thinking_is_left_out() {
    check(
        ResponseOptions { shows_thoughts: false, ..CHAT },
        &[thinking("Hm"), text("Hello"), end(Finish::Length)],
        &[r#""message":{"role":"assistant","content":"Hello"}"#],
        NOTHING,
        r#""message":{"role":"assistant","content":"Hello"}"#,
        "length",
    );
}

#[test]
fn call_arguments_are_always_an_object() {
    check(
        CHAT,
        &[
            text("Let me look."),
            call("c1", "read", json!({ "path": "a" })),
            call("c2", "read", json!("b")),
            end(Finish::ToolCalls),
        ],
        &[
            r#""message":{"role":"assistant","content":"Let me look."}"#,
            r#""message":{"role":"assistant","content":"","tool_calls":[{"id":"c1","function":{"index":0,"name":"read","arguments":{"path":"a"}}}]}"#,
            r#""message":{"role":"assistant","content":"","tool_calls":[{"id":"c2","function":{"index":1,"name":"read","arguments":{"_raw":"b"}}}]}"#,
        ],
        NOTHING,
        r#""message":{"role":"assistant","content":"Let me look.","tool_calls":[{"id":"c1","function":{"index":0,"name":"read","arguments":{"path":"a"}}},{"id":"c2","function":{"index":1,"name":"read","arguments":{"_raw":"b"}}}]}"#,
        "stop",
    );
}

#[test]
fn generated_text_is_in_the_response_field() {
    check(
        GENERATE,
        &[thinking("Hm"), text("Hello"), text(" you"), end(Finish::ContentFilter)],
        &[r#""response":"","thinking":"Hm""#, r#""response":"Hello""#, r#""response":" you""#],
        r#""response":"""#,
        r#""response":"Hello you","thinking":"Hm""#,
        "content_filter",
    );
}

#[test]
fn executed_tools_are_reported() {
    let ran = ToolRan {
        round: 1,
        call: ToolCall { id: "c1".into(), name: "time".into(), input: json!({}) },
        result: ToolResult {
            id: "c1".into(),
            content: vec![Content::Text { text: "noon".into() }],
            is_error: false,
        },
        time: RunTime::default(),
    };
    let told = json!({ "tools": [&ran] });
    let events = [Event::ToolRan(ran), text("Noon."), end(Finish::Stop)];
    let lines = lines(CHAT, &events);
    let first: Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!((&first["message"]["content"], &first["done"]), (&json!(""), &json!(false)));
    assert_eq!(first["copilot_proxy"], told);
    assert_eq!(whole(CHAT, &events)["copilot_proxy"], told);
}

#[test]
fn empty_request_is_answered_with_load_or_unload() {
    for (options, instead, wanted) in [
        (CHAT, Instead::Load, format!("{HEAD}{NOTHING},\"done\":true,\"done_reason\":\"load\"}}")),
        (
            GENERATE,
            Instead::Unload,
            format!("{HEAD}\"response\":\"\",\"done\":true,\"done_reason\":\"unload\"}}"),
        ),
    ] {
        let reply = whole(
            ResponseOptions { instead: Some(instead), ..options },
            &[Event::Finish(Finish::Stop, Usage::default())],
        );
        assert_eq!(reply, serde_json::from_str::<Value>(&wanted).unwrap());
    }
}

#[test]
fn failed_stream_ends_with_an_error_line() {
    let mut out = Vec::new();
    let mut encoder = Ollama::<Chat>::encoder(&meta(), &CHAT);
    encoder.open(&mut out);
    encoder.ping(&mut out);
    encoder.failure(&Failure::EditorGone, &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        format!(
            "{HEAD}{NOTHING},\"done\":false}}\n{{\"error\":\"the connection to the VS Code window was lost; send the request again\"}}\n"
        )
    );
}

proptest! {
    #[test]
    fn streamed_lines_add_up_to_the_whole_response(
        events in prop::collection::vec(event(), 0..20),
        options in prop::sample::select(vec![CHAT, GENERATE, ResponseOptions { shows_thoughts: false, ..CHAT }]),
    ) {
        let events: Vec<Event> = events.into_iter().chain([end(Finish::Stop)]).collect();
        prop_assert_eq!(folded(&lines(options, &events)), whole(options, &events));
    }
}

/// Reads a stream as a client does.
fn folded(lines: &str) -> Value {
    // As the strictest line readers, which split at every Unicode line separator.
    let lines = lines.split(['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}']);
    let mut folded = Value::Null;
    for line in lines.filter(|line| !line.is_empty()) {
        let mut line: Value = serde_json::from_str(line).unwrap();
        line.as_object_mut().unwrap().remove("copilot_proxy");
        if folded.is_null() {
            folded = line;
            continue;
        }
        let before = folded.clone();
        folded = line;
        for at in ["/message", ""] {
            let (Some(old), Some(new)) = (before.pointer(at), folded.pointer_mut(at)) else { continue };
            join(old, new);
        }
    }
    folded
}

/// Puts earlier text in front of new text.
fn join(before: &Value, now: &mut Value) {
    for key in ["content", "thinking", "response", "tool_calls"] {
        let joined = match (&before[key], &now[key]) {
            (Value::Null, _) => continue,
            (Value::String(before), now) => json!(format!("{before}{}", now.as_str().unwrap_or_default())),
            (before, now) => {
                let calls = [before, now].into_iter().filter_map(Value::as_array).flatten();
                calls.cloned().collect()
            }
        };
        now[key] = joined;
    }
}

//! The same events, streamed and whole.

use serde_json::{Value, json};

use super::folded;
use crate::conversation::{
    Content, Event, Finish, RunTime, Thinking, ToolCall, ToolRan, ToolResult, Usage, UsageSource,
};
use crate::dialect::common::sealed_thinking;
use crate::dialect::openai_chat::{Calls, OpenAiChat, ResponseOptions};
use crate::dialect::{Dialect, Encoder, ResponseMeta};
use crate::failure::Failure;

fn counted() -> Usage {
    Usage { input: 7, output: 2, ..Usage::default() }
}

fn reported() -> Usage {
    Usage {
        input: 9,
        output: 3,
        cached: 4,
        cache_written: 2,
        reasoning: 1,
        source: UsageSource::Reported,
        ..Usage::default()
    }
}

pub fn meta() -> ResponseMeta {
    ResponseMeta { id: "0f".into(), created: 1_700_000_000, model: "scripted-1".into(), counted_input: 7 }
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
    Event::Finish(finish, counted())
}

/// Streams the events, each with the answer it belongs to.
pub fn streamed(options: &ResponseOptions, events: &[(usize, Event)]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = OpenAiChat::encoder(&meta(), options);
    encoder.open(&mut out);
    for (choice, event) in events {
        encoder.event(*choice, event, &mut out);
    }
    encoder.close(&mut out);
    out
}

/// Builds the whole response of the same events.
pub fn whole(options: &ResponseOptions, events: &[(usize, Event)]) -> Value {
    let answers: Vec<Vec<Event>> = (0..options.choices)
        .map(|index| {
            events.iter().filter(|(choice, _)| *choice == index).map(|(_, event)| event.clone()).collect()
        })
        .collect();
    OpenAiChat::response(&meta(), options, &answers)
}

/// The begin of every chunk.
const HEAD: &str = r#"data: {"id":"chatcmpl-0f","object":"chat.completion.chunk","created":1700000000,"model":"scripted-1","system_fingerprint":"fp_copilot_proxy","#;

const ROLE: &str = r#""choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}]}"#;

/// `chunks` are the stream's, each without its `HEAD`; `message` and `reason` the whole reply's.
fn check_one(events: &[Event], chunks: &[&str], message: &Value, reason: &str) {
    let events: Vec<_> = events.iter().map(|event| (0, event.clone())).collect();
    check(&ResponseOptions::default(), &events, chunks, &json!([choice(0, message, reason)]));
}

fn choice(index: usize, message: &Value, reason: &str) -> Value {
    json!({ "index": index, "message": message, "logprobs": null, "finish_reason": reason })
}

fn check(options: &ResponseOptions, events: &[(usize, Event)], chunks: &[&str], choices: &Value) {
    let stream = streamed(options, events);
    let chunks: Vec<_> = chunks.iter().map(|chunk| format!("{HEAD}{chunk}\n\n")).collect();
    assert_eq!(String::from_utf8(stream.clone()).unwrap(), chunks.concat() + "data: [DONE]\n\n");

    let reply = whole(options, events);
    assert_eq!(reply["choices"], *choices);

    let (folded, usage) = folded(&stream);
    let contents = |choices: &Value| without_null_content(choices);
    assert_eq!(contents(&json!(folded)), contents(choices));
    if options.include_usage {
        assert_eq!(usage, reply["usage"]);
    }
}

/// A stream begins with `"content": ""`, a whole reply has null where there are only calls.
pub fn without_null_content(choices: &Value) -> Value {
    let mut choices = choices.clone();
    for choice in choices.as_array_mut().unwrap() {
        let content = &mut choice["message"]["content"];
        if content.is_null() {
            *content = json!("");
        }
    }
    choices
}

#[test]
fn empty_text_makes_no_chunk() {
    let options = ResponseOptions::default();
    let without = streamed(&options, &[(0, text("a")), (0, end(Finish::Stop))]);
    let with = streamed(&options, &[(0, text("")), (0, text("a")), (0, text("")), (0, end(Finish::Stop))]);
    assert_eq!(with, without);
}

#[test]
fn text_is_streamed_byte_for_byte_as_by_openai() {
    let options = ResponseOptions { include_usage: true, ..ResponseOptions::default() };
    let events = [(0, text("Hi ")), (0, text("you")), (0, Event::Finish(Finish::Stop, reported()))];
    assert_eq!(
        String::from_utf8(streamed(&options, &events)).unwrap(),
        r#"data: {"id":"chatcmpl-0f","object":"chat.completion.chunk","created":1700000000,"model":"scripted-1","system_fingerprint":"fp_copilot_proxy","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null}

data: {"id":"chatcmpl-0f","object":"chat.completion.chunk","created":1700000000,"model":"scripted-1","system_fingerprint":"fp_copilot_proxy","choices":[{"index":0,"delta":{"content":"Hi "},"logprobs":null,"finish_reason":null}],"usage":null}

data: {"id":"chatcmpl-0f","object":"chat.completion.chunk","created":1700000000,"model":"scripted-1","system_fingerprint":"fp_copilot_proxy","choices":[{"index":0,"delta":{"content":"you"},"logprobs":null,"finish_reason":null}],"usage":null}

data: {"id":"chatcmpl-0f","object":"chat.completion.chunk","created":1700000000,"model":"scripted-1","system_fingerprint":"fp_copilot_proxy","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null}

data: {"id":"chatcmpl-0f","object":"chat.completion.chunk","created":1700000000,"model":"scripted-1","system_fingerprint":"fp_copilot_proxy","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":2},"completion_tokens_details":{"reasoning_tokens":1}},"copilot_proxy":{"usage":"reported"}}

data: [DONE]

"#
    );
    assert_eq!(
        whole(&options, &events),
        json!({
            "id": "chatcmpl-0f",
            "object": "chat.completion",
            "created": 1_700_000_000,
            "model": "scripted-1",
            "system_fingerprint": "fp_copilot_proxy",
            "choices": [{
                "index": 0,
                "message": { "role": "assistant", "content": "Hi you", "refusal": null },
                "logprobs": null,
                "finish_reason": "stop",
            }],
            "usage": {
                "prompt_tokens": 9,
                "completion_tokens": 3,
                "total_tokens": 12,
                "prompt_tokens_details": { "cached_tokens": 4, "cache_write_tokens": 2 },
                "completion_tokens_details": { "reasoning_tokens": 1 },
            },
        })
    );
}

#[test]
fn sealed_thinking_comes_before_its_call() {
    let metadata = json!({ "encrypted_content": "sig" });
    let sealed = Thinking { metadata: metadata.as_object().cloned(), ..Thinking::default() };
    let data = sealed_thinking::seal_with_length(&sealed, 2).unwrap();
    let detail =
        json!({ "type": "reasoning.encrypted", "id": "c1", "data": data, "format": "unknown", "index": 0 });
    check_one(
        &[
            Event::Thinking(Thinking::text("hm")),
            Event::Thinking(sealed),
            call("c1", "list", json!({})),
            end(Finish::ToolCalls),
        ],
        &[
            ROLE,
            r#""choices":[{"index":0,"delta":{"reasoning_content":"hm"},"logprobs":null,"finish_reason":null}]}"#,
            r#""choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"list","arguments":"{}"}}]},"logprobs":null,"finish_reason":null}]}"#,
            &format!(
                r#""choices":[{{"index":0,"delta":{{"reasoning_details":[{detail}],"reasoning_opaque":"{data}"}},"logprobs":null,"finish_reason":null}}]}}"#
            ),
            r#""choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}],"copilot_proxy":{"usage":"counted"}}"#,
        ],
        &json!({
            "role": "assistant", "content": null, "refusal": null, "reasoning_content": "hm",
            "reasoning_details": [detail], "reasoning_opaque": data,
            "tool_calls": [{ "id": "c1", "type": "function", "function": { "name": "list", "arguments": "{}" } }],
        }),
        "tool_calls",
    );
}

#[test]
fn thinking_has_its_own_field() {
    check_one(
        &[thinking("hm"), thinking(""), text("Yes"), end(Finish::Stop)],
        &[
            ROLE,
            r#""choices":[{"index":0,"delta":{"reasoning_content":"hm"},"logprobs":null,"finish_reason":null}]}"#,
            r#""choices":[{"index":0,"delta":{"content":"Yes"},"logprobs":null,"finish_reason":null}]}"#,
            r#""choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"copilot_proxy":{"usage":"counted"}}"#,
        ],
        &json!({ "role": "assistant", "content": "Yes", "refusal": null, "reasoning_content": "hm" }),
        "stop",
    );
}

#[test]
fn parallel_calls_have_their_indexes() {
    check_one(
        &[
            text("Let me look."),
            call("call_a", "read_file", json!({"path": "a.rs", "line": 2})),
            call("call_b", "list", json!({})),
            end(Finish::ToolCalls),
        ],
        &[
            ROLE,
            r#""choices":[{"index":0,"delta":{"content":"Let me look."},"logprobs":null,"finish_reason":null}]}"#,
            r#""choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"read_file","arguments":"{\"path\":\"a.rs\",\"line\":2}"}}]},"logprobs":null,"finish_reason":null}]}"#,
            r#""choices":[{"index":0,"delta":{"tool_calls":[{"index":1,"id":"call_b","type":"function","function":{"name":"list","arguments":"{}"}}]},"logprobs":null,"finish_reason":null}]}"#,
            r#""choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}],"copilot_proxy":{"usage":"counted"}}"#,
        ],
        &json!({
            "role": "assistant",
            "content": "Let me look.",
            "refusal": null,
            "tool_calls": [
                {
                    "id": "call_a",
                    "type": "function",
                    "function": { "name": "read_file", "arguments": r#"{"path":"a.rs","line":2}"# },
                },
                { "id": "call_b", "type": "function", "function": { "name": "list", "arguments": "{}" } },
            ],
        }),
        "tool_calls",
    );
}

#[test]
fn calls_without_text_have_null_content() {
    check_one(
        &[call("call_a", "list", json!({})), end(Finish::ToolCalls)],
        &[
            ROLE,
            r#""choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"call_a","type":"function","function":{"name":"list","arguments":"{}"}}]},"logprobs":null,"finish_reason":null}]}"#,
            r#""choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}],"copilot_proxy":{"usage":"counted"}}"#,
        ],
        &json!({
            "role": "assistant",
            "content": null,
            "refusal": null,
            "tool_calls": [
                { "id": "call_a", "type": "function", "function": { "name": "list", "arguments": "{}" } },
            ],
        }),
        "tool_calls",
    );
}

#[test]
fn empty_response_has_empty_content() {
    check_one(
        &[end(Finish::Length)],
        &[
            ROLE,
            r#""choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"length"}],"copilot_proxy":{"usage":"counted"}}"#,
        ],
        &json!({ "role": "assistant", "content": "", "refusal": null }),
        "length",
    );
}

#[test]
fn unicode_line_separators_are_escaped() {
    check_one(
        &[text("a\u{85}b\u{2028}c\u{2029}d"), call("c", "say", json!({"t": "\u{2028}"})), end(Finish::Stop)],
        &[
            ROLE,
            r#""choices":[{"index":0,"delta":{"content":"a\u0085b\u2028c\u2029d"},"logprobs":null,"finish_reason":null}]}"#,
            r#""choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"say","arguments":"{\"t\":\"\u2028\"}"}}]},"logprobs":null,"finish_reason":null}]}"#,
            r#""choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"copilot_proxy":{"usage":"counted"}}"#,
        ],
        &json!({
            "role": "assistant",
            "content": "a\u{85}b\u{2028}c\u{2029}d",
            "refusal": null,
            "tool_calls": [{
                "id": "c",
                "type": "function",
                "function": { "name": "say", "arguments": "{\"t\":\"\u{2028}\"}" },
            }],
        }),
        "stop",
    );
}

#[test]
fn choices_are_separate_and_the_prompt_counts_once() {
    let options = ResponseOptions { choices: 2, include_usage: true, ..ResponseOptions::default() };
    let events = [
        (1, text("B")),
        (0, text("A")),
        (1, call("b", "list", json!({}))),
        (1, Event::Finish(Finish::ToolCalls, reported())),
        (0, end(Finish::Stop)),
    ];
    check(
        &options,
        &events,
        &[
            r#""choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null}"#,
            r#""choices":[{"index":1,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null}"#,
            r#""choices":[{"index":1,"delta":{"content":"B"},"logprobs":null,"finish_reason":null}],"usage":null}"#,
            r#""choices":[{"index":0,"delta":{"content":"A"},"logprobs":null,"finish_reason":null}],"usage":null}"#,
            r#""choices":[{"index":1,"delta":{"tool_calls":[{"index":0,"id":"b","type":"function","function":{"name":"list","arguments":"{}"}}]},"logprobs":null,"finish_reason":null}],"usage":null}"#,
            r#""choices":[{"index":1,"delta":{},"logprobs":null,"finish_reason":"tool_calls"}],"usage":null}"#,
            r#""choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null}"#,
            r#""choices":[],"usage":{"prompt_tokens":9,"completion_tokens":5,"total_tokens":14,"prompt_tokens_details":{"cached_tokens":4,"cache_write_tokens":2},"completion_tokens_details":{"reasoning_tokens":1}},"copilot_proxy":{"usage":"counted"}}"#,
        ],
        &json!([
            choice(0, &json!({ "role": "assistant", "content": "A", "refusal": null }), "stop"),
            choice(
                1,
                &json!({
                    "role": "assistant",
                    "content": "B",
                    "refusal": null,
                    "tool_calls": [
                        { "id": "b", "type": "function", "function": { "name": "list", "arguments": "{}" } },
                    ],
                }),
                "tool_calls",
            ),
        ]),
    );
}

#[test]
fn legacy_client_gets_one_function_call() {
    check(
        &ResponseOptions { calls: Calls::Function, ..ResponseOptions::default() },
        &[
            (0, call("call_a", "list", json!({"a": 1}))),
            (0, call("call_b", "list", json!({"a": 2}))),
            (0, end(Finish::ToolCalls)),
        ],
        &[
            ROLE,
            r#""choices":[{"index":0,"delta":{"function_call":{"name":"list","arguments":"{\"a\":1}"}},"logprobs":null,"finish_reason":null}]}"#,
            r#""choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"function_call"}],"copilot_proxy":{"usage":"counted"}}"#,
        ],
        &json!([choice(
            0,
            &json!({
                "role": "assistant",
                "content": null,
                "refusal": null,
                "function_call": { "name": "list", "arguments": "{\"a\":1}" },
            }),
            "function_call",
        )]),
    );
}

#[test]
fn executed_tools_are_reported() {
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
    let events = [(0, Event::ToolRan(ran)), (0, text("It is noon")), (0, end(Finish::Stop))];
    check(
        &ResponseOptions::default(),
        &events,
        &[
            ROLE,
            r#""choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":null}],"copilot_proxy":{"tools":[{"round":1,"call":{"id":"c1","name":"get_time","input":{}},"result":{"id":"c1","content":[{"type":"text","text":"noon"}],"is_error":false}}]}}"#,
            r#""choices":[{"index":0,"delta":{"content":"It is noon"},"logprobs":null,"finish_reason":null}]}"#,
            r#""choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"copilot_proxy":{"usage":"counted"}}"#,
        ],
        &json!([choice(
            0,
            &json!({ "role": "assistant", "content": "It is noon", "refusal": null }),
            "stop"
        )]),
    );
    assert_eq!(
        whole(&ResponseOptions::default(), &events)["copilot_proxy"],
        json!({ "tools": [{
            "round": 1,
            "call": { "id": "c1", "name": "get_time", "input": {} },
            "result": { "id": "c1", "content": [{ "type": "text", "text": "noon" }], "is_error": false },
        }] })
    );
}

#[test]
fn every_finish_has_its_reason() {
    for (finish, reason) in [
        (Finish::Stop, "stop"),
        (Finish::StopSequence("END".into()), "stop"),
        (Finish::Length, "length"),
        (Finish::ToolCalls, "tool_calls"),
        (Finish::ContentFilter, "content_filter"),
        (Finish::Refusal, "content_filter"),
    ] {
        let events = [(0, end(finish))];
        let (choices, _) = folded(&streamed(&ResponseOptions::default(), &events));
        assert_eq!(choices[0]["finish_reason"], reason);
        assert_eq!(whole(&ResponseOptions::default(), &events)["choices"][0]["finish_reason"], reason);
    }
}

#[test]
fn failure_in_mid_stream_has_no_finish_reason() {
    let mut out = Vec::new();
    let mut encoder = OpenAiChat::encoder(&meta(), &ResponseOptions::default());
    encoder.event(0, &text("Hi"), &mut out);
    out.clear();
    encoder.ping(&mut out);
    encoder.failure(&Failure::EditorGone, &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        concat!(
            ": ping\n\n",
            r#"data: {"error":{"message":"the connection to the VS Code window was lost; send the request again","type":"server_error","param":null,"code":"editor_gone"}}"#,
            "\n\n",
        )
    );
}

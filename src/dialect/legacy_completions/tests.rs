//! Requests and responses in whole values.

use std::num::NonZeroU8;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Completions, ResponseOptions};
use crate::conversation::{Conversation, Event, Finish, Message, Options, Role, Thinking, Usage};
use crate::dialect::RequestHead;
use crate::dialect::common::arbitrary::{KEYS, json};
use crate::dialect::{Dialect, Encoder, ParsedRequest, ResponseMeta};
use crate::failure::Failure;

fn form() -> ResponseOptions {
    ResponseOptions { include_usage: false, echo: None, choices: 1 }
}

fn meta() -> ResponseMeta {
    ResponseMeta { id: "0f".into(), created: 1_700_000_000, model: "scripted-1".into(), counted_input: 7 }
}

/// The begin of every chunk.
const HEAD: &str = r#"data: {"id":"cmpl-0f","object":"text_completion","created":1700000000,"model":"scripted-1","system_fingerprint":"fp_copilot_proxy","#;

/// `chunks` are the stream's, each without its `HEAD`; `choices` and the cost the whole reply's.
fn check(options: &ResponseOptions, events: &[(usize, Event)], chunks: &[&str], choices: &Value) {
    let mut out = Vec::new();
    let mut encoder = Completions::encoder(&meta(), options);
    encoder.open(&mut out);
    for (choice, event) in events {
        encoder.event(*choice, event, &mut out);
    }
    encoder.close(&mut out);
    let chunks: Vec<_> = chunks.iter().map(|chunk| format!("{HEAD}{chunk}\n\n")).collect();
    assert_eq!(String::from_utf8(out).unwrap(), chunks.concat() + "data: [DONE]\n\n");

    let answers: Vec<Vec<Event>> = (0..options.choices)
        .map(|index| {
            events.iter().filter(|(choice, _)| *choice == index).map(|(_, event)| event.clone()).collect()
        })
        .collect();
    let output = 2 * options.choices;
    assert_eq!(
        Completions::response(&meta(), options, &answers),
        json!({
            "id": "cmpl-0f",
            "object": "text_completion",
            "created": 1_700_000_000,
            "model": "scripted-1",
            "system_fingerprint": "fp_copilot_proxy",
            "choices": choices,
            "usage": {
                "prompt_tokens": 7,
                "completion_tokens": output,
                "total_tokens": 7 + output,
                "prompt_tokens_details": { "cached_tokens": 0 },
                "completion_tokens_details": { "reasoning_tokens": 0 },
            },
        })
    );
}

fn text(text: &str) -> Event {
    Event::Text(text.into())
}

fn end(finish: Finish) -> Event {
    Event::Finish(finish, Usage { input: 7, output: 2, ..Usage::default() })
}

#[test]
fn prompt_becomes_one_message() {
    check(
        &form(),
        &[
            (0, Event::Thinking(Thinking::text("hm"))),
            (0, text("and\u{2028}")),
            (0, text("")),
            (0, text(" so")),
            (0, end(Finish::Length)),
        ],
        &[
            r#""choices":[{"text":"and\u2028","index":0,"logprobs":null,"finish_reason":null}]}"#,
            r#""choices":[{"text":" so","index":0,"logprobs":null,"finish_reason":null}]}"#,
            r#""choices":[{"text":"","index":0,"logprobs":null,"finish_reason":"length"}],"copilot_proxy":{"usage":"counted"}}"#,
        ],
        &json!([{ "text": "and\u{2028} so", "index": 0, "logprobs": null, "finish_reason": "length" }]),
    );
}

#[test]
fn echo_repeats_the_prompt_in_each_choice() {
    check(
        &ResponseOptions { include_usage: true, echo: Some("Once".into()), choices: 2 },
        &[(1, text(" B")), (0, text(" A")), (0, end(Finish::Stop)), (1, end(Finish::ContentFilter))],
        &[
            r#""choices":[{"text":"Once","index":0,"logprobs":null,"finish_reason":null}],"usage":null}"#,
            r#""choices":[{"text":"Once","index":1,"logprobs":null,"finish_reason":null}],"usage":null}"#,
            r#""choices":[{"text":" B","index":1,"logprobs":null,"finish_reason":null}],"usage":null}"#,
            r#""choices":[{"text":" A","index":0,"logprobs":null,"finish_reason":null}],"usage":null}"#,
            r#""choices":[{"text":"","index":0,"logprobs":null,"finish_reason":"stop"}],"usage":null}"#,
            r#""choices":[{"text":"","index":1,"logprobs":null,"finish_reason":"content_filter"}],"usage":null}"#,
            r#""choices":[],"usage":{"prompt_tokens":7,"completion_tokens":4,"total_tokens":11,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}},"copilot_proxy":{"usage":"counted"}}"#,
        ],
        &json!([
            { "text": "Once A", "index": 0, "logprobs": null, "finish_reason": "stop" },
            { "text": "Once B", "index": 1, "logprobs": null, "finish_reason": "content_filter" },
        ]),
    );
}

#[test]
fn failure_in_mid_stream_has_no_finish_reason() {
    let mut out = Vec::new();
    let mut encoder = Completions::encoder(&meta(), &form());
    encoder.ping(&mut out);
    encoder.failure(&Failure::Stopping, &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        concat!(
            ": ping\n\n",
            r#"data: {"error":{"message":"Copilot Proxy was stopped","type":"server_error","param":null,"code":"stopping"}}"#,
            "\n\n",
        )
    );
}

fn read(body: &Value) -> Result<(ParsedRequest, ResponseOptions), Failure> {
    Completions::read(&RequestHead::default(), body.to_string().as_bytes(), &())
}

#[test]
fn every_supported_option_is_read() {
    let (ask, options) = read(&json!({
        "model": "gpt-4o", "prompt": ["Once"], "echo": true, "stream": true,
        "stream_options": { "include_usage": true }, "temperature": 0, "top_p": 1, "frequency_penalty": 1,
        "presence_penalty": -1, "seed": 5, "max_tokens": 16, "stop": "\n", "n": 2, "best_of": 2, "suffix": "",
        "logprobs": null, "logit_bias": {}, "user": "ada",
    }))
    .unwrap();
    let Some(instruction @ Message { role: Role::System, .. }) = ask.conversation.messages.first().cloned()
    else {
        panic!("no instruction in {ask:?}");
    };
    assert_eq!(
        ask,
        ParsedRequest {
            model: Some("gpt-4o".into()),
            conversation: Conversation {
                messages: vec![instruction, Message::text(Role::User, "Once")],
                options: Options {
                    temperature: Some(0.0),
                    top_p: Some(1.0),
                    frequency_penalty: Some(1.0),
                    presence_penalty: Some(-1.0),
                    seed: Some(5),
                    max_tokens: Some(16),
                    stop: vec!["\n".into()],
                    choices: NonZeroU8::new(2),
                    ..Options::default()
                },
                ..Conversation::default()
            },
            stream: true,
            ..ParsedRequest::default()
        }
    );
    assert_eq!(options, ResponseOptions { include_usage: true, echo: Some("Once".into()), choices: 2 });
}

#[test]
fn unsupported_options_are_rejected_with_path_and_reason() {
    for (body, expected) in [
        (json!({}), "prompt: required, but missing"),
        (json!({ "prompt": "" }), "prompt: empty, expected a text to go on with"),
        (json!({ "prompt": [] }), "prompt: empty, expected a text to go on with"),
        (json!({ "prompt": [1, 2] }), "prompt[0]: invalid type: integer `1`, expected a string"),
        (json!({ "prompt": [[1]] }), "prompt[0]: invalid type: a list, expected a string"),
        (
            json!({ "prompt": ["a", "b"] }),
            "prompt: only one prompt can be answered at a time; send the others in requests of their own",
        ),
        (
            json!({ "prompt": "a", "suffix": "b" }),
            "suffix: VS Code's models can't fill in the middle of a text",
        ),
        (json!({ "prompt": "a", "logprobs": 0 }), "logprobs: VS Code's models tell no token probabilities"),
        (
            json!({ "prompt": "a", "logit_bias": { "1": 1 } }),
            "logit_bias: VS Code's models take no bias on tokens",
        ),
        (
            json!({ "prompt": "a", "best_of": 3 }),
            "best_of: the best can't be chosen, VS Code's models tell no token probabilities; ask for all with n",
        ),
        (json!({ "prompt": "a", "temperature": 9 }), "temperature: 9 is out of range, expected 0 to 2"),
    ] {
        assert_eq!(read(&body).unwrap_err().to_string(), expected, "{body}");
    }
}

proptest! {
    #[test]
    fn any_json_is_read_or_refused(prompt in json(), field in json(), key in prop::sample::select(KEYS)) {
        let mut body: Value = json!({ "prompt": prompt });
        body[key] = field;
        let _ = read(&body);
    }
}

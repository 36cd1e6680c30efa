//! Requests that are refused, and their errors.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{chat, generate};
use crate::dialect::common::arbitrary::{KEYS, json};
use crate::dialect::ollama::{Chat, Ollama};
use crate::dialect::{Dialect, ErrorResponse};
use crate::failure::Failure;

#[test]
fn malformed_chat_is_rejected_with_the_path() {
    for (body, expected) in [
        (json!({ "messages": {} }), "messages: invalid type: an object, expected a list"),
        (json!({ "messages": [{}] }), "messages[0].role: required, but missing"),
        (
            json!({ "messages": [{ "role": "usr" }] }),
            "messages[0].role: unknown variant `usr`, expected one of `control`, `developer`, `system`, `user`, `assistant`, `tool`",
        ),
        (
            json!({ "messages": [{ "role": "user", "content": [] }] }),
            "messages[0].content: invalid type: a list, expected a string",
        ),
        (
            json!({ "messages": [{ "role": "user" }, { "role": "user", "images": ["aGk="] }] }),
            "messages[1].images[0]: an unknown kind of image, expected PNG, JPEG, GIF or WebP",
        ),
        (
            json!({ "messages": [{ "role": "assistant", "tool_calls": [{ "function": {} }] }] }),
            "messages[0].tool_calls[0].function.name: required, but missing",
        ),
        (
            json!({ "messages": [{ "role": "assistant", "tool_calls": [{ "function": { "name": "a", "arguments": 1 } }] }] }),
            "messages[0].tool_calls[0].function.arguments: invalid type: integer `1`, expected a string or an object",
        ),
        (json!({ "tools": [{ "type": "function" }] }), "tools[0].function: required, but missing"),
        (json!({ "stream": "no" }), "stream: invalid type: a string, expected a boolean"),
        (
            json!({ "think": 1 }),
            "think: invalid type: integer `1`, expected true, false or a level such as `low`",
        ),
        (json!({ "format": "xml" }), "format: found `xml`, expected `json` or a JSON schema"),
        (json!({ "options": [] }), "options: invalid type: a list, expected an object"),
        (
            json!({ "options": { "temperature": "hot" } }),
            "options.temperature: invalid type: a string, expected a number",
        ),
        (
            json!({ "options": { "num_predict": 12.5 } }),
            "options.num_predict: invalid type: floating point `12.5`, expected a whole number",
        ),
        (
            json!({ "options": { "stop": [1] } }),
            "options.stop[0]: invalid type: integer `1`, expected a string",
        ),
        (
            json!({ "options": { "stop": vec!["x"; 401] } }),
            "options.stop: found 401 stop sequences, a request can have at most 400",
        ),
        (
            json!({ "tool_execution": "yes" }),
            "tool_execution: unknown variant `yes`, expected `none` or `auto`",
        ),
    ] {
        assert_eq!(chat(&body).unwrap_err().to_string(), expected, "{body}");
    }
}

#[test]
fn unsupported_options_are_rejected_with_a_reason() {
    for (fields, expected) in [
        (json!({ "logprobs": true }), "logprobs: VS Code's models tell no token probabilities"),
        (json!({ "top_logprobs": 2 }), "logprobs: VS Code's models tell no token probabilities"),
        (json!({ "suffix": "}" }), "suffix: VS Code's models can't fill in the middle of a text"),
        (
            json!({ "template": "{{ .Prompt }}" }),
            "template: VS Code's models take messages, which their providers put into templates of their own",
        ),
        (
            json!({ "raw": true }),
            "raw: VS Code's models take messages, which their providers put into templates of their own",
        ),
        (
            json!({ "context": [1, 2] }),
            "context: an earlier conversation can't be sent as tokens; send all messages to /api/chat",
        ),
        (json!({ "images": ["*"] }), "images[0]: not base64: Invalid symbol 42, offset 0"),
        (json!({ "prompt": 1 }), "prompt: invalid type: integer `1`, expected a string"),
    ] {
        let mut body = json!({ "prompt": "Hi" });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        assert_eq!(generate(&body).unwrap_err().to_string(), expected, "{body}");
    }
}

#[test]
fn failure_has_one_message_and_ollamas_status() {
    let check = |failure: &Failure, status: u16, expected: &str| {
        assert_eq!(
            Ollama::<Chat>::error_response(failure),
            ErrorResponse { status, body: json!({ "error": expected }) }
        );
    };
    check(
        &Failure::UnknownModel { requested: "x".into(), known: vec!["a".into(), "b".into()] },
        404,
        "model 'x' not found; available: a, b",
    );
    check(&Failure::invalid("messages", "odd"), 400, "messages: odd");
    check(&Failure::TooManyRequests { limit: 2 }, 503, "too many requests at once; at most 2 may wait");
    check(
        &Failure::QuotaExceeded { quota: crate::failure::Quota::Provider, message: "used up".into() },
        429,
        "used up",
    );
}

proptest! {
    #[test]
    fn any_json_is_read_or_refused(message in json(), field in json(), key in prop::sample::select(KEYS)) {
        let mut body: Value = json!({ "messages": [{ "role": "user", "content": "a" }, message] });
        body[key] = field;
        let _ = chat(&body);
        let _ = generate(&body);
    }
}

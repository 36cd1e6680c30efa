//! Responses: whole ones, streams in both forms, and failed ones.

use std::time::Duration;

use serde_json::{Value, json};

use super::{call, chunks, end, meta, streamed, text, usage};
use crate::conversation::{Event, Finish, RunTime, Thinking, ToolCall, ToolRan, ToolResult};
use crate::dialect::common::sealed_thinking;
use crate::dialect::gemini::{Gemini, ResponseOptions, StreamForm};
use crate::dialect::{Dialect, Encoder};
use crate::failure::Failure;

const SSE: ResponseOptions =
    ResponseOptions { form: StreamForm::ServerSentEvents, shows_thoughts: true, candidates: 1 };

fn signed(text: &str) -> Thinking {
    let metadata = json!({ "signature": "s" }).as_object().cloned();
    Thinking { metadata, id: Some("t".into()), ..Thinking::text(text) }
}

fn parts(options: ResponseOptions, events: Vec<Event>) -> Value {
    Gemini::response(&meta(), &options, &[events])["candidates"][0]["content"]["parts"].clone()
}

#[test]
fn whole_response_has_candidate_and_usage() {
    let events = vec![text("Hel"), text("lo"), end(Finish::Stop)];
    assert_eq!(
        Gemini::response(&meta(), &SSE, &[events]),
        json!({
            "candidates": [{
                "content": { "parts": [{ "text": "Hello" }], "role": "model" },
                "finishReason": "STOP",
                "index": 0,
            }],
            "usageMetadata": {
                "promptTokenCount": 100,
                "cachedContentTokenCount": 60,
                "candidatesTokenCount": 15,
                "thoughtsTokenCount": 5,
                "totalTokenCount": 120,
            },
            "modelVersion": "gemini-2.5-pro",
            "responseId": "1f",
        })
    );
}

#[test]
fn stream_is_server_sent_events_or_an_array() {
    let events = [text("a"), call("c1", "look", json!({ "x": 1 })), end(Finish::ToolCalls)];
    let candidate = |parts: Value| json!([{ "content": { "parts": parts, "role": "model" }, "index": 0 }]);
    let call = json!({ "functionCall": { "id": "c1", "name": "look", "args": { "x": 1 } } });
    let mut last = candidate(json!([{ "text": "" }]));
    last[0]["finishReason"] = "STOP".into();
    let usage = json!({
        "promptTokenCount": 100, "cachedContentTokenCount": 60, "candidatesTokenCount": 15,
        "thoughtsTokenCount": 5, "totalTokenCount": 120,
    });
    for form in [StreamForm::ServerSentEvents, StreamForm::JsonArray] {
        let stream = streamed(ResponseOptions { form, ..SSE }, &events);
        let expected = [
            json!({ "candidates": candidate(json!([{ "text": "a" }])), "modelVersion": "gemini-2.5-pro", "responseId": "1f" }),
            json!({ "candidates": candidate(json!([call])), "modelVersion": "gemini-2.5-pro", "responseId": "1f" }),
            json!({
                "candidates": last, "usageMetadata": usage, "modelVersion": "gemini-2.5-pro", "responseId": "1f",
                "copilot_proxy": { "usage": "reported" },
            }),
        ];
        assert_eq!(chunks(form, &stream), expected);
    }
    assert_eq!(streamed(ResponseOptions { form: StreamForm::JsonArray, ..SSE }, &[]), "[]\n");
}

#[test]
fn seal_of_thinking_stands_on_the_part_after_it() {
    let thinking = || Event::Thinking(signed("Hm"));
    let seal = sealed_thinking::seal(&signed("Hm"));
    let hidden = ResponseOptions { shows_thoughts: false, ..SSE };
    for (options, events, expected) in [
        (
            SSE,
            vec![thinking(), call("c", "look", json!({})), call("d", "look", json!({}))],
            json!([
                { "text": "Hm", "thought": true },
                { "functionCall": { "id": "c", "name": "look", "args": {} }, "thoughtSignature": seal },
                { "functionCall": { "id": "d", "name": "look", "args": {} } },
            ]),
        ),
        (hidden, vec![thinking(), text("a"), text("b")], json!([{ "text": "ab", "thoughtSignature": seal }])),
        (hidden, vec![thinking(), end(Finish::Stop)], json!([{ "text": "", "thoughtSignature": seal }])),
        (hidden, vec![Event::Thinking(Thinking::text("Hm")), text("a")], json!([{ "text": "a" }])),
        (SSE, vec![], json!([{ "text": "" }])),
    ] {
        assert_eq!(parts(options, events), expected);
    }
}

#[test]
fn arguments_are_an_object() {
    for (input, args) in [
        (json!({ "a": 1 }), json!({ "a": 1 })),
        (Value::Null, json!({})),
        (json!([1]), json!({ "_raw": [1] })),
    ] {
        assert_eq!(parts(SSE, vec![call("c", "look", input)])[0]["functionCall"]["args"], args);
    }
}

#[test]
fn finish_reason_is_one_of_the_api() {
    for (finish, reason) in [
        (Finish::Stop, "STOP"),
        (Finish::StopSequence("a".into()), "STOP"),
        (Finish::ToolCalls, "STOP"),
        (Finish::Length, "MAX_TOKENS"),
        (Finish::ContentFilter, "SAFETY"),
        (Finish::Refusal, "SAFETY"),
    ] {
        let response = Gemini::response(&meta(), &SSE, &[vec![end(finish)]]);
        assert_eq!(response["candidates"][0]["finishReason"], reason);
    }
}

#[test]
fn candidates_have_their_index_and_the_last_has_the_usage_of_all() {
    let options = ResponseOptions { candidates: 2, ..SSE };
    let mut encoder = Gemini::encoder(&meta(), &options);
    let mut out = Vec::new();
    for (choice, event) in [(1, text("b")), (0, text("a")), (1, end(Finish::Stop)), (0, end(Finish::Length))]
    {
        encoder.event(choice, &event, &mut out);
    }
    let chunks = chunks(options.form, &String::from_utf8(out).unwrap());
    let facts: Vec<_> = chunks
        .iter()
        .map(|chunk| {
            let candidate = &chunk["candidates"][0];
            (
                candidate["index"].as_u64().unwrap(),
                &candidate["finishReason"],
                &chunk["usageMetadata"]["totalTokenCount"],
            )
        })
        .collect();
    let (stop, length, null) = (json!("STOP"), json!("MAX_TOKENS"), Value::Null);
    let (one, all) = (json!(120), json!(140));
    assert_eq!(facts, [(1, &null, &null), (0, &null, &null), (1, &stop, &one), (0, &length, &all)]);
    let whole = Gemini::response(
        &meta(),
        &options,
        &[vec![text("a"), end(Finish::Length)], vec![text("b"), end(Finish::Stop)]],
    );
    assert_eq!(whole["candidates"][1]["content"]["parts"][0]["text"], "b");
    assert_eq!(whole["usageMetadata"]["totalTokenCount"], 140);
}

#[test]
fn tool_that_ran_is_in_an_extra_field() {
    let ran = ToolRan {
        round: 1,
        call: ToolCall { id: "c".into(), name: "look".into(), input: json!({}) },
        result: ToolResult { id: "c".into(), content: vec![], is_error: false },
        time: RunTime::default(),
    };
    let events = [Event::ToolRan(ran), Event::Finish(Finish::Stop, usage())];
    let chunks = chunks(SSE.form, &streamed(SSE, &events));
    assert_eq!(chunks[0]["candidates"][0]["content"]["parts"], json!([{ "text": "" }]));
    assert_eq!(chunks[0]["copilot_proxy"]["tools"][0]["call"]["name"], "look");
}

#[test]
fn failed_stream_ends_with_an_error_alone() {
    for form in [StreamForm::ServerSentEvents, StreamForm::JsonArray] {
        for begun in [true, false] {
            let mut encoder = Gemini::encoder(&meta(), &ResponseOptions { form, ..SSE });
            let mut out = Vec::new();
            encoder.open(&mut out);
            if begun {
                encoder.event(0, &text("a"), &mut out);
            }
            encoder.failure(&Failure::EditorGone, &mut out);
            let chunks = chunks(form, &String::from_utf8(out).unwrap());
            let error = chunks.last().unwrap();
            assert!(error.to_string().starts_with(r#"{"error":{"code":503,"#), "{error}");
            assert_eq!(chunks.len(), 1 + usize::from(begun));
        }
    }
}

#[test]
fn filtered_prompt_is_told_without_an_error() {
    let failure = Failure::ContentFiltered { message: "filtered".into() };
    assert!(Gemini::is_told_in_response(&failure));
    let response = Gemini::error_response(&failure);
    let feedback = json!({ "blockReason": "SAFETY", "blockReasonMessage": "filtered" });
    assert_eq!((response.status, &response.body["promptFeedback"]), (200, &feedback));
    for begun in [true, false] {
        let mut encoder = Gemini::encoder(&meta(), &SSE);
        let mut out = Vec::new();
        if begun {
            encoder.event(0, &text("a"), &mut out);
        }
        encoder.failure(&failure, &mut out);
        let last = chunks(SSE.form, &String::from_utf8(out).unwrap()).pop().unwrap();
        assert_eq!((last.get("error").is_some(), last.get("promptFeedback").is_some()), (begun, !begun));
    }
}

#[test]
fn error_has_status_message_and_details() {
    let rpc = |name: &str| format!("type.googleapis.com/google.rpc.{name}");
    let info =
        |reason: &str| json!({ "@type": rpc("ErrorInfo"), "reason": reason, "domain": "copilot-proxy" });
    for (failure, code, status, message, details) in [
        (
            Failure::invalid("contents[0].role", "found `x`"),
            400,
            "INVALID_ARGUMENT",
            "contents[0].role: found `x`",
            json!([
                info("INVALID_REQUEST"),
                { "@type": rpc("BadRequest"), "fieldViolations": [{ "field": "contents[0].role", "description": "found `x`" }] },
            ]),
        ),
        (
            Failure::TooLong { tokens: 9, maximum: 8 },
            400,
            "INVALID_ARGUMENT",
            "The input token count (9) exceeds the maximum number of tokens allowed (8).",
            json!([info("TOO_LONG")]),
        ),
        (
            Failure::UnknownModel { requested: "x".into(), known: vec!["a".into()] },
            404,
            "NOT_FOUND",
            "the model `x` does not exist; available: a",
            json!([info("UNKNOWN_MODEL")]),
        ),
        (
            Failure::RateLimited { message: "slow".into(), retry_after: Duration::from_secs(10) },
            429,
            "RESOURCE_EXHAUSTED",
            "slow",
            json!([info("RATE_LIMITED"), { "@type": rpc("RetryInfo"), "retryDelay": "10s" }]),
        ),
        (
            Failure::QuotaExceeded { quota: crate::failure::Quota::Provider, message: "no more".into() },
            429,
            "RESOURCE_EXHAUSTED",
            "no more",
            json!([info("MODEL_CAPACITY_EXHAUSTED")]),
        ),
        (
            Failure::EditorGone,
            503,
            "UNAVAILABLE",
            "the connection to the VS Code window was lost; send the request again",
            json!([info("EDITOR_GONE"), { "@type": rpc("RetryInfo"), "retryDelay": "1s" }]),
        ),
    ] {
        let error = json!({ "code": code, "message": message, "status": status, "details": details });
        let response = Gemini::error_response(&failure);
        assert_eq!((response.status, response.body), (code, json!({ "error": error })));
    }
}

#[test]
fn provider_status_has_its_canonical_code() {
    for (code, status) in [
        (400, "INVALID_ARGUMENT"),
        (401, "UNAUTHENTICATED"),
        (403, "PERMISSION_DENIED"),
        (404, "NOT_FOUND"),
        (409, "ABORTED"),
        (422, "INVALID_ARGUMENT"),
        (429, "RESOURCE_EXHAUSTED"),
        (500, "INTERNAL"),
        (502, "UNAVAILABLE"),
        (504, "DEADLINE_EXCEEDED"),
        (529, "UNAVAILABLE"),
    ] {
        let failure = Failure::Provider { status: code, code: None, message: "so it is".into() };
        assert_eq!(Gemini::error_response(&failure).body["error"]["status"], status, "{code}");
    }
}

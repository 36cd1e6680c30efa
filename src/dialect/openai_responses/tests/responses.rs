//! The same events, streamed and whole.

use serde_json::{Value, json};

use super::{call, events, followed, meta, plain, read, streamed, whole};
use crate::conversation::{
    Content, Event, Finish, RunTime, Thinking, ToolRan, ToolResult, Usage, UsageSource,
};
use crate::dialect::common::sealed_thinking;
use crate::dialect::openai_responses::{OpenAiResponses, ResponseOptions};
use crate::dialect::{Dialect, Encoder};
use crate::failure::Failure;

fn counted() -> Usage {
    Usage { input: 7, output: 2, ..Usage::default() }
}

fn text(text: &str) -> Event {
    Event::Text(text.into())
}

fn thinking(id: Option<&str>, text: &str) -> Event {
    Event::Thinking(Thinking { id: id.map(str::to_owned), ..Thinking::text(text) })
}

fn calls(id: &str, name: &str, input: Value) -> Event {
    Event::ToolCall(call(id, name, input))
}

fn ran(name: &str) -> ToolRan {
    let content = vec![Content::Text { text: "noon".into() }];
    ToolRan {
        round: 1,
        call: call("call_1", name, json!({})),
        result: ToolResult { id: "call_1".into(), content, is_error: false },
        time: RunTime::default(),
    }
}

/// `steps` are the events between the first two and the last, `output` is what all of them come to.
fn check(options: &ResponseOptions, said: &[Event], steps: &[Value], output: &Value) {
    let said: Vec<Event> = said.iter().cloned().chain([Event::Finish(Finish::Stop, counted())]).collect();
    let stream = streamed(options, &said);
    let received = events(&stream);
    assert_eq!(received[2..received.len() - 1], *steps);
    let last = followed(&stream);
    assert_eq!(last["type"], "response.completed");
    assert_eq!(last["response"]["output"], *output);
    assert_eq!(last["response"], whole(options, &said));
}

fn part(text: &str) -> Value {
    json!({ "type": "output_text", "annotations": [], "logprobs": [], "text": text })
}

fn message(index: usize, text: &str) -> Value {
    json!({
        "type": "message",
        "id": format!("msg_0f_{index}"),
        "status": "completed",
        "role": "assistant",
        "content": [part(text)],
    })
}

/// The steps of a message that comes in these pieces.
fn message_steps(index: usize, pieces: &[&str]) -> Vec<Value> {
    let id = format!("msg_0f_{index}");
    let text = pieces.concat();
    let step = |name: &str, mut rest: Value| {
        let mut step = json!({
            "type": format!("response.{name}"),
            "item_id": id,
            "output_index": index,
            "content_index": 0,
        });
        step.as_object_mut().unwrap().append(rest.as_object_mut().unwrap());
        step
    };
    let begun =
        json!({ "type": "message", "id": id, "status": "in_progress", "role": "assistant", "content": [] });
    let mut steps = vec![
        json!({ "type": "response.output_item.added", "output_index": index, "item": begun }),
        step("content_part.added", json!({ "part": part("") })),
    ];
    steps.extend(
        pieces.iter().map(|piece| step("output_text.delta", json!({ "delta": piece, "logprobs": [] }))),
    );
    steps.push(step("output_text.done", json!({ "text": text, "logprobs": [] })));
    steps.push(step("content_part.done", json!({ "part": part(&text) })));
    steps.push(
        json!({ "type": "response.output_item.done", "output_index": index, "item": message(index, &text) }),
    );
    steps
}

#[test]
fn text_is_streamed_byte_for_byte() {
    let response = |status: &str, output: &str, usage: &str, extra: &str| {
        format!(
            r#"{{"id":"resp_0f","object":"response","created_at":1700000000,"status":"{status}","background":false,"error":null,"incomplete_details":null,"model":"scripted-1","output":[{output}],{usage}"service_tier":"default","top_logprobs":0,"instructions":null,"max_output_tokens":null,"max_tool_calls":null,"metadata":{{}},"parallel_tool_calls":true,"previous_response_id":null,"reasoning":{{"effort":null,"summary":null}},"store":true,"temperature":null,"text":{{"format":{{"type":"text"}}}},"tool_choice":"auto","tools":[],"top_p":null,"truncation":"disabled"{extra}}}"#
        )
    };
    let part =
        |text: &str| format!(r#"{{"type":"output_text","annotations":[],"logprobs":[],"text":"{text}"}}"#);
    let item = |status: &str, content: &str| {
        format!(
            r#"{{"type":"message","id":"msg_0f_0","status":"{status}","role":"assistant","content":[{content}]}}"#
        )
    };
    let begun = response("in_progress", "", "", "");
    let done = item("completed", &part("Hi you"));
    let usage = r#""usage":{"input_tokens":7,"input_tokens_details":{"cached_tokens":0,"cache_write_tokens":0},"output_tokens":2,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":9},"#;
    let ended = response("completed", &done, usage, r#","copilot_proxy":{"usage":"counted"}"#);
    let place = r#""item_id":"msg_0f_0","output_index":0,"content_index":0"#;
    let wanted = [
        ("response.created", format!(r#""response":{begun}"#)),
        ("response.in_progress", format!(r#""response":{begun}"#)),
        ("response.output_item.added", format!(r#""output_index":0,"item":{}"#, item("in_progress", ""))),
        ("response.content_part.added", format!(r#"{place},"part":{}"#, part(""))),
        ("response.output_text.delta", format!(r#"{place},"delta":"Hi ","logprobs":[]"#)),
        ("response.output_text.delta", format!(r#"{place},"delta":"you","logprobs":[]"#)),
        ("response.output_text.done", format!(r#"{place},"text":"Hi you","logprobs":[]"#)),
        ("response.content_part.done", format!(r#"{place},"part":{}"#, part("Hi you"))),
        ("response.output_item.done", format!(r#""output_index":0,"item":{done}"#)),
        ("response.completed", format!(r#""response":{ended}"#)),
    ];
    let wanted = wanted
        .iter()
        .enumerate()
        .map(|(number, (name, rest))| {
            format!("event: {name}\ndata: {{\"type\":\"{name}\",\"sequence_number\":{number},{rest}}}\n\n")
        })
        .collect::<Vec<_>>()
        .concat();
    let said = [text("Hi "), text("you"), Event::Finish(Finish::Stop, counted())];
    assert_eq!(String::from_utf8(streamed(&plain(), &said)).unwrap(), wanted);
}

#[test]
fn text_parts_form_one_message() {
    check(
        &plain(),
        &[text("Hi "), text(""), text("\u{2028}you")],
        &message_steps(0, &["Hi ", "\u{2028}you"]),
        &json!([message(0, "Hi \u{2028}you")]),
    );
    check(&plain(), &[text("")], &[], &json!([]));
}

#[test]
fn call_has_its_name_and_ends_the_text_before_it() {
    let arguments = r#"{"path":"a.rs"}"#;
    let item = |status: &str, arguments: &str| {
        json!({
            "type": "function_call",
            "id": "fc_0f_1",
            "status": status,
            "call_id": "call_1",
            "name": "read_file",
            "arguments": arguments,
        })
    };
    let mut steps = message_steps(0, &["Let me look."]);
    steps.extend([
        json!({ "type": "response.output_item.added", "output_index": 1, "item": item("in_progress", "") }),
        json!({
            "type": "response.function_call_arguments.delta",
            "item_id": "fc_0f_1",
            "output_index": 1,
            "delta": arguments,
        }),
        json!({
            "type": "response.function_call_arguments.done",
            "item_id": "fc_0f_1",
            "output_index": 1,
            "name": "read_file",
            "arguments": arguments,
        }),
        json!({ "type": "response.output_item.done", "output_index": 1, "item": item("completed", arguments) }),
    ]);
    check(
        &plain(),
        &[text("Let me look."), calls("call_1", "read_file", json!({ "path": "a.rs" }))],
        &steps,
        &json!([message(0, "Let me look."), item("completed", arguments)]),
    );
}

#[test]
fn thinking_becomes_reasoning_items_with_sealed_ids() {
    let step = |name: &str, key: &str, value: Value| {
        let mut step = json!({
            "type": format!("response.{name}"),
            "item_id": "rs_0f_0",
            "output_index": 0,
            "summary_index": 0,
        });
        step[key] = value;
        step
    };
    let summary = |text: &str| json!({ "type": "summary_text", "text": text });
    let seal =
        |id: &str, text| sealed_thinking::seal(&Thinking { id: Some(id.into()), ..Thinking::text(text) });
    let whole = json!({
        "type": "reasoning",
        "id": "rs_0f_0",
        "summary": [summary("Hm. Yes.")],
        "encrypted_content": seal("t1", "Hm. Yes."),
    });
    let redacted = json!({
        "type": "reasoning",
        "id": "rs_0f_1",
        "summary": [],
        "encrypted_content": seal("t2", ""),
    });
    let begun = |index: usize| {
        let item = json!({ "type": "reasoning", "id": format!("rs_0f_{index}"), "summary": [] });
        json!({ "type": "response.output_item.added", "output_index": index, "item": item })
    };
    let mut steps = vec![
        begun(0),
        step("reasoning_summary_part.added", "part", summary("")),
        step("reasoning_summary_text.delta", "delta", json!("Hm. ")),
        step("reasoning_summary_text.delta", "delta", json!("Yes.")),
        step("reasoning_summary_text.done", "text", json!("Hm. Yes.")),
        step("reasoning_summary_part.done", "part", summary("Hm. Yes.")),
        json!({ "type": "response.output_item.done", "output_index": 0, "item": whole }),
        begun(1),
        json!({ "type": "response.output_item.done", "output_index": 1, "item": redacted }),
    ];
    steps.extend(message_steps(2, &["Four."]));
    check(
        &read(&json!({ "input": "Hi", "include": ["reasoning.encrypted_content"] })).unwrap().1,
        &[
            thinking(Some("t1"), "Hm. "),
            thinking(Some("t1"), "Yes."),
            thinking(Some("t2"), ""),
            thinking(None, ""),
            text("Four."),
        ],
        &steps,
        &json!([whole, redacted, message(2, "Four.")]),
    );
}

#[test]
fn reasoning_is_included_on_request() {
    let said = [thinking(Some("t1"), "Hm."), Event::Finish(Finish::Stop, counted())];
    let seal = sealed_thinking::seal(&Thinking { id: Some("t1".into()), ..Thinking::text("Hm.") }).unwrap();
    let summary = json!([{ "type": "summary_text", "text": "Hm." }]);
    let include = json!(["reasoning.encrypted_content"]);
    for (reasoning, include, wanted_summary, encrypted) in [
        (Value::Null, Value::Null, &summary, None),
        (json!({ "summary": "detailed" }), include.clone(), &summary, Some(&seal)),
        (json!({ "effort": "low", "summary": "none" }), include, &json!([]), Some(&seal)),
    ] {
        let options = read(&json!({ "input": "Hi", "reasoning": reasoning, "include": include })).unwrap().1;
        let item = &whole(&options, &said)["output"][0];
        assert_eq!(
            (&item["summary"], item["encrypted_content"].as_str()),
            (wanted_summary, encrypted.map(String::as_str))
        );
        assert_eq!(followed(&streamed(&options, &said))["response"]["output"][0], *item);
    }
}

#[test]
fn calls_have_the_form_of_their_tools() {
    let (_, options) = read(&json!({ "input": "Hi", "tools": [
        { "type": "custom", "name": "apply_patch" },
        { "type": "namespace", "name": "agents", "description": "", "tools": [
            { "type": "function", "name": "spawn" },
            { "type": "custom", "name": "note" },
        ]},
    ]}))
    .unwrap();
    let said = [
        calls("1", "apply_patch", json!({ "input": "*** Begin\n" })),
        calls("2", "agents__spawn", json!({})),
        calls("3", "agents__note", json!({ "text": "not as asked" })),
        calls("4", "of_the_editor", json!({})),
        Event::Finish(Finish::ToolCalls, counted()),
    ];
    let last = followed(&streamed(&options, &said));
    assert_eq!(last["response"], whole(&options, &said));
    assert_eq!(
        last["response"]["output"],
        json!([
            {
                "type": "custom_tool_call", "id": "ctc_0f_0", "status": "completed", "call_id": "1",
                "name": "apply_patch", "input": "*** Begin\n",
            },
            {
                "type": "function_call", "id": "fc_0f_1", "status": "completed", "call_id": "2",
                "name": "spawn", "namespace": "agents", "arguments": "{}",
            },
            {
                "type": "custom_tool_call", "id": "ctc_0f_2", "status": "completed", "call_id": "3",
                "name": "note", "namespace": "agents", "input": r#"{"text":"not as asked"}"#,
            },
            {
                "type": "function_call", "id": "fc_0f_3", "status": "completed", "call_id": "4",
                "name": "of_the_editor", "arguments": "{}",
            },
        ])
    );
    assert_eq!(last["response"]["status"], "completed");
}

#[test]
fn executed_tools_are_in_the_next_event() {
    let options = plain();
    let said = [
        text("Let me look."),
        Event::ToolRan(ran("get_time")),
        Event::ToolRan(ran("get_date")),
        text("Noon."),
        Event::Finish(Finish::Stop, counted()),
    ];
    let stream = streamed(&options, &said);
    let received: Vec<(Value, Value)> = events(&stream)
        .into_iter()
        .filter(|event| event.get("copilot_proxy").is_some())
        .map(|event| (event["type"].clone(), event["copilot_proxy"].clone()))
        .collect();
    let trace = |name: &str| {
        json!({
            "round": 1,
            "call": { "id": "call_1", "name": name, "input": {} },
            "result": {
                "id": "call_1",
                "content": [{ "type": "text", "text": "noon" }],
                "is_error": false,
            },
        })
    };
    assert_eq!(
        received,
        [
            (json!("response.output_text.done"), json!({ "tools": [trace("get_time")] })),
            (json!("response.output_item.added"), json!({ "tools": [trace("get_date")] })),
        ]
    );
    let last = followed(&stream);
    assert_eq!(last["response"], whole(&options, &said));
    assert_eq!(last["response"]["output"], json!([message(0, "Let me look."), message(1, "Noon.")]));
    assert_eq!(
        last["response"]["copilot_proxy"],
        json!({ "usage": "counted", "tools": [trace("get_time"), trace("get_date")] })
    );
}

#[test]
fn truncated_response_is_incomplete() {
    for (finish, reason) in [
        (Finish::Length, "max_output_tokens"),
        (Finish::ContentFilter, "content_filter"),
        (Finish::Refusal, "content_filter"),
    ] {
        let said = [text("Once upon"), Event::Finish(finish, counted())];
        let last = followed(&streamed(&plain(), &said));
        assert_eq!(last["type"], "response.incomplete");
        let response = &last["response"];
        assert_eq!(*response, whole(&plain(), &said));
        assert_eq!(response["status"], "incomplete");
        assert_eq!(response["incomplete_details"], json!({ "reason": reason }));
        assert_eq!(response["output"][0]["status"], "incomplete");
        assert_eq!(response["usage"]["total_tokens"], 9);
    }
}

#[test]
fn usage_has_all_known_details() {
    let usage = Usage {
        input: 9,
        output: 3,
        cached: 4,
        cache_written: 2,
        reasoning: 1,
        source: UsageSource::Reported,
        ..Usage::default()
    };
    let reply = whole(&plain(), &[text("Hi"), Event::Finish(Finish::Stop, usage)]);
    assert_eq!(
        reply["usage"],
        json!({
            "input_tokens": 9,
            "input_tokens_details": { "cached_tokens": 4, "cache_write_tokens": 2 },
            "output_tokens": 3,
            "output_tokens_details": { "reasoning_tokens": 1 },
            "total_tokens": 12,
        })
    );
    assert_eq!(reply["copilot_proxy"], json!({ "usage": "reported" }));
}

#[test]
fn failure_in_mid_stream_leaves_open_items_unfinished() {
    let failed = |said: &[Event], failure: &Failure| {
        let mut out = Vec::new();
        let mut encoder = OpenAiResponses::encoder(&meta(), &plain());
        encoder.open(&mut out);
        for event in said {
            encoder.event(0, event, &mut out);
        }
        encoder.ping(&mut out);
        encoder.failure(failure, &mut out);
        out
    };
    let stream = failed(&[calls("1", "a", json!({})), text("Let me")], &Failure::EditorGone);
    let last = followed(&stream);
    let names: Vec<Value> = events(&stream).iter().map(|event| event["type"].clone()).collect();
    assert_eq!(
        names[6..],
        [
            "response.output_item.added",
            "response.content_part.added",
            "response.output_text.delta",
            "response.failed",
        ]
    );
    assert_eq!(last["response"]["status"], "failed");
    assert_eq!(last["response"].get("usage"), None);
    let error = |failure| followed(&failed(&[], &failure))["response"]["error"].clone();
    let message = || "so it is".to_owned();
    assert_eq!(
        last["response"]["error"],
        json!({
            "code": "server_error",
            "message": "the connection to the VS Code window was lost; send the request again",
        })
    );
    assert_eq!(
        error(Failure::QuotaExceeded { quota: crate::failure::Quota::Provider, message: message() }),
        json!({ "code": "insufficient_quota", "message": "so it is" })
    );
    let retry_after = std::time::Duration::from_secs(20);
    assert_eq!(
        error(Failure::RateLimited { message: message(), retry_after }),
        json!({ "code": "rate_limit_exceeded", "message": "so it is; try again in 20s" })
    );
    let blocked = Failure::Blocked { message: message(), remaining: std::time::Duration::from_secs(90) };
    assert_eq!(
        error(blocked),
        json!({
            "code": "rate_limit_exceeded",
            "message": "Copilot Proxy is blocked by the model provider for another 1 min 30 s: so it is",
        })
    );
    assert_eq!(
        error(Failure::TooLong { tokens: 9, maximum: 8 }),
        json!({
            "code": "context_length_exceeded",
            "message": "prompt is too long: 9 tokens > 8 maximum",
        })
    );
}

#[test]
fn response_repeats_the_options_of_its_request() {
    let tool = json!({ "type": "function", "name": "f", "description": "d" });
    let body = json!({
        "input": "Hi",
        "instructions": "Be brief.",
        "tools": [tool, { "type": "web_search" }],
        "tool_choice": { "type": "function", "name": "f" },
        "parallel_tool_calls": false,
        "max_output_tokens": 50,
        "temperature": 0.5,
        "top_p": 0.9,
        "reasoning": { "effort": "low" },
        "text": { "format": { "type": "json_object" }, "verbosity": "low" },
        "metadata": { "a": "b" },
        "truncation": "auto",
        "store": false,
        "user": "u",
        "prompt_cache_key": "p",
        "safety_identifier": "s",
        "service_tier": "flex",
        "unheard_of": { "a": [1] },
    });
    let (_, options) = read(&body).unwrap();
    let response = whole(&options, &[text("Hi"), Event::Finish(Finish::Stop, counted())]);
    let mut wanted = body;
    wanted["tools"][0]["parameters"] = Value::Null;
    wanted["tools"][0]["strict"] = json!(false);
    wanted["reasoning"]["summary"] = Value::Null;
    wanted["service_tier"] = json!("default");
    for (field, value) in wanted.as_object().unwrap() {
        match field.as_str() {
            "input" | "unheard_of" => assert_eq!(response.get(field), None),
            field => assert_eq!(response[field], *value, "{field}"),
        }
    }
}

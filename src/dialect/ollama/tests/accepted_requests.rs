//! Requests and what they are read as.

use serde_json::{Value, json};

use super::{chat, generate};
use crate::conversation::{
    Content, Conversation, Data, Message, Options, Output, Part, Role, Thinking, ThinkingMode, Tool,
    ToolCall, ToolResult,
};
use crate::dialect::ollama::{Instead, ResponseOptions, TextField};
use crate::dialect::{ParsedRequest, RequestExtensions, Rounds, ToolExecution};

const CHAT: ResponseOptions =
    ResponseOptions { text_field: TextField::InMessage, shows_thoughts: true, instead: None };
const GENERATE: ResponseOptions = ResponseOptions { text_field: TextField::InResponse, ..CHAT };

fn asking(messages: Vec<Message>) -> ParsedRequest {
    let conversation = Conversation { messages, ..Conversation::default() };
    ParsedRequest { conversation, stream: true, ..ParsedRequest::default() }
}

fn user(text: &str) -> Message {
    Message::text(Role::User, text)
}

fn of(role: Role, parts: Vec<Part>) -> Message {
    Message { role, name: None, parts }
}

fn called(id: &str, name: &str) -> Part {
    Part::ToolCall(ToolCall { id: id.into(), name: name.into(), input: json!({ "a": 1 }) })
}

fn result(id: &str, text: &str) -> Message {
    let content = vec![Content::Text { text: text.into() }];
    of(Role::User, vec![Part::ToolResult(ToolResult { id: id.into(), content, is_error: false })])
}

#[test]
fn every_role_is_read() {
    let function = |name: &str| json!({ "function": { "name": name, "arguments": { "a": 1 } } });
    let told = json!({ "id": "own", "function": { "name": "b", "arguments": "{\"a\":1}" } });
    let body = json!({
        "model": "gpt-4o:latest",
        "messages": [
            { "role": "system", "content": "Be brief." },
            { "role": "user", "content": "What is this?", "images": ["iVBORw0KGgo="] },
            { "role": "assistant", "content": "Hm.", "thinking": "A picture.", "tool_calls": [
                function("a"), told, function("a"),
            ] },
            { "role": "tool", "content": "second", "tool_call_id": "own" },
            { "role": "tool", "content": "first", "tool_name": "a" },
            { "role": "tool", "content": "third" },
            { "role": "user", "content": "", "images": null },
        ],
    });
    let image = Data { mime: "image/png".into(), base64: "iVBORw0KGgo=".into() };
    let thought = Thinking::text("A picture.");
    let messages = vec![
        Message::text(Role::System, "Be brief."),
        of(Role::User, vec![Part::text("What is this?"), Part::Data(image)]),
        of(
            Role::Assistant,
            vec![
                Part::Thinking(thought),
                Part::text("Hm."),
                called("function_1", "a"),
                called("own", "b"),
                called("function_2", "a"),
            ],
        ),
        result("own", "second"),
        result("function_1", "first"),
        result("function_2", "third"),
        of(Role::User, vec![]),
    ];
    assert_eq!(
        chat(&body),
        Ok((ParsedRequest { model: Some("gpt-4o:latest".into()), ..asking(messages) }, CHAT))
    );
}

#[test]
fn options_are_read() {
    let body = json!({
        "model": "",
        "messages": [{ "role": "user", "content": "Hi" }],
        "stream": false,
        "think": "high",
        "format": { "type": "object" },
        "keep_alive": "5m",
        "logprobs": false,
        "options": {
            "temperature": 0.5, "top_p": 1, "frequency_penalty": 1, "presence_penalty": -1, "seed": 5,
            "num_predict": 16, "stop": ["\n", ""], "num_ctx": 4096, "top_k": 40, "mirostat": 1, "repeat_penalty": 1.1,
        },
        "tools": [{ "type": "function", "function": { "name": "a", "description": "Does.", "parameters": {} } }],
        "use_vscode_tools": true,
        "tool_execution": "auto",
        "max_tool_rounds": 0,
    });
    let mut ask = asking(vec![user("Hi")]);
    ask.stream = false;
    ask.extensions = RequestExtensions {
        use_vscode_tools: true,
        tool_execution: ToolExecution::Auto,
        max_tool_rounds: Rounds::Unlimited,
    };
    ask.conversation.tools =
        vec![Tool { name: "a".into(), description: "Does.".into(), input_schema: Some(json!({})) }];
    ask.conversation.options = Options {
        temperature: Some(0.5),
        top_p: Some(1.0),
        frequency_penalty: Some(1.0),
        presence_penalty: Some(-1.0),
        seed: Some(5),
        max_tokens: Some(16),
        stop: vec!["\n".into()],
        reasoning_effort: Some("high".into()),
        thinking: ThinkingMode::On,
        output: Output::Schema {
            name: "answer".into(),
            description: None,
            schema: json!({ "type": "object" }),
        },
        ..Options::default()
    };
    assert_eq!(chat(&body), Ok((ask, CHAT)));
}

#[test]
fn rare_options_are_read() {
    let options = |fields: &Value| {
        let mut body = json!({ "messages": [{ "role": "user", "content": "Hi" }] });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let (ask, options) = chat(&body).unwrap();
        (ask.conversation.options, options.shows_thoughts)
    };
    for (fields, wanted, shows_thoughts) in [
        (json!({ "think": true }), Options { thinking: ThinkingMode::On, ..Options::default() }, true),
        (json!({ "think": false }), Options { thinking: ThinkingMode::Off, ..Options::default() }, false),
        (json!({ "think": null, "format": "" }), Options::default(), true),
        (json!({ "format": "json" }), Options { output: Output::Json, ..Options::default() }, true),
        (json!({ "format": {} }), Options { output: Output::Json, ..Options::default() }, true),
        (json!({ "options": { "num_predict": -1 } }), Options::default(), true),
        (json!({ "options": { "num_predict": 0 } }), Options::default(), true),
        (json!({ "logprobs": false, "top_logprobs": 0 }), Options::default(), true),
        (json!({ "options": null }), Options::default(), true),
        (
            json!({ "options": { "stop": "END" } }),
            Options { stop: vec!["END".into()], ..Options::default() },
            true,
        ),
    ] {
        assert_eq!(options(&fields), (wanted, shows_thoughts), "{fields}");
    }
}

#[test]
fn prompt_becomes_a_message() {
    let body = json!({
        "prompt": "Hi", "system": "Be brief.", "images": [], "suffix": "", "template": "", "raw": false, "context": [],
    });
    let messages = vec![Message::text(Role::System, "Be brief."), user("Hi")];
    assert_eq!(generate(&body), Ok((asking(messages), GENERATE)));

    let image = Data { mime: "image/jpeg".into(), base64: "/9j/4A==".into() };
    let body = json!({ "images": ["/9j/4A=="] });
    assert_eq!(generate(&body), Ok((asking(vec![of(Role::User, vec![Part::Data(image)])]), GENERATE)));
}

#[test]
fn empty_request_loads_or_unloads_the_model() {
    let nothing = || ParsedRequest { only_model: true, model: Some("a".into()), ..ParsedRequest::default() };
    let load = |options| ResponseOptions { instead: Some(Instead::Load), ..options };
    let unload = |options| ResponseOptions { instead: Some(Instead::Unload), ..options };
    for (fields, wanted) in [
        (json!({}), load(CHAT)),
        (json!({ "messages": [], "stream": true, "keep_alive": "10m" }), load(CHAT)),
        (json!({ "messages": null, "keep_alive": -1 }), load(CHAT)),
        (json!({ "keep_alive": 0 }), unload(CHAT)),
        (json!({ "keep_alive": "0s" }), unload(CHAT)),
    ] {
        let mut body = json!({ "model": "a" });
        body.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        assert_eq!(chat(&body), Ok((nothing(), wanted)), "{body}");
    }
    assert_eq!(generate(&json!({ "model": "a" })), Ok((nothing(), load(GENERATE))));
    let unloading = json!({ "model": "a", "prompt": "", "system": "Be brief.", "keep_alive": "0" });
    assert_eq!(generate(&unloading), Ok((nothing(), unload(GENERATE))));
}

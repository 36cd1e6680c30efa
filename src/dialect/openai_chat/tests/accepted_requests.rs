//! Bodies, and what is understood of them.

use std::num::{NonZeroU8, NonZeroU32};

use serde_json::{Value, json};

use crate::conversation::{
    Content, Conversation, Data, Message, Options, Output, Part, Role, Thinking, ThinkingMode, Tool,
    ToolCall, ToolChoice, ToolResult, Verbosity,
};
use crate::dialect::RequestHead;
use crate::dialect::common::{free_text, sealed_thinking};
use crate::dialect::openai_chat::{Calls, OpenAiChat, ResponseOptions};
use crate::dialect::{Dialect, ParsedRequest, RequestExtensions, Rounds, ToolExecution};
use crate::failure::Failure;

fn read(body: &Value) -> Result<(ParsedRequest, ResponseOptions), Failure> {
    OpenAiChat::read(&RequestHead::default(), body.to_string().as_bytes(), &())
}

/// The request's messages, when nothing else is in it.
fn messages(messages: &Value) -> Vec<Message> {
    let (ask, options) = read(&json!({ "messages": messages })).unwrap();
    assert_eq!(options, ResponseOptions::default());
    let messages = ask.conversation.messages.clone();
    let plain = Conversation { messages: messages.clone(), ..Conversation::default() };
    assert_eq!(ask, ParsedRequest { conversation: plain, ..ParsedRequest::default() });
    messages
}

/// A question with these fields beside it.
fn with(fields: &Value) -> Result<(ParsedRequest, ResponseOptions), Failure> {
    let mut body = json!({ "messages": [{ "role": "user", "content": "Hi" }] });
    for (key, value) in fields.as_object().unwrap() {
        body[key] = value.clone();
    }
    read(&body)
}

fn options(fields: &Value) -> Options {
    with(fields).unwrap().0.conversation.options
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, name: None, parts }
}

fn call(id: &str, name: &str, input: Value) -> Part {
    Part::ToolCall(ToolCall { id: id.into(), name: name.into(), input })
}

fn result(id: &str, text: &str) -> Message {
    let content = vec![Content::Text { text: text.into() }];
    message(Role::User, vec![Part::ToolResult(ToolResult { id: id.into(), content, is_error: false })])
}

fn tool(name: &str) -> Tool {
    Tool { name: name.into(), description: String::new(), input_schema: None }
}

#[test]
fn every_role_and_form_of_content_is_read() {
    let png = || Part::Data(Data { mime: "image/png".into(), base64: "iVBORw==".into() });
    assert_eq!(
        messages(&json!([
            { "role": "system", "content": "Be brief." },
            { "role": "developer", "content": [{ "type": "text", "text": "Very." }] },
            { "role": "user", "name": "ada", "content": [
                { "type": "text", "text": "What is it?" },
                { "type": "image_url", "image_url": { "url": "data:image/png;base64,iVBORw==", "detail": "low" } },
                { "type": "image_url", "image_url": "data:image/png;base64,iVBORw" },
            ] },
            { "role": "assistant", "content": null, "reasoning_content": "hm", "refusal": "I won't" },
            { "role": "assistant", "content": [{ "type": "refusal", "refusal": "No" }], "annotations": [] },
            { "role": "assistant", "content": "", "tool_calls": [
                { "id": "c1", "type": "function", "function": { "name": "f", "arguments": "{\"a\":1}" } },
                { "id": "c2", "type": "function", "function": { "name": "f", "arguments": "" } },
                { "id": "c3", "type": "function", "function": { "name": "f", "arguments": "{\"a\":" } },
                { "id": "c4", "function": { "name": "f", "arguments": { "a": 1 }, "parsed_arguments": null } },
                { "id": "c5", "type": "custom", "custom": { "name": "g", "input": "x" } },
            ] },
            { "role": "tool", "tool_call_id": "c1", "content": "one" },
            { "role": "tool", "tool_call_id": "c2", "content": [{ "type": "text", "text": "two" }] },
            { "role": "tool", "tool_call_id": "c3" },
            { "role": "tool", "tool_call_id": "c4", "content": [
                { "type": "image_url", "image_url": { "url": "data:image/png;base64,iVBORw==" } },
            ] },
            { "role": "user" },
            { "role": "user", "content": [] },
        ])),
        [
            Message::text(Role::System, "Be brief."),
            Message::text(Role::System, "Very."),
            Message {
                role: Role::User,
                name: Some("ada".into()),
                parts: vec![Part::text("What is it?"), png(), png()],
            },
            message(Role::Assistant, vec![Part::Thinking(Thinking::text("hm")), Part::text("I won't"),]),
            Message::text(Role::Assistant, "No"),
            message(
                Role::Assistant,
                vec![
                    call("c1", "f", json!({ "a": 1 })),
                    call("c2", "f", json!({})),
                    call("c3", "f", json!({ "_raw": "{\"a\":" })),
                    call("c4", "f", json!({ "a": 1 })),
                    call("c5", "g", json!({ "input": "x" })),
                ]
            ),
            result("c1", "one"),
            result("c2", "two"),
            message(
                Role::User,
                vec![Part::ToolResult(ToolResult { id: "c3".into(), content: vec![], is_error: false })]
            ),
            message(
                Role::User,
                vec![Part::ToolResult(ToolResult {
                    id: "c4".into(),
                    content: vec![Content::Data(Data {
                        mime: "image/png".into(),
                        base64: "iVBORw==".into()
                    })],
                    is_error: false,
                })]
            ),
            message(Role::User, vec![]),
            message(Role::User, vec![]),
        ]
    );
}

#[test]
fn function_calls_are_paired_by_name_and_order() {
    assert_eq!(
        messages(&json!([
            { "role": "assistant", "function_call": { "name": "f", "arguments": "{\"a\":1}" } },
            { "role": "function", "name": "f", "content": "one" },
            { "role": "assistant", "function_call": { "name": "f", "arguments": "{}" } },
            { "role": "function", "name": "f", "content": "two" },
            { "role": "function", "name": "g", "content": "nobody asked" },
        ])),
        [
            message(Role::Assistant, vec![call("function_1", "f", json!({ "a": 1 }))]),
            result("function_1", "one"),
            message(Role::Assistant, vec![call("function_2", "f", json!({}))]),
            result("function_2", "two"),
            result("function_3", "nobody asked"),
        ]
    );
}

#[test]
fn every_supported_option_is_read() {
    let (ask, options) = with(&json!({
        "model": "sonnet",
        "stream": true,
        "stream_options": { "include_usage": true, "include_obfuscation": false },
        "tools": [{ "type": "function", "function": {
            "name": "f", "description": "Does f", "parameters": { "type": "object" }, "strict": true,
        } }],
        "tool_choice": { "type": "function", "function": { "name": "f" } },
        "parallel_tool_calls": false,
        "temperature": 0.5, "top_p": 1, "frequency_penalty": -2, "presence_penalty": 2, "seed": -1,
        "max_tokens": 9, "max_completion_tokens": 8, "stop": ["a", "", "b"], "n": 2, "verbosity": "high", "reasoning_effort": "low",
        "response_format": { "type": "json_schema", "json_schema": {
            "name": "city", "description": "A city", "schema": { "type": "object" }, "strict": true,
        } },
        "use_vscode_tools": true, "tool_execution": "auto", "max_tool_rounds": 3,
        "store": false, "metadata": { "a": "b" }, "service_tier": "auto", "anything": [{ "else": 1 }],
    }))
    .unwrap();
    assert_eq!(
        ask,
        ParsedRequest {
            model: Some("sonnet".into()),
            conversation: Conversation {
                messages: vec![Message::text(Role::User, "Hi")],
                tools: vec![Tool {
                    name: "f".into(),
                    description: "Does f".into(),
                    input_schema: Some(json!({ "type": "object" })),
                }],
                tool_choice: ToolChoice::Named("f".into()),
                options: Options {
                    temperature: Some(0.5),
                    top_p: Some(1.0),
                    frequency_penalty: Some(-2.0),
                    presence_penalty: Some(2.0),
                    seed: Some(-1),
                    max_tokens: Some(8),
                    reports_stop_sequence: false,
                    stop: vec!["a".into(), "b".into()],
                    reasoning_effort: Some("low".into()),
                    verbosity: Some(Verbosity::High),
                    thinking: ThinkingMode::On,
                    single_tool_call: true,
                    output: Output::Schema {
                        name: "city".into(),
                        description: Some("A city".into()),
                        schema: json!({ "type": "object" }),
                    },
                    choices: NonZeroU8::new(2),
                    ..Options::default()
                },
            },
            stream: true,
            extensions: RequestExtensions {
                use_vscode_tools: true,
                tool_execution: ToolExecution::Auto,
                max_tool_rounds: Rounds::UpTo(NonZeroU32::new(3).unwrap()),
            },
            ..ParsedRequest::default()
        }
    );
    assert_eq!(options, ResponseOptions { include_usage: true, choices: 2, ..ResponseOptions::default() });
}

#[test]
fn null_counts_as_absent() {
    let nothing = json!({
        "model": null, "stream": null, "stream_options": null, "tools": null, "tool_choice": null,
        "parallel_tool_calls": null, "functions": null, "function_call": null, "temperature": null, "top_p": null,
        "frequency_penalty": null, "presence_penalty": null, "seed": null, "max_tokens": null,
        "max_completion_tokens": null, "stop": null, "n": null, "reasoning_effort": null, "response_format": null,
        "logprobs": null, "top_logprobs": null, "logit_bias": null, "modalities": null, "audio": null,
        "use_vscode_tools": null, "tool_execution": null, "max_tool_rounds": null,
    });
    assert_eq!(with(&nothing), with(&json!({})));
}

#[test]
fn values_equal_to_the_default_are_accepted() {
    let harmless = json!({
        "model": "", "logprobs": false, "top_logprobs": 0, "logit_bias": {}, "modalities": ["text"],
        "response_format": { "type": "text" }, "stop": "", "tools": [], "tool_choice": "auto",
    });
    assert_eq!(with(&harmless), with(&json!({})));
}

#[test]
fn every_form_of_stop_and_response_format_is_read() {
    assert_eq!(options(&json!({ "stop": "END" })).stop, ["END"]);
    assert_eq!(options(&json!({ "response_format": { "type": "json_object" } })).output, Output::Json);
    assert_eq!(
        options(&json!({ "response_format": { "type": "json_schema", "json_schema": { "name": "a" } } }))
            .output,
        Output::Json
    );
    assert_eq!(options(&json!({ "max_tokens": 9 })).max_tokens, Some(9));
    assert_eq!(options(&json!({ "reasoning_effort": "none" })).thinking, ThinkingMode::Off);
}

#[test]
fn every_form_of_tool_choice_is_read() {
    let f = json!({ "type": "function", "function": { "name": "f" } });
    let g = json!({ "type": "function", "function": { "name": "g" } });
    let custom = json!({ "type": "custom", "custom": { "name": "h" } });
    let free_text = Tool { input_schema: Some(free_text::schema()), ..tool("h") };
    let all = vec![tool("f"), free_text, tool("g")];
    for (choice, tools, tool_choice) in [
        (json!("none"), all.clone(), ToolChoice::None),
        (json!("auto"), all.clone(), ToolChoice::Auto),
        (json!("required"), all.clone(), ToolChoice::Required),
        (g.clone(), all.clone(), ToolChoice::Named("g".into())),
        (
            json!({ "type": "allowed_tools", "allowed_tools": { "mode": "required", "tools": [g, custom] } }),
            all.clone(),
            ToolChoice::Allowed { names: vec!["g".into(), "h".into()], is_required: true },
        ),
        (custom.clone(), all.clone(), ToolChoice::Named("h".into())),
    ] {
        let (ask, _) = with(&json!({ "tools": [f, custom, g], "tool_choice": choice })).unwrap();
        assert_eq!((ask.conversation.tools, ask.conversation.tool_choice), (tools, tool_choice), "{choice}");
    }
}

#[test]
fn functions_become_tools_with_function_calls() {
    let (ask, options) =
        with(&json!({ "functions": [{ "name": "f" }], "function_call": { "name": "f" } })).unwrap();
    assert_eq!(ask.conversation.tools, [tool("f")]);
    assert_eq!(ask.conversation.tool_choice, ToolChoice::Named("f".into()));
    assert!(ask.conversation.options.single_tool_call);
    assert_eq!(options.calls, Calls::Function);
}

#[test]
fn editor_tool_can_be_required_with_use_vscode_tools() {
    let (ask, _) = with(&json!({
        "use_vscode_tools": true, "tool_choice": { "type": "function", "function": { "name": "get_time" } },
    }))
    .unwrap();
    assert_eq!(ask.conversation.tool_choice, ToolChoice::Named("get_time".into()));
}

#[test]
fn sealed_thinking_is_read_in_both_forms() {
    let thinking = Thinking { id: Some("1".into()), ..Thinking::text("hm") };
    let data = sealed_thinking::seal(&thinking).unwrap();
    for (name, value) in [
        ("reasoning_details", json!([{ "type": "reasoning.encrypted", "data": data }])),
        ("reasoning_opaque", json!(data)),
    ] {
        let mut message = json!({ "role": "assistant", "content": "Yes", "reasoning_content": "hm" });
        message[name] = value;
        let parsed = read(&json!({ "messages": [message] })).unwrap().0;
        let parts = &parsed.conversation.messages[0].parts;
        assert_eq!(*parts, [Part::Thinking(thinking.clone()), Part::text("Yes")], "{name}");
    }
    for foreign in
        [json!([{ "type": "reasoning.text", "text": "hm" }]), json!([{ "data": "gAAAA" }]), Value::Null]
    {
        let message = json!({ "role": "assistant", "content": "Yes", "reasoning_details": foreign });
        let parsed = read(&json!({ "messages": [message] })).unwrap().0;
        assert_eq!(parsed.conversation.messages[0].parts, [Part::text("Yes")]);
    }
}

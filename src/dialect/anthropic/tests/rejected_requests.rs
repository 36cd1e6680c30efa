//! Requests that are refused, and their errors.

use serde_json::{Value, json};

use super::read;
use crate::dialect::Dialect;
use crate::dialect::RequestHead;
use crate::dialect::anthropic::Anthropic;
use crate::failure::Failure;

/// A request with this field is refused with this message.
fn check(field: &str, value: &Value, message: &str) {
    let mut body = json!({ "max_tokens": 9, "messages": [{ "role": "user", "content": "Hi" }] });
    body[field] = value.clone();
    assert_eq!(read(&body).unwrap_err().to_string(), message, "{field}: {value}");
}

/// A second message with this content is refused with this message.
fn check_content(content: &Value, message: &str) {
    let messages = json!([{ "role": "user", "content": "Hi" }, { "role": "user", "content": content }]);
    check("messages", &messages, message);
}

#[test]
fn malformed_body_is_rejected() {
    for (body, message) in [
        ("", "the body is empty, expected a JSON object"),
        ("[]", "invalid type: a list, expected an object"),
        ("{", "the body is not valid JSON: EOF while parsing an object at line 1 column 1"),
        ("{}", "max_tokens: Field required"),
        (r#"{"max_tokens": 9}"#, "messages: Field required"),
        (r#"{"max_tokens": null, "messages": []}"#, "max_tokens: Field required"),
        (r#"{"max_tokens": 9, "messages": []}"#, "messages: empty, expected at least one message"),
        (r#"{"max_tokens": "9"}"#, "max_tokens: invalid type: a string, expected a whole number from 0"),
    ] {
        assert_eq!(
            Anthropic::read(&RequestHead::default(), body.as_bytes(), &()).unwrap_err().to_string(),
            message,
            "{body}"
        );
    }
}

#[test]
fn fields_of_the_wrong_type_or_out_of_range_are_rejected() {
    for (field, value, message) in [
        ("model", json!(5), "model: invalid type: integer `5`, expected a string"),
        ("max_tokens", json!(-1), "max_tokens: invalid value: integer `-1`, expected a whole number from 0"),
        (
            "max_tokens",
            json!(12.5),
            "max_tokens: invalid type: floating point `12.5`, expected a whole number from 0",
        ),
        ("stream", json!("yes"), "stream: invalid type: a string, expected a boolean"),
        ("system", json!(5), "system: invalid type: integer `5`, expected a string or a list"),
        ("system", json!(["x"]), "system[0]: invalid type: a string, expected an object"),
        ("system", json!([{ "type": "text" }]), "system[0].text: required, but missing"),
        ("system", json!([{ "type": "image" }]), "system[0].source: required, but missing"),
        ("temperature", json!(1.5), "temperature: 1.5 is out of range, expected 0 to 1"),
        ("temperature", json!("hot"), "temperature: invalid type: a string, expected a number"),
        ("top_p", json!(-0.1), "top_p: -0.1 is out of range, expected 0 to 1"),
        ("top_k", json!("x"), "top_k: invalid type: a string, expected a whole number from 0"),
        ("stop_sequences", json!("x"), "stop_sequences: invalid type: a string, expected a list"),
        (
            "stop_sequences",
            json!(["x", 5]),
            "stop_sequences[1]: invalid type: integer `5`, expected a string",
        ),
        (
            "stop_sequences",
            json!(vec!["x"; 401]),
            "stop_sequences: found 401 stop sequences, a request can have at most 400",
        ),
        (
            "thinking",
            json!({ "type": "on" }),
            "thinking.type: unknown variant `on`, expected one of `enabled`, `adaptive`, `between_tools`, `disabled`",
        ),
        ("thinking", json!({ "type": "enabled" }), "thinking.budget_tokens: Field required"),
        (
            "output_config",
            json!({ "effort": 5 }),
            "output_config.effort: invalid type: integer `5`, expected a string",
        ),
        (
            "output_config",
            json!({ "format": { "type": "xml", "schema": {} } }),
            "output_config.format.type: unknown variant `xml`, expected `json_schema`",
        ),
        (
            "output_config",
            json!({ "format": { "type": "json_schema" } }),
            "output_config.format.schema: required, but missing",
        ),
        ("messages", json!("x"), "messages: invalid type: a string, expected a list"),
        ("messages", json!([{ "content": "x" }]), "messages[0].role: required, but missing"),
        (
            "messages",
            json!([{ "role": "tool", "content": "x" }]),
            "messages[0].role: unknown variant `tool`, expected one of `user`, `assistant`, `system`",
        ),
        (
            "messages",
            json!([{ "role": "system", "content": [{ "type": "image" }] }]),
            "messages[0].content[0].source: required, but missing",
        ),
        (
            "messages",
            json!([{ "role": "system", "content": [{ "type": "tool_addition", "tool": { "type": "tool_reference" } }] }]),
            "messages[0].content[0].tool.name: required, but missing",
        ),
        ("use_vscode_tools", json!("yes"), "use_vscode_tools: invalid type: a string, expected a boolean"),
        (
            "tool_execution",
            json!("always"),
            "tool_execution: unknown variant `always`, expected `none` or `auto`",
        ),
        (
            "max_tool_rounds",
            json!(-1),
            "max_tool_rounds: invalid value: integer `-1`, expected a whole number from 0",
        ),
    ] {
        check(field, &value, message);
    }
}

#[test]
fn malformed_content_is_rejected() {
    const BLOCKS: &str = "expected `text`, `image`, `document`, `search_result`, `thinking`, `redacted_thinking`, `tool_use` or `tool_result`";
    for (content, message) in [
        (json!(5), "messages[1].content: invalid type: integer `5`, expected a string or a list"),
        (json!(["x"]), "messages[1].content[0]: invalid type: a string, expected an object"),
        (json!([{ "text": "x" }]), "messages[1].content[0].type: required, but missing"),
        (json!([{ "type": 5 }]), "messages[1].content[0].type: invalid type: integer `5`, expected a string"),
        (
            json!([{ "type": "text", "text": "x" }, { "type": "txt", "text": "x" }]),
            &format!("messages[1].content[1].type: found `txt`, {BLOCKS}"),
        ),
        (
            json!([{ "type": "text", "text": null }]),
            "messages[1].content[0].text: invalid type: null, expected a string",
        ),
        (json!([{ "type": "image" }]), "messages[1].content[0].source: required, but missing"),
        (
            json!([{ "type": "image", "source": "x" }]),
            "messages[1].content[0].source: invalid type: a string, expected an object",
        ),
        (
            json!([{ "type": "image", "source": { "type": "base64", "media_type": "image/png" } }]),
            "messages[1].content[0].source.data: required, but missing",
        ),
        (
            json!([{ "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": "*" } }]),
            "messages[1].content[0].source.data: not base64: Invalid symbol 42, offset 0",
        ),
        (
            json!([{ "type": "image", "source": { "type": "base64", "media_type": "image/tiff", "data": "aGk=" } }]),
            "messages[1].content[0].source.data: found `image/tiff`, expected PNG, JPEG, GIF or WebP",
        ),
        (
            json!([{ "type": "tool_use", "name": "x", "input": {} }]),
            "messages[1].content[0].id: required, but missing",
        ),
        (
            json!([{ "type": "tool_use", "id": "c1", "name": "x", "input": "{}" }]),
            "messages[1].content[0].input: invalid type: a string, expected an object",
        ),
        (
            json!([{ "type": "tool_result", "content": "x" }]),
            "messages[1].content[0].tool_use_id: required, but missing",
        ),
        (
            json!([{ "type": "tool_result", "tool_use_id": "c1", "is_error": "no" }]),
            "messages[1].content[0].is_error: invalid type: a string, expected a boolean",
        ),
        (
            json!([{ "type": "document", "source": { "type": "content", "content": [{ "type": "text" }] } }]),
            "messages[1].content[0].source.content[0].text: required, but missing",
        ),
        (
            json!([{ "type": "thinking", "signature": "x" }]),
            "messages[1].content[0].thinking: required, but missing",
        ),
    ] {
        check_content(&content, message);
    }
}

#[test]
fn unsupported_features_are_rejected() {
    for (block, message) in [
        (
            json!({ "type": "image", "source": { "type": "url", "url": "https://example.org/a.png" } }),
            "messages[1].content[0].source.url: only data: URLs are taken here, nothing is fetched from the network; send the image as data:image/png;base64,...",
        ),
        (
            json!({ "type": "image", "source": { "type": "file", "file_id": "file_1" } }),
            "messages[1].content[0].source.file_id: files can't be uploaded here; send the image in base64",
        ),
        (
            json!({ "type": "document", "source": { "type": "base64", "media_type": "application/pdf", "data": "aGk=" } }),
            "messages[1].content[0].source.media_type: VS Code's models can't be handed `application/pdf` files; send the document's text as a text source",
        ),
        (
            json!({ "type": "document", "source": { "type": "url", "url": "https://example.org/a.pdf" } }),
            "messages[1].content[0].source.url: nothing is fetched from the network here; send the document's text as a text source",
        ),
    ] {
        check_content(&json!([block]), message);
        let body = json!({ "max_tokens": 9, "messages": [{ "role": "user", "content": [block] }] });
        assert!(matches!(read(&body), Err(Failure::Unsupported { .. })), "{block}");
    }
    for thread in [json!({ "type": "create" }), json!({ "type": "continue", "previous_message_id": "msg_1" })]
    {
        let body =
            json!({ "max_tokens": 9, "messages": [{ "role": "user", "content": "Hi" }], "thread": thread });
        assert_eq!(read(&body), Err(Failure::ThreadUnsupported));
    }
}

#[test]
fn malformed_tools_are_rejected() {
    for (tools, message) in [
        (json!({}), "tools: invalid type: an object, expected a list"),
        (json!([{}]), "tools[0].name: required, but missing"),
        (json!([{ "name": "" }]), "tools[0].name: empty, expected a name"),
        (
            json!([{ "name": "a", "input_schema": "x" }]),
            "tools[0].input_schema: invalid type: a string, expected an object",
        ),
        (
            json!([{ "name": "a" }, { "name": "b" }, { "name": "a", "description": "another" }]),
            "tools[2].name: `a` is the name of another tool already",
        ),
    ] {
        check("tools", &tools, message);
    }
}

#[test]
fn impossible_tool_choice_is_rejected() {
    for (choice, message) in [
        (json!("auto"), "tool_choice: invalid type: a string, expected an object"),
        (
            json!({ "type": "required" }),
            "tool_choice.type: unknown variant `required`, expected one of `auto`, `any`, `tool`, `none`",
        ),
        (json!({ "type": "tool" }), "tool_choice.name: required, but missing"),
        (
            json!({ "type": "tool", "name": "code_execution" }),
            "tool_choice.name: `code_execution` is a tool of Anthropic's own service (code_execution_20250825), VS Code has none like it",
        ),
        (
            json!({ "type": "tool", "name": "read" }),
            "tool_choice.name: `read` is not among the tools of the request",
        ),
        (
            json!({ "type": "any" }),
            "tool_choice: `any`, but the request offers no tool that can be called here",
        ),
    ] {
        let body = json!({
            "max_tokens": 9,
            "messages": [{ "role": "user", "content": "Hi" }],
            "tools": [{ "type": "code_execution_20250825", "name": "code_execution" }],
            "tool_choice": choice,
        });
        assert_eq!(read(&body).unwrap_err().to_string(), message, "{choice}");
    }
}

#[test]
fn long_wrong_value_is_cut_in_the_error() {
    let long = "x".repeat(1_000_000);
    let body = json!({ "max_tokens": 9, "messages": [{ "role": "user", "content": [{ "type": long }] }] });
    let message = read(&body).unwrap_err().to_string();
    assert!(message.len() < 1000, "{}", message.len());
}

//! Requests that are refused, and their errors.

use serde_json::{Value, json};

use crate::dialect::Dialect;
use crate::dialect::RequestHead;
use crate::dialect::openai_chat::OpenAiChat;
use crate::failure::Failure;

fn refused(body: &Value) -> Failure {
    OpenAiChat::read(&RequestHead::default(), body.to_string().as_bytes(), &()).unwrap_err()
}

fn check_refused(table: &[(Value, &str)]) {
    for (body, expected) in table {
        assert_eq!(refused(body).to_string(), *expected, "{body}");
    }
}

fn beside(key: &str, value: impl Into<Value>) -> Value {
    json!({ "messages": [{ "role": "user" }], key: value.into() })
}

#[test]
fn malformed_message_is_rejected_with_path_and_reason() {
    let message = |message: Value| json!({ "messages": [{ "role": "user" }, message] });
    let content =
        |part: Value| message(json!({ "role": "user", "content": [{ "type": "text", "text": "" }, part] }));
    let call = |call: Value| message(json!({ "role": "assistant", "tool_calls": [call] }));
    check_refused(&[
        (json!({}), "messages: required, but missing"),
        (json!([]), "invalid type: a list, expected an object"),
        (json!(5), "invalid type: integer `5`, expected an object"),
        (json!({ "messages": [] }), "messages: empty, expected at least one message"),
        (json!({ "messages": null }), "messages: invalid type: null, expected a list"),
        (json!({ "messages": "Hi" }), "messages: invalid type: a string, expected a list"),
        (message(json!("Hi")), "messages[1]: invalid type: a string, expected an object"),
        (message(json!({})), "messages[1].role: required, but missing"),
        (
            message(json!({ "role": "bot" })),
            "messages[1].role: unknown variant `bot`, expected one of `system`, `developer`, `user`, `assistant`, `tool`, `function`",
        ),
        (
            message(json!({ "role": "user", "content": 5 })),
            "messages[1].content: invalid type: integer `5`, expected a string or a list",
        ),
        (message(json!({ "role": "tool" })), "messages[1].tool_call_id: required, but missing"),
        (message(json!({ "role": "function" })), "messages[1].name: required, but missing"),
        (content(json!("Hi")), "messages[1].content[1]: invalid type: a string, expected an object"),
        (content(json!({})), "messages[1].content[1].type: required, but missing"),
        (
            content(json!({ "type": "txt" })),
            "messages[1].content[1].type: unknown variant `txt`, expected one of `text`, `image_url`, `input_audio`, `file`, `refusal`",
        ),
        (content(json!({ "type": "text" })), "messages[1].content[1].text: required, but missing"),
        (
            content(json!({ "type": "text", "text": 1 })),
            "messages[1].content[1].text: invalid type: integer `1`, expected a string",
        ),
        (content(json!({ "type": "image_url" })), "messages[1].content[1].image_url: required, but missing"),
        (
            content(json!({ "type": "image_url", "image_url": {} })),
            "messages[1].content[1].image_url.url: required, but missing",
        ),
        (
            content(json!({ "type": "image_url", "image_url": { "url": "https://example.org/a.png" } })),
            "messages[1].content[1].image_url.url: only data: URLs are taken here, nothing is fetched from the network; send the image as data:image/png;base64,...",
        ),
        (
            content(json!({ "type": "image_url", "image_url": "data:text/plain;base64,aGk=" })),
            "messages[1].content[1].image_url: found `text/plain`, expected PNG, JPEG, GIF or WebP",
        ),
        (
            content(json!({ "type": "input_audio", "input_audio": { "data": "", "format": "wav" } })),
            "messages[1].content[1].type: VS Code's models can't be handed audio, only text and images",
        ),
        (
            content(json!({ "type": "file", "file": { "file_id": "file-1" } })),
            "messages[1].content[1].file.file_id: no files are kept here; send the content itself",
        ),
        (call(json!({})), "messages[1].tool_calls[0].id: required, but missing"),
        (call(json!({ "id": "a" })), "messages[1].tool_calls[0].function: required, but missing"),
        (
            call(json!({ "id": "a", "function": { "arguments": "{}" } })),
            "messages[1].tool_calls[0].function.name: required, but missing",
        ),
        (
            call(json!({ "id": "a", "function": { "name": "f", "arguments": 1 } })),
            "messages[1].tool_calls[0].function.arguments: invalid type: integer `1`, expected a string or an object",
        ),
    ]);
}

#[test]
fn malformed_option_is_rejected_with_path_and_reason() {
    check_refused(&[
        (beside("model", 5), "model: invalid type: integer `5`, expected a string"),
        (beside("stream", "yes"), "stream: invalid type: a string, expected a boolean"),
        (beside("temperature", "hot"), "temperature: invalid type: a string, expected a number"),
        (beside("temperature", 2.5), "temperature: 2.5 is out of range, expected 0 to 2"),
        (beside("top_p", -0.1), "top_p: -0.1 is out of range, expected 0 to 1"),
        (beside("presence_penalty", 3), "presence_penalty: 3 is out of range, expected -2 to 2"),
        (beside("max_tokens", 0), "max_tokens: 0 is too small, expected at least 1"),
        (beside("max_tokens", -1), "max_tokens: invalid value: integer `-1`, expected a whole number from 0"),
        (
            beside("max_completion_tokens", 1.5),
            "max_completion_tokens: invalid type: floating point `1.5`, expected a whole number from 0",
        ),
        (beside("n", 129), "n: 129 is out of range, expected 1 to 128"),
        (beside("stop", json!([1])), "stop[0]: invalid type: integer `1`, expected a string"),
        (
            beside("stop", json!(vec!["x"; 401])),
            "stop: found 401 stop sequences, a request can have at most 400",
        ),
        (
            beside("response_format", json!({ "type": "yaml" })),
            "response_format.type: unknown variant `yaml`, expected one of `text`, `json_object`, `json_schema`",
        ),
        (
            beside("response_format", json!({ "type": "json_schema" })),
            "response_format.json_schema: required, but missing",
        ),
        (beside("logprobs", true), "logprobs: VS Code's models tell no token probabilities"),
        (beside("top_logprobs", 3), "top_logprobs: VS Code's models tell no token probabilities"),
        (
            beside("logit_bias", json!({ "50256": -100 })),
            "logit_bias: VS Code's models take no bias on tokens",
        ),
        (
            beside("modalities", json!(["text", "audio"])),
            "modalities: VS Code's models don't speak, only text can be asked for",
        ),
        (
            beside("audio", json!({ "voice": "alloy", "format": "wav" })),
            "audio: VS Code's models don't speak, only text can be asked for",
        ),
        (
            beside("tool_execution", "always"),
            "tool_execution: unknown variant `always`, expected `none` or `auto`",
        ),
        (
            beside("max_tool_rounds", -1),
            "max_tool_rounds: invalid value: integer `-1`, expected a whole number from 0",
        ),
    ]);
}

#[test]
fn malformed_tools_are_rejected_with_path_and_reason() {
    check_refused(&[
        (beside("tools", json!([{}])), "tools[0].type: required, but missing"),
        (beside("tools", json!([{ "type": "function" }])), "tools[0].function: required, but missing"),
        (
            beside("tools", json!([{ "type": "function", "function": { "name": "" } }])),
            "tools[0].function.name: empty, expected a name",
        ),
        (
            beside("tools", json!([{ "type": "function", "function": { "name": "f", "parameters": [] } }])),
            "tools[0].function.parameters: invalid type: a list, expected an object",
        ),
        (
            beside("tool_choice", "must"),
            "tool_choice: unknown variant `must`, expected one of `none`, `auto`, `required`",
        ),
        (
            beside("tool_choice", "required"),
            "tool_choice: `required`, but the request offers no function to call",
        ),
        (
            beside("tool_choice", json!({ "type": "function", "function": { "name": "f" } })),
            "tool_choice: `f` is not among the tools of the request",
        ),
        (
            beside("tool_choice", json!({ "type": "custom", "custom": { "name": "f" } })),
            "tool_choice: `f` is not among the tools of the request",
        ),
        (beside("tool_choice", json!({})), "tool_choice.type: required, but missing"),
    ]);
}

#[test]
fn unsupported_request_names_its_field() {
    assert_eq!(
        OpenAiChat::error_response(&refused(&beside("logprobs", true))).body,
        json!({ "error": {
            "message": "logprobs: VS Code's models tell no token probabilities",
            "type": "invalid_request_error",
            "param": "logprobs",
            "code": "unsupported_parameter",
        } })
    );
}

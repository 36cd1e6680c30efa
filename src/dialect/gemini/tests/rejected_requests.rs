//! Requests that are refused, with the place and the reason.

use serde_json::{Value, json};

use super::{head, read};
use crate::dialect::gemini::count_tokens;

fn check(body: &Value, message: &str) {
    assert_eq!(read(body).unwrap_err().to_string(), message, "{body}");
}

fn check_field(fields: &Value, message: &str) {
    let mut body = json!({ "contents": [{ "parts": [{ "text": "Hi" }] }] });
    for (key, value) in fields.as_object().unwrap() {
        body[key] = value.clone();
    }
    check(&body, message);
}

fn check_part(part: &Value, message: &str) {
    check(
        &json!({ "contents": [{ "role": "model", "parts": [] }, { "parts": [part] }] }),
        &format!("contents[1].parts[0].{message}"),
    );
}

#[test]
fn contents_are_required() {
    check(&json!({}), "contents: required, but missing");
    check(&json!({ "contents": null }), "contents: required, but missing");
    check(&json!({ "contents": [] }), "contents: empty, expected at least one content");
    check(&json!({ "contents": "Hi" }), "contents: invalid type: a string, expected an object");
    check(
        &json!({ "contents": [{ "role": "system", "parts": [] }] }),
        "contents[0].role: found `system`, expected `user` or `model`",
    );
    check(
        &json!({ "contents": [{ "parts": 3 }] }),
        "contents[0].parts: invalid type: integer `3`, expected a list",
    );
    let body = json!({ "generateContentRequest": { "contents": [] } });
    assert_eq!(
        count_tokens::read(&head("/"), body.to_string().as_bytes()).unwrap_err().to_string(),
        "generateContentRequest.contents: empty, expected at least one content"
    );
}

#[test]
fn parts_of_the_newest_message_must_be_showable() {
    check_part(
        &json!({ "fileData": { "fileUri": "https://example.com/a.png" } }),
        "fileData: no files are kept here and nothing is fetched from the network; send the content as `inlineData`",
    );
    check_part(
        &json!({ "inline_data": { "mime_type": "application/pdf", "data": "JVBERi0xLjQK" } }),
        "inlineData.mimeType: VS Code's models take text and images, no other files; send the file's text",
    );
    check_part(
        &json!({ "inlineData": { "mimeType": "image/bmp", "data": "Qk0=" } }),
        "inlineData.data: found `image/bmp`, expected PNG, JPEG, GIF or WebP",
    );
    check_part(
        &json!({ "inlineData": { "mimeType": "image/png" } }),
        "inlineData.data: required, but missing",
    );
    check_part(
        &json!({ "hologram": {} }),
        "hologram: unknown kind of part, expected `text`, `inlineData`, `functionCall` or `functionResponse`",
    );
    check_part(&json!({ "text": 3 }), "text: invalid type: integer `3`, expected a string");
    check_part(&json!({ "functionCall": { "args": {} } }), "functionCall.name: required, but missing");
    check_part(
        &json!({ "functionResponse": { "name": "a", "response": "b" } }),
        "functionResponse.response: invalid type: a string, expected an object",
    );
}

#[test]
fn config_that_cannot_be_honored_is_refused() {
    let none = "VS Code's models tell no token probabilities";
    for (config, message) in [
        (json!({ "responseLogprobs": true }), format!("responseLogprobs: {none}")),
        (json!({ "logprobs": 3 }), format!("logprobs: {none}")),
        (
            json!({ "responseModalities": ["TEXT", "IMAGE"] }),
            "responseModalities[1]: `IMAGE` is not available: VS Code's models respond with text".into(),
        ),
        (
            json!({ "responseFormat": { "audio": {} } }),
            "responseFormat.audio: VS Code's models respond with text".into(),
        ),
        (
            json!({ "responseMimeType": "text/x.enum" }),
            "responseMimeType: `text/x.enum` is not available; use `application/json` with a schema of an object \
             with that `enum`"
                .into(),
        ),
        (
            json!({ "responseMimeType": "image/png" }),
            "responseMimeType: found `image/png`, expected `text/plain` or `application/json`".into(),
        ),
        (json!({ "temperature": 2.1 }), "temperature: 2.1 is out of range, expected 0 to 2".into()),
        (json!({ "maxOutputTokens": 0 }), "maxOutputTokens: 0 is too small, expected at least 1".into()),
        (json!({ "candidateCount": 0 }), "candidateCount: 0 is out of range, expected 1 to 128".into()),
        (
            json!({ "thinkingConfig": { "thinkingBudget": -2 } }),
            "thinkingConfig.thinkingBudget: -2 is out of range, expected -1 for as much as the model likes, or a \
             number from 0"
                .into(),
        ),
        (
            json!({ "stopSequences": [3] }),
            "stopSequences[0]: invalid type: integer `3`, expected a string".into(),
        ),
    ] {
        check_field(&json!({ "generationConfig": config }), &format!("generationConfig.{message}"));
    }
    check_field(
        &json!({ "cachedContent": "cachedContents/a" }),
        "cachedContent: no contents are kept here; send all of them in `contents` (the provider caches by itself)",
    );
}

#[test]
fn choice_that_no_tool_can_meet_is_refused() {
    let config = |config: Value, tools: Value| json!({ "tools": tools, "toolConfig": { "functionCallingConfig": config } });
    check_field(
        &config(json!({ "mode": "ANY" }), json!([{ "codeExecution": {} }])),
        "toolConfig.functionCallingConfig.mode: `ANY`, but the request offers no function; tools of Google's own \
         service don't exist here",
    );
    check_field(
        &config(
            json!({ "mode": "ANY", "allowedFunctionNames": ["a", "b"] }),
            json!([{ "functionDeclarations": [{ "name": "a" }] }]),
        ),
        "toolConfig.functionCallingConfig.allowedFunctionNames[1]: `b` is not among the functions of the request",
    );
    check_field(
        &config(json!({ "mode": "SOME" }), json!([])),
        "toolConfig.functionCallingConfig.mode: found `SOME`, expected `AUTO`, `ANY`, `NONE` or \
         `VALIDATED`",
    );
    check_field(
        &json!({ "tools": [{ "functionDeclarations": [{ "name": "a" }, { "name": "a", "description": "b" }] }] }),
        "tools[0].functionDeclarations[1].name: `a` is the name of another tool already",
    );
    check_field(
        &json!({ "tools": [{ "functionDeclarations": [{ "description": "b" }] }] }),
        "tools[0].functionDeclarations[0].name: required, but missing",
    );
}

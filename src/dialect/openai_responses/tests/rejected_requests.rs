//! Requests that are refused, and their errors.

use serde_json::{Value, json};

use super::read;

fn check_refused(table: &[(Value, &str)]) {
    for (body, expected) in table {
        let failure = read(body).map(|_| ()).unwrap_err();
        assert_eq!(failure.to_string(), *expected, "{body}");
        assert_eq!(failure.status(), 400, "{body}");
    }
}

fn beside(key: &str, value: impl Into<Value>) -> Value {
    json!({ "input": "Hi", key: value.into() })
}

#[test]
fn malformed_item_is_rejected_with_path_and_reason() {
    let item = |item: Value| json!({ "input": [{ "role": "user", "content": "Hi" }, item] });
    let content = |part: Value| item(json!({ "role": "user", "content": [part] }));
    let output =
        |part: Value| item(json!({ "type": "function_call_output", "call_id": "1", "output": [part] }));
    check_refused(&[
        (json!([]), "invalid type: a list, expected an object"),
        (json!({}), "input: empty, expected a text or at least one item"),
        (json!({ "input": [] }), "input: empty, expected a text or at least one item"),
        (json!({ "input": 5 }), "input: invalid type: integer `5`, expected a string or a list"),
        (item(json!("Hi")), "input[1]: invalid type: a string, expected an object"),
        (item(json!({})), "input[1].role: required, but missing"),
        (item(json!({ "type": 5 })), "input[1].type: invalid type: integer `5`, expected a string"),
        (
            item(json!({ "role": "bot" })),
            "input[1].role: unknown variant `bot`, expected one of `user`, `assistant`, `system`, `developer`",
        ),
        (
            item(json!({ "role": "user", "content": 5 })),
            "input[1].content: invalid type: integer `5`, expected a string or a list",
        ),
        (content(json!("Hi")), "input[1].content[0]: invalid type: a string, expected an object"),
        (content(json!({})), "input[1].content[0].type: required, but missing"),
        (
            content(json!({ "type": "txt" })),
            "input[1].content[0].type: unknown variant `txt`, expected one of `input_text`, `text`, `output_text`, `refusal`, `input_image`, `input_file`",
        ),
        (content(json!({ "type": "input_text" })), "input[1].content[0].text: required, but missing"),
        (
            content(json!({ "type": "input_text", "text": 5 })),
            "input[1].content[0].text: invalid type: integer `5`, expected a string",
        ),
        (content(json!({ "type": "input_image" })), "input[1].content[0].image_url: required, but missing"),
        (
            content(json!({ "type": "input_image", "image_url": "data:text/plain;base64,aGk=" })),
            "input[1].content[0].image_url: found `text/plain`, expected PNG, JPEG, GIF or WebP",
        ),
        (content(json!({ "type": "input_file" })), "input[1].content[0].file_data: required, but missing"),
        (item(json!({ "type": "function_call", "call_id": "1" })), "input[1].name: required, but missing"),
        (
            item(json!({ "type": "function_call", "call_id": "1", "name": "f", "arguments": {} })),
            "input[1].arguments: invalid type: an object, expected a string",
        ),
        (item(json!({ "type": "function_call_output" })), "input[1].call_id: required, but missing"),
        (output(json!({ "type": "output_text" })), "input[1].output[0].text: required, but missing"),
        (
            item(json!({ "type": "custom_tool_call", "call_id": "1", "name": "f" })),
            "input[1].input: required, but missing",
        ),
        (
            item(json!({ "type": "reasoning", "summary": [{ "type": "summary_text" }] })),
            "input[1].summary[0].text: required, but missing",
        ),
        (item(json!({ "type": "item_reference" })), "input[1].id: required, but missing"),
    ]);
}

#[test]
fn malformed_options_are_rejected_with_path_and_reason() {
    let tools = |tool: Value| beside("tools", json!([{ "type": "function", "name": "f" }, tool]));
    let choice = |choice: Value| json!({ "input": "Hi", "tools": [{ "type": "function", "name": "f" }], "tool_choice": choice });
    check_refused(&[
        (beside("model", 5), "model: invalid type: integer `5`, expected a string"),
        (beside("stream", "yes"), "stream: invalid type: a string, expected a boolean"),
        (beside("temperature", 2.5), "temperature: 2.5 is out of range, expected 0 to 2"),
        (beside("top_p", -1), "top_p: -1 is out of range, expected 0 to 1"),
        (beside("max_output_tokens", 0), "max_output_tokens: 0 is too small, expected at least 1"),
        (beside("metadata", json!({ "a": 1 })), "metadata.a: invalid type: integer `1`, expected a string"),
        (beside("truncation", "some"), "truncation: unknown variant `some`, expected `auto` or `disabled`"),
        (beside("reasoning", "high"), "reasoning: invalid type: a string, expected an object"),
        (
            beside("reasoning", json!({ "effort": 5 })),
            "reasoning.effort: invalid type: integer `5`, expected a string",
        ),
        (beside("text", json!({ "format": {} })), "text.format.type: required, but missing"),
        (
            beside("text", json!({ "format": { "type": "xml" } })),
            "text.format.type: unknown variant `xml`, expected one of `text`, `json_object`, `json_schema`",
        ),
        (
            beside("text", json!({ "format": { "type": "json_schema", "name": "n" } })),
            "text.format.schema: required, but missing",
        ),
        (tools(json!("f")), "tools[1]: invalid type: a string, expected an object"),
        (tools(json!({ "name": "f" })), "tools[1].type: required, but missing"),
        (tools(json!({ "type": "function" })), "tools[1].name: required, but missing"),
        (tools(json!({ "type": "function", "name": "" })), "tools[1].name: empty, expected a name"),
        (
            tools(json!({ "type": "function", "name": "g", "parameters": [] })),
            "tools[1].parameters: invalid type: a list, expected an object",
        ),
        (
            tools(json!({ "type": "namespace", "name": "n", "tools": [{ "type": "function" }] })),
            "tools[1].tools[0].name: required, but missing",
        ),
        (choice(json!(5)), "tool_choice: invalid type: integer `5`, expected a string or an object"),
        (
            choice(json!("any")),
            "tool_choice: unknown variant `any`, expected one of `none`, `auto`, `required`",
        ),
        (choice(json!({})), "tool_choice.type: required, but missing"),
        (choice(json!({ "type": "function" })), "tool_choice.name: required, but missing"),
        (
            choice(json!({ "type": "function", "name": "g" })),
            "tool_choice.name: `g` is not among the tools of the request",
        ),
        (
            choice(json!({ "type": "allowed_tools", "mode": "auto" })),
            "tool_choice.tools: required, but missing",
        ),
        (
            beside("tool_choice", "required"),
            "tool_choice: `required`, but the request offers no function to call",
        ),
    ]);
}

#[test]
fn unsupported_options_are_rejected() {
    let content = |part: Value| json!({ "input": [{ "role": "user", "content": [part] }] });
    check_refused(&[
        (beside("background", true), "background: answers are given at once here, not fetched later"),
        (
            beside("conversation", "conv_1"),
            "conversation: conversations are not kept here; use `previous_response_id`, or send all items in `input`",
        ),
        (
            beside("prompt", json!({ "id": "pmpt_1" })),
            "prompt: OpenAI alone has the templates; send the text in `input`",
        ),
        (beside("top_logprobs", 3), "top_logprobs: VS Code's models tell no token probabilities"),
        (
            beside("include", json!(["message.output_text.logprobs"])),
            "include: VS Code's models tell no token probabilities",
        ),
        (
            beside("tool_choice", json!({ "type": "web_search_preview" })),
            "tool_choice.name: `web_search` is not among the tools of the request",
        ),
        (
            content(json!({ "type": "input_image", "image_url": "https://example.org/a.png" })),
            "input[0].content[0].image_url: only data: URLs are taken here, nothing is fetched from the network; send the image as data:image/png;base64,...",
        ),
        (
            content(json!({ "type": "input_image", "file_id": "file_1" })),
            "input[0].content[0].file_id: no files are kept here; send the content itself",
        ),
        (
            content(json!({ "type": "input_file", "file_id": "file_1" })),
            "input[0].content[0].file_id: no files are kept here; send the content itself",
        ),
        (
            content(json!({ "type": "input_file", "file_url": "https://example.org/a.pdf" })),
            "input[0].content[0].file_url: nothing is fetched from the network; send the content itself",
        ),
        (
            content(json!({ "type": "input_file", "file_data": "data:application/pdf;base64,aGk=" })),
            "input[0].content[0].file_data: VS Code's models take text and images, no other files; send the file's text",
        ),
        (
            json!({ "input": [{ "type": "compaction_trigger" }, { "role": "user", "content": "Hi" }] }),
            "input[0].type: found `compaction_trigger` before other items, expected it as the last one",
        ),
        (
            json!({ "input": [{ "type": "compaction_trigger" }] }),
            "input: empty, expected a text or at least one item",
        ),
    ]);
}

//! Requests and the conversations they mean.

use serde_json::{Value, json};

use super::{head, read};
use crate::conversation::{
    Content, Conversation, Data, Message, Options, Output, Part, Role, Thinking, ThinkingMode, Tool,
    ToolCall, ToolChoice, ToolResult,
};
use crate::dialect::common::sealed_thinking;
use crate::dialect::gemini::{Gemini, ResponseOptions, StreamForm, count_tokens};
use crate::dialect::{Dialect, ParsedRequest, RequestExtensions, RequestHead, Rounds, ToolExecution};

const PNG: &str = "iVBORw0KGgo=";

/// The smallest request with these fields besides.
fn request(fields: &Value) -> Value {
    let mut body = json!({ "contents": [{ "parts": [{ "text": "Hi" }] }] });
    for (key, value) in fields.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

fn conversation(body: &Value) -> Conversation {
    read(body).unwrap_or_else(|failure| panic!("{failure}: {body}")).0.conversation
}

fn messages(contents: &Value) -> Vec<Message> {
    conversation(&json!({ "contents": contents })).messages
}

fn check_options(config: &Value, options: &Options) {
    assert_eq!(conversation(&request(&json!({ "generationConfig": config }))).options, *options, "{config}");
}

fn message(role: Role, parts: &[Part]) -> Message {
    Message { role, name: None, parts: parts.to_vec() }
}

fn image() -> Data {
    Data { mime: "image/png".into(), base64: PNG.into() }
}

fn words(text: &str) -> Content {
    Content::Text { text: text.into() }
}

fn called(id: &str, name: &str, input: Value) -> Part {
    Part::ToolCall(ToolCall { id: id.into(), name: name.into(), input })
}

fn result(id: &str, content: &[Content], is_error: bool) -> Part {
    Part::ToolResult(ToolResult { id: id.into(), content: content.to_vec(), is_error })
}

#[test]
fn path_body_and_query_make_a_request() {
    let body = json!({
        "systemInstruction": { "role": "user", "parts": [{ "text": "Be brief." }] },
        "contents": [
            { "role": "user", "parts": [{ "text": "Hello" }] },
            { "role": "model", "parts": [{ "text": "Hi!" }] },
            { "role": "user", "parts": [{ "text": "Who are you?" }] },
        ],
        "safetySettings": [{ "category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE" }],
        "labels": { "a": "b" },
        "models": ["models/a", "b"],
        "use_vscode_tools": true,
        "tool_execution": "auto",
        "max_tool_rounds": 0,
    });
    let head = RequestHead { query: "alt=sse".into(), ..head("/v1/models/m:streamGenerateContent") };
    let parsed = ParsedRequest {
        model: Some("m".into()),
        models: Some(vec!["a".into(), "b".into()]),
        conversation: Conversation {
            messages: vec![
                Message::text(Role::System, "Be brief."),
                Message::text(Role::User, "Hello"),
                Message::text(Role::Assistant, "Hi!"),
                Message::text(Role::User, "Who are you?"),
            ],
            ..Conversation::default()
        },
        stream: true,
        extensions: RequestExtensions {
            use_vscode_tools: true,
            tool_execution: ToolExecution::Auto,
            max_tool_rounds: Rounds::Unlimited,
        },
        ..ParsedRequest::default()
    };
    let options =
        ResponseOptions { form: StreamForm::ServerSentEvents, shows_thoughts: false, candidates: 1 };
    assert_eq!(Gemini::read(&head, body.to_string().as_bytes(), &()), Ok((parsed, options)));
}

#[test]
fn names_in_snake_case_and_single_items_are_read() {
    let body = json!({
        "system_instruction": { "parts": { "text": "Be brief." } },
        "contents": { "parts": [{ "text": "Hi" }, { "inline_data": { "mime_type": "image/png", "data": PNG } }] },
        "tools": { "function_declarations": { "name": "look", "parameters_json_schema": { "type": "object" } } },
        "tool_config": { "function_calling_config": { "mode": "ANY", "allowed_function_names": "look" } },
        "generation_config": { "max_output_tokens": 7.0, "stop_sequences": "x", "top_p": 0.5 },
    });
    assert_eq!(
        conversation(&body),
        Conversation {
            messages: vec![
                Message::text(Role::System, "Be brief."),
                message(Role::User, &[Part::text("Hi"), Part::Data(image())]),
            ],
            tools: vec![Tool {
                name: "look".into(),
                description: String::new(),
                input_schema: Some(json!({ "type": "object" })),
            }],
            tool_choice: ToolChoice::Named("look".into()),
            options: Options {
                max_tokens: Some(7),
                stop: vec!["x".into()],
                top_p: Some(0.5),
                ..Options::default()
            },
        }
    );
}

#[test]
fn call_and_response_are_paired_by_id_or_by_name() {
    let response = |id: Value, name: &str, response: Value| json!({ "functionResponse": { "id": id, "name": name, "response": response } });
    let call =
        |id: Value, name: &str| json!({ "functionCall": { "id": id, "name": name, "args": { "x": 1 } } });
    assert_eq!(
        messages(&json!([
            { "parts": [{ "text": "Hi" }] },
            { "role": "model", "parts": [call(json!("c1"), "look"), call(Value::Null, "list"), call(Value::Null, "look")] },
            { "role": "function", "parts": [
                response(json!("c1"), "look", json!({ "output": "seen" })),
                response(Value::Null, "look", json!({ "error": "gone" })),
                response(Value::Null, "list", json!({ "a": 1, "b": [2] })),
            ] },
        ]))[1..],
        [
            message(
                Role::Assistant,
                &[
                    called("c1", "look", json!({ "x": 1 })),
                    called("function_1", "list", json!({ "x": 1 })),
                    called("function_2", "look", json!({ "x": 1 })),
                ]
            ),
            message(
                Role::User,
                &[
                    result("c1", &[words("seen")], false),
                    result("function_2", &[words("gone")], true),
                    result("function_1", &[words(r#"{"a":1,"b":[2]}"#)], false),
                ]
            ),
        ]
    );
}

#[test]
fn response_of_a_function_is_its_output() {
    for (response, text, is_error) in [
        (json!({ "output": "a" }), "a", false),
        (json!({ "result": ["a"] }), r#"["a"]"#, false),
        (json!({ "error": { "code": 1 } }), r#"{"code":1}"#, true),
        (json!({ "output": "a", "error": null }), r#"{"output":"a","error":null}"#, false),
        (json!({ "temperature": 21 }), r#"{"temperature":21}"#, false),
    ] {
        let contents =
            json!({ "parts": { "functionResponse": { "id": "c", "name": "f", "response": response } } });
        assert_eq!(messages(&contents)[0].parts, [result("c", &[words(text)], is_error)], "{response}");
    }
    for response in [json!({}), Value::Null, json!({ "output": "" }), json!({ "result": null })] {
        let contents = json!({ "parts": { "functionResponse": { "id": "c", "response": response } } });
        assert_eq!(messages(&contents)[0].parts, [result("c", &[], false)], "{response}");
    }
}

#[test]
fn response_of_a_function_may_have_images_and_other_files_become_words() {
    let parts = json!([
        { "inlineData": { "mimeType": "image/png", "data": "iVBORw0KGgo" } },
        { "inlineData": { "mimeType": "application/pdf", "data": "JVBERi0xLjQK" } },
        { "fileData": { "fileUri": "https://example.com/a", "mimeType": "image/png" } },
    ]);
    let contents = json!({ "parts": [
        { "functionResponse": { "id": "c", "response": { "output": "a" }, "parts": parts } },
        { "inlineData": { "mimeType": "audio/wav", "data": "AAAA" } },
    ] });
    let read = messages(&contents)[0].parts.clone();
    let left_out = "left out: only text and images can be shown]";
    assert_eq!(
        read,
        [
            result(
                "c",
                &[
                    words("a"),
                    Content::Data(image()),
                    words(&format!("[PDF file (application/pdf) {left_out}")),
                    words("[file https://example.com/a left out: nothing is fetched here]"),
                ],
                false,
            ),
            Part::text(format!("[file of type audio/wav {left_out}")),
        ]
    );
}

#[test]
fn bytes_are_read_in_both_alphabets_and_text_files_as_text() {
    let parts = |blob: Value| messages(&json!({ "parts": { "inlineData": blob } }))[0].parts.clone();
    let gif = |data: &str| parts(json!({ "mimeType": "image/gif", "data": data }));
    let expected = Data { mime: "image/gif".into(), base64: "R0lGODlh//++".into() };
    assert_eq!(gif("R0lGODlh__--"), [Part::Data(expected.clone())]);
    assert_eq!(gif("R0lGODlh//++"), [Part::Data(expected)]);
    assert_eq!(
        parts(json!({ "mimeType": "text/plain", "data": "aGVsbG8=", "displayName": "a.txt" })),
        [Part::text("a.txt:\nhello")]
    );
}

#[test]
fn thinking_is_restored_with_its_signature() {
    let signed = |text: &str| Thinking {
        id: Some("t".into()),
        metadata: json!({ "signature": "s" }).as_object().cloned(),
        ..Thinking::text(text)
    };
    let seal = sealed_thinking::seal(&signed("Hm")).unwrap();
    let thought = |text: &str| json!({ "text": text, "thought": true });
    let call =
        |seal: &Value| json!({ "functionCall": { "id": "c", "name": "look" }, "thoughtSignature": seal });
    let look = || called("c", "look", json!({}));
    let seal_value = Value::from(seal.as_str());
    for (parts, expected) in [
        (json!([thought("H"), thought("m"), call(&seal_value)]), vec![Part::Thinking(signed("Hm")), look()]),
        // Clients that don't keep thinking keep its signature.
        (json!([call(&seal_value)]), vec![Part::Thinking(signed("")), look()]),
        (
            json!([{ "text": "Hm", "thought": true, "thought_signature": seal }, call(&Value::Null)]),
            vec![Part::Thinking(signed("Hm")), look()],
        ),
        (
            json!([thought("Hm"), { "text": "", "thoughtSignature": seal }]),
            vec![Part::Thinking(signed("Hm"))],
        ),
        (json!([thought("Hm"), { "thoughtSignature": seal }]), vec![Part::Thinking(signed("Hm"))]),
        // Signatures of Google's own service mean nothing here.
        (
            json!([thought("Hm"), call(&json!("AVSoXO4x"))]),
            vec![Part::Thinking(Thinking::text("Hm")), look()],
        ),
        (json!([call(&json!("AVSoXO4x"))]), vec![look()]),
        (
            json!([{ "text": "a" }, thought("Hm")]),
            vec![Part::text("a"), Part::Thinking(Thinking::text("Hm"))],
        ),
    ] {
        let contents = json!([{ "role": "model", "parts": parts }, { "parts": [{ "text": "on" }] }]);
        assert_eq!(messages(&contents)[0], message(Role::Assistant, &expected), "{parts}");
    }
}

#[test]
fn chunks_that_a_client_kept_are_one_message() {
    let contents = json!([
        { "role": "model", "parts": [{ "text": "Hm", "thought": true }] },
        { "role": "model", "parts": [{ "text": "a" }] },
        { "role": "model", "parts": [{ "text": "b" }] },
        { "role": "user", "parts": [{ "text": "c" }] },
    ]);
    let parts = [Part::Thinking(Thinking::text("Hm")), Part::text("a"), Part::text("b")];
    assert_eq!(messages(&contents), [message(Role::Assistant, &parts), Message::text(Role::User, "c")]);
}

#[test]
fn old_parts_that_models_cannot_be_shown_become_words() {
    for (part, expected) in [
        (
            json!({ "executableCode": { "language": "PYTHON", "code": "1+1" } }),
            "[code that was run]\n```python\n1+1\n```",
        ),
        (
            json!({ "codeExecutionResult": { "outcome": "OUTCOME_OK", "output": "2" } }),
            "[result of the code: OUTCOME_OK]\n2",
        ),
        (
            json!({ "fileData": { "mimeType": "video/mp4", "fileUri": "https://youtu.be/a" } }),
            "[file https://youtu.be/a left out: nothing is fetched here]",
        ),
        (
            json!({ "inlineData": { "mimeType": "application/pdf", "data": "JVBERi0xLjQK" } }),
            "[PDF file (application/pdf) left out: only text and images can be shown]",
        ),
        (
            json!({ "inlineData": { "mimeType": "image/svg+xml", "data": "PHN2Zy8+" } }),
            "[image of type image/svg+xml left out: only PNG, JPEG, GIF or WebP can be shown]",
        ),
        (json!({ "toolCall": { "toolType": "A", "args": {} } }), r#"[toolCall: {"toolType":"A","args":{}}]"#),
        (json!({ "hologram": { "text": "a", "depth": 3 } }), "a\n[hologram: {\"depth\":3}]"),
        (json!({ "hologram": 3, "videoMetadata": { "fps": 1 } }), "[hologram: 3]"),
    ] {
        for role in ["user", "model"] {
            let contents = json!([{ "role": role, "parts": [part] }, { "parts": [{ "text": "on" }] }]);
            assert_eq!(messages(&contents)[0].parts, [Part::text(expected)], "{part}");
        }
    }
}

#[test]
fn generation_config_becomes_options() {
    let schema = || Output::Schema {
        name: "answer".into(),
        description: None,
        schema: json!({ "type": "object", "properties": { "a": { "type": "string" } } }),
    };
    let own = json!({ "type": "OBJECT", "properties": { "a": { "type": "STRING" } } });
    let standard = json!({ "type": "object", "properties": { "a": { "type": "string" } } });
    for (config, options) in [
        (
            json!({
                "temperature": 0.5, "topP": 0.9, "topK": 40, "seed": 3, "presencePenalty": -1, "frequencyPenalty": 1,
                "stopSequences": ["a", ""], "maxOutputTokens": 9, "responseModalities": ["TEXT"], "responseLogprobs": false,
                "mediaResolution": "MEDIA_RESOLUTION_LOW",
            }),
            Options {
                temperature: Some(0.5),
                top_p: Some(0.9),
                seed: Some(3),
                presence_penalty: Some(-1.0),
                frequency_penalty: Some(1.0),
                stop: vec!["a".into()],
                max_tokens: Some(9),
                ..Options::default()
            },
        ),
        (
            json!({ "candidateCount": 3 }),
            Options { choices: std::num::NonZeroU8::new(3), ..Options::default() },
        ),
        (json!({ "responseMimeType": "text/plain" }), Options::default()),
        (
            json!({ "responseMimeType": "application/json" }),
            Options { output: Output::Json, ..Options::default() },
        ),
        (
            json!({ "responseMimeType": "application/json", "responseSchema": own }),
            Options { output: schema(), ..Options::default() },
        ),
        (json!({ "response_json_schema": standard }), Options { output: schema(), ..Options::default() }),
        (json!({ "_responseJsonSchema": standard }), Options { output: schema(), ..Options::default() }),
        (
            json!({ "responseFormat": { "text": { "mimeType": "APPLICATION_JSON", "schema": standard } } }),
            Options { output: schema(), ..Options::default() },
        ),
    ] {
        check_options(&config, &options);
    }
}

#[test]
fn thinking_config_is_an_effort() {
    let (on, off) = (ThinkingMode::On, ThinkingMode::Off);
    for (config, thinking, effort, shows_thoughts) in [
        (json!({}), ThinkingMode::Unset, None, false),
        (json!({ "includeThoughts": true }), on, None, true),
        (json!({ "thinkingBudget": 0, "includeThoughts": true }), off, None, true),
        (json!({ "thinkingBudget": -1 }), on, None, false),
        (json!({ "thinking_budget": 4096 }), on, Some("low"), false),
        (json!({ "thinkingBudget": 4097 }), on, Some("medium"), false),
        (json!({ "thinkingBudget": 24576 }), on, Some("high"), false),
        (json!({ "thinkingLevel": "HIGH", "includeThoughts": false }), on, Some("high"), false),
        (json!({ "thinkingLevel": "minimal" }), on, Some("minimal"), false),
        (json!({ "thinkingLevel": "THINKING_LEVEL_UNSPECIFIED" }), ThinkingMode::Unset, None, false),
    ] {
        let body = request(&json!({ "generationConfig": { "thinkingConfig": config } }));
        let (parsed, options) = read(&body).unwrap();
        let Options { thinking: mode, reasoning_effort, .. } = parsed.conversation.options;
        assert_eq!(
            (mode, reasoning_effort.as_deref(), options.shows_thoughts),
            (thinking, effort, shows_thoughts),
            "{config}"
        );
    }
}

#[test]
fn tools_of_other_services_are_left_out() {
    let body = request(&json!({ "tools": [
        { "enterpriseWebSearch": {}, "functionDeclarations": [
            { "name": "a", "description": "A", "parameters": { "type": "OBJECT", "properties": {} } },
            { "name": "b", "behavior": "NON_BLOCKING" },
        ] },
        { "codeExecution": {} },
        { "googleMaps": {} },
        { "functionDeclarations": [{ "name": "b" }] },
    ] }));
    let tool = |name: &str, description: &str, input_schema: Option<Value>| Tool {
        name: name.into(),
        description: description.into(),
        input_schema,
    };
    let own = Some(json!({ "type": "object", "properties": {} }));
    assert_eq!(conversation(&body).tools, [tool("a", "A", own), tool("b", "", None)]);
}

#[test]
fn web_tools_become_functions() {
    for (search, place) in [
        (json!({ "googleSearch": { "excludeDomains": ["a.example"] } }), "tools[1].googleSearch"),
        (json!({ "google_search": {} }), "tools[1].googleSearch"),
        (json!({ "googleSearchRetrieval": {} }), "tools[1].googleSearchRetrieval"),
    ] {
        let function = json!({ "functionDeclarations": [{ "name": "web_search" }] });
        let body = request(&json!({ "tools": [function, search, { "urlContext": {} }] }));
        let (parsed, _) = read(&body).unwrap();
        let (search, fetch) = (parsed.web.search.unwrap(), parsed.web.fetch.unwrap());
        // The name is taken.
        assert_eq!((search.name.as_str(), search.path.as_str()), ("web_search_2", place));
        assert_eq!((fetch.name.as_str(), fetch.path.as_str()), ("web_fetch", "tools[2].urlContext"));
        let names: Vec<_> = parsed.conversation.tools.iter().map(|tool| tool.name.as_str()).collect();
        assert_eq!(names, ["web_search", "web_search_2", "web_fetch"]);
    }
}

#[test]
fn mode_and_allowed_names_are_a_choice() {
    let names = || vec!["a".to_owned(), "b".to_owned()];
    for (config, choice) in [
        (json!({}), ToolChoice::Auto),
        (json!({ "mode": "MODE_UNSPECIFIED" }), ToolChoice::Auto),
        (json!({ "mode": "auto" }), ToolChoice::Auto),
        (json!({ "mode": "NONE", "allowedFunctionNames": ["a"] }), ToolChoice::None),
        (json!({ "mode": "ANY" }), ToolChoice::Required),
        (json!({ "mode": "ANY", "allowedFunctionNames": ["b"] }), ToolChoice::Named("b".into())),
        (
            json!({ "mode": "ANY", "allowedFunctionNames": ["a", "b"] }),
            ToolChoice::Allowed { names: names(), is_required: true },
        ),
        (json!({ "mode": "VALIDATED" }), ToolChoice::Auto),
        (
            json!({ "mode": "VALIDATED", "allowedFunctionNames": ["a", "b"] }),
            ToolChoice::Allowed { names: names(), is_required: false },
        ),
    ] {
        let body = request(&json!({
            "tools": [{ "functionDeclarations": [{ "name": "a" }, { "name": "b" }] }],
            "toolConfig": { "functionCallingConfig": config },
        }));
        assert_eq!(conversation(&body).tool_choice, choice, "{config}");
    }
}

#[test]
fn editor_tools_may_be_named_in_the_choice() {
    let body = request(&json!({
        "use_vscode_tools": true,
        "toolConfig": { "functionCallingConfig": { "mode": "ANY", "allowedFunctionNames": ["of_the_editor"] } },
    }));
    assert_eq!(conversation(&body).tool_choice, ToolChoice::Named("of_the_editor".into()));
}

#[test]
fn tokens_of_a_request_are_counted_in_both_forms() {
    let plain = request(&json!({ "systemInstruction": { "parts": [{ "text": "Be brief." }] } }));
    let mut named = plain.clone();
    named["model"] = "models/other".into();
    for body in [plain.clone(), json!({ "generateContentRequest": named })] {
        let parsed =
            count_tokens::read(&head("/v1beta/models/m:countTokens"), body.to_string().as_bytes()).unwrap();
        assert_eq!(parsed.model.as_deref(), Some("m"));
        assert_eq!(parsed.conversation, conversation(&plain));
    }
}

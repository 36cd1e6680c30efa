//! Bodies, and what is understood of them.

use std::num::NonZeroU32;

use serde_json::{Value, json};

use super::{call, read};
use crate::conversation::web::{Domains, WebKind};
use crate::conversation::{
    Content, ContextEdit, Conversation, Data, Message, Options, Output, Part, Role, Thinking, ThinkingMode,
    Tool, ToolCall, ToolChoice, ToolResult,
};
use crate::dialect::common::{sealed_thinking, web_tools};
use crate::dialect::{ParsedRequest, RequestExtensions, Rounds, ToolExecution};

const PNG: &str = "data:image/png;base64,iVBORw==";

/// The request's messages, when nothing else is in it.
fn messages(input: &Value) -> Vec<Message> {
    let (ask, _) = read(&json!({ "input": input })).unwrap();
    let messages = ask.conversation.messages.clone();
    let plain = Conversation { messages: messages.clone(), ..Conversation::default() };
    assert_eq!(ask, ParsedRequest { conversation: plain, ..ParsedRequest::default() });
    messages
}

/// A question with these fields beside it.
fn with(fields: &Value) -> ParsedRequest {
    let mut body = json!({ "input": "Hi" });
    for (key, value) in fields.as_object().unwrap() {
        body[key] = value.clone();
    }
    read(&body).unwrap().0
}

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, name: None, parts }
}

fn called(id: &str, name: &str, input: Value) -> Message {
    message(Role::Assistant, vec![Part::ToolCall(call(id, name, input))])
}

fn result(id: &str, content: Vec<Content>) -> Message {
    message(Role::User, vec![Part::ToolResult(ToolResult { id: id.into(), content, is_error: false })])
}

fn said(text: &str) -> Content {
    Content::Text { text: text.into() }
}

fn png() -> Data {
    Data { mime: "image/png".into(), base64: "iVBORw==".into() }
}

fn thought(text: &str, id: Option<&str>) -> Message {
    let thought = Thinking { id: id.map(str::to_owned), ..Thinking::text(text) };
    message(Role::Assistant, vec![Part::Thinking(thought)])
}

#[test]
fn every_role_and_form_of_message_is_read() {
    assert_eq!(messages(&json!("Hi")), [Message::text(Role::User, "Hi")]);
    assert_eq!(
        messages(&json!([
            { "role": "developer", "content": "Be brief.", "type": "message", "id": "msg_1" },
            { "role": "system", "content": [{ "type": "input_text", "text": "Be kind." }] },
            { "role": "user", "content": [
                { "type": "input_text", "text": "What is it?" },
                { "type": "input_image", "image_url": PNG, "detail": "auto" },
                { "type": "text", "text": "" },
            ]},
            { "type": "message", "role": "assistant", "status": "completed", "phase": "commentary", "content": [
                { "type": "output_text", "text": "A dot.", "annotations": [], "logprobs": [] },
                { "type": "refusal", "refusal": "No more." },
            ]},
            { "role": "assistant", "content": null },
        ])),
        [
            Message::text(Role::System, "Be brief."),
            Message::text(Role::System, "Be kind."),
            message(Role::User, vec![Part::text("What is it?"), Part::Data(png())]),
            message(Role::Assistant, vec![Part::text("A dot."), Part::text("No more.")]),
            message(Role::Assistant, vec![]),
        ]
    );
}

#[test]
fn files_become_text_or_images() {
    assert_eq!(
        messages(&json!([{ "role": "user", "content": [
            { "type": "input_file", "filename": "a.txt", "file_data": "data:text/plain;base64,aGk=" },
            { "type": "input_file", "file_data": "aGk=" },
            { "type": "input_file", "filename": "a.png", "file_data": PNG },
        ]}])),
        [message(Role::User, vec![Part::text("a.txt:\nhi"), Part::text("hi"), Part::Data(png())])]
    );
}

#[test]
fn calls_and_results_keep_their_ids() {
    assert_eq!(
        messages(&json!([
            { "type": "function_call", "call_id": "1", "name": "f", "arguments": "{\"a\":1}", "id": "fc_1",
              "status": "completed", "parsed_arguments": { "a": 1 } },
            { "type": "function_call", "call_id": "2", "name": "spawn", "namespace": "agents", "arguments": "" },
            { "type": "custom_tool_call", "call_id": "3", "name": "apply_patch", "input": "*** Begin" },
            { "type": "function_call_output", "call_id": "1", "output": "one" },
            { "type": "function_call_output", "call_id": "2", "output": [
                { "type": "input_text", "text": "seen" },
                { "type": "input_image", "image_url": PNG },
            ]},
            { "type": "custom_tool_call_output", "call_id": "3", "output": "done" },
            { "type": "function_call_output", "call_id": "4", "output": "" },
        ])),
        [
            called("1", "f", json!({ "a": 1 })),
            called("2", "agents__spawn", json!({})),
            called("3", "apply_patch", json!({ "input": "*** Begin" })),
            result("1", vec![said("one")]),
            result("2", vec![said("seen"), Content::Data(png())]),
            result("3", vec![said("done")]),
            result("4", vec![]),
        ]
    );
}

#[test]
fn reasoning_items_keep_their_ids() {
    let summary =
        json!([{ "type": "summary_text", "text": "Hm." }, { "type": "summary_text", "text": "Yes." }]);
    let seal = |id: &str| sealed_thinking::seal(&Thinking { id: Some(id.into()), ..Thinking::default() });
    assert_eq!(
        messages(&json!([
            { "type": "reasoning", "id": "rs_1", "summary": summary, "encrypted_content": seal("t1") },
            { "type": "reasoning", "id": "rs_2", "summary": summary, "encrypted_content": "gAAAAABsealed" },
            { "type": "reasoning", "id": "rs_3", "summary": [], "content": [
                { "type": "reasoning_text", "text": "So be it." },
            ]},
            { "type": "reasoning", "id": "rs_4", "summary": [], "encrypted_content": seal("t4") },
            { "type": "reasoning", "id": "rs_5", "summary": [], "encrypted_content": null },
        ])),
        [
            thought("Hm.\n\nYes.", Some("t1")),
            thought("Hm.\n\nYes.", None),
            thought("So be it.", None),
            thought("", Some("t4")),
        ]
    );
}

#[test]
fn hosted_tool_items_become_text() {
    assert_eq!(
        messages(&json!([
            { "type": "web_search_call", "id": "ws_1", "status": "completed",
              "action": { "type": "open_page", "url": "https://a.example" } },
            { "type": "image_generation_call", "id": "ig_1", "status": "completed", "result": "iVBORw==" },
            { "type": "mcp_list_tools", "id": "mcpl_1", "server_label": "s", "tools": [] },
            { "type": "unheard_of", "content": 5 },
        ])),
        [
            Message::text(
                Role::Assistant,
                r#"web_search_call: {"action":{"type":"open_page","url":"https://a.example"}}"#
            ),
            Message::text(Role::User, r#"unheard_of: {"content":5}"#),
        ]
    );
}

#[test]
fn search_of_an_earlier_response_is_a_call() {
    let search = |id: &str| {
        let input = json!({ "query": "rust" });
        let call = ToolCall { id: id.into(), name: "web_search".into(), input };
        Message { role: Role::Assistant, name: None, parts: vec![Part::ToolCall(call)] }
    };
    assert_eq!(
        messages(&json!([
            { "type": "web_search_call", "id": "ws_1", "action": { "type": "search", "query": "rust" } },
            { "type": "web_search_call", "action": { "type": "search", "queries": ["rust"] } },
        ])),
        [search("1"), search("rust")]
    );
}

#[test]
fn web_search_is_a_function_and_may_be_chosen() {
    for kind in ["web_search", "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11"]
    {
        let parsed = with(&json!({
            "tools": [
                { "type": "function", "name": "web_search", "parameters": null },
                { "type": kind, "filters": { "allowed_domains": ["a.example"] } },
            ],
            "tool_choice": { "type": kind },
            "max_tool_calls": 3,
            "input": "Hi",
        }));
        let search = parsed.web.search.unwrap();
        assert_eq!(
            (search.name.as_str(), search.max_uses, search.domains),
            ("web_search_2", Some(3), Domains::Only(vec!["a.example".into()]))
        );
        assert_eq!(parsed.conversation.tools.len(), 2);
        assert_eq!(parsed.conversation.tool_choice, ToolChoice::Named("web_search_2".into()));
    }
}

#[test]
fn tools_become_functions_with_unique_names() {
    let parameters = json!({ "type": "object", "properties": {} });
    let ask = with(&json!({
        "tools": [
            { "type": "function", "name": "f", "description": "d", "parameters": parameters, "strict": true },
            { "type": "function", "name": "agents__spawn", "parameters": null },
            { "type": "web_search", "filters": 5 },
            { "type": "namespace", "name": "agents", "description": "All about agents.", "tools": [
                { "type": "function", "name": "spawn", "description": "Starts one.", "parameters": parameters },
                { "type": "function", "name": "stop", "defer_loading": true },
                { "type": "mcp" },
            ]},
            { "type": "namespace", "name": "mcp__time__", "description": "", "tools": [
                { "type": "function", "name": "now" },
            ]},
            { "type": "namespace", "name": "functions", "description": "", "tools": [
                { "type": "function", "name": "f", "description": "the same again" },
                { "type": "custom", "name": "exec", "description": "Runs code.", "format": {
                    "type": "grammar", "syntax": "lark", "definition": "start: /.+/",
                }},
            ]},
        ],
        "input": [
            { "role": "user", "content": "Hi" },
            { "type": "additional_tools", "role": "developer", "tools": [{ "type": "function", "name": "g" }] },
            { "type": "function_call", "call_id": "1", "name": "spawn", "namespace": "agents" },
            { "type": "function_call", "call_id": "2", "name": "exec", "namespace": "functions" },
        ],
    }));
    let tool = |name: &str, description: &str, input_schema: Option<&Value>| Tool {
        name: name.into(),
        description: description.into(),
        input_schema: input_schema.cloned(),
    };
    let free_text = json!({
        "type": "object",
        "properties": { "input": { "type": "string" } },
        "required": ["input"],
        "additionalProperties": false,
    });
    assert_eq!(
        ask.conversation.tools,
        [
            tool("f", "d", Some(&parameters)),
            tool("agents__spawn", "", None),
            web_tools::tool(WebKind::Search, "web_search".into()),
            tool("agents__spawn_2", "All about agents.\n\nStarts one.", Some(&parameters)),
            tool("agents__stop", "", None),
            tool("mcp__time__now", "", None),
            tool(
                "exec",
                "Runs code.\n\n`input` must follow this lark grammar:\nstart: /.+/",
                Some(&free_text)
            ),
            tool("g", "", None),
        ]
    );
    assert_eq!(
        ask.conversation.messages[1..],
        [called("1", "agents__spawn_2", json!({})), called("2", "exec", json!({}))]
    );
}

#[test]
fn every_tool_choice_is_read() {
    let tools = json!([
        { "type": "function", "name": "f" },
        { "type": "custom", "name": "c" },
        { "type": "namespace", "name": "n", "description": "", "tools": [{ "type": "function", "name": "f" }] },
    ]);
    let chosen = |choice: Value| {
        let conversation = with(&json!({ "tools": tools, "tool_choice": choice })).conversation;
        let names: Vec<String> = conversation.tools.into_iter().map(|tool| tool.name).collect();
        (conversation.tool_choice, names.join(" "))
    };
    let all = || "f c n__f".to_owned();
    let named = |name: &str| ToolChoice::Named(name.into());
    let only = |tools: &[&str], is_required| ToolChoice::Allowed {
        names: tools.iter().map(ToString::to_string).collect(),
        is_required,
    };
    assert_eq!(chosen(Value::Null), (ToolChoice::Auto, all()));
    assert_eq!(chosen(json!("auto")), (ToolChoice::Auto, all()));
    assert_eq!(chosen(json!("none")), (ToolChoice::None, all()));
    assert_eq!(chosen(json!("required")), (ToolChoice::Required, all()));
    assert_eq!(chosen(json!({ "type": "function", "name": "f" })), (named("f"), all()));
    assert_eq!(chosen(json!({ "type": "custom", "name": "c" })), (named("c"), all()));
    assert_eq!(chosen(json!({ "type": "function", "name": "f", "namespace": "n" })), (named("n__f"), all()));
    let allowed =
        |mode: &str, tools: Value| chosen(json!({ "type": "allowed_tools", "mode": mode, "tools": tools }));
    assert_eq!(
        allowed(
            "required",
            json!([{ "type": "custom", "name": "c" }, { "type": "mcp", "server_label": "x" }])
        ),
        (only(&["c"], true), all())
    );
    assert_eq!(
        allowed("auto", json!([{ "type": "namespace", "name": "n" }])),
        (only(&["n__f"], false), all())
    );
    let of_the_editor = with(&json!({
        "tool_choice": { "type": "function", "name": "list_directory" },
        "use_vscode_tools": true,
    }));
    assert_eq!(of_the_editor.conversation.tool_choice, named("list_directory"));
}

#[test]
fn options_are_read() {
    let options = |fields: Value| with(&fields).conversation.options;
    assert_eq!(
        options(json!({
            "temperature": 0.5,
            "top_p": 0.9,
            "max_output_tokens": 50,
            "reasoning": { "effort": "low", "summary": "auto" },
            "parallel_tool_calls": false,
        })),
        Options {
            temperature: Some(0.5),
            top_p: Some(0.9),
            max_tokens: Some(50),
            reasoning_effort: Some("low".into()),
            thinking: ThinkingMode::On,
            single_tool_call: true,
            ..Options::default()
        }
    );
    assert_eq!(options(json!({ "include": ["reasoning.encrypted_content"] })).thinking, ThinkingMode::On);
    assert_eq!(options(json!({ "reasoning": { "effort": "none" } })).thinking, ThinkingMode::Off);
    assert_eq!(options(json!({ "reasoning": { "summary": "auto" } })).thinking, ThinkingMode::On);
    for nothing in [json!({ "reasoning": { "summary": "none" } }), json!({ "top_logprobs": 0 })] {
        assert_eq!(options(nothing), Options::default());
    }
    assert_eq!(
        options(json!({ "reasoning": null, "text": null, "include": null, "parallel_tool_calls": true })),
        Options::default()
    );
    let output = |format: Value| options(json!({ "text": { "format": format } })).output;
    let schema = json!({ "type": "object" });
    assert_eq!(output(json!({ "type": "text" })), Output::Text);
    assert_eq!(output(json!({ "type": "json_object" })), Output::Json);
    assert_eq!(
        output(
            json!({ "type": "json_schema", "name": "n", "description": "d", "schema": schema, "strict": true })
        ),
        Output::Schema { name: "n".into(), description: Some("d".into()), schema }
    );
}

#[test]
fn only_compactions_edit_the_context() {
    let edits =
        |entries: Value| with(&json!({ "context_management": entries })).conversation.options.context_edits;
    assert_eq!(edits(json!([{ "type": "other", "compact_threshold": 9 }, { "type": "compaction" }])), []);
    let compaction = ContextEdit::Compact { trigger: 9, instructions: None, pauses: false };
    assert_eq!(edits(json!([{ "type": "compaction", "compact_threshold": 9 }])), [compaction]);
}

#[test]
fn remaining_fields_are_read() {
    let ask = with(&json!({
        "model": "gpt-5-mini",
        "stream": true,
        "stream_options": { "include_obfuscation": false },
        "background": false,
        "use_vscode_tools": true,
        "tool_execution": "auto",
        "max_tool_rounds": 3,
    }));
    assert_eq!((ask.model.as_deref(), ask.stream), (Some("gpt-5-mini"), true));
    assert_eq!(
        ask.extensions,
        RequestExtensions {
            use_vscode_tools: true,
            tool_execution: ToolExecution::Auto,
            max_tool_rounds: Rounds::UpTo(NonZeroU32::new(3).unwrap()),
        }
    );
    assert_eq!(with(&json!({ "model": "" })).model, None);
}

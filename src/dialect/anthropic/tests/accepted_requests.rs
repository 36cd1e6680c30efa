//! Requests and the conversations they mean.

use serde_json::{Value, json};

use super::read;
use crate::conversation::web::{Domains, WebKind, WebTool};
use crate::conversation::{
    Content, Conversation, Data, Message, Options, Output, Part, Role, Thinking, ThinkingMode, Tool,
    ToolCall, ToolChoice, ToolResult,
};
use crate::dialect::anthropic::{ResponseOptions, Thoughts};
use crate::dialect::common::compaction::summary_text;
use crate::dialect::common::{sealed_thinking, web_tools};
use crate::dialect::{ParsedRequest, RequestExtensions, Rounds, ToolExecution};
use crate::failure::Failure;

const PNG: &str = "iVBORw0KGgo=";

/// The smallest request with these fields besides.
fn request(fields: &Value) -> Value {
    let mut body = json!({ "max_tokens": 9, "messages": [{ "role": "user", "content": "Hi" }] });
    for (key, value) in fields.as_object().unwrap() {
        body[key] = value.clone();
    }
    body
}

fn conversation(body: &Value) -> Conversation {
    read(body).unwrap().0.conversation
}

/// One message of this role and content means these parts.
fn check_content(role: &str, content: &Value, parts: &[Part]) {
    let body = request(&json!({ "messages": [{ "role": role, "content": content }] }));
    let role = match role {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        _ => Role::System,
    };
    let message = Message { role, name: None, parts: parts.to_vec() };
    assert_eq!(conversation(&body).messages, [message], "{content}");
}

fn check_options(fields: &Value, options: Options) {
    let options = Options { max_tokens: Some(9), ..options };
    assert_eq!(conversation(&request(fields)).options, options, "{fields}");
}

fn check_tools(fields: &Value, names: &[&str], choice: &ToolChoice) {
    let conversation = conversation(&request(fields));
    let found: Vec<_> = conversation.tools.iter().map(|tool| tool.name.as_str()).collect();
    assert_eq!((&found[..], &conversation.tool_choice), (names, choice), "{fields}");
}

fn text(text: &str) -> Part {
    Part::text(text)
}

fn text_content(text: &str) -> Content {
    Content::Text { text: text.into() }
}

fn image() -> Data {
    Data { mime: "image/png".into(), base64: PNG.into() }
}

fn result(content: &[Content]) -> Part {
    Part::ToolResult(ToolResult { id: "c1".into(), content: content.to_vec(), is_error: false })
}

#[test]
fn request_with_one_text_message() {
    let body = json!({
        "model": "claude-sonnet-4",
        "max_tokens": 1024,
        "stream": true,
        "system": "Be brief.",
        "messages": [
            { "role": "user", "content": "Hello" },
            { "role": "assistant", "content": [{ "type": "text", "text": "Hi!" }] },
            { "role": "user", "content": "Who are you?" },
        ],
    });
    let ask = ParsedRequest {
        model: Some("claude-sonnet-4".into()),
        conversation: Conversation {
            messages: vec![
                Message::text(Role::System, "Be brief."),
                Message::text(Role::User, "Hello"),
                Message::text(Role::Assistant, "Hi!"),
                Message::text(Role::User, "Who are you?"),
            ],
            options: Options { max_tokens: Some(1024), ..Options::default() },
            ..Conversation::default()
        },
        stream: true,
        ..ParsedRequest::default()
    };
    assert_eq!(read(&body), Ok((ask, ResponseOptions::default())));
}

#[test]
fn content_is_a_string_blocks_or_empty() {
    check_content("user", &json!("Hi"), &[text("Hi")]);
    check_content("user", &json!(""), &[]);
    check_content("user", &json!([]), &[]);
    check_content("assistant", &Value::Null, &[]);
    check_content(
        "user",
        &json!([
            { "type": "text", "text": "a", "cache_control": { "type": "ephemeral", "ttl": "1h" } },
            { "type": "text", "text": "" },
            { "type": "text", "text": "b", "citations": null, "unheard_of": [1] },
        ]),
        &[text("a"), text("b")],
    );
}

#[test]
fn images_are_read_from_base64_and_data_urls() {
    for source in [
        json!({ "type": "base64", "media_type": "image/png", "data": PNG }),
        json!({ "type": "url", "url": format!("data:image/png;base64,{PNG}") }),
    ] {
        let block = json!({ "type": "image", "source": source });
        check_content("user", &json!([block]), &[Part::Data(image())]);
        let in_a_result = json!([{ "type": "tool_result", "tool_use_id": "c1", "content": [block] }]);
        check_content("user", &in_a_result, &[result(&[Content::Data(image())])]);
    }
}

#[test]
fn documents_and_search_results_become_text() {
    for (block, parts) in [
        (
            json!({
                "type": "document",
                "source": { "type": "text", "media_type": "text/plain", "data": "All of it" },
            }),
            vec![text("All of it")],
        ),
        (
            json!({
                "type": "document",
                "title": "The book",
                "context": "By nobody",
                "source": { "type": "text", "media_type": "text/plain", "data": "All of it" },
                "citations": { "enabled": true },
            }),
            vec![text("The book\n\nBy nobody\n\nAll of it")],
        ),
        (
            json!({ "type": "document", "source": { "type": "content", "content": "All of it" } }),
            vec![text("All of it")],
        ),
        (
            json!({
                "type": "document",
                "title": "The book",
                "source": { "type": "content", "content": [
                    { "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": PNG } },
                    { "type": "text", "text": "All of it" },
                ] },
            }),
            vec![text("The book"), Part::Data(image()), text("All of it")],
        ),
        (
            json!({
                "type": "search_result",
                "title": "Found",
                "source": "https://example.org",
                "content": [{ "type": "text", "text": "It is so." }],
            }),
            vec![text("Found\n\nhttps://example.org\n\nIt is so.")],
        ),
    ] {
        check_content("user", &json!([block]), &parts);
    }
}

#[test]
fn thinking_blocks_keep_their_ids() {
    let thinking = Thinking { id: Some("rs_1".into()), ..Thinking::text("Hm") };
    let signature = sealed_thinking::seal(&thinking).unwrap();
    check_content(
        "assistant",
        &json!([
            { "type": "thinking", "thinking": "Hm", "signature": signature },
            { "type": "thinking", "thinking": "Of another service", "signature": "EqQBCgIYAhIM" },
            { "type": "thinking", "thinking": "", "signature": "EqQBCgIYAhIM" },
            { "type": "redacted_thinking", "data": "EmwKAhgBEgy3va3pzix" },
            { "type": "text", "text": "Yes." },
        ]),
        &[Part::Thinking(thinking), Part::Thinking(Thinking::text("Of another service")), text("Yes.")],
    );
}

#[test]
fn tool_use_and_tool_result_become_calls_and_results() {
    check_content(
        "assistant",
        &json!([
            { "type": "text", "text": "Let me look." },
            { "type": "tool_use", "id": "c1", "name": "read", "input": { "path": "a.rs" }, "caller": { "type": "direct" } },
            { "type": "tool_use", "id": "c2", "name": "time" },
            { "type": "tool_use", "id": "c3", "name": "time", "input": null },
        ]),
        &[
            text("Let me look."),
            Part::ToolCall(ToolCall {
                id: "c1".into(),
                name: "read".into(),
                input: json!({ "path": "a.rs" }),
            }),
            Part::ToolCall(ToolCall { id: "c2".into(), name: "time".into(), input: json!({}) }),
            Part::ToolCall(ToolCall { id: "c3".into(), name: "time".into(), input: json!({}) }),
        ],
    );
    let mixed = json!([
        { "type": "text", "text": "a" },
        { "type": "image", "source": { "type": "base64", "media_type": "image/png", "data": PNG } },
        { "type": "tool_reference", "tool_name": "Edit" },
        { "type": "browser_state", "tabs": [] },
    ]);
    for (content, expected) in [
        (json!("noon"), vec![text_content("noon")]),
        (json!(""), vec![]),
        (Value::Null, vec![]),
        (json!([]), vec![]),
        (
            mixed,
            vec![
                text_content("a"),
                Content::Data(image()),
                text_content("Tool loaded: Edit"),
                text_content(r#"{"type":"browser_state","tabs":[]}"#),
            ],
        ),
    ] {
        let block = json!({ "type": "tool_result", "tool_use_id": "c1", "content": content });
        check_content(
            "user",
            &json!([block, { "type": "text", "text": "Go on." }]),
            &[result(&expected), text("Go on.")],
        );
    }
    check_content("user", &json!([{ "type": "tool_result", "tool_use_id": "c1" }]), &[result(&[])]);
    check_content(
        "user",
        &json!([{ "type": "tool_result", "tool_use_id": "c1", "content": "no", "is_error": true }]),
        &[Part::ToolResult(ToolResult {
            id: "c1".into(),
            content: vec![text_content("no")],
            is_error: true,
        })],
    );
}

#[test]
fn server_tool_blocks_become_json_text() {
    check_content(
        "assistant",
        &json!([
            { "type": "server_tool_use", "id": "s1", "name": "code_execution", "input": { "code": "x" } },
            { "type": "code_execution_tool_result", "tool_use_id": "s1", "content": [] },
            { "type": "mcp_tool_use", "id": "m1" },
            { "type": "fallback", "from": { "model": "a" }, "to": { "model": "b" } },
            { "type": "compaction", "content": null },
        ]),
        &[
            text(r#"{"type":"server_tool_use","id":"s1","name":"code_execution","input":{"code":"x"}}"#),
            text(r#"{"type":"code_execution_tool_result","tool_use_id":"s1","content":[]}"#),
            text(r#"{"type":"mcp_tool_use","id":"m1"}"#),
        ],
    );
}

/// In the assistant's turn: each result follows the calls of its round, as the server had them when it ran these.
#[test]
fn web_blocks_become_calls_and_results() {
    let call = |id: &str, name: &str, input: Value| ToolCall { id: id.into(), name: name.into(), input };
    let result = |id: &str, text: &str, is_error: bool| {
        let content = vec![Content::Text { text: text.into() }];
        Part::ToolResult(ToolResult { id: id.into(), content, is_error })
    };
    let sealed = web_tools::seal("Title: A\nURL: https://a.example");
    let page =
        json!({ "type": "web_search_result", "url": "https://a.example", "title": "A", "page_age": null });
    let (mut ours, mut foreign) = (page.clone(), page);
    ours["encrypted_content"] = json!(sealed);
    foreign["encrypted_content"] = json!("EqgfCioIARgB");
    let body = request(&json!({
        "messages": [
            { "role": "user", "content": "What is A?" },
            { "role": "assistant", "content": [
                { "type": "text", "text": "Let me look." },
                { "type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": { "query": "a" } },
                { "type": "server_tool_use", "id": "srvtoolu_2", "name": "web_fetch", "input": { "url": "u" } },
                { "type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [ours] },
                { "type": "web_fetch_tool_result", "tool_use_id": "srvtoolu_2", "content": {
                    "type": "web_fetch_result", "url": "u", "content": {
                        "type": "document", "source": { "type": "text", "media_type": "text/plain", "data": "words" },
                    },
                } },
                { "type": "server_tool_use", "id": "srvtoolu_3", "name": "web_search", "input": { "query": "b" } },
                { "type": "web_search_tool_result", "tool_use_id": "srvtoolu_3", "content": {
                    "type": "web_search_tool_result_error", "error_code": "unavailable",
                } },
                { "type": "server_tool_use", "id": "srvtoolu_4", "name": "web_search", "input": { "query": "c" } },
                { "type": "web_search_tool_result", "tool_use_id": "srvtoolu_4", "content": [foreign] },
                { "type": "text", "text": "A letter.", "citations": null },
            ] },
            { "role": "user", "content": "Thanks" },
        ],
    }));
    let of = |role, parts| Message { role, name: None, parts };
    let search = |id: &str, query: &str| Part::ToolCall(call(id, "web_search", json!({ "query": query })));
    assert_eq!(
        conversation(&body).messages,
        [
            Message::text(Role::User, "What is A?"),
            of(
                Role::Assistant,
                vec![
                    Part::text("Let me look."),
                    search("1", "a"),
                    Part::ToolCall(call("2", "web_fetch", json!({ "url": "u" }))),
                ]
            ),
            of(
                Role::User,
                vec![result("1", "Title: A\nURL: https://a.example", false), result("2", "words", false)]
            ),
            of(Role::Assistant, vec![search("3", "b")]),
            of(Role::User, vec![result("3", "unavailable", true)]),
            of(Role::Assistant, vec![search("4", "c")]),
            of(Role::User, vec![result("4", r#"[{"url":"https://a.example","title":"A"}]"#, false)]),
            Message::text(Role::Assistant, "A letter."),
            Message::text(Role::User, "Thanks"),
        ]
    );
}

#[test]
fn compaction_block_replaces_everything_before_it() {
    let body = request(&json!({
        "system": "Be brief.",
        "messages": [
            { "role": "user", "content": "one" },
            { "role": "assistant", "content": [
                { "type": "text", "text": "two" },
                { "type": "compaction", "content": "They talked.", "encrypted_content": null },
                { "type": "text", "text": "three" },
            ] },
            { "role": "user", "content": "four" },
        ],
    }));
    assert_eq!(
        conversation(&body).messages,
        [
            Message::text(Role::System, "Be brief."),
            Message::text(Role::User, summary_text(Some("They talked."))),
            Message::text(Role::Assistant, "three"),
            Message::text(Role::User, "four"),
        ]
    );
}

#[test]
fn system_messages_keep_their_position() {
    let body = request(&json!({
        "system": [
            { "type": "text", "text": "x-anthropic-billing-header: cc_version=2.1.330;" },
            { "type": "text", "text": "Be brief.", "cache_control": { "type": "ephemeral" } },
        ],
        "messages": [
            { "role": "user", "content": "Hi" },
            { "role": "system", "content": "Only once.", "clear_at": "next_user_message" },
            { "role": "assistant", "content": "Hello" },
            { "role": "user", "content": "Go on" },
            { "role": "system", "content": [{ "type": "text", "text": "Now." }], "clear_at": "next_user_message" },
            { "role": "system", "output_config": { "effort": "low" } },
        ],
        "output_config": { "effort": "high" },
    }));
    let conversation = conversation(&body);
    let system = Message {
        role: Role::System,
        name: None,
        parts: vec![text("x-anthropic-billing-header: cc_version=2.1.330;"), text("Be brief.")],
    };
    assert_eq!(
        conversation.messages,
        [
            system,
            Message::text(Role::User, "Hi"),
            Message::text(Role::Assistant, "Hello"),
            Message::text(Role::User, "Go on"),
            Message::text(Role::System, "Now."),
        ]
    );
    assert_eq!(conversation.options.reasoning_effort.as_deref(), Some("low"));
}

#[test]
fn options_are_forwarded() {
    check_options(&json!({}), Options::default());
    check_options(
        &json!({
            "temperature": 1,
            "top_p": 0.5,
            "top_k": 40,
            "stop_sequences": ["\n\nHuman:", ""],
            "metadata": { "user_id": "{\"device_id\":\"x\"}" },
            "service_tier": "auto",
            "context_management": { "edits": [{ "type": "clear_thinking_20251015", "keep": "all" }] },
            "safeguards": [{ "type": "tool_use" }],
            "betas": ["unheard-of-2027-01-01"],
        }),
        Options {
            temperature: Some(1.0),
            top_p: Some(0.5),
            stop: vec!["\n\nHuman:".into()],
            reports_stop_sequence: true,
            ..Options::default()
        },
    );
    let schema = json!({ "type": "object", "properties": { "title": { "type": "string" } } });
    let format = json!({ "type": "json_schema", "schema": schema });
    let output = Output::Schema { name: "answer".into(), description: None, schema };
    check_options(
        &json!({ "output_config": { "format": format, "effort": null } }),
        Options { output: output.clone(), ..Options::default() },
    );
    check_options(&json!({ "output_format": format }), Options { output, ..Options::default() });
}

#[test]
fn thinking_options_become_an_effort() {
    for (thinking, output_config, wanted, effort, thoughts) in [
        (Value::Null, Value::Null, ThinkingMode::Unset, None, Thoughts::Unasked),
        (json!({ "type": "disabled" }), Value::Null, ThinkingMode::Off, None, Thoughts::Hidden),
        (
            json!({ "type": "adaptive", "display": "updates" }),
            Value::Null,
            ThinkingMode::On,
            None,
            Thoughts::Shown,
        ),
        (
            json!({ "type": "adaptive", "display": "omitted" }),
            Value::Null,
            ThinkingMode::On,
            None,
            Thoughts::Signed,
        ),
        (json!({ "type": "between_tools" }), Value::Null, ThinkingMode::On, None, Thoughts::Shown),
        (
            json!({ "type": "enabled", "budget_tokens": 1024 }),
            Value::Null,
            ThinkingMode::On,
            Some("low"),
            Thoughts::Shown,
        ),
        (
            json!({ "type": "enabled", "budget_tokens": 10_000 }),
            Value::Null,
            ThinkingMode::On,
            Some("medium"),
            Thoughts::Shown,
        ),
        (
            json!({ "type": "enabled", "budget_tokens": 31_999 }),
            Value::Null,
            ThinkingMode::On,
            Some("high"),
            Thoughts::Shown,
        ),
        (
            json!({ "type": "enabled", "budget_tokens": 1024 }),
            json!({ "effort": "xhigh" }),
            ThinkingMode::On,
            Some("xhigh"),
            Thoughts::Shown,
        ),
        (Value::Null, json!({ "effort": "medium" }), ThinkingMode::Unset, Some("medium"), Thoughts::Unasked),
    ] {
        let body = request(&json!({ "thinking": thinking, "output_config": output_config }));
        let (ask, response_options) = read(&body).unwrap();
        let options = Options {
            max_tokens: Some(9),
            thinking: wanted,
            reasoning_effort: effort.map(str::to_owned),
            ..Options::default()
        };
        assert_eq!(
            (ask.conversation.options, response_options),
            (options, ResponseOptions { thoughts, ..ResponseOptions::default() }),
            "{body}"
        );
    }
}

#[test]
fn tools_with_an_equivalent_are_offered() {
    let body = request(&json!({
        "tools": [
            { "name": "bare" },
            {
                "type": "custom",
                "name": "read",
                "description": "Reads.",
                "input_schema": { "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object" },
                "eager_input_streaming": true,
                "cache_control": { "type": "ephemeral" },
            },
            { "type": "web_search_20250305", "name": "web_search", "max_uses": 8 },
            { "type": "mcp_toolset", "mcp_server_name": "x" },
        ],
    }));
    let conversation = conversation(&body);
    assert_eq!(
        conversation.tools,
        [
            Tool { name: "bare".into(), description: String::new(), input_schema: None },
            Tool {
                name: "read".into(),
                description: "Reads.".into(),
                input_schema: Some(
                    json!({ "$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object" })
                ),
            },
            web_tools::tool(WebKind::Search, "web_search".into()),
        ]
    );
}

#[test]
fn web_tools_keep_their_limits() {
    let body = request(&json!({
        "tools": [
            { "type": "web_search_20260209", "name": "web_search", "max_uses": 8, "allowed_domains": ["a.example"] },
            { "type": "web_fetch_20250910", "name": "web_fetch", "max_content_tokens": 100, "blocked_domains": ["b.example"],
              "defer_loading": true },
        ],
    }));
    let (parsed, _) = read(&body).unwrap();
    let web = parsed.web;
    assert_eq!(
        web.search,
        Some(WebTool {
            name: "web_search".into(),
            path: "tools[0]".into(),
            max_uses: Some(8),
            domains: Domains::Only(vec!["a.example".into()]),
            max_characters: None,
        })
    );
    let fetch = web.fetch.unwrap();
    assert_eq!((fetch.max_characters, fetch.domains), (Some(400), Domains::Not(vec!["b.example".into()])));
    assert_eq!(parsed.conversation.tools.len(), 2);
}

#[test]
fn builtin_client_tools_are_offered() {
    let bash = json!({ "type": "bash_20250124", "name": "bash" });
    let edit =
        json!({ "type": "text_editor_20250728", "name": "str_replace_based_edit_tool", "max_characters": 9 });
    let memory = json!({ "type": "memory_20250818", "name": "memory" });
    let screen = json!({ "type": "computer_20250124", "name": "computer", "display_width_px": 1, "display_height_px": 1 });
    check_tools(
        &json!({ "tools": [bash, edit, screen, memory], "tool_choice": { "type": "tool", "name": "bash" } }),
        &["bash", "str_replace_based_edit_tool", "memory"],
        &ToolChoice::Named("bash".into()),
    );
    let twice = request(&json!({ "tools": [bash, { "name": "bash" }] }));
    let refused = Failure::invalid("tools[1].name", "`bash` is the name of another tool already");
    assert_eq!(read(&twice).unwrap_err(), refused);
}

#[test]
fn every_tool_choice_is_read() {
    let tools = json!([{ "name": "a" }, { "name": "b" }]);
    for (choice, expected) in [
        (Value::Null, ToolChoice::Auto),
        (json!({ "type": "auto" }), ToolChoice::Auto),
        (json!({ "type": "any" }), ToolChoice::Required),
        (json!({ "type": "tool", "name": "b" }), ToolChoice::Named("b".into())),
        (json!({ "type": "none" }), ToolChoice::None),
    ] {
        check_tools(&json!({ "tools": tools, "tool_choice": choice }), &["a", "b"], &expected);
    }
    let choice = json!({ "type": "any", "disable_parallel_tool_use": true });
    check_options(
        &json!({ "tools": tools, "tool_choice": choice }),
        Options { single_tool_call: true, ..Options::default() },
    );
    check_tools(
        &json!({ "use_vscode_tools": true, "tool_choice": { "type": "tool", "name": "get_time" } }),
        &[],
        &ToolChoice::Named("get_time".into()),
    );
}

#[test]
fn deferred_tool_is_offered_once_a_search_has_found_it() {
    let auto = ToolChoice::Auto;
    let tools = json!([
        { "name": "search" },
        { "name": "edit", "defer_loading": true },
        { "name": "move", "defer_loading": true },
    ]);
    check_tools(&json!({ "tools": tools }), &["search"], &auto);

    let found = json!([{ "type": "tool_reference", "tool_name": "edit" }]);
    let result = json!({ "type": "tool_result", "tool_use_id": "c1", "content": found });
    let messages = json!([{ "role": "user", "content": [result] }]);
    check_tools(&json!({ "tools": tools, "messages": messages }), &["search", "edit"], &auto);

    let at_anthropic = json!({ "type": "tool_search_tool_regex_20251119", "name": "tool_search_tool_regex" });
    check_tools(
        &json!({ "tools": [tools[0], tools[1], tools[2], at_anthropic] }),
        &["search", "edit", "move"],
        &auto,
    );
}

#[test]
fn tool_additions_and_removals_apply_in_order() {
    let named =
        |kind: &str, name: &str| json!({ "type": kind, "tool": { "type": "tool_reference", "name": name } });
    let defined = json!({
        "type": "tool_addition",
        "tool": { "type": "tool_definition", "definition": { "name": "new", "description": "New." } },
    });
    let elsewhere =
        json!({ "type": "tool_addition", "tool": { "type": "mcp_toolset_reference", "server_name": "x" } });
    check_tools(
        &json!({
            "tools": [{ "name": "a" }, { "name": "b", "defer_loading": true }, { "name": "c" }],
            "messages": [
                { "role": "user", "content": "Hi" },
                { "role": "system", "content": [
                    named("tool_addition", "b"),
                    named("tool_removal", "a"),
                    named("tool_removal", "c"),
                    named("tool_addition", "gone"),
                    defined,
                    elsewhere,
                ] },
                { "role": "user", "content": "Go on" },
                { "role": "system", "content": [named("tool_addition", "c")] },
            ],
        }),
        &["b", "c", "new"],
        &ToolChoice::Auto,
    );
}

#[test]
fn proxy_extensions_are_read() {
    let body = request(&json!({ "use_vscode_tools": true, "tool_execution": "auto", "max_tool_rounds": 0 }));
    let extensions = RequestExtensions {
        use_vscode_tools: true,
        tool_execution: ToolExecution::Auto,
        max_tool_rounds: Rounds::Unlimited,
    };
    assert_eq!(read(&body).unwrap().0.extensions, extensions);
}

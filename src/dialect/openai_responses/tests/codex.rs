//! A turn of Codex: the second request of a task, as it sends it, cut to its bones.

use serde_json::{Value, json};

use super::{call, followed, read, streamed};
use crate::conversation::web::{WebKind, WebTool, WebTools};
use crate::conversation::{
    Content, Conversation, Event, Finish, Message, Options, Part, Role, Thinking, ThinkingMode, Tool,
    ToolChoice, ToolResult, Usage,
};
use crate::dialect::ParsedRequest;
use crate::dialect::common::sealed_thinking;
use crate::dialect::common::web_tools;

fn request() -> Value {
    let shell = json!({
        "type": "object",
        "properties": { "cmd": { "type": "string" } },
        "required": ["cmd"],
        "additionalProperties": false,
    });
    json!({
        "model": "gpt-5-codex",
        "input": [
            { "type": "message", "id": "msg_a", "role": "developer", "content": [
                { "type": "input_text", "text": "You are a coding agent." },
                { "type": "input_text", "text": "<permissions>read-only</permissions>" },
            ]},
            { "type": "message", "id": "msg_b", "role": "user", "content": [
                { "type": "input_text", "text": "<environment_context>\n  <cwd>/home/u</cwd>\n</environment_context>" },
            ]},
            { "type": "message", "id": "msg_c", "role": "user", "content": [
                { "type": "input_text", "text": "What is in a.txt?" },
            ]},
            { "type": "reasoning", "id": "rs_1_0", "summary": [{ "type": "summary_text", "text": "Look." }],
              "content": null, "encrypted_content": sealed_thinking::seal(&Thinking { id: Some("t1".into()), ..Thinking::default() }) },
            { "type": "function_call", "id": "fc_1_1", "name": "exec_command",
              "arguments": "{\"cmd\":\"cat a.txt\"}", "call_id": "call_1" },
            { "type": "message", "id": "msg_1_2", "role": "assistant", "content": [
                { "type": "output_text", "text": "Reading it." },
            ]},
            { "type": "function_call", "id": "fc_1_3", "name": "spawn_agent", "namespace": "multi_agent_v1",
              "arguments": "{\"message\":\"help\"}", "call_id": "call_2" },
            { "type": "function_call_output", "id": "fco_d", "call_id": "call_1", "output": "hello\n" },
            { "type": "function_call_output", "call_id": "call_2", "output": "{\"agent_id\":\"1\"}" },
        ],
        "tools": [
            { "type": "function", "name": "exec_command", "description": "Runs a command.", "strict": false,
              "parameters": shell },
            { "type": "function", "name": "view_image", "description": "Attaches an image.", "strict": false,
              "parameters": { "type": "object", "properties": {}, "additionalProperties": false } },
            { "type": "namespace", "name": "multi_agent_v1", "description": "Work with other agents.", "tools": [
                { "type": "function", "name": "spawn_agent", "description": "Starts an agent.", "strict": false,
                  "parameters": { "type": "object", "properties": { "message": { "type": "string" } } } },
                { "type": "function", "name": "wait_agent", "description": "Waits for agents.", "strict": false,
                  "parameters": { "type": "object", "properties": {} } },
            ]},
            { "type": "web_search", "external_web_access": false },
        ],
        "tool_choice": "auto",
        "parallel_tool_calls": true,
        "reasoning": { "summary": "auto" },
        "store": false,
        "stream": true,
        "include": ["reasoning.encrypted_content"],
        "prompt_cache_key": "019ab",
        "client_metadata": { "x-codex-installation-id": "1" },
    })
}

#[test]
fn codex_history_and_tools_are_read() {
    let of = |role, parts| Message { role, name: None, parts };
    let called = |id, name, input| of(Role::Assistant, vec![Part::ToolCall(call(id, name, input))]);
    let result = |id: &str, text: &str| {
        let content = vec![Content::Text { text: text.into() }];
        of(Role::User, vec![Part::ToolResult(ToolResult { id: id.into(), content, is_error: false })])
    };
    let tool = |name: &str, description: &str, place: &str| Tool {
        name: name.into(),
        description: description.into(),
        input_schema: request().pointer(place).cloned(),
    };
    let (ask, options) = read(&request()).unwrap();
    assert_eq!(
        ask,
        ParsedRequest {
            model: Some("gpt-5-codex".into()),
            stream: true,
            conversation: Conversation {
                messages: vec![
                    of(
                        Role::System,
                        vec![
                            Part::text("You are a coding agent."),
                            Part::text("<permissions>read-only</permissions>"),
                        ]
                    ),
                    Message::text(
                        Role::User,
                        "<environment_context>\n  <cwd>/home/u</cwd>\n</environment_context>"
                    ),
                    Message::text(Role::User, "What is in a.txt?"),
                    of(
                        Role::Assistant,
                        vec![Part::Thinking(Thinking { id: Some("t1".into()), ..Thinking::text("Look.") })]
                    ),
                    called("call_1", "exec_command", json!({ "cmd": "cat a.txt" })),
                    Message::text(Role::Assistant, "Reading it."),
                    called("call_2", "multi_agent_v1__spawn_agent", json!({ "message": "help" })),
                    result("call_1", "hello\n"),
                    result("call_2", "{\"agent_id\":\"1\"}"),
                ],
                tools: vec![
                    tool("exec_command", "Runs a command.", "/tools/0/parameters"),
                    tool("view_image", "Attaches an image.", "/tools/1/parameters"),
                    tool(
                        "multi_agent_v1__spawn_agent",
                        "Work with other agents.\n\nStarts an agent.",
                        "/tools/2/tools/0/parameters"
                    ),
                    tool("multi_agent_v1__wait_agent", "Waits for agents.", "/tools/2/tools/1/parameters"),
                    web_tools::tool(WebKind::Search, "web_search".into()),
                ],
                tool_choice: ToolChoice::Auto,
                options: Options { thinking: ThinkingMode::On, ..Options::default() },
            },
            web: WebTools {
                search: Some(WebTool {
                    name: "web_search".into(),
                    path: "tools".into(),
                    ..WebTool::default()
                }),
                fetch: None,
            },
            ..ParsedRequest::default()
        }
    );
    assert!(options.stored.is_none(), "store is false");
}

#[test]
fn codex_agent_calls_keep_their_names() {
    let (_, options) = read(&request()).unwrap();
    let said = [
        Event::Text("I ask for help.".into()),
        Event::ToolCall(call("call_3", "multi_agent_v1__wait_agent", json!({ "targets": ["1"] }))),
        Event::Finish(Finish::ToolCalls, Usage::default()),
    ];
    let response = &followed(&streamed(&options, &said))["response"];
    assert_eq!(
        response["output"][1],
        json!({
            "type": "function_call",
            "id": "fc_0f_1",
            "status": "completed",
            "call_id": "call_3",
            "name": "wait_agent",
            "namespace": "multi_agent_v1",
            "arguments": "{\"targets\":[\"1\"]}",
        })
    );
    assert_eq!(response["tools"], request()["tools"]);
    assert_eq!(response["prompt_cache_key"], "019ab");
}

//! A turn in the middle of a Claude Code session, with everything that its requests hold beyond the plain API:
//! a billing header, betas' fields, deferred tools found by a search, an image in a result, a system message
//! at the end.

use serde_json::json;

use crate::conversation::web::{WebTool, WebTools};
use crate::conversation::{
    Content, Conversation, Data, Message, Options, Part, Role, Thinking, ThinkingMode, ToolCall, ToolChoice,
    ToolResult,
};
use crate::dialect::RequestHead;
use crate::dialect::anthropic::{Anthropic, ContextOptions, ResponseOptions, Thoughts, count_tokens};
use crate::dialect::{Dialect, ParsedRequest};

const REQUEST: &str = include_str!("claude_code.json");

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, name: None, parts }
}

fn call(id: &str, name: &str, input: serde_json::Value) -> Part {
    Part::ToolCall(ToolCall { id: id.into(), name: name.into(), input })
}

fn result(id: &str, content: Content, is_error: bool) -> Part {
    Part::ToolResult(ToolResult { id: id.into(), content: vec![content], is_error })
}

fn text_content(text: &str) -> Content {
    Content::Text { text: text.into() }
}

fn messages() -> Vec<Message> {
    let image = Data { mime: "image/png".into(), base64: "iVBORw0KGgo=".into() };
    vec![
        message(
            Role::System,
            vec![
                Part::text("x-anthropic-billing-header: cc_version=2.1.330; cc_entrypoint=cli;"),
                Part::text("You are an agent for software work."),
                Part::text("# Tone\nBe brief.\n\n# Environment\nWorking directory: /home/me/shop"),
            ],
        ),
        message(
            Role::User,
            vec![
                Part::text("<system-reminder>\nToday is 2026-11-22.\n</system-reminder>"),
                Part::text("What does the page at /docs show? Compare it with shot.png."),
            ],
        ),
        message(
            Role::Assistant,
            vec![
                Part::Thinking(Thinking {
                    id: Some("t7".into()),
                    ..Thinking::text("I need to fetch; that tool is deferred.")
                }),
                Part::text("Let me find the right tool."),
                call("toolu_01", "ToolSearch", json!({ "query": "select:WebFetch", "max_results": 5 })),
            ],
        ),
        message(Role::User, vec![result("toolu_01", text_content("Tool loaded: WebFetch"), false)]),
        message(
            Role::Assistant,
            vec![
                call(
                    "toolu_02",
                    "WebFetch",
                    json!({ "url": "http://localhost:3000/docs", "prompt": "What is shown?" }),
                ),
                call("toolu_03", "Read", json!({ "file_path": "/home/me/shop/shot.png" })),
            ],
        ),
        message(
            Role::User,
            vec![
                result("toolu_02", text_content("connect ECONNREFUSED 127.0.0.1:3000"), true),
                result("toolu_03", Content::Data(image), false),
                Part::text("<system-reminder>\nThe list of todos is empty.\n</system-reminder>"),
            ],
        ),
        Message::text(Role::System, "# Skills\nNone are installed."),
    ]
}

#[test]
fn claude_code_request_is_read_completely() {
    let (mut ask, response_options) =
        Anthropic::read(&RequestHead::default(), REQUEST.as_bytes(), &()).unwrap();
    let tools: Vec<_> =
        std::mem::take(&mut ask.conversation.tools).into_iter().map(|tool| tool.name).collect();
    assert_eq!(
        tools,
        [
            "Agent",
            "Bash",
            "Edit",
            "Glob",
            "Grep",
            "Read",
            "Skill",
            "ToolSearch",
            "Write",
            "WebFetch",
            "web_search"
        ]
    );
    let options = Options {
        max_tokens: Some(32_000),
        thinking: ThinkingMode::On,
        reasoning_effort: Some("medium".into()),
        ..Options::default()
    };
    let conversation =
        Conversation { messages: messages(), tools: Vec::new(), tool_choice: ToolChoice::Auto, options };
    let expected = ParsedRequest {
        model: Some("claude-opus-4-6".into()),
        conversation,
        stream: true,
        web: WebTools {
            search: Some(WebTool {
                name: "web_search".into(),
                path: "tools[11]".into(),
                max_uses: Some(8),
                ..WebTool::default()
            }),
            fetch: None,
        },
        ..ParsedRequest::default()
    };
    let context = Some(ContextOptions { pauses: false });
    assert_eq!((ask, response_options), (expected, ResponseOptions { thoughts: Thoughts::Shown, context }));
}

#[test]
fn claude_code_request_is_counted_as_it_is_sent() {
    let (asked, _) = Anthropic::read(&RequestHead::default(), REQUEST.as_bytes(), &()).unwrap();
    assert_eq!(count_tokens::read(REQUEST.as_bytes()), Ok(asked));
}

//! Anthropic's Messages API.

use super::Handling::{Honored, Ignored, Refused, Words};
use super::{Row, Section, Table};

pub const TABLE: Table = Table {
    title: "Anthropic: `/v1/messages`, `/v1/messages/count_tokens`",
    list: "anthropic",
    sections: &[
        Section { title: "Fields", list: "fields", rows: FIELDS },
        Section { title: "Blocks of messages", list: "blocks", rows: BLOCKS },
        Section { title: "Blocks of tool results", list: "blocks of results", rows: RESULTS },
        Section { title: "Tools", list: "tools", rows: TOOLS },
    ],
};

const FIELDS: &[Row] = &[
    ("model", Honored, "names that no model has mean the nearest kind"),
    ("messages system stream tools stop_sequences", Honored, ""),
    ("max_tokens", Honored, "0 counts the input and runs no model"),
    ("tool_choice", Honored, "by an instruction, and the calls are verified"),
    ("temperature top_p", Honored, "as far as the model's provider passes them on"),
    ("thinking", Honored, "budgets become efforts"),
    ("output_config output_format", Honored, "effort, and a JSON schema that the server validates"),
    ("top_k", Ignored, "nothing behind VS Code takes it"),
    ("cache_control", Ignored, "Copilot sets cache marks of its own"),
    ("context_management", Honored, "`clear_tool_uses`, `clear_thinking` and `compact_20260112`"),
    ("metadata user_profile_id", Ignored, "they identify users to Anthropic"),
    ("service_tier speed inference_geo", Ignored, "Copilot decides where and how fast a model runs"),
    (
        "container mcp_servers",
        Ignored,
        "only Anthropic's own service runs code and MCP servers; their tools are not offered",
    ),
    ("diagnostics", Ignored, "about Anthropic's own service"),
    (
        "fallbacks fallback_credit_token billing_policy workspace_id",
        Ignored,
        "about Anthropic's own service and its bills",
    ),
    ("compaction", Ignored, "the whole conversation is sent"),
    ("thread", Refused(r#"{ "type": "create" }"#), "conversations are not kept; SDKs then send all messages"),
];

const BLOCKS: &[Row] = &[
    ("text tool_use tool_result", Honored, ""),
    (
        "thinking redacted_thinking",
        Honored,
        "with signatures of this server; those of other services are left out",
    ),
    ("image", Honored, "PNG, JPEG, GIF and WebP in base64; others, URLs and stored files as words"),
    ("document", Honored, "text sources and files that are text; PDFs, URLs and stored files as words"),
    ("search_result", Honored, "its title, source and content"),
    ("mid_conv_system compaction", Honored, "their content"),
    ("tool_addition tool_removal", Honored, "the tool list changes"),
    ("fallback", Ignored, "marks where another model took over; the API shows it to no model"),
    (
        "server_tool_use advisor_tool_result bash_code_execution_tool_result code_execution_tool_result mcp_tool_result mcp_tool_use text_editor_code_execution_tool_result tool_search_tool_result",
        Words,
        "as JSON without base64 and sealed content",
    ),
    (
        "web_fetch_tool_result web_search_tool_result",
        Honored,
        "with `server_tool_use` of these tools: calls and their results; sealed content of other services is left out",
    ),
    ("container_upload mcp_tool_listing", Words, "as JSON"),
];

const RESULTS: &[Row] = &[
    ("text", Honored, ""),
    ("image document search_result", Honored, "as in messages, but never refused"),
    ("browser_state", Words, "as JSON"),
    ("tool_reference", Honored, "the deferred tool joins the tools on offer"),
];

const TOOLS: &[Row] = &[
    (
        "custom",
        Honored,
        "a tool with a schema; identical ones are one, different ones of one name are refused",
    ),
    ("bash_20241022 bash_20250124", Honored, "as a function that the client runs"),
    (
        "text_editor_20241022 text_editor_20250124 text_editor_20250429 text_editor_20250728",
        Honored,
        "as a function that the client runs",
    ),
    ("memory_20250818", Honored, "as a function that the client runs"),
    (
        "computer_20241022 computer_20250124 computer_20251124 computer_toolset_20260801 browser_toolset_20260801",
        Ignored,
        "takes a model that was trained to see where things are on a screen",
    ),
    (
        "web_fetch_20250910 web_fetch_20260209 web_fetch_20260309 web_fetch_20260318 web_search_20250305 web_search_20260209 web_search_20260318",
        Honored,
        "tools of the editor run, with `max_uses`, `allowed_domains`, `blocked_domains` and `max_content_tokens`; `user_location` is ignored",
    ),
    (
        "advisor_20260301 code_execution_20250522 code_execution_20250825 code_execution_20260120 code_execution_20260521 mcp_toolset",
        Ignored,
        "run by Anthropic's own service; a `tool_choice` that names one is refused",
    ),
    (
        "tool_search_tool_bm25 tool_search_tool_bm25_20251119 tool_search_tool_regex tool_search_tool_regex_20251119",
        Ignored,
        "run by Anthropic's own service; the deferred tools are all offered instead",
    ),
];

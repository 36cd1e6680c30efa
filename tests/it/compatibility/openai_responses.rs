//! OpenAI's Responses API.

use super::Handling::{Honored, Ignored, Refused, Words};
use super::{Row, Section, Table};

pub const TABLE: Table = Table {
    title: "OpenAI responses: `/v1/responses`",
    list: "openai_responses",
    sections: &[
        Section { title: "Fields", list: "fields", rows: FIELDS },
        Section { title: "Items", list: "items", rows: ITEMS },
        Section { title: "Parts of messages", list: "parts of messages", rows: MESSAGES },
        Section { title: "Parts of outputs of calls", list: "parts of outputs", rows: OUTPUTS },
        Section { title: "Tools", list: "tools", rows: TOOLS },
    ],
};

const FIELDS: &[Row] = &[
    ("model input instructions stream tools store", Honored, ""),
    (
        "previous_response_id",
        Honored,
        "the latest responses are kept in memory; an id that is not kept is refused",
    ),
    ("tool_choice parallel_tool_calls", Honored, "by an instruction, and the calls are verified"),
    ("max_output_tokens", Honored, ""),
    ("temperature top_p", Honored, "as far as the model's provider passes them on"),
    ("reasoning", Honored, "effort and summary"),
    (
        "text",
        Honored,
        "JSON schemas travel as a tool, and the server validates the response; verbosity is an instruction at the end",
    ),
    (
        "include",
        Honored,
        "`reasoning.encrypted_content`; `message.output_text.logprobs` is refused, other values are ignored",
    ),
    ("background", Refused("true"), "responses are given at once"),
    ("conversation", Refused(r#""conv_1""#), "conversations are not kept; use `previous_response_id`"),
    ("prompt", Refused(r#"{ "id": "x" }"#), "OpenAI alone has the templates"),
    ("top_logprobs", Refused("1"), "VS Code's models tell no token probabilities"),
    ("max_tool_calls", Ignored, "repeated in the response; it limits tools that OpenAI runs"),
    ("truncation", Ignored, "nothing is cut: a prompt that is too long is refused"),
    (
        "context_management",
        Honored,
        "`compaction` from `compact_threshold` on: the model writes a summary first; without a threshold nothing is compacted",
    ),
    ("metadata user safety_identifier", Ignored, "repeated in the response"),
    (
        "prompt_cache_key prompt_cache_retention prompt_cache_options service_tier stream_options moderation access_programs background_options image",
        Ignored,
        "about OpenAI's own service",
    ),
];

const ITEMS: &[Row] = &[
    ("message function_call function_call_output custom_tool_call custom_tool_call_output", Honored, ""),
    ("reasoning", Honored, "summaries, and what this server encrypted"),
    (
        "item_reference",
        Honored,
        "for an item that is not kept the model reads that it is missing; alone it is refused",
    ),
    (
        "compaction",
        Honored,
        "of this server; for another server's the model reads that earlier turns are missing",
    ),
    ("compaction_trigger", Honored, "as the last item"),
    ("additional_tools tool_search_output", Honored, "their tools are offered"),
    (
        "apply_patch_call apply_patch_call_output local_shell_call local_shell_call_output shell_call shell_call_output",
        Honored,
        "as calls of the functions that stand for these tools, and their results",
    ),
    ("computer_call computer_call_output", Words, "a screenshot is an image"),
    ("configuration_update program program_output", Words, "as JSON"),
    (
        "code_interpreter_call file_search_call image_generation_call mcp_approval_request mcp_approval_response mcp_call tool_search_call",
        Words,
        "what OpenAI's own tools did, as JSON without base64 and sealed content",
    ),
    (
        "web_search_call",
        Honored,
        "a search as the call that it was, with its result if the server has it; other actions as JSON",
    ),
    ("mcp_list_tools", Ignored, "only OpenAI can run these tools"),
];

const MESSAGES: &[Row] = &[
    ("input_text output_text refusal", Honored, ""),
    ("input_image", Honored, "`data:` URLs of PNG, JPEG, GIF and WebP; others and stored files as words"),
    ("input_file", Honored, "text and images in `file_data`; other files, URLs and stored files as words"),
];

const OUTPUTS: &[Row] =
    &[("input_text input_image input_file", Honored, "as in messages, but never refused")];

const TOOLS: &[Row] = &[
    (
        "function custom namespace",
        Honored,
        "as functions; identical ones are one, different ones of one name are refused",
    ),
    (
        "apply_patch local_shell shell",
        Honored,
        "as functions; their calls come out as the API's own items. A shell in a container of OpenAI is left out",
    ),
    (
        "web_search web_search_2025_08_26 web_search_preview web_search_preview_2025_03_11",
        Honored,
        "a search tool of the editor runs, with `filters`; the rest is ignored",
    ),
    (
        "computer computer_use_preview",
        Ignored,
        "takes a model that was trained to see where things are on a screen",
    ),
    (
        "code_interpreter file_search image_generation mcp tool_search programmatic_tool_calling",
        Ignored,
        "run by OpenAI's own service",
    ),
];

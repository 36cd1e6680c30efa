//! OpenAI's chat completions.

use super::Handling::{Honored, Ignored, Refused, Words};
use super::{Row, Section, Table};

pub const TABLE: Table = Table {
    title: "OpenAI chat completions: `/v1/chat/completions`",
    list: "openai_chat",
    sections: &[
        Section { title: "Fields", list: "fields", rows: FIELDS },
        Section { title: "Parts of system messages", list: "parts of system messages", rows: TEXT },
        Section { title: "Parts of developer messages", list: "parts of developer messages", rows: TEXT },
        Section { title: "Parts of user messages", list: "parts of user messages", rows: USER },
        Section {
            title: "Parts of assistant messages",
            list: "parts of assistant messages",
            rows: ASSISTANT,
        },
        Section { title: "Parts of tool messages", list: "parts of tool messages", rows: TEXT },
        Section {
            title: "Fields of assistant messages",
            list: "fields of assistant messages",
            rows: MESSAGE,
        },
        Section { title: "Tools", list: "tools", rows: TOOLS },
    ],
};

const FIELDS: &[Row] = &[
    ("model messages stream stream_options tools functions stop n", Honored, ""),
    (
        "tool_choice function_call parallel_tool_calls",
        Honored,
        "by an instruction, and the calls are verified",
    ),
    ("max_completion_tokens max_tokens", Honored, ""),
    (
        "temperature top_p frequency_penalty presence_penalty seed",
        Honored,
        "as far as the model's provider passes them on",
    ),
    ("response_format", Honored, "JSON schemas travel as a tool, and the server validates the response"),
    ("reasoning_effort", Honored, "where the model has levels"),
    ("verbosity", Honored, "as an instruction at the end"),
    ("audio", Refused(r#"{ "voice": "x", "format": "wav" }"#), "VS Code's models don't speak"),
    ("modalities", Refused(r#"["audio"]"#), "only text can be asked for"),
    ("logprobs", Refused("true"), "VS Code's models tell no token probabilities"),
    ("top_logprobs", Refused("1"), "VS Code's models tell no token probabilities"),
    ("logit_bias", Refused(r#"{ "5": 1 }"#), "VS Code's models take no bias on tokens"),
    ("moderation prompt_cache_options", Ignored, "about OpenAI's own service"),
    ("prediction", Ignored, "it only makes a response quicker"),
    (
        "web_search_options",
        Honored,
        "a search tool of the editor runs; `search_context_size` and `user_location` are ignored",
    ),
    ("metadata user safety_identifier", Ignored, "they identify requests and users to OpenAI"),
    ("store", Ignored, "chat completions are not stored"),
    (
        "prompt_cache_key prompt_cache_retention service_tier",
        Ignored,
        "Copilot decides about its cache and its service",
    ),
];

const TEXT: &[Row] = &[("text", Honored, "any other type: as words")];

const USER: &[Row] = &[
    ("text", Honored, ""),
    ("image_url", Honored, "`data:` URLs of PNG, JPEG, GIF and WebP; others as words"),
    ("file", Honored, "text and images in `file_data`; other and stored files as words"),
    ("input_audio", Words, "VS Code's models hear nothing"),
];

const ASSISTANT: &[Row] = &[("text refusal", Honored, "any other type: as words")];

const MESSAGE: &[Row] = &[
    ("role content name refusal", Honored, ""),
    (
        "tool_calls function_call",
        Honored,
        "ids that some service refuses are rewritten; arguments that are no object become a field of one",
    ),
    ("audio", Words, ""),
    ("reasoning_content", Honored, "thinking of an earlier response of this server"),
];

const TOOLS: &[Row] = &[
    ("function", Honored, "identical ones are one, different ones of one name are refused"),
    (
        "custom",
        Honored,
        "as a function with one string, and its calls as calls of the type `custom`; the model gets a grammar as text, it is not enforced",
    ),
];

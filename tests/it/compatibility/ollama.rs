//! Ollama's API, which has no document of the kind: the names are those of its Python SDK's types.

use super::Handling::{Honored, Ignored, Refused};
use super::{Row, Section, Table};

pub const TABLE: Table = Table {
    title: "Ollama: `/api/chat`, `/api/generate`",
    list: "ollama",
    sections: &[
        Section { title: "Fields of chats", list: "fields of chats", rows: CHAT },
        Section { title: "Fields of generations", list: "fields of generations", rows: GENERATION },
        Section { title: "Options", list: "options", rows: OPTIONS },
        Section { title: "Fields of messages", list: "fields of messages", rows: MESSAGE },
        Section { title: "Fields of tool calls", list: "fields of tool calls", rows: CALL },
        Section { title: "Fields of functions", list: "fields of functions", rows: FUNCTION },
    ],
};

const FORMAT: Row = (
    "format",
    Honored,
    "`json`, or any JSON schema: it travels as a tool, and the server validates the response",
);
const THINK: Row = ("think", Honored, "true, false or a level");
const KEEP_ALIVE: Row = ("keep_alive", Ignored, "VS Code loads the models");
const LOGPROBS: Row = ("logprobs", Refused("true"), "VS Code's models tell no token probabilities");
const TOP_LOGPROBS: Row = ("top_logprobs", Refused("1"), "VS Code's models tell no token probabilities");

const CHAT: &[Row] = &[
    ("model messages stream tools options", Honored, ""),
    FORMAT,
    THINK,
    KEEP_ALIVE,
    LOGPROBS,
    TOP_LOGPROBS,
];

const GENERATION: &[Row] = &[
    ("model prompt system stream images options", Honored, ""),
    FORMAT,
    THINK,
    KEEP_ALIVE,
    ("suffix", Refused(r#""x""#), "VS Code's models can't fill in the middle of a text"),
    ("template", Refused(r#""x""#), "the providers put messages into templates of their own"),
    ("raw", Refused("true"), "the providers put messages into templates of their own"),
    ("context", Refused("[1]"), "earlier turns can't be given as tokens; use `/api/chat`"),
    LOGPROBS,
    TOP_LOGPROBS,
    ("width height steps", Ignored, "about models that make images"),
];

const OPTIONS: &[Row] = &[
    (
        "temperature top_p frequency_penalty presence_penalty",
        Honored,
        "clamped to the range that the services take",
    ),
    ("seed num_predict stop", Honored, "`num_predict` below 1 is no limit"),
    (
        "top_k min_p typical_p repeat_last_n repeat_penalty mirostat mirostat_eta mirostat_tau tfs_z num_ctx num_keep num_batch num_gpu num_thread main_gpu low_vram f16_kv logits_all vocab_only use_mmap use_mlock embedding_only numa penalize_newline",
        Ignored,
        "about how a model runs on one's own machine",
    ),
];

const MESSAGE: &[Row] = &[
    ("role", Honored, "`developer` and `control` mean `system`"),
    ("content thinking tool_calls tool_name tool_call_id", Honored, ""),
    ("images", Honored, "PNG, JPEG, GIF and WebP; others as words"),
];

const CALL: &[Row] = &[("name", Honored, ""), ("arguments", Honored, "an object, or JSON in a string")];

const FUNCTION: &[Row] = &[
    ("name description", Honored, "identical tools are one, different ones of one name are refused"),
    ("parameters", Honored, "a schema whose root is no plain object travels wrapped"),
];

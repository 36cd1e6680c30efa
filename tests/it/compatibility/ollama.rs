//! Ollama's API, which has no document of the kind: the fields are those of its reference.

use super::Handling::{Honored, Ignored, Refused};
use super::{Section, Table};

pub const TABLE: Table = Table {
    title: "Ollama: `/api/chat`, `/api/generate`",
    list: "ollama",
    sections: &[
        Section {
            title: "Fields",
            list: "",
            rows: &[
                ("model messages prompt system stream tools images", Honored, ""),
                (
                    "format",
                    Honored,
                    "`json`, or any JSON schema: it travels as a tool, and the server validates the response",
                ),
                ("think", Honored, "true, false or a level"),
                ("keep_alive", Ignored, "VS Code loads the models"),
                ("suffix", Refused(r#""x""#), "VS Code's models can't fill in the middle of a text"),
                ("template raw", Refused("true"), "the providers put messages into templates of their own"),
                ("context", Refused("[1]"), "earlier turns can't be given as tokens; use `/api/chat`"),
                ("logprobs top_logprobs", Refused("1"), "VS Code's models tell no token probabilities"),
            ],
        },
        Section {
            title: "Options",
            list: "",
            rows: &[
                (
                    "temperature top_p frequency_penalty presence_penalty",
                    Honored,
                    "clamped to the range that the services take",
                ),
                ("seed num_predict stop", Honored, "`num_predict` below 1 is no limit"),
                (
                    "top_k min_p typical_p repeat_last_n repeat_penalty mirostat mirostat_eta mirostat_tau tfs_z num_ctx num_keep num_batch num_gpu num_thread main_gpu use_mmap numa penalize_newline",
                    Ignored,
                    "about how a model runs on one's own machine",
                ),
            ],
        },
        Section {
            title: "Fields of messages",
            list: "",
            rows: &[
                ("role content thinking tool_calls tool_name tool_call_id", Honored, ""),
                ("images", Honored, "PNG, JPEG, GIF and WebP; others as words"),
            ],
        },
    ],
};

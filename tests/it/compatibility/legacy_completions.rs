//! OpenAI's legacy completions.

use super::Handling::{Honored, Ignored, Refused};
use super::{Section, Table};

pub const TABLE: Table = Table {
    title: "OpenAI legacy completions: `/v1/completions`",
    list: "legacy_completions",
    sections: &[Section {
        title: "Fields",
        list: "fields",
        rows: &[
            ("model stream stream_options echo stop n", Honored, ""),
            ("prompt", Honored, "one text; several, or tokens, are refused"),
            ("max_tokens", Honored, "absent is no limit; with 0 no model runs"),
            (
                "temperature top_p frequency_penalty presence_penalty seed",
                Honored,
                "as far as the model's provider passes them on",
            ),
            ("best_of", Refused("5"), "more than `n`: VS Code's models tell no token probabilities"),
            ("logprobs", Refused("1"), "VS Code's models tell no token probabilities"),
            ("logit_bias", Refused(r#"{ "5": 1 }"#), "VS Code's models take no bias on tokens"),
            ("suffix", Refused(r#""x""#), "VS Code's models can't fill in the middle of a text"),
            ("user", Ignored, "it identifies users to OpenAI"),
        ],
    }],
};

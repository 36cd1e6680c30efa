//! Any JSON and any events, for the dialects' property tests.

use proptest::prelude::*;
use serde_json::Value;

use crate::conversation::{Event, Thinking, ToolCall};

/// Keys that requests have, so that random values reach the readers. Each dialect may add its own.
pub const KEYS: &[&str] = &[
    "model",
    "messages",
    "role",
    "content",
    "type",
    "text",
    "image_url",
    "url",
    "tool_calls",
    "function",
    "function_call",
    "functions",
    "name",
    "arguments",
    "tool_call_id",
    "tools",
    "tool_choice",
    "parameters",
    "response_format",
    "json_schema",
    "schema",
    "stop",
    "n",
    "temperature",
    "allowed_tools",
    "mode",
    "prompt",
    "suffix",
    "stream_options",
    "output",
    "call_id",
    "namespace",
    "summary",
    "encrypted_content",
    "file_data",
    "instructions",
    "reasoning",
    "format",
    "include",
    "metadata",
    "store",
    "source",
    "media_type",
    "data",
    "title",
    "thinking",
    "signature",
    "id",
    "input",
    "tool_use_id",
    "is_error",
    "tool_name",
    "tool",
    "definition",
    "system",
    "input_schema",
    "defer_loading",
    "output_config",
    "clear_at",
];

/// Strings that requests have.
pub const WORDS: &[&str] = &[
    "user",
    "assistant",
    "tool",
    "function",
    "system",
    "text",
    "image_url",
    "refusal",
    "data:image/png;base64,aGk=",
    "data:é",
    "json_schema",
    "auto",
    "required",
    "{\"a\":1}",
    "\u{2028}",
    "",
    "image",
    "document",
    "search_result",
    "base64",
    "url",
    "image/png",
    "aGk=",
    "thinking",
    "redacted_thinking",
    "copilot-proxy:x",
    "tool_use",
    "tool_result",
    "tool_reference",
    "tool_addition",
    "tool_definition",
    "server_tool_use",
    "compaction",
];

/// JSON of any shape, made of these keys and strings.
pub fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(WORDS).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from), object(inner),]
    })
}

/// An object of these values under such keys.
pub fn object(values: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop::collection::vec((prop::sample::select(KEYS), values), 0..6).prop_map(|pairs| {
        Value::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    })
}

/// Any event but the last.
pub fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        any::<String>().prop_map(Event::Text),
        (any::<String>(), prop::option::of("[xy]"))
            .prop_map(|(text, id)| Event::Thinking(Thinking { id, ..Thinking::text(text) })),
        (any::<String>(), json()).prop_map(|(name, input)| Event::ToolCall(ToolCall {
            id: "c".into(),
            name,
            input
        })),
    ]
}

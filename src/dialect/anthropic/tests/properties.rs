//! What holds for every request and every answer.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{about, end, folded, read, streamed};
use crate::conversation::{Event, Finish, Thinking, ToolCall};
use crate::dialect::Dialect;
use crate::dialect::anthropic::{Anthropic, Form, Thoughts, count};

/// Keys and words that mean something in a request, so that chance finds the readers behind them.
const KEYS: &[&str] = &[
    "type",
    "role",
    "content",
    "text",
    "source",
    "media_type",
    "data",
    "url",
    "title",
    "thinking",
    "signature",
    "id",
    "name",
    "input",
    "tool_use_id",
    "is_error",
    "tool_name",
    "tool",
    "definition",
    "system",
    "tools",
    "tool_choice",
    "input_schema",
    "defer_loading",
    "output_config",
    "effort",
    "format",
    "schema",
    "clear_at",
    "max_tokens",
    "stop_sequences",
    "budget_tokens",
    "messages",
    "model",
    "stream",
    "thread",
];
const WORDS: &[&str] = &[
    "user",
    "assistant",
    "system",
    "text",
    "image",
    "document",
    "search_result",
    "base64",
    "url",
    "content",
    "thinking",
    "redacted_thinking",
    "tool_use",
    "tool_result",
    "tool_reference",
    "tool_addition",
    "tool_definition",
    "server_tool_use",
    "web_search_tool_result",
    "compaction",
    "custom",
    "auto",
    "any",
    "tool",
    "enabled",
    "adaptive",
    "json_schema",
    "next_user_message",
    "image/png",
    "aGk=",
    "copilot-proxy:x",
    "",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        prop::sample::select(WORDS).prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from), any_object(inner),]
    })
}

fn any_object(inner: impl Strategy<Value = Value>) -> impl Strategy<Value = Value> {
    prop::collection::vec((prop::sample::select(KEYS), inner), 0..6).prop_map(|fields| {
        Value::Object(fields.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
    })
}

/// A block of some kind with chance's fields.
fn any_block() -> impl Strategy<Value = Value> {
    (prop::sample::select(WORDS), any_object(any_json())).prop_map(|(kind, mut block)| {
        block["type"] = kind.into();
        block
    })
}

fn any_event() -> impl Strategy<Value = Event> {
    prop_oneof![
        any::<String>().prop_map(Event::Text),
        (any::<String>(), prop::option::of("[xy]"))
            .prop_map(|(text, id)| Event::Thinking(Thinking { text, id })),
        (any::<String>(), any_json()).prop_map(|(name, input)| Event::ToolCall(ToolCall {
            id: "c".into(),
            name,
            input
        })),
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Anthropic::read(&body, &());
        let _ = count::read(&body);
    }

    #[test]
    fn any_json_is_read_or_refused(body in any_json()) {
        let _ = read(&body);
    }

    #[test]
    fn any_blocks_are_read_or_refused(
        role in prop::sample::select(&["user", "assistant", "system"][..]),
        blocks in prop::collection::vec(any_block(), 0..4),
        result in prop::collection::vec(any_block(), 0..4),
        key in prop::sample::select(KEYS),
        field in any_json(),
    ) {
        let result = json!({ "type": "tool_result", "tool_use_id": "c", "content": result });
        let mut body = json!({
            "max_tokens": 9,
            "messages": [{ "role": role, "content": blocks }, { "role": "user", "content": [result] }],
        });
        let _ = read(&body);
        body[key] = field;
        let _ = read(&body);
    }

    #[test]
    fn a_stream_folds_to_the_whole_reply(
        mut events in prop::collection::vec(any_event(), 0..20),
        thoughts in prop::sample::select(&[Thoughts::Shown, Thoughts::Signed, Thoughts::Hidden][..]),
    ) {
        let form = Form { thoughts };
        events.push(end(Finish::Stop));
        let folded = folded(&streamed(form, &events));
        prop_assert_eq!(folded, Anthropic::reply(&about(), &form, &[events]));
    }
}

//! What holds for every request and every answer.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::answers::{streamed, whole, without_null_content};
use super::folded;
use crate::conversation::{Event, Finish, Thinking, ToolCall, Usage};
use crate::dialect::Dialect;
use crate::dialect::openai_chat::{Calls, Form, OpenAiChat};

/// Words that mean something in a request, so that chance finds the readers behind them.
const KEYS: &[&str] = &[
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
];

const WORDS: &[&str] = &[
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
];

fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        prop::sample::select(WORDS).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(KEYS), inner), 0..6).prop_map(|pairs| {
                Value::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
            }),
        ]
    })
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        any::<String>().prop_map(Event::Text),
        any::<String>().prop_map(|text| Event::Thinking(Thinking { text, id: None })),
        (any::<String>(), anything()).prop_map(|(name, input)| Event::ToolCall(ToolCall {
            id: "c".into(),
            name,
            input
        })),
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = OpenAiChat::read(&body, &());
    }

    #[test]
    fn any_json_is_read_or_refused(body in anything()) {
        let _ = OpenAiChat::read(body.to_string().as_bytes(), &());
    }

    #[test]
    fn any_message_is_read_or_refused(message in anything(), field in anything(), key in prop::sample::select(KEYS)) {
        let mut body = json!({ "messages": [{ "role": "user", "content": [message.clone()] }, message] });
        body[key] = field;
        let _ = OpenAiChat::read(body.to_string().as_bytes(), &());
    }

    #[test]
    fn a_stream_folds_to_the_whole_reply(
        events in prop::collection::vec((0..3_usize, event()), 0..20),
        calls in prop::sample::select(&[Calls::Tools, Calls::Function]),
    ) {
        let form = Form { include_usage: true, calls, choices: 3 };
        let mut events = events;
        for choice in 0..3 {
            let usage = Usage { input: 5, output: choice, ..Usage::default() };
            events.push((usize::try_from(choice).unwrap(), Event::Finish(Finish::Stop, usage)));
        }
        let reply = whole(form, &events);
        let (choices, usage) = folded(&streamed(form, &events));
        prop_assert_eq!(without_null_content(&json!(choices)), without_null_content(&reply["choices"]));
        prop_assert_eq!(&usage, &reply["usage"]);
    }
}

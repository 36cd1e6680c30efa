//! Properties that hold for every request and every response.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{chunks, end, folded, head, meta, read, streamed};
use crate::conversation::Finish;
use crate::dialect::common::arbitrary::{self, KEYS};
use crate::dialect::gemini::{Gemini, ResponseOptions, StreamForm, count_tokens, schema};
use crate::dialect::{Dialect, RequestHead};

/// A part of some kind with chance's fields.
fn any_part() -> impl Strategy<Value = Value> {
    const KINDS: &[&str] = &[
        "text",
        "inlineData",
        "inline_data",
        "functionCall",
        "functionResponse",
        "fileData",
        "thought",
        "executableCode",
        "x",
    ];
    (prop::sample::select(KINDS), arbitrary::json(), prop::sample::select(KINDS), arbitrary::json()).prop_map(
        |(kind, value, other, second)| json!({ kind: value, other: second, "thoughtSignature": "copilot-proxy:r1:x" }),
    )
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(
        body in prop::collection::vec(any::<u8>(), 0..200),
        path in "\\PC*",
        query in "\\PC*",
    ) {
        let head = RequestHead { path, query };
        let _ = Gemini::read(&head, &body, &());
        let _ = count_tokens::read(&head, &body);
    }

    #[test]
    fn any_json_is_read_or_refused(body in arbitrary::json()) {
        let _ = read(&body);
        if let Value::Object(schema) = body {
            let _ = schema::to_json_schema(schema);
        }
    }

    #[test]
    fn any_parts_are_read_or_refused(
        role in prop::sample::select(&["user", "model", "function"]),
        parts in prop::collection::vec(any_part(), 0..4),
        key in prop::sample::select(KEYS),
        field in arbitrary::json(),
    ) {
        let mut body = json!({
            "contents": [{ "role": role, "parts": parts }, { "parts": { "functionResponse": { "name": "c", "parts": parts } } }],
        });
        let _ = read(&body);
        body["contents"][0]["parts"] = json!([{ key: field }]);
        let _ = read(&body);
        let _ = count_tokens::read(&head("/"), body.to_string().as_bytes());
    }

    #[test]
    fn stream_adds_up_to_the_whole_response(
        mut events in prop::collection::vec(arbitrary::event(), 0..20),
        shows_thoughts in any::<bool>(),
        form in prop::sample::select(&[StreamForm::JsonArray, StreamForm::ServerSentEvents]),
    ) {
        let options = ResponseOptions { form, shows_thoughts, candidates: 1 };
        events.push(end(Finish::Stop));
        let folded = folded(chunks(form, &streamed(options, &events)));
        let mut whole = Gemini::response(&meta(), &options, &[events]);
        whole.as_object_mut().unwrap().remove("copilot_proxy");
        prop_assert_eq!(folded, whole);
    }
}

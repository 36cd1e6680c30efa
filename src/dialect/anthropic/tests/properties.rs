//! Properties that hold for every request and every response.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{end, folded, meta, read, streamed};
use crate::conversation::Finish;
use crate::dialect::Dialect;
use crate::dialect::RequestHead;
use crate::dialect::anthropic::{Anthropic, ResponseOptions, Thoughts, count_tokens};
use crate::dialect::common::arbitrary::{self, KEYS, WORDS};

/// A block of some kind with chance's fields.
fn any_block() -> impl Strategy<Value = Value> {
    (prop::sample::select(WORDS), arbitrary::object(arbitrary::json())).prop_map(|(kind, mut block)| {
        block["type"] = kind.into();
        block
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Anthropic::read(&RequestHead::default(), &body, &());
        let _ = count_tokens::read(&body);
    }

    #[test]
    fn any_json_is_read_or_refused(body in arbitrary::json()) {
        let _ = read(&body);
    }

    #[test]
    fn any_blocks_are_read_or_refused(
        role in prop::sample::select(&["user", "assistant", "system"]),
        blocks in prop::collection::vec(any_block(), 0..4),
        result in prop::collection::vec(any_block(), 0..4),
        key in prop::sample::select(KEYS),
        field in arbitrary::json(),
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
    fn stream_adds_up_to_the_whole_response(
        mut events in prop::collection::vec(arbitrary::event(), 0..20),
        thoughts in prop::sample::select(&[Thoughts::Shown, Thoughts::Signed, Thoughts::Hidden]),
    ) {
        let options = ResponseOptions { thoughts, ..ResponseOptions::default() };
        events.push(end(Finish::Stop));
        let folded = folded(&streamed(options, &events));
        prop_assert_eq!(folded, Anthropic::response(&meta(), &options, &[events]));
    }
}

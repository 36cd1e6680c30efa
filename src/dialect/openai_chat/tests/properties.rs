//! Properties that hold for every request and every response.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::folded;
use super::responses::{streamed, whole, without_null_content};
use crate::conversation::{Event, Finish, Usage};
use crate::dialect::Dialect;
use crate::dialect::RequestHead;
use crate::dialect::common::arbitrary::{KEYS, event, json};
use crate::dialect::openai_chat::{Calls, OpenAiChat, ResponseOptions};

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = OpenAiChat::read(&RequestHead::default(), &body, &());
    }

    #[test]
    fn any_json_is_read_or_refused(body in json()) {
        let _ = OpenAiChat::read(&RequestHead::default(), body.to_string().as_bytes(), &());
    }

    #[test]
    fn any_message_is_read_or_refused(message in json(), field in json(), key in prop::sample::select(KEYS)) {
        let mut body: Value = json!({ "messages": [{ "role": "user", "content": [message.clone()] }, message] });
        body[key] = field;
        let _ = OpenAiChat::read(&RequestHead::default(), body.to_string().as_bytes(), &());
    }

    #[test]
    fn stream_adds_up_to_the_whole_response(
        events in prop::collection::vec((0..3_usize, event()), 0..20),
        calls in prop::sample::select(&[Calls::Tools, Calls::Function]),
    ) {
        let options = ResponseOptions { include_usage: true, calls, choices: 3, ..ResponseOptions::default() };
        let mut events = events;
        for choice in 0..3 {
            let usage = Usage { input: 5, output: choice, ..Usage::default() };
            events.push((usize::try_from(choice).unwrap(), Event::Finish(Finish::Stop, usage)));
        }
        let reply = whole(&options, &events);
        let (choices, usage) = folded(&streamed(&options, &events));
        prop_assert_eq!(without_null_content(&json!(choices)), without_null_content(&reply["choices"]));
        prop_assert_eq!(&usage, &reply["usage"]);
    }
}

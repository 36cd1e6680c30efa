//! Properties that hold for every request and every response.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{followed, read, streamed, whole};
use crate::conversation::{Content, Event, Finish, RunTime, Thinking, ToolRan, ToolResult, Usage};
use crate::dialect::RequestHead;
use crate::dialect::common::arbitrary::{self, json};
use crate::dialect::openai_responses::{Memory, OpenAiResponses, ResponseOptions};
use crate::dialect::{Dialect, ParsedRequest, ResponseMeta};
use crate::failure::Failure;

/// Any event but the last: also thoughts that go on and tools that were run.
fn event() -> impl Strategy<Value = Event> {
    let id = prop::sample::select(vec![None, Some("t1".to_owned()), Some("t2".to_owned())]);
    let ran = |name: String| {
        let call = super::call("c", &name, json!({}));
        let result =
            ToolResult { id: "c".into(), content: vec![Content::Text { text: name }], is_error: false };
        Event::ToolRan(ToolRan { round: 1, call, result, time: RunTime::default() })
    };
    prop_oneof![
        4 => arbitrary::event(),
        2 => ("[a-b]{0,3}", id).prop_map(|(text, id)| Event::Thinking(Thinking { id, ..Thinking::text(text) })),
        2 => "[a-b]{0,3}".prop_map(Event::Text),
        1 => any::<String>().prop_map(ran),
        1 => any::<String>()
            .prop_map(|text| Event::ToolCall(super::call("c", "apply_patch", json!({ "input": text })))),
        1 => json().prop_map(|input| Event::ToolCall(super::call("c", "agents__spawn", input))),
    ]
}

fn finish() -> impl Strategy<Value = Finish> {
    prop::sample::select(vec![
        Finish::Stop,
        Finish::StopSequence("x".into()),
        Finish::Length,
        Finish::ToolCalls,
        Finish::ContentFilter,
        Finish::Refusal,
    ])
}

fn offering_tools() -> Value {
    json!({ "input": "Hi", "include": ["reasoning.encrypted_content"], "tools": [
        { "type": "custom", "name": "apply_patch" },
        { "type": "namespace", "name": "agents", "tools": [{ "type": "function", "name": "spawn" }] },
    ]})
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(body in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = OpenAiResponses::read(&RequestHead::default(), &body, &Memory::default());
    }

    #[test]
    fn any_json_is_read_or_refused(body in json()) {
        let _ = read(&body);
    }

    #[test]
    fn any_item_is_read_or_refused(
        item in json(),
        field in json(),
        key in prop::sample::select(arbitrary::KEYS),
        kind in prop::sample::select(vec![
            "message", "function_call", "function_call_output", "custom_tool_call", "reasoning",
            "item_reference", "additional_tools", "namespace", "custom", "x_output",
        ]),
    ) {
        let mut typed = item.clone();
        if let Value::Object(fields) = &mut typed {
            fields.insert("type".into(), kind.into());
        }
        let mut body: Value = json!({ "input": [typed, { "role": "user", "content": [item.clone()] }, item] });
        body[key] = field.clone();
        let _ = read(&body);
        body["tools"] = json!([typed_tool(&body["input"][0], kind), field]);
        let _ = read(&body);
    }

    #[test]
    fn stream_is_numbered_nested_and_ends_with_the_whole_response(
        events in prop::collection::vec(event(), 0..20),
        finish in finish(),
    ) {
        let (_, options) = read(&offering_tools()).unwrap();
        let mut events = events;
        events.push(Event::Finish(finish, Usage::default()));
        let last = followed(&streamed(&options, &events));
        prop_assert_eq!(&last["response"], &whole(&options, &events));
    }

    #[test]
    fn stored_response_equals_the_next_requests_history(events in prop::collection::vec(event(), 0..20)) {
        let memory = Memory::default();
        let body = offering_tools().to_string();
        let (_, options) = OpenAiResponses::read(&RequestHead::default(), body.as_bytes(), &memory).unwrap();
        let meta = ResponseMeta { id: "1".into(), created: 0, model: String::new(), counted_input: 0 };
        let reply = OpenAiResponses::response(&meta, &options, std::slice::from_ref(&events));
        OpenAiResponses::store(&memory, &meta, &options, &[events]);

        let items = reply["output"].as_array().unwrap();
        let referred: Vec<Value> = items.iter().map(|item| json!({ "id": item["id"] })).collect();
        let sent_back = json!({ "input": items, "tools": offering_tools()["tools"] });
        if !items.is_empty() {
            let found = OpenAiResponses::read(&RequestHead::default(), json!({ "input": referred }).to_string().as_bytes(), &memory);
            let messages = |read: Result<(ParsedRequest, ResponseOptions), Failure>| read.unwrap().0.conversation.messages;
            prop_assert_eq!(messages(found), messages(read(&sent_back)));
        }
    }
}

fn typed_tool(tool: &Value, kind: &str) -> Value {
    let mut tool = tool.clone();
    if let Value::Object(fields) = &mut tool {
        fields.insert("type".into(), kind.into());
    }
    tool
}

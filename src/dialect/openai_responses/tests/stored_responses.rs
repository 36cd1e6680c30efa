//! Stored responses that later requests refer to.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{call, meta};
use crate::conversation::{
    Content, Event, Finish, Message, Part, Role, RunTime, Thinking, ToolRan, ToolResult, Usage,
};
use crate::dialect::RequestHead;
use crate::dialect::openai_responses::{Memory, OpenAiResponses};
use crate::dialect::{Dialect, ResponseMeta};
use crate::failure::Failure;

fn of(role: Role, part: Part) -> Message {
    Message { role, name: None, parts: vec![part] }
}

/// Asks, and lets the answer be remembered; what was asked.
fn ask(memory: &Memory, id: &str, body: &Value, answer: &[Event]) -> Result<Vec<Message>, Failure> {
    let (ask, options) = OpenAiResponses::read(&RequestHead::default(), body.to_string().as_bytes(), memory)?;
    let mut answer = answer.to_vec();
    answer.push(Event::Finish(Finish::Stop, Usage::default()));
    OpenAiResponses::store(memory, &ResponseMeta { id: id.into(), ..meta() }, &options, &[answer]);
    Ok(ask.conversation.messages)
}

fn text(text: &str) -> Event {
    Event::Text(text.into())
}

#[test]
fn previous_response_id_restores_the_conversation() {
    let memory = Memory::default();
    let first = json!({ "input": "Who?", "instructions": "Be brief." });
    let asked = ask(&memory, "1", &first, &[text("Me.")]).unwrap();
    assert_eq!(asked, [Message::text(Role::System, "Be brief."), Message::text(Role::User, "Who?")]);

    let said = [
        Message::text(Role::User, "Who?"),
        Message::text(Role::Assistant, "Me."),
        Message::text(Role::User, "Why?"),
    ];
    let second = json!({ "previous_response_id": "resp_1", "input": "Why?" });
    assert_eq!(ask(&memory, "2", &second, &[]).unwrap(), said);
    assert_eq!(
        ask(&memory, "3", &json!({ "previous_response_id": "resp_2" }), &[]).unwrap(),
        said,
        "without instructions, and a new input is not needed"
    );
}

#[test]
fn every_output_item_is_part_of_the_conversation() {
    let memory = Memory::default();
    let content = vec![Content::Text { text: "noon".into() }];
    let result = ToolResult { id: "call_1".into(), content, is_error: false };
    let thought = Thinking { id: Some("t1".into()), ..Thinking::text("Hm.") };
    let ran = ToolRan {
        round: 1,
        call: call("call_1", "get_time", json!({})),
        result: result.clone(),
        time: RunTime::default(),
    };
    let own = call("call_2", "agents__spawn", json!({ "a": 1 }));
    let answer = [
        Event::Thinking(thought.clone()),
        Event::ToolRan(ran.clone()),
        text("Noon."),
        Event::ToolCall(own.clone()),
    ];
    ask(&memory, "1", &json!({ "input": "When?" }), &answer).unwrap();
    assert_eq!(
        ask(&memory, "2", &json!({ "previous_response_id": "resp_1", "input": [] }), &[]).unwrap(),
        [
            Message::text(Role::User, "When?"),
            of(Role::Assistant, Part::Thinking(thought.clone())),
            of(Role::Assistant, Part::ToolCall(ran.call)),
            of(Role::User, Part::ToolResult(result)),
            Message::text(Role::Assistant, "Noon."),
            of(Role::Assistant, Part::ToolCall(own.clone())),
        ]
    );
    let references = json!({ "input": [
        { "type": "item_reference", "id": "fc_1_2" },
        { "id": "rs_1_0" },
        { "type": null, "id": "msg_1_1" },
    ]});
    assert_eq!(
        ask(&memory, "3", &references, &[]).unwrap(),
        [
            of(Role::Assistant, Part::ToolCall(own)),
            of(Role::Assistant, Part::Thinking(thought)),
            Message::text(Role::Assistant, "Noon."),
        ]
    );
}

#[test]
fn store_false_stores_nothing() {
    let memory = Memory::default();
    ask(&memory, "1", &json!({ "input": "Who?", "store": false }), &[text("Me.")]).unwrap();
    let refusal = |body: Value| {
        let failure = ask(&memory, "2", &body, &[]).unwrap_err();
        let refusal = OpenAiResponses::error_response(&failure);
        (refusal.status, refusal.body["error"].clone())
    };
    assert_eq!(
        refusal(json!({ "previous_response_id": "resp_1", "input": "Why?" })),
        (
            400,
            json!({
                "message": "Previous response with id 'resp_1' not found. Responses are kept in memory only, \
                            the latest ones, and not at all with `store` set to false: send the whole \
                            conversation in `input`",
                "type": "invalid_request_error",
                "param": "previous_response_id",
                "code": "previous_response_not_found",
            })
        )
    );
    assert_eq!(
        refusal(json!({ "input": [{ "type": "item_reference", "id": "msg_1_0" }] })),
        (
            404,
            json!({
                "message": "Item with id 'msg_1_0' not found. Items are kept in memory only, those of the \
                            latest responses, and not at all with `store` set to false: send the item itself",
                "type": "invalid_request_error",
                "param": "input",
                "code": null,
            })
        )
    );
}

#[test]
fn oldest_response_is_removed_first_with_its_items() {
    let said = |id: &str, text: &str| vec![(Some(id.to_owned()), Message::text(Role::Assistant, text))];
    let before = Arc::new(vec![Message::text(Role::User, "Hi")]);
    let kept = |memory: &Memory| {
        ["1", "2", "3"].map(|id| {
            let item = memory.item(&format!("item {id}")).is_some();
            assert_eq!(item, memory.conversation(id).is_some());
            item
        })
    };

    let few = Memory::new(2, 10_000);
    for id in ["1", "2", "3"] {
        few.keep(id.into(), &before, said(&format!("item {id}"), "x"), String::new(), &Arc::default());
    }
    assert_eq!(kept(&few), [false, true, true]);

    let small = Memory::new(100, 1000);
    small.keep("1".into(), &before, said("item 1", &"x".repeat(300)), String::new(), &Arc::default());
    small.keep("2".into(), &before, said("item 2", &"x".repeat(300)), String::new(), &Arc::default());
    assert_eq!(kept(&small), [true, true, false]);
    small.keep("3".into(), &before, said("item 3", &"x".repeat(600)), String::new(), &Arc::default());
    assert_eq!(kept(&small), [false, false, true]);
    small.keep("1".into(), &before, said("item 1", &"x".repeat(1000)), String::new(), &Arc::default());
    assert_eq!(kept(&small), [false, false, true], "too large by itself, and nothing else is lost for it");
    small.keep("3".into(), &before, said("item 3", "x"), String::new(), &Arc::default());
    small.keep("2".into(), &before, said("item 2", &"x".repeat(700)), String::new(), &Arc::default());
    assert_eq!(kept(&small), [false, true, true], "what was forgotten leaves its room");
    small.keep("1".into(), &before, said("item 1", "x"), "x".repeat(800), &Arc::default());
    assert_eq!(kept(&small), [true, false, false], "what it told counts too");
    assert_eq!(small.response("1"), Some("x".repeat(800)));
    assert!(small.forget("1") && !small.forget("1"));
    assert_eq!((kept(&small), small.response("1")), ([false; 3], None));
}

//! Transcripts that clients send, and the legal ones that come of them.

use std::collections::HashSet;

use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;
use crate::bridge::protocol::Chat;
use crate::conversation::{Data, Thinking};
use crate::simulator::models::Service;
use crate::simulator::{rules, service_rules};

fn text(text: &str) -> Part {
    Part::text(text)
}

fn call(id: &str) -> Part {
    Part::ToolCall(ToolCall { id: id.into(), name: "read".into(), input: json!({"path": id}) })
}

fn result(id: &str, said: &str) -> Part {
    let content = vec![Content::Text { text: said.into() }];
    Part::ToolResult(ToolResult { id: id.into(), content, is_error: false })
}

fn image(base64: &str) -> Part {
    Part::Data(Data { mime: "image/png".into(), base64: base64.into() })
}

fn thought(text: &str, id: Option<&str>) -> Part {
    Part::Thinking(Thinking { id: id.map(Into::into), ..Thinking::text(text) })
}

fn message(role: Role, parts: impl Into<Vec<Part>>) -> Message {
    Message { role, name: None, parts: parts.into() }
}

fn system(parts: impl Into<Vec<Part>>) -> Message {
    message(Role::System, parts)
}

fn user(parts: impl Into<Vec<Part>>) -> Message {
    message(Role::User, parts)
}

fn assistant(parts: impl Into<Vec<Part>>) -> Message {
    message(Role::Assistant, parts)
}

fn of(messages: impl Into<Vec<Message>>) -> Conversation {
    Conversation { messages: messages.into(), ..Conversation::default() }
}

fn check(messages: impl Into<Vec<Message>>, wanted: impl Into<Vec<Message>>) {
    let (found, _) = legal(of(messages));
    assert_eq!(found.messages, wanted.into());
    assert_eq!(breaches(&found), Vec::<String>::new());
}

/// A transcript that is legal, and so stays as it is.
fn check_legal(messages: impl Into<Vec<Message>>) {
    let messages = messages.into();
    check(messages.clone(), messages);
}

#[test]
fn legal_transcript_is_unchanged() {
    check_legal([]);
    check_legal([user([text("a"), image("QQ=="), text("b")]), user([text("c")])]);
    check_legal([
        user([text("a")]),
        assistant([thought("t", Some("1")), text("b"), call("1"), call("2")]),
        user([result("1", "r"), result("2", "s"), text("c"), image("QQ==")]),
        assistant([text("d")]),
    ]);
}

#[test]
fn system_text_at_the_head_becomes_the_first_user_message() {
    check(
        [system([text("a"), text("b")]), system([text("c")]), user([text("d")]), system([text("e")])],
        [user([text("a\n\nb\n\nc")]), user([text("d")]), user([text("e")])],
    );
    check([system([text("")]), user([text("a")])], [user([text("a")])]);
    check(
        [system([text("a"), text(""), text("b")]), user([text("c")])],
        [user([text("a\n\nb")]), user([text("c")])],
    );
}

#[test]
fn results_of_several_messages_are_gathered_directly_after_their_calls_and_in_their_order() {
    check(
        [assistant([call("1"), call("2")]), user([result("2", "s")]), user([result("1", "r")])],
        [assistant([call("1"), call("2")]), user([result("1", "r"), result("2", "s")])],
    );
}

#[test]
fn results_come_before_text_of_their_message() {
    check(
        [assistant([call("1")]), user([text("a"), result("1", "r"), text("b")])],
        [assistant([call("1")]), user([result("1", "r"), text("a"), text("b")])],
    );
}

#[test]
fn late_result_is_moved_to_its_call() {
    check(
        [
            assistant([call("1")]),
            user([text("a")]),
            system([text("s")]),
            assistant([text("b")]),
            user([result("1", "r")]),
        ],
        [
            assistant([call("1")]),
            user([result("1", "r")]),
            user([text("a")]),
            user([text("s")]),
            assistant([text("b")]),
        ],
    );
}

#[test]
fn text_between_call_and_result_joins_the_turn_of_the_call() {
    check(
        [user([text("a")]), assistant([call("1")]), assistant([text("b")]), user([result("1", "r")])],
        [user([text("a")]), assistant([text("b"), call("1")]), user([result("1", "r")])],
    );
}

#[test]
fn result_inside_an_assistant_message_splits_it() {
    check(
        [assistant([text("a"), call("1"), result("1", "r"), text("b")])],
        [assistant([text("a"), call("1")]), user([result("1", "r")]), assistant([text("b")])],
    );
}

#[test]
fn consecutive_assistant_messages_are_one_turn() {
    check(
        [assistant([thought("t", Some("1"))]), assistant([text("a")]), assistant([text("b"), text("c")])],
        [assistant([thought("t", Some("1")), text("a\n\nbc")])],
    );
}

#[test]
fn named_participants_stay_separate_unless_a_call_is_open() {
    let named = |name: &str, parts: Vec<Part>| Message { name: Some(name.into()), ..assistant(parts) };
    check_legal([named("ann", vec![text("a")]), named("bob", vec![text("b")])]);
    check(
        [named("ann", vec![call("1")]), named("bob", vec![text("b")]), user([result("1", "r")])],
        [named("ann", vec![text("b"), call("1")]), user([result("1", "r")])],
    );
}

#[test]
fn results_without_a_call_become_text() {
    check(
        [user([text("a"), result("0", "r")]), assistant([call("1")]), user([text("b")])],
        [
            user([text("a"), text("[Result of the tool call 0:]\nr")]),
            assistant([text(r#"[The tool read was called with {"path":"1"}, and no result came.]"#)]),
            user([text("b")]),
        ],
    );
    let shown = Content::Data(Data { mime: "image/png".into(), base64: "QQ==".into() });
    let shown = ToolResult { id: "0".into(), content: vec![shown], is_error: false };
    check([user([Part::ToolResult(shown)])], [user([text("[Result of the tool call 0:]"), image("QQ==")])]);
}

#[test]
fn tool_error_is_marked_in_text() {
    let failed = |id: &str, content: Vec<Content>| {
        Part::ToolResult(ToolResult { id: id.into(), content, is_error: true })
    };
    let words = |text: &str| Content::Text { text: text.into() };
    let shown = || Content::Data(Data { mime: "image/png".into(), base64: "QQ==".into() });
    let seen =
        ToolResult { id: "2".into(), content: vec![words("[The tool failed.]"), shown()], is_error: false };
    check(
        [
            assistant([call("1"), call("2"), call("3")]),
            user([
                failed("1", vec![words("Error: no file")]),
                failed("2", vec![shown()]),
                failed("3", vec![]),
            ]),
        ],
        [
            assistant([call("1"), call("2"), call("3")]),
            user([
                result("1", "[The tool failed.]\nError: no file"),
                Part::ToolResult(seen),
                result("3", "[The tool failed.]"),
            ]),
        ],
    );
    check(
        [user([failed("0", vec![words("no file")])])],
        [user([text("[Result of the tool call 0:]\n[The tool failed.]\nno file")])],
    );
}

#[test]
fn second_result_of_a_call_becomes_text() {
    check(
        [assistant([call("1")]), user([result("1", "r"), result("1", "s")])],
        [assistant([call("1")]), user([result("1", "r"), text("[Result of the tool call 1:]\ns")])],
    );
}

#[test]
fn reused_ids_become_unique() {
    let renamed = |id: &str| {
        let Part::ToolCall(first) = call("1") else { unreachable!() };
        Part::ToolCall(ToolCall { id: id.into(), ..first })
    };
    check(
        [
            assistant([call("1")]),
            user([result("1", "r")]),
            assistant([call("1"), call("1_2")]),
            user([result("1", "s"), result("1_2", "t")]),
        ],
        [
            assistant([call("1")]),
            user([result("1", "r")]),
            assistant([renamed("1_4d1492177f5151de"), call("1_2")]),
            user([result("1_4d1492177f5151de", "s"), result("1_2", "t")]),
        ],
    );
}

#[test]
fn results_of_calls_with_one_id_belong_to_them_in_their_order() {
    let Part::ToolCall(first) = call("1") else { unreachable!() };
    let second = Part::ToolCall(ToolCall { id: "1_4d1492177f5151de".into(), ..first });
    check(
        [assistant([call("1"), call("1")]), user([result("1", "r"), result("1", "s")])],
        [assistant([call("1"), second]), user([result("1", "r"), result("1_4d1492177f5151de", "s")])],
    );
}

#[test]
fn result_belongs_to_the_latest_turn_with_its_id() {
    check(
        [assistant([call("1")]), user([text("a")]), assistant([call("1")]), user([result("1", "r")])],
        [
            assistant([text(r#"[The tool read was called with {"path":"1"}, and no result came.]"#)]),
            user([text("a")]),
            assistant([call("1")]),
            user([result("1", "r")]),
        ],
    );
}

#[test]
fn assistant_images_move_to_a_user_message() {
    check(
        [assistant([image("QQ=="), text("a")]), user([text("b")])],
        [assistant([text("a")]), user([image("QQ==")]), user([text("b")])],
    );
}

fn signed(text: &str, signature: &str) -> Part {
    let metadata = json!({ "encrypted_content": signature, "vscode_thinking_origin_api": "messages" });
    let metadata = metadata.as_object().cloned();
    Part::Thinking(Thinking { id: Some("thinking_0".into()), metadata, ..Thinking::text(text) })
}

#[test]
fn signed_thinking_of_a_turn_with_calls_is_next_to_the_calls() {
    check(
        [
            user([text("a")]),
            assistant([signed("t", "s"), text("b"), call("1")]),
            user([result("1", "c")]),
            assistant([signed("u", "s2"), text("d")]),
            user([text("e")]),
        ],
        [
            user([text("a")]),
            assistant([text("b")]),
            assistant([signed("t", "s"), call("1")]),
            user([result("1", "c")]),
            assistant([signed("u", "s2"), text("d")]),
            user([text("e")]),
        ],
    );
}

#[test]
fn later_of_two_thinking_parts_with_one_id_is_kept() {
    check(
        [user([text("a")]), assistant([signed("t", "s"), signed("u", "s2"), text("b")]), user([text("c")])],
        [user([text("a")]), assistant([signed("u", "s2"), text("b")]), user([text("c")])],
    );
}

#[test]
fn thinking_without_an_id_or_a_following_part_is_dropped() {
    check(
        [
            user([thought("t", Some("1")), text("a")]),
            assistant([thought("t", None), thought("t", Some("")), text("b")]),
            user([text("c")]),
            assistant([thought("t", Some("1"))]),
        ],
        [user([text("a")]), assistant([text("b")]), user([text("c")])],
    );
}

#[test]
fn empty_messages_are_dropped_except_the_only_one() {
    check([user([]), assistant([text("")]), user([text("a")])], [user([text("a")])]);
    check([user([text("")])], [user([text("")])]);
}

#[test]
fn names_are_mapped_everywhere_and_restored() {
    let tool = |name: &str| Tool { name: name.into(), description: String::new(), input_schema: None };
    let call = |name: &str| Part::ToolCall(ToolCall { id: "1".into(), name: name.into(), input: json!({}) });
    let (found, names) = legal(Conversation {
        messages: vec![assistant([call("fs.read")]), user([result("1", "r")])],
        tools: vec![tool("fs.read"), tool("fs_read")],
        tool_choice: ToolChoice::Named("fs.read".into()),
        ..Conversation::default()
    });
    assert_eq!(found.messages, [assistant([call("fs_read_2")]), user([result("1", "r")])]);
    assert_eq!(found.tools, [tool("fs_read_2"), tool("fs_read")]);
    assert_eq!(found.tool_choice, ToolChoice::Named("fs_read_2".into()));
    assert_eq!(names.to_client("fs_read_2".into()), "fs.read");
}

/// Checks what Copilot's provider would refuse, drop or misread.
fn breaches(conversation: &Conversation) -> Vec<String> {
    let mut breaches = Vec::new();
    let mut ids = HashSet::new();
    let mut waiting: Vec<String> = Vec::new();
    for (place, message) in conversation.messages.iter().enumerate() {
        let mut breach = |what: &str| breaches.push(format!("messages[{place}]: {what}"));
        if message.parts.is_empty() {
            breach("no part");
        }
        if message.role == Role::System {
            breach("a system message");
        }
        if !waiting.is_empty() && message.role != Role::User {
            breach("calls without results");
        }
        let mut order = 0;
        let mut texts = 0;
        let answered: Vec<String> = message.parts.iter().filter_map(answer_of).collect();
        if answered != std::mem::take(&mut waiting) {
            breach("results are not those of the calls before");
        }
        for part in &message.parts {
            let (role, rank) = match part {
                Part::Thinking(_) => (Role::Assistant, 0),
                Part::Text { .. } if message.role == Role::Assistant => (Role::Assistant, 1),
                Part::ToolCall(_) => (Role::Assistant, 2),
                Part::ToolResult(_) => (Role::User, 0),
                Part::Text { .. } | Part::Data(_) => (Role::User, 1),
            };
            if role != message.role {
                breach("a part of the other role");
            }
            if rank < order {
                breach("parts out of order");
            }
            order = rank;
            match part {
                Part::Text { text } => {
                    texts += 1;
                    if text.is_empty() && conversation.messages.len() > 1 {
                        breach("an empty text");
                    }
                }
                Part::Thinking(thinking) if thinking.id.is_none() => breach("a thought without an id"),
                Part::ToolCall(call) => {
                    waiting.push(call.id.clone());
                    if call.id.is_empty() || !ids.insert(call.id.clone()) {
                        breach("an id that is not unique");
                    }
                    if !names::is_legal(&call.name) {
                        breach("a name with other letters");
                    }
                }
                Part::Thinking(_) | Part::Data(_) | Part::ToolResult(_) => {}
            }
        }
        if message.role == Role::Assistant && texts > 1 {
            breach("several texts");
        }
    }
    if !waiting.is_empty() {
        breaches.push("calls without results at the end".into());
    }
    breaches
}

fn answer_of(part: &Part) -> Option<String> {
    match part {
        Part::ToolResult(result) => Some(result.id.clone()),
        _ => None,
    }
}

fn asked_of_the_simulator(conversation: &Conversation) -> Chat {
    Chat {
        client: None,
        vendor: "demo".into(),
        model: "scripted-1".into(),
        messages: conversation.messages.clone(),
        tools: conversation.tools.clone(),
        required: false,
        options: Map::new(),
        configuration: Map::new(),
        include_encrypted_thinking: false,
        digests: Vec::new(),
    }
}

/// All words and bytes of a conversation but thoughts, which only their own provider can read.
fn contents(messages: &[Message]) -> Vec<String> {
    let parts = messages.iter().flat_map(|message| &message.parts);
    parts
        .flat_map(|part| match part {
            Part::Text { text } => vec![text.clone()],
            Part::Data(data) => vec![data.base64.clone()],
            Part::ToolCall(call) => vec![call.input.to_string()],
            Part::ToolResult(result) => result
                .content
                .iter()
                .map(|content| match content {
                    Content::Text { text } => text.clone(),
                    Content::Data(data) => data.base64.clone(),
                })
                .collect(),
            Part::Thinking(_) => Vec::new(),
        })
        .collect()
}

fn any_part() -> impl Strategy<Value = Part> {
    let id = "[12]|1_2|";
    let name = "read|[a._]{0,2}";
    prop_oneof![
        4 => Just(text("words")),
        1 => Just(text("")),
        1 => Just(image("")),
        1 => prop_oneof![Just(None), Just(Some("")), Just(Some("t"))].prop_map(|id| thought("t", id)),
        4 => (id, name).prop_map(|(id, name)| Part::ToolCall(ToolCall { id, name, input: json!({}) })),
        4 => id.prop_map(|id| result(&id, "said")),
    ]
}

fn any_messages() -> impl Strategy<Value = Vec<Message>> {
    let role = prop_oneof![Just(Role::System), Just(Role::User), Just(Role::Assistant)];
    let name = prop_oneof![4 => Just(None), 1 => Just(Some("ann".to_owned()))];
    let message = (role, name, proptest::collection::vec(any_part(), 0..5));
    let message = message.prop_map(|(role, name, parts)| Message { role, name, parts });
    proptest::collection::vec(message, 0..8).prop_map(distinct)
}

/// Gives each content a number of its own, so that none can stand for another.
fn distinct(mut messages: Vec<Message>) -> Vec<Message> {
    let mut number = 100;
    for part in messages.iter_mut().flat_map(|message| &mut message.parts) {
        number += 1;
        match part {
            Part::Text { text } if text.is_empty() => {}
            Part::Text { text } => *text = format!("<{number}>"),
            Part::Data(data) => data.base64 = format!("<{number}>"),
            Part::ToolCall(call) => call.input = json!({ "number": number }),
            Part::ToolResult(result) => {
                result.content = vec![Content::Text { text: format!("<{number}>") }];
            }
            Part::Thinking(_) => {}
        }
    }
    messages
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_transcript_becomes_legal_and_keeps_its_text(messages in any_messages()) {
        let wanted = contents(&messages);
        let some = !messages.is_empty();
        let (found, _) = legal(of(messages));
        prop_assert_eq!(breaches(&found), Vec::<String>::new());
        prop_assert_eq!(some, !found.messages.is_empty());
        if some {
            let chat = asked_of_the_simulator(&found);
            prop_assert_eq!(rules::check(&chat), Ok(()));
            // Images have random bytes here; `conversation::image` gives them their types.
            let mut words = chat.clone();
            for message in &mut words.messages {
                message.parts.retain(|part| matches!(part, Part::Text { .. } | Part::ToolCall(_)));
            }
            for service in [Service::Chat, Service::Responses, Service::Messages] {
                prop_assert_eq!(service_rules::check(&words, service), Ok(()));
            }
            prop_assert_eq!(rules::as_read(chat, Service::Chat).messages, found.messages.clone());
        }
        let all = contents(&found.messages).join("\n");
        for content in wanted {
            prop_assert_eq!(all.matches(&content).count().min(1), 1, "{} is lost", content);
        }
    }

    #[test]
    fn legalizing_twice_changes_nothing(messages in any_messages()) {
        let (once, _) = legal(of(messages));
        let (twice, names) = legal(once.clone());
        prop_assert_eq!(twice, once);
        prop_assert_eq!(names, ToolNameMap::default());
    }
}

/// Turns with calls of this id, all with results.
fn turns(count: usize, id: impl Fn(usize) -> String, name: impl Fn(usize) -> String) -> Vec<Message> {
    let calls = (0..count)
        .map(|number| Part::ToolCall(ToolCall { id: id(number), name: name(number), input: json!({}) }));
    let results = (0..count).map(|number| result(&id(number), "said"));
    vec![
        Message { role: Role::Assistant, name: None, parts: calls.collect() },
        Message { role: Role::User, name: None, parts: results.collect() },
    ]
}

/// The larger history is twice the smaller one. Work that grows with its square would take minutes for both.
#[test]
fn work_is_linear_in_the_history() {
    let name = |_: usize| "read".to_owned();
    for count in [25_000, 50_000] {
        let same_ids = turns(count, |_| "a".into(), name);
        let no_ids = turns(count, |_| String::new(), name);
        let taken_ids =
            turns(count, |number| if number % 2 == 0 { "a".into() } else { format!("a_{number}") }, name);
        let names =
            turns(count, |number| number.to_string(), |number| format!("{}.{number}", "ü".repeat(64)));
        let unanswered: Vec<Message> = (0..count)
            .flat_map(|_| [turns(1, |_| "a".into(), name).remove(0), Message::text(Role::User, "no")])
            .collect();
        let mut long_turn = same_ids.clone();
        long_turn.push(Message { role: Role::User, name: None, parts: vec![text("more"); count] });
        for history in [same_ids, no_ids, taken_ids, names, unanswered, long_turn] {
            let (found, _) = legal(of(history));
            assert!(!found.messages.is_empty());
        }
    }
}

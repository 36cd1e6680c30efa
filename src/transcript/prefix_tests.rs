//! The prefix rule: a legal transcript stays as it is when the client continues the conversation.

use proptest::prelude::*;
use serde_json::json;

use super::legal;
use crate::conversation::{Content, Conversation, Message, Part, Role, Tool, ToolCall, ToolResult};

fn message(role: Role, parts: Vec<Part>) -> Message {
    Message { role, name: None, parts }
}

/// Text, calls and their results in the form of one dialect or another. Ids occur again in later turns, and names are
/// those of tools or not.
fn turn() -> impl Strategy<Value = Vec<Message>> {
    let call = ("[12]|1_2|fc[.]1", "read|a[.]b|a_b|a_b_2|a[.]c");
    let calls = proptest::collection::vec(call, 0..4);
    (calls, any::<bool>(), any::<bool>(), any::<bool>(), any::<bool>()).prop_map(
        |(calls, has_text, is_split, has_user_text, has_orphan)| {
            let call = |(id, name): &(String, String)| {
                Part::ToolCall(ToolCall { id: id.clone(), name: name.clone(), input: json!({}) })
            };
            let result = |(id, _): &(String, String)| {
                let content = vec![Content::Text { text: "result".into() }];
                Part::ToolResult(ToolResult { id: id.clone(), content, is_error: false })
            };
            let text = has_text.then(|| Part::text("words"));
            let orphan = has_orphan.then(|| result(&("orphan".to_owned(), String::new())));
            let said = text.into_iter().chain(calls.iter().map(call));
            let heard = calls.iter().map(result).chain(orphan);
            let mut messages: Vec<Message> = if is_split {
                let said = said.map(|part| message(Role::Assistant, vec![part]));
                said.chain(heard.map(|part| message(Role::User, vec![part]))).collect()
            } else {
                vec![message(Role::Assistant, said.collect()), message(Role::User, heard.collect())]
            };
            // A request ends with words of the user or with results.
            if has_user_text || calls.is_empty() {
                messages.push(Message::text(Role::User, "next"));
            }
            messages
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn longer_history_begins_with_the_shorter_one(
        turns in proptest::collection::vec(turn(), 1..6),
        tools in proptest::collection::btree_set("read|a[.]b|a_b", 0..3),
    ) {
        let tool = |name| Tool { name, description: String::new(), input_schema: None };
        let tools: Vec<Tool> = tools.into_iter().map(tool).collect();
        let mut messages = vec![Message::text(Role::System, "system"), Message::text(Role::User, "question")];
        let mut before: Option<Conversation> = None;
        for turn in turns {
            messages.extend(turn);
            let history = Conversation { messages: messages.clone(), tools: tools.clone(), ..Conversation::default() };
            let (now, _) = legal(history);
            if let Some(before) = &before {
                prop_assert_eq!(&before.tools, &now.tools);
                let kept = now.messages.iter().take(before.messages.len());
                prop_assert_eq!(&before.messages, &kept.cloned().collect::<Vec<_>>());
            }
            before = Some(now);
        }
    }
}

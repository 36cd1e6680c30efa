//! Histories: any of them becomes one that Copilot's provider takes, and no text is lost.

use serde_json::{Map, Value};

use super::source::Source;
use crate::bridge::protocol::Chat;
use crate::conversation::{Content, Conversation, Message, Part, Role, Thinking, Tool, ToolCall, ToolResult};
use crate::simulator::models::Service;
use crate::simulator::{rules, service_rules};
use crate::transcript::legal;

/// A history with any order of parts, ids that repeat, and names of any letters.
pub fn transcript(data: &[u8]) {
    let mut source = Source(data);
    let tools = (0..source.below(4)).map(|_| tool(&mut source)).collect();
    let mut messages = Vec::new();
    while !source.0.is_empty() {
        let role = [Role::User, Role::Assistant, Role::System][source.below(3)];
        let name = (source.below(8) == 0).then(|| source.text());
        let parts = (0..source.below(5)).map(|_| part(&mut source)).collect();
        messages.push(Message { role, name, parts });
    }
    check_legal(Conversation { messages, tools, ..Conversation::default() });
}

fn tool(source: &mut Source<'_>) -> Tool {
    let input_schema = source.flag().then(|| Value::Object(source.object(2)));
    Tool { name: source.text(), description: source.text(), input_schema }
}

fn part(source: &mut Source<'_>) -> Part {
    match source.below(8) {
        0..=2 => Part::text(source.text()),
        3 => Part::Thinking(Thinking {
            id: source.flag().then(|| source.text()),
            ..Thinking::text(source.text())
        }),
        4 | 5 => {
            let (id, name) = (source.text(), source.text());
            Part::ToolCall(ToolCall { id, name, input: Value::Object(source.object(1)) })
        }
        _ => {
            let content = (0..source.below(3)).map(|_| Content::Text { text: source.text() }).collect();
            Part::ToolResult(ToolResult { id: source.text(), content, is_error: source.flag() })
        }
    }
}

/// Makes a conversation legal; panics where the provider or a service behind it would refuse or misread it.
pub(super) fn check_legal(conversation: Conversation) {
    let is_empty = conversation.messages.is_empty();
    let mut words = texts(&conversation.messages);
    let (found, _) = legal(conversation);
    assert_eq!(found.messages.is_empty(), is_empty);
    let (again, names) = legal(found.clone());
    assert_eq!(again, found, "a legal conversation does not stay as it is");
    assert_eq!(names, crate::transcript::names::ToolNameMap::default());

    // Several texts of one turn are joined, so that each is looked for where the one before it ended, or anywhere.
    let all = texts(&found.messages).join("\n");
    words.retain(|text| !all.contains(text.as_str()));
    assert_eq!(words, Vec::<String>::new(), "words are lost");
    if is_empty {
        return;
    }
    let chat = request(found);
    assert_eq!(rules::check(&chat), Ok(()));
    assert_eq!(
        rules::as_read(chat.clone(), Service::Chat).messages,
        chat.messages,
        "the provider drops something"
    );
    // Images and signatures are other modules' affair.
    let mut without_data = chat;
    for message in &mut without_data.messages {
        message.parts.retain(|part| !matches!(part, Part::Data(_) | Part::Thinking(_)));
    }
    for service in [Service::Chat, Service::Responses, Service::Messages] {
        assert_eq!(service_rules::check(&without_data, service), Ok(()));
    }
}

fn request(conversation: Conversation) -> Chat {
    Chat {
        client: None,
        vendor: "demo".into(),
        model: "scripted-1".into(),
        messages: conversation.messages,
        tools: conversation.tools,
        required: false,
        options: Map::new(),
        configuration: Map::new(),
        include_encrypted_thinking: false,
        digests: Vec::new(),
    }
}

/// All texts, of results too.
fn texts(messages: &[Message]) -> Vec<String> {
    let mut texts = Vec::new();
    for part in messages.iter().flat_map(|message| &message.parts) {
        match part {
            Part::Text { text } => texts.push(text.clone()),
            Part::ToolResult(result) => {
                let said = result.content.iter().filter_map(|content| match content {
                    Content::Text { text } => Some(text.clone()),
                    Content::Data(_) => None,
                });
                texts.extend(said);
            }
            Part::Data(_) | Part::Thinking(_) | Part::ToolCall(_) => {}
        }
    }
    texts
}

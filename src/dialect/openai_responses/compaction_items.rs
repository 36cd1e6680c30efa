//! Items of type `compaction`: a summary takes the place of a conversation.
//!
//! The model writes the summary as its response to an instruction; the client keeps it sealed and sends it back.

use serde_json::{Map, Value, json};

use crate::conversation::{Message, Part, Role};
use crate::dialect::common::compaction::{self, Replaced};
use crate::failure::Failure;

/// Type of the item that asks for a compaction, as the last of the input.
pub const TRIGGER: &str = "compaction_trigger";

/// The user's messages of a conversation that is compacted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UserMessages(Vec<Message>);

impl UserMessages {
    /// Picks them from the stored conversation that the request continues, and adds those that it sends.
    pub fn of(stored: &[Message], sent: Vec<Message>) -> UserMessages {
        UserMessages(stored.iter().filter(|message| is_of_user(message)).cloned().chain(sent).collect())
    }

    /// The messages that later requests continue.
    pub fn messages(&self) -> &[Message] {
        &self.0
    }

    /// The messages as items of the response with this id.
    pub fn items(&self, id: &str) -> Vec<Value> {
        let items = self.0.iter().enumerate();
        items
            .map(|(index, message)| {
                let content: Vec<Value> = message.parts.iter().filter_map(content).collect();
                json!({
                    "type": "message",
                    "id": format!("msg_{id}_u{index}"),
                    "status": "completed",
                    "role": "user",
                    "content": content,
                })
            })
            .collect()
    }
}

/// Whether the user wrote a message: it is no result of a tool and no earlier summary.
fn is_of_user(message: &Message) -> bool {
    let is_own = |part: &Part| match part {
        Part::Text { text } => !compaction::is_summary(text),
        Part::Data(_) => true,
        Part::Thinking(_) | Part::ToolCall(_) | Part::ToolResult(_) => false,
    };
    message.role == Role::User && !message.parts.is_empty() && message.parts.iter().all(is_own)
}

fn content(part: &Part) -> Option<Value> {
    match part {
        Part::Text { text } => Some(json!({ "type": "input_text", "text": text })),
        Part::Data(data) => {
            let url = format!("data:{};base64,{}", data.mime, data.base64);
            Some(json!({ "type": "input_image", "detail": "auto", "image_url": url }))
        }
        Part::Thinking(_) | Part::ToolCall(_) | Part::ToolResult(_) => None,
    }
}

/// Whether an item holds compacted turns, by any of its names.
pub fn is_compaction(kind: &str) -> bool {
    matches!(kind, "compaction" | "compaction_summary" | "context_compaction")
}

/// The message in which the model reads a compaction item. An item that can't be opened is never an error: it stands
/// in every later request of its conversation.
pub fn read_item(item: &Map<String, Value>) -> Message {
    let summary = open(item).map(|(summary, _)| summary);
    Message::text(Role::User, compaction::summary_text(summary.as_deref()))
}

/// Whether an item takes the place of everything before it, so that a client need not remove that.
pub fn replaces_earlier(item: &Value) -> bool {
    let is_item =
        |fields: &&Map<String, Value>| fields.get("type").and_then(Value::as_str).is_some_and(is_compaction);
    item.as_object().filter(is_item).and_then(open).is_some_and(|(_, replaced)| replaced == Replaced::All)
}

fn open(item: &Map<String, Value>) -> Option<(String, Replaced)> {
    item.get("encrypted_content").and_then(Value::as_str).and_then(compaction::open)
}

/// Number of system messages at the beginning, which no summary replaces.
pub fn system_messages(messages: &[Message]) -> usize {
    messages.iter().take_while(|message| message.role == Role::System).count()
}

/// Checks that a trigger is the last item, and takes it off.
pub fn take_trigger(items: &mut Vec<Value>) -> Result<bool, Failure> {
    let is_trigger = |item: &Value| item.get("type").is_some_and(|kind| kind == TRIGGER);
    match items.iter().position(is_trigger) {
        None => Ok(false),
        Some(position) if position + 1 == items.len() => {
            items.pop();
            Ok(true)
        }
        Some(position) => {
            let message = format!("found `{TRIGGER}` before other items, expected it as the last one");
            Err(Failure::invalid(format!("input[{position}].type"), message))
        }
    }
}

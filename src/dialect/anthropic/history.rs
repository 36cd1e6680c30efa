//! The system prompt and the messages, and what they say besides: tools that come and go, the effort.

use super::blocks;
use super::tools::Change;
use super::wire::{self, Block};
use crate::conversation::{Message, Role};
use crate::dialect::one_or_many::OneOrMany;
use crate::failure::Failure;

/// What has been said.
#[derive(Debug, Default)]
pub struct History {
    /// The system prompt first, then the messages in order.
    pub messages: Vec<Message>,
    /// Which tools came and went, in order.
    pub changes: Vec<Change>,
    /// The effort that was asked for last.
    pub effort: Option<String>,
}

/// Reads the system prompt and the messages.
pub fn read(system: Option<OneOrMany<Block>>, messages: Vec<wire::Message>) -> Result<History, Failure> {
    if messages.is_empty() {
        return Err(Failure::invalid("messages", "empty, expected at least one message"));
    }
    let mut history = History::default();
    let parts = blocks::read_all(system, "system", |block| blocks::read_system(block, &mut history.changes))?;
    if !parts.is_empty() {
        history.messages.push(Message { role: Role::System, name: None, parts });
    }
    let last_of_user = messages.iter().rposition(|message| message.role == wire::Role::User);
    for (index, message) in messages.into_iter().enumerate() {
        let is_cleared = message.clear_at.as_deref() == Some("next_user_message")
            && last_of_user.is_some_and(|last| index < last);
        let message = read_message(message, &mut history)
            .map_err(|failure| failure.under(&format!("messages[{index}]")))?;
        if !is_cleared {
            history.messages.extend(message);
        }
    }
    Ok(history)
}

/// A message; none where a system message only turns knobs.
fn read_message(message: wire::Message, history: &mut History) -> Result<Option<Message>, Failure> {
    if let Some(effort) = message.output_config.and_then(|config| config.effort) {
        history.effort = Some(effort);
    }
    let changes = &mut history.changes;
    let (role, parts) = match message.role {
        wire::Role::System => {
            let read = |block| blocks::read_system(block, changes);
            (Role::System, blocks::read_all(message.content, "content", read)?)
        }
        wire::Role::User => {
            (Role::User, blocks::read_all(message.content, "content", |block| blocks::read(block, changes))?)
        }
        wire::Role::Assistant => (
            Role::Assistant,
            blocks::read_all(message.content, "content", |block| blocks::read(block, changes))?,
        ),
    };
    let says_nothing = role == Role::System && parts.is_empty();
    Ok((!says_nothing).then_some(Message { role, name: None, parts }))
}

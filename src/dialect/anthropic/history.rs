//! Reads the system prompt and the messages, with the changes of tools and of the effort in them.

use super::blocks;
use super::tools::ToolListChange;
use super::wire::{self, Block};
use crate::conversation::{Message, Part, Role};
use crate::dialect::common::compaction;
use crate::dialect::common::media::Unshowable;
use crate::dialect::common::one_or_many::OneOrMany;
use crate::failure::{Failure, ResultExt};

/// The messages so far.
#[derive(Debug, Default)]
pub struct History {
    /// The system prompt first, then the messages in order.
    pub messages: Vec<Message>,
    /// Tools that were added and removed, in order.
    pub changes: Vec<ToolListChange>,
    /// The effort that was asked for last.
    pub effort: Option<String>,
}

/// Reads the system prompt and the messages.
pub fn read(system: Option<OneOrMany<Block>>, messages: Vec<wire::Message>) -> Result<History, Failure> {
    if messages.is_empty() {
        return Err(Failure::invalid("messages", "empty, expected at least one message"));
    }
    let mut history = History::default();
    let parts = blocks::read_system(system, "system", &mut history.changes)?;
    if !parts.is_empty() {
        history.messages.push(Message { role: Role::System, name: None, parts });
    }
    let system = history.messages.len();
    // Results of tools are blocks of the user's messages here.
    let last_of_user = messages.iter().rposition(|message| message.role == wire::Role::User);
    for (index, mut message) in messages.into_iter().enumerate() {
        if let Some(summary) = take_summary(&mut message.content) {
            history.messages.truncate(system);
            history.messages.push(Message::text(Role::User, compaction::summary_text(Some(&summary))));
            if matches!(&message.content, Some(OneOrMany::Many(blocks)) if blocks.is_empty()) {
                continue;
            }
        }
        let is_cleared = message.clear_at.as_deref() == Some("next_user_message")
            && last_of_user.is_some_and(|last| index < last);
        let message = history
            .read(message, Unshowable::of_message(index, last_of_user))
            .at(format_args!("messages[{index}]"))?;
        if !is_cleared {
            history.messages.extend(message.into_iter().flat_map(with_results_apart));
        }
    }
    Ok(history)
}

/// Takes the last summary from a content, with the blocks that it replaces. One that failed is null.
fn take_summary(content: &mut Option<OneOrMany<Block>>) -> Option<String> {
    let Some(OneOrMany::Many(blocks)) = content else { return None };
    let summary = |block: &Block| {
        let is_compaction = block.get("type").is_some_and(|kind| kind == "compaction");
        block.get("content").filter(|_| is_compaction)?.as_str().map(str::to_owned)
    };
    let position = blocks.iter().rposition(|block| summary(block).is_some())?;
    blocks.drain(..=position).next_back().as_ref().and_then(summary)
}

/// Messages for a message of the assistant that holds results of web tools: as the server had them when it ran these.
fn with_results_apart(message: Message) -> Vec<Message> {
    if message.role != Role::Assistant || !message.parts.iter().any(is_result) {
        return vec![message];
    }
    let Message { role, name, parts } = message;
    let mut messages: Vec<Message> = Vec::new();
    for part in parts {
        let role = if is_result(&part) { Role::User } else { role };
        match messages.last_mut() {
            Some(last) if last.role == role => last.parts.push(part),
            _ => messages.push(Message { role, name: name.clone(), parts: vec![part] }),
        }
    }
    messages
}

fn is_result(part: &Part) -> bool {
    matches!(part, Part::ToolResult(_))
}

impl History {
    /// Reads a message; none where a system message only changes options.
    fn read(&mut self, message: wire::Message, unshowable: Unshowable) -> Result<Option<Message>, Failure> {
        if let Some(effort) = message.output_config.and_then(|config| config.effort) {
            self.effort = Some(effort);
        }
        let (role, parts) = match message.role {
            wire::Role::System => {
                let parts = blocks::read_system(message.content, "content", &mut self.changes)?;
                if parts.is_empty() {
                    return Ok(None);
                }
                (Role::System, parts)
            }
            wire::Role::User => (Role::User, blocks::read(message.content, &mut self.changes, unshowable)?),
            wire::Role::Assistant => {
                (Role::Assistant, blocks::read_assistant(message.content, &mut self.changes, unshowable)?)
            }
        };
        Ok(Some(Message { role, name: None, parts }))
    }
}

//! Reads the system instruction and the contents.

use super::parts::{self, PartReader};
use super::wire;
use crate::conversation::{Message, Part, Role};
use crate::dialect::common::media::{Unshowable, newest_user_message};
use crate::dialect::gemini::repeated::Repeated;
use crate::failure::{Failure, ResultExt};

/// Reads all messages, the system instruction first.
pub fn read(
    system: Option<wire::Content>,
    contents: Option<Repeated<wire::Content>>,
) -> Result<Vec<Message>, Failure> {
    let Repeated(contents) = contents.ok_or_else(|| Failure::invalid("contents", "required, but missing"))?;
    if contents.is_empty() {
        return Err(Failure::invalid("contents", "empty, expected at least one content"));
    }
    let roles = contents.iter().enumerate().map(|(index, content)| {
        read_role(content.role.as_deref()).at("role").at(format_args!("contents[{index}]"))
    });
    let roles = roles.collect::<Result<Vec<Role>, Failure>>()?;
    let with_roles: Vec<(Role, wire::Content)> = roles.into_iter().zip(contents).collect();
    let newest = newest_user_message(
        &with_roles,
        |(role, content)| *role == Role::User && !has_result(content),
        |(role, content)| *role == Role::User && has_result(content),
    );
    let mut history = History { messages: read_system(system)?, reader: PartReader::default() };
    for (index, (role, content)) in with_roles.into_iter().enumerate() {
        history
            .read(role, content, Unshowable::of_message(index, newest))
            .at(format_args!("contents[{index}]"))?;
    }
    Ok(history.finish())
}

/// Reads the role of a content. Results of functions had a role of their own.
fn read_role(role: Option<&str>) -> Result<Role, Failure> {
    match role {
        None | Some("" | "user" | "function" | "tool") => Ok(Role::User),
        Some("model") => Ok(Role::Assistant),
        Some(other) => {
            let found = crate::failure::shortened(other);
            Err(Failure::invalid("", format!("found `{found}`, expected `user` or `model`")))
        }
    }
}

fn has_result(content: &wire::Content) -> bool {
    let is_result = |part: &wire::Part| {
        part.keys().any(|name| matches!(name.as_str(), "functionResponse" | "function_response"))
    };
    content.parts.as_ref().is_some_and(|Repeated(parts)| parts.iter().any(is_result))
}

fn read_system(system: Option<wire::Content>) -> Result<Vec<Message>, Failure> {
    let Some(wire::Content { parts: Some(Repeated(parts)), .. }) = system else { return Ok(Vec::new()) };
    let mut texts = Vec::new();
    for (index, part) in parts.into_iter().enumerate() {
        let read = parts::read_system(part).at(format_args!("systemInstruction.parts[{index}]"))?;
        texts.extend(read);
    }
    let message = Message { role: Role::System, name: None, parts: texts };
    Ok(if message.parts.is_empty() { Vec::new() } else { vec![message] })
}

/// The messages so far.
struct History {
    messages: Vec<Message>,
    reader: PartReader,
}

impl History {
    /// Reads a content. Contents of the model that follow each other are one message: clients keep the chunks of a stream
    /// as they came.
    fn read(&mut self, role: Role, content: wire::Content, unshowable: Unshowable) -> Result<(), Failure> {
        if role == Role::User {
            self.end_turn_of_model();
        }
        let continues = role == Role::Assistant
            && self.messages.last().is_some_and(|message| message.role == Role::Assistant);
        if !continues {
            self.messages.push(Message { role, name: None, parts: Vec::new() });
        }
        let Some(message) = self.messages.last_mut() else { return Ok(()) };
        for (index, part) in content.parts.into_iter().flat_map(|Repeated(parts)| parts).enumerate() {
            let at = format_args!("parts[{index}]");
            let read = match role {
                Role::Assistant => self.reader.of_model(part, unshowable).at(at)?,
                Role::User | Role::System => self.reader.of_user(part, unshowable).at(at)?,
            };
            message.parts.extend(read);
        }
        Ok(())
    }

    /// Thinking at the end of a turn has no signature.
    fn end_turn_of_model(&mut self) {
        let thinking = self.reader.take_thinking(None);
        if let Some(message) = self.messages.last_mut() {
            message.parts.extend(thinking.map(Part::Thinking));
        }
    }

    fn finish(mut self) -> Vec<Message> {
        self.end_turn_of_model();
        self.messages
    }
}

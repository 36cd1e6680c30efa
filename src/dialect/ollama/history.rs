//! Converts the messages of a chat, one by one. `transcript` makes them legal.

use super::wire;
use crate::conversation::{Content, Message, Part, Role, Thinking, ToolCall, ToolResult};
use crate::dialect::common::call_arguments;
use crate::dialect::common::media::{Unshowable, newest_user_message};
use crate::dialect::common::open_calls::OpenCalls;
use crate::failure::{Failure, ResultExt};

/// Reads the messages.
pub fn read(messages: Vec<wire::Message>) -> Result<Vec<Message>, Failure> {
    let mut calls = OpenCalls::default();
    let newest = newest_user_message(
        &messages,
        |message| message.role == wire::Role::User,
        |message| message.role == wire::Role::Tool,
    );
    let read = |(index, message)| {
        read_message(message, &mut calls, Unshowable::of_message(index, newest))
            .at(format_args!("messages[{index}]"))
    };
    messages.into_iter().enumerate().map(read).collect()
}

fn read_message(
    message: wire::Message,
    calls: &mut OpenCalls,
    unshowable: Unshowable,
) -> Result<Message, Failure> {
    let role = match message.role {
        wire::Role::System => Role::System,
        wire::Role::User => Role::User,
        wire::Role::Assistant => Role::Assistant,
        wire::Role::Tool => {
            let content = contents(message.content, message.images, unshowable)?;
            let id = calls
                .answered(message.tool_name.as_deref(), message.tool_call_id.filter(|id| !id.is_empty()));
            let result = Part::ToolResult(ToolResult { id, content, is_error: false });
            return Ok(Message { role: Role::User, name: None, parts: vec![result] });
        }
    };
    let mut built = message_of(role, message.content, message.images, unshowable)?;
    if let Some(text) = message.thinking.filter(|text| !text.is_empty()) {
        built.parts.insert(0, Part::Thinking(Thinking::text(text)));
    }
    let called = message.tool_calls.into_iter().flatten().map(|call| Part::ToolCall(called(call, calls)));
    built.parts.extend(called);
    Ok(built)
}

/// A message of a text and images.
pub fn message_of(
    role: Role,
    text: Option<String>,
    images: Option<Vec<String>>,
    unshowable: Unshowable,
) -> Result<Message, Failure> {
    let parts = contents(text, images, unshowable)?.into_iter().map(Part::from).collect();
    Ok(Message { role, name: None, parts })
}

/// An empty text is no part.
fn contents(
    text: Option<String>,
    images: Option<Vec<String>>,
    unshowable: Unshowable,
) -> Result<Vec<Content>, Failure> {
    let text = text.filter(|text| !text.is_empty()).map(|text| Content::Text { text });
    let mut contents: Vec<Content> = text.into_iter().collect();
    for (index, base64) in images.into_iter().flatten().enumerate() {
        contents.push(unshowable.image("", &base64).at(format_args!("images[{index}]"))?);
    }
    Ok(contents)
}

fn called(call: wire::ToolCall, calls: &mut OpenCalls) -> ToolCall {
    let wire::Function { name, arguments } = call.function;
    let id = calls.called(&name, call.id.filter(|id| !id.is_empty()));
    ToolCall { id, name, input: call_arguments::of(arguments) }
}

//! Converts the messages of a chat request, one by one. `transcript` makes them legal.

use serde_json::Value;

use super::wire;
use crate::conversation::{Content, Message, Part, Role, ToolCall, ToolResult};
use crate::dialect::common::body_json::read_value;
use crate::dialect::common::files::File;
use crate::dialect::common::media::{Unshowable, newest_user_message};
use crate::dialect::common::one_or_many::OneOrMany;
use crate::dialect::common::open_calls::OpenCalls;
use crate::dialect::common::string_or_object::WordOrObject;
use crate::dialect::common::{call_arguments, free_text, placeholders, sealed_thinking};
use crate::failure::{Failure, ResultExt};

/// Types of parts that are read; any other is words in old messages.
const PART_KINDS: [&str; 5] = ["text", "image_url", "input_audio", "file", "refusal"];

/// Reads the messages.
pub fn read(messages: Vec<wire::Message>) -> Result<Vec<Message>, Failure> {
    if messages.is_empty() {
        return Err(Failure::invalid("messages", "empty, expected at least one message"));
    }
    let mut functions = OpenCalls::default();
    let newest = newest_user_message(
        &messages,
        |message| message.role == wire::Role::User,
        |message| matches!(message.role, wire::Role::Tool | wire::Role::Function),
    );
    let read = |(index, message)| {
        read_message(message, &mut functions, Unshowable::of_message(index, newest))
            .at(format_args!("messages[{index}]"))
    };
    messages.into_iter().enumerate().map(read).collect()
}

fn read_message(
    message: wire::Message,
    functions: &mut OpenCalls,
    unshowable: Unshowable,
) -> Result<Message, Failure> {
    let name = message.name.filter(|name| !name.is_empty());
    Ok(match message.role {
        wire::Role::System | wire::Role::Developer => {
            Message { role: Role::System, name, parts: read_content(message.content, unshowable)? }
        }
        wire::Role::User => {
            Message { role: Role::User, name, parts: read_content(message.content, unshowable)? }
        }
        wire::Role::Assistant => {
            let mut parts = Vec::new();
            let details = message.reasoning_details.into_iter().flatten().filter_map(|detail| detail.data);
            let mut seals: Vec<String> = details.collect();
            if seals.is_empty() {
                seals.extend(message.reasoning_opaque);
            }
            let text = message.reasoning_content.unwrap_or_default();
            let thinking = sealed_thinking::open_joined(text, seals.iter().map(String::as_str));
            parts.extend(thinking.into_iter().map(Part::Thinking));
            parts.extend(read_content(message.content, unshowable)?);
            parts.extend(some_text(message.refusal));
            let audio = message.audio.map(|audio| placeholders::unknown_block("audio", audio));
            parts.extend(some_text(audio));
            for (index, call) in message.tool_calls.into_iter().flatten().enumerate() {
                parts.push(read_call(call).at(format_args!("tool_calls[{index}]"))?);
            }
            parts.extend(message.function_call.map(|call| Part::ToolCall(called(call, functions))));
            Message { role: Role::Assistant, name, parts }
        }
        wire::Role::Tool => {
            let id = message
                .tool_call_id
                .ok_or_else(|| Failure::invalid("tool_call_id", "required, but missing"))?;
            result(id, read_content(message.content, unshowable)?)
        }
        wire::Role::Function => {
            let name = name.ok_or_else(|| Failure::invalid("name", "required, but missing"))?;
            let content = read_content(message.content, unshowable)?;
            result(functions.answered(Some(&name), None), content)
        }
    })
}

fn result(id: String, parts: Vec<Part>) -> Message {
    let content = parts
        .into_iter()
        .filter_map(|part| match part {
            Part::Text { text } => Some(Content::Text { text }),
            Part::Data(data) => Some(Content::Data(data)),
            Part::Thinking(_) | Part::ToolCall(_) | Part::ToolResult(_) => None,
        })
        .collect();
    let result = ToolResult { id, content, is_error: false };
    Message { role: Role::User, name: None, parts: vec![Part::ToolResult(result)] }
}

/// Text and images; an empty text is no part.
fn read_content(
    content: Option<OneOrMany<wire::Block>>,
    unshowable: Unshowable,
) -> Result<Vec<Part>, Failure> {
    let many = match content {
        None => return Ok(Vec::new()),
        Some(OneOrMany::One(text)) => return Ok(some_text(Some(text)).into_iter().collect()),
        Some(OneOrMany::Many(many)) => many,
    };
    let mut parts = Vec::with_capacity(many.len());
    for (index, part) in many.into_iter().enumerate() {
        parts.extend(read_part(part, unshowable).at(format_args!("content[{index}]"))?);
    }
    Ok(parts)
}

fn read_part(block: wire::Block, unshowable: Unshowable) -> Result<Option<Part>, Failure> {
    let kind = block.get("type").and_then(Value::as_str).map(str::to_owned);
    if let Some(kind) =
        kind.filter(|kind| unshowable == Unshowable::Describe && !PART_KINDS.contains(&kind.as_str()))
    {
        let text = placeholders::unknown_block(&kind, block);
        return Ok(some_text(Some(text)));
    }
    let part: wire::Part = read_value(Value::Object(block))?;
    let missing = |field: &str| Failure::invalid(field, "required, but missing");
    match part.kind {
        wire::PartKind::Text => Ok(some_text(Some(part.text.ok_or_else(|| missing("text"))?))),
        wire::PartKind::Refusal => Ok(some_text(Some(part.refusal.ok_or_else(|| missing("refusal"))?))),
        wire::PartKind::ImageUrl => {
            let (at, url) = match part.image_url.ok_or_else(|| missing("image_url"))? {
                WordOrObject::Word(url) => ("image_url", url),
                WordOrObject::Object(image) => ("image_url.url", image.url),
            };
            Ok(Some(unshowable.image_url(&url).at(at)?.into()))
        }
        wire::PartKind::InputAudio => {
            let format = part.input_audio.ok_or_else(|| missing("input_audio"))?.format.unwrap_or_default();
            let reason =
                Failure::unsupported("type", "VS Code's models can't be handed audio, only text and images");
            let placeholder = || placeholders::file_left_out("audio", &format, None);
            unshowable.or_placeholder(reason, placeholder).map(|text| Some(text.into()))
        }
        wire::PartKind::File => {
            let wire::File { name, data, id } = part.file.ok_or_else(|| missing("file"))?;
            let file = File { name, data, id, url: None };
            file.read(unshowable).at("file").map(|content| Some(content.into()))
        }
    }
}

fn some_text(text: Option<String>) -> Option<Part> {
    text.filter(|text| !text.is_empty()).map(Part::text)
}

/// A call of the assistant; one of a type that isn't known is words.
fn read_call(block: wire::Block) -> Result<Part, Failure> {
    let kind = block.get("type").and_then(Value::as_str).map(str::to_owned);
    if let Some(kind) = kind.filter(|kind| !["function", "custom"].contains(&kind.as_str())) {
        return Ok(Part::text(placeholders::unknown_block(&kind, block)));
    }
    let call: wire::ToolCall = read_value(Value::Object(block))?;
    let (name, input) = match (call.function, call.custom) {
        (Some(function), _) => (function.name, call_arguments::of(function.arguments)),
        (None, Some(custom)) => (custom.name, free_text::wrap(&custom.input)),
        (None, None) => return Err(Failure::invalid("function", "required, but missing")),
    };
    Ok(Part::ToolCall(ToolCall { id: call.id, name, input }))
}

/// A call from before `tools`, which has no id: the next result of the same name is its own.
fn called(call: wire::FunctionCall, functions: &mut OpenCalls) -> ToolCall {
    let id = functions.called(&call.name, None);
    ToolCall { id, name: call.name, input: call_arguments::of(call.arguments) }
}

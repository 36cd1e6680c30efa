//! The encoding of an item of a history. The extension's `history.ts` decodes the same.
//!
//! Numbers are little-endian. A string is a u32 of twice its length in bytes, plus one if all of it is ASCII, then its
//! bytes. Bytes are a u32 of their length, then themselves; an optional value is a u8, 0 or 1, then the value.
//!
//! The content of a message is its optional name, then its parts, each a u8 kind and its fields; that of a list of tools
//! is a string of JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, BytesMut};
use serde::de::DeserializeOwned;

use crate::conversation::{Content, Data, Message, Part, Role, Thinking, Tool, ToolCall, ToolResult};

/// An item of a history.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A message.
    Message(Message),
    /// The tools that the model may call.
    Tools(Vec<Tool>),
}

/// Tags of items.
const USER: u8 = 0;
const ASSISTANT: u8 = 1;
const SYSTEM: u8 = 2;
const TOOLS: u8 = 3;

/// Kinds of parts.
const TEXT: u8 = 0;
const DATA: u8 = 1;
/// Data whose base64 is unusual and travels as it is.
const ENCODED_DATA: u8 = 2;
const THINKING: u8 = 3;
const TOOL_CALL: u8 = 4;
const TOOL_RESULT: u8 = 5;

/// An item that is not encoded as described.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("an invalid item of a history")]
pub struct InvalidItem;

/// Appends a message.
pub fn put_item(message: &Message, out: &mut BytesMut) {
    out.put_u8(match message.role {
        Role::User => USER,
        Role::Assistant => ASSISTANT,
        Role::System => SYSTEM,
    });
    put_optional(message.name.as_deref(), out);
    for part in &message.parts {
        put_part(part, out);
    }
}

/// Appends a list of tools.
pub fn put_tools(tools: &[Tool], out: &mut BytesMut) {
    out.put_u8(TOOLS);
    put_json(&tools, out);
}

fn put_part(part: &Part, out: &mut BytesMut) {
    match part {
        Part::Text { text } => {
            out.put_u8(TEXT);
            put_string(text, out);
        }
        Part::Data(data) => put_data(data, out),
        Part::Thinking(thinking) => {
            out.put_u8(THINKING);
            put_string(&thinking.text, out);
            put_optional(thinking.id.as_deref(), out);
            out.put_u8(u8::from(thinking.metadata.is_some()));
            if let Some(metadata) = &thinking.metadata {
                put_json(metadata, out);
            }
        }
        Part::ToolCall(call) => {
            out.put_u8(TOOL_CALL);
            put_string(&call.id, out);
            put_string(&call.name, out);
            put_json(&call.input, out);
        }
        Part::ToolResult(result) => {
            out.put_u8(TOOL_RESULT);
            put_string(&result.id, out);
            out.put_u8(u8::from(result.is_error));
            out.put_u32_le(length(result.content.len()));
            for content in &result.content {
                match content {
                    Content::Text { text } => {
                        out.put_u8(TEXT);
                        put_string(text, out);
                    }
                    Content::Data(data) => put_data(data, out),
                }
            }
        }
    }
}

fn put_data(data: &Data, out: &mut BytesMut) {
    let start = out.len();
    out.put_u8(DATA);
    put_string(&data.mime, out);
    let head = out.len();
    out.put_u32_le(0);
    // Decoded in place. Three bytes for each four characters are enough, and more is never written.
    out.resize(head + 4 + data.base64.len().div_ceil(4) * 3, 0);
    let decoded = out.get_mut(head + 4..).and_then(|bytes| STANDARD.decode_slice(&data.base64, bytes).ok());
    if let Some(decoded) = decoded {
        out.truncate(head + 4 + decoded);
        if let Some(place) = out.get_mut(head..head + 4) {
            place.copy_from_slice(&length(decoded).to_le_bytes());
        }
    } else {
        out.truncate(start);
        out.put_u8(ENCODED_DATA);
        put_string(&data.mime, out);
        put_string(&data.base64, out);
    }
}

fn put_string(text: &str, out: &mut BytesMut) {
    out.reserve(4 + text.len());
    out.put_u32_le(length(text.len()) << 1 | u32::from(text.is_ascii()));
    out.put_slice(text.as_bytes());
}

fn put_optional(text: Option<&str>, out: &mut BytesMut) {
    out.put_u8(u8::from(text.is_some()));
    if let Some(text) = text {
        put_string(text, out);
    }
}

/// Appends JSON as a string.
fn put_json(value: &impl serde::Serialize, out: &mut BytesMut) {
    // Values of JSON and tools never fail; an empty string would be refused by the reader.
    put_string(&serde_json::to_string(value).unwrap_or_default(), out);
}

/// A length; a request has 16 MiB at most.
fn length(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Decodes an item.
pub fn read_item(bytes: &[u8]) -> Result<Item, InvalidItem> {
    let mut reader = Reader(bytes);
    let role = match reader.u8()? {
        USER => Role::User,
        ASSISTANT => Role::Assistant,
        SYSTEM => Role::System,
        TOOLS => {
            let tools = reader.json()?;
            return if reader.0.is_empty() { Ok(Item::Tools(tools)) } else { Err(InvalidItem) };
        }
        _ => return Err(InvalidItem),
    };
    let name = reader.optional(Reader::string)?;
    let mut parts = Vec::new();
    while !reader.0.is_empty() {
        parts.push(reader.part()?);
    }
    Ok(Item::Message(Message { role, name, parts }))
}

/// Takes values off the front of an item.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], InvalidItem> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(InvalidItem)?;
        self.0 = rest;
        Ok(taken)
    }

    fn u8(&mut self) -> Result<u8, InvalidItem> {
        self.take(1)?.first().copied().ok_or(InvalidItem)
    }

    fn u32(&mut self) -> Result<u32, InvalidItem> {
        self.take(4)?.first_chunk().map(|bytes| u32::from_le_bytes(*bytes)).ok_or(InvalidItem)
    }

    fn flag(&mut self) -> Result<bool, InvalidItem> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(InvalidItem),
        }
    }

    fn string(&mut self) -> Result<String, InvalidItem> {
        let head = self.u32()?;
        let text = std::str::from_utf8(self.take((head >> 1) as usize)?).map_err(|_| InvalidItem)?;
        if text.is_ascii() == (head & 1 == 1) { Ok(text.to_owned()) } else { Err(InvalidItem) }
    }

    fn json<T: DeserializeOwned>(&mut self) -> Result<T, InvalidItem> {
        serde_json::from_str(&self.string()?).map_err(|_| InvalidItem)
    }

    fn optional<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, InvalidItem>,
    ) -> Result<Option<T>, InvalidItem> {
        if self.flag()? { read(self).map(Some) } else { Ok(None) }
    }

    fn part(&mut self) -> Result<Part, InvalidItem> {
        match self.u8()? {
            THINKING => Ok(Part::Thinking(Thinking {
                text: self.string()?,
                id: self.optional(Reader::string)?,
                metadata: self.optional(Reader::json)?,
                model: None,
            })),
            TOOL_CALL => {
                let (id, name, input) = (self.string()?, self.string()?, self.json()?);
                Ok(Part::ToolCall(ToolCall { id, name, input }))
            }
            TOOL_RESULT => {
                let (id, is_error, length) = (self.string()?, self.flag()?, self.u32()?);
                let content = (0..length).map(|_| {
                    let kind = self.u8()?;
                    self.content(kind)
                });
                let content = content.collect::<Result<_, _>>()?;
                Ok(Part::ToolResult(ToolResult { id, content, is_error }))
            }
            kind => self.content(kind).map(Part::from),
        }
    }

    fn content(&mut self, kind: u8) -> Result<Content, InvalidItem> {
        match kind {
            TEXT => Ok(Content::Text { text: self.string()? }),
            DATA => {
                let (mime, length) = (self.string()?, self.u32()?);
                Ok(Content::Data(Data { mime, base64: STANDARD.encode(self.take(length as usize)?) }))
            }
            ENCODED_DATA => Ok(Content::Data(Data { mime: self.string()?, base64: self.string()? })),
            _ => Err(InvalidItem),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// Messages with every kind of part.
    pub fn messages() -> Vec<Message> {
        let data = |base64: &str| json!({ "type": "data", "mime": "image/png", "base64": base64 });
        let messages = json!([
            { "role": "system", "parts": [{ "type": "text", "text": "Be brief." }] },
            { "role": "user", "name": "ann", "parts": [
                { "type": "text", "text": "" }, { "type": "text", "text": "größer 日本語 😀" }, data("AQID"), data(""),
                data("no base64"), data("AR=="),
            ] },
            { "role": "assistant", "parts": [
                { "type": "thinking", "text": "hm", "id": "t", "metadata": { "signature": "s", "n": [1, null] } },
                { "type": "thinking", "text": "well" },
                { "type": "tool_call", "id": "1", "name": "read", "input": { "path": "ä", "b": 1, "a": 2 } },
                { "type": "tool_call", "id": "2", "name": "list", "input": {} },
            ] },
            { "role": "user", "parts": [
                { "type": "tool_result", "id": "1", "content": [{ "type": "text", "text": "x" }, data("/+8=")], "is_error": true },
                { "type": "tool_result", "id": "2", "content": [], "is_error": false },
            ] },
            { "role": "assistant", "parts": [] },
        ]);
        serde_json::from_value(messages).unwrap()
    }

    pub fn tools() -> Vec<Tool> {
        let tool =
            |name: &str, input_schema| Tool { name: name.into(), description: "ö".into(), input_schema };
        vec![tool("a", None), tool("b", Some(json!({ "type": "object", "z": 1, "a": 2 })))]
    }

    #[test]
    fn items_are_read_as_they_were_written() {
        for message in messages() {
            let mut out = BytesMut::new();
            put_item(&message, &mut out);
            assert_eq!(read_item(&out), Ok(Item::Message(message)));
        }
        let mut out = BytesMut::new();
        put_tools(&tools(), &mut out);
        assert_eq!(read_item(&out), Ok(Item::Tools(tools())));
    }

    #[test]
    fn bytes_travel_as_bytes() {
        let base64 = STANDARD.encode([7; 3000]);
        let data = Part::Data(Data { mime: "image/png".into(), base64 });
        let mut out = BytesMut::new();
        put_item(&Message { role: Role::User, name: None, parts: vec![data] }, &mut out);
        assert!(out.len() < 3030, "{}", out.len());
    }

    #[test]
    fn cut_and_changed_items_are_invalid_or_others_but_never_a_panic() {
        for message in messages() {
            let mut out = BytesMut::new();
            put_item(&message, &mut out);
            for length in 0..out.len() {
                assert_ne!(read_item(&out[..length]), Ok(Item::Message(message.clone())));
            }
            for index in 0..out.len() {
                for byte in [0, 1, 2, 5, 0x7F, 0xFF] {
                    let mut changed = out.to_vec();
                    changed[index] = byte;
                    let _ = read_item(&changed);
                }
            }
        }
    }
}

//! Digests of messages: equal messages have equal ones, in this process only. They stand for messages that were counted,
//! compared or sent before, so that each turn of a conversation costs what is new in it.

use std::hash::{BuildHasher, Hash, Hasher};
use std::io;
use std::sync::LazyLock;

use foldhash::quality::RandomState;
use serde::Serialize;

use super::{Content, Data, Message, Part, Role, Tool};

/// Weight of an image or a file, whose tokens don't grow with its bytes.
const DATA_WEIGHT: u64 = 4096;

/// Two hash functions, random in each process: 128 bits don't collide by chance, and no client can compute them.
static HASHING: LazyLock<[RandomState; 2]> = LazyLock::new(Default::default);

/// Digest of a message or of a list of tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest {
    /// 128 bits that identify it.
    pub id: u128,
    /// Bytes of its text; an image weighs as much as a page, whatever its size.
    pub weight: u64,
}

impl Digest {
    /// The digest of a message, with everything that a model reads of it.
    pub fn of(message: &Message) -> Digest {
        let mut writer = DigestWriter::default();
        writer.message(message);
        writer.digest()
    }

    /// The digests of messages.
    pub fn of_all(messages: &[Message]) -> Vec<Digest> {
        messages.iter().map(Digest::of).collect()
    }

    /// The digest of a list of tools.
    pub fn of_tools(tools: &[Tool]) -> Digest {
        let mut writer = DigestWriter::default();
        tools.len().hash(&mut writer);
        for tool in tools {
            writer.text(&tool.name);
            writer.text(&tool.description);
            tool.input_schema.is_some().hash(&mut writer);
            if let Some(schema) = &tool.input_schema {
                writer.json(schema);
            }
        }
        writer.digest()
    }
}

/// A digest in the making.
struct DigestWriter {
    hashers: [<RandomState as BuildHasher>::Hasher; 2],
    weight: u64,
}

impl Default for DigestWriter {
    fn default() -> DigestWriter {
        DigestWriter { hashers: HASHING.each_ref().map(BuildHasher::build_hasher), weight: 0 }
    }
}

impl DigestWriter {
    fn digest(&self) -> Digest {
        let [high, low] = self.hashers.each_ref().map(Hasher::finish);
        Digest { id: u128::from(high) << 64 | u128::from(low), weight: self.weight }
    }

    fn message(&mut self, message: &Message) {
        let role: u8 = match message.role {
            Role::System => 0,
            Role::User => 1,
            Role::Assistant => 2,
        };
        role.hash(self);
        message.name.hash(self);
        for part in &message.parts {
            std::mem::discriminant(part).hash(self);
            match part {
                Part::Text { text } => self.text(text),
                Part::Data(data) => self.data(data),
                Part::Thinking(thinking) => {
                    self.text(&thinking.text);
                    thinking.id.hash(self);
                    thinking.metadata.is_some().hash(self);
                    if let Some(metadata) = &thinking.metadata {
                        self.json(metadata);
                    }
                }
                Part::ToolCall(call) => {
                    self.text(&call.id);
                    self.text(&call.name);
                    self.json(&call.input);
                }
                Part::ToolResult(result) => {
                    self.text(&result.id);
                    result.is_error.hash(self);
                    result.content.len().hash(self);
                    for content in &result.content {
                        std::mem::discriminant(content).hash(self);
                        match content {
                            Content::Text { text } => self.text(text),
                            Content::Data(data) => self.data(data),
                        }
                    }
                }
            }
        }
    }

    fn text(&mut self, text: &str) {
        text.hash(self);
        self.weight += text.len() as u64;
    }

    /// Adds JSON as it is written, since the order of its keys counts.
    fn json(&mut self, value: &impl Serialize) {
        // Neither this writer nor a value of JSON fails.
        let _ = serde_json::to_writer(&mut *self, value);
        // No other value begins with this byte.
        0xFF_u8.hash(self);
    }

    fn data(&mut self, data: &Data) {
        data.mime.hash(self);
        data.base64.hash(self);
        self.weight += DATA_WEIGHT;
    }
}

impl Hasher for DigestWriter {
    fn write(&mut self, bytes: &[u8]) {
        self.hashers.iter_mut().for_each(|hasher| hasher.write(bytes));
    }

    fn write_u8(&mut self, number: u8) {
        self.hashers.iter_mut().for_each(|hasher| hasher.write_u8(number));
    }

    fn write_usize(&mut self, number: usize) {
        self.hashers.iter_mut().for_each(|hasher| hasher.write_usize(number));
    }

    fn finish(&self) -> u64 {
        self.hashers.iter().fold(0, |all, hasher| all ^ hasher.finish())
    }
}

impl io::Write for DigestWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Hasher::write(self, bytes);
        self.weight += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn digest(message: Value) -> Digest {
        Digest::of(&serde_json::from_value(message).unwrap())
    }

    #[test]
    fn digests_depend_on_everything_that_a_model_reads() {
        let call = |input: Value| {
            digest(json!({ "role": "assistant", "parts": [
                { "type": "tool_call", "id": "1", "name": "read", "input": input },
            ]}))
        };
        assert_eq!(call(json!({ "a": 1, "b": 2 })), call(json!({ "a": 1, "b": 2 })));
        assert_ne!(call(json!({ "a": 1, "b": 2 })), call(json!({ "b": 2, "a": 1 })));
        let text = |role: &str, texts: &[&str]| {
            let parts: Vec<Value> =
                texts.iter().map(|text| json!({ "type": "text", "text": text })).collect();
            digest(json!({ "role": role, "parts": parts })).id
        };
        assert_eq!(text("user", &["a"]), text("user", &["a"]));
        assert_ne!(text("user", &["a"]), text("assistant", &["a"]));
        assert_ne!(text("user", &["a"]), text("user", &["b"]));
        assert_ne!(text("user", &["a", "b"]), text("user", &["ab"]));
        let result = |content: Value, is_error: bool| {
            digest(json!({ "role": "user", "parts": [
                { "type": "tool_result", "id": "1", "content": content, "is_error": is_error },
            ]}))
            .id
        };
        let [text, data] =
            [json!({ "type": "text", "text": "ab" }), json!({ "type": "data", "mime": "a", "base64": "b" })];
        let all = [
            result(json!([text]), false),
            result(json!([text]), true),
            result(json!([data]), false),
            result(json!([text, data]), false),
            result(json!([]), false),
        ];
        for (index, one) in all.iter().enumerate() {
            assert!(!all[..index].contains(one), "{index}");
        }
    }

    #[test]
    fn digest_of_tools_depends_on_order_and_schema() {
        let tool = |name: &str, schema: Option<Value>| Tool {
            name: name.into(),
            description: String::new(),
            input_schema: schema,
        };
        let of = |tools: &[Tool]| Digest::of_tools(tools).id;
        let (a, b) = (tool("a", None), tool("b", Some(json!({ "type": "object" }))));
        assert_ne!(of(&[a.clone(), b.clone()]), of(&[b.clone(), a.clone()]));
        assert_ne!(of(std::slice::from_ref(&a)), of(&[tool("a", Some(json!({})))]));
        assert_eq!(of(&[a.clone(), b.clone()]), of(&[a, b]));
    }
}

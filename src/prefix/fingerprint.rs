//! Hashes of the parts of a request, in the order in which providers cache them: tools, system text, messages.

use std::hash::{BuildHasher, Hash, Hasher};
use std::io;

use foldhash::fast::RandomState;
use serde::Serialize;

use crate::bridge::protocol::Chat;
use crate::conversation::{Content, Data, Message, Part, Role, Tool};

/// Length of the blocks of a system text that are hashed one by one, in characters. A change is found to that precision.
pub(super) const BLOCK: usize = 32;

/// Most blocks of a system text: those of its first 65,536 characters, in 8 KiB of memory.
const MAX_BLOCKS: usize = 2048;

/// Most bytes of a fingerprint. A longer one, of some ten thousand messages, is not made.
const MAX_MEMORY: usize = 256 * 1024;

/// Weight of an image or a file, whose tokens don't grow with its bytes.
const DATA_WEIGHT: u64 = 4096;

/// Longest tool name that is kept, in bytes.
const MAX_NAME: usize = 64;

/// Hashes of a request. Weights are in bytes of its text and stand for tokens.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fingerprint {
    pub(super) tools: Vec<ToolHash>,
    pub(super) system: Option<SystemHash>,
    pub(super) messages: Vec<MessageHash>,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct ToolHash {
    pub name: Box<str>,
    pub description: u64,
    pub parameters: u64,
    pub weight: u64,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct MessageHash {
    /// Whether it is a response of the model.
    pub is_of_model: bool,
    pub hash: u64,
    pub weight: u64,
}

/// The message that carries the system text.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct SystemHash {
    pub whole: MessageHash,
    /// Hashes of the first blocks of the text.
    pub blocks: Vec<u32>,
}

impl Fingerprint {
    /// The hashes of a request. `messages` of its messages are the client's, those behind them are the server's own and
    /// hold for one turn; the first one is the system text if `has_system` is set. `None` for an enormous request.
    pub fn of(chat: &Chat, messages: usize, has_system: bool, hashing: &RandomState) -> Option<Fingerprint> {
        let mut messages = chat.messages.iter().take(messages);
        let system = if has_system { messages.next().map(|message| system(message, hashing)) } else { None };
        let memory = size_of::<ToolHash>() * chat.tools.len() + size_of::<MessageHash>() * messages.len();
        (memory <= MAX_MEMORY).then(|| Fingerprint {
            tools: chat.tools.iter().map(|tool| tool_hash(tool, hashing)).collect(),
            system,
            messages: messages.map(|message| message_hash(message, hashing)).collect(),
        })
    }

    /// Weight of the whole request.
    pub(super) fn weight(&self) -> u64 {
        let tools = self.tools.iter().map(|tool| tool.weight);
        let system = self.system.iter().map(|system| system.whole.weight);
        tools.chain(system).sum::<u64>() + self.message_weight()
    }

    /// Weight of the messages.
    pub(super) fn message_weight(&self) -> u64 {
        self.messages.iter().map(|message| message.weight).sum()
    }

    /// Memory in bytes.
    pub(super) fn memory(&self) -> usize {
        let names = self.tools.iter().map(|tool| size_of::<ToolHash>() + tool.name.len()).sum::<usize>();
        let blocks = self.system.as_ref().map_or(0, |system| system.blocks.len() * size_of::<u32>());
        size_of::<Fingerprint>() + names + blocks + self.messages.len() * size_of::<MessageHash>()
    }
}

fn tool_hash(tool: &Tool, hashing: &RandomState) -> ToolHash {
    let mut parameters = Digest::new(hashing);
    if let Some(schema) = &tool.input_schema {
        parameters.json(schema);
    }
    let name = tool.name.get(..tool.name.floor_char_boundary(MAX_NAME)).unwrap_or_default();
    ToolHash {
        name: name.into(),
        description: hashing.hash_one(&tool.description),
        parameters: parameters.hasher.finish(),
        weight: parameters.weight + (tool.name.len() + tool.description.len()) as u64,
    }
}

fn message_hash(message: &Message, hashing: &RandomState) -> MessageHash {
    let mut digest = Digest::new(hashing);
    let is_of_model = message.role == Role::Assistant;
    is_of_model.hash(&mut digest.hasher);
    message.name.hash(&mut digest.hasher);
    for part in &message.parts {
        std::mem::discriminant(part).hash(&mut digest.hasher);
        match part {
            Part::Text { text } => digest.text(text),
            Part::Data(data) => digest.data(data),
            Part::Thinking(thinking) => {
                digest.text(&thinking.text);
                thinking.id.hash(&mut digest.hasher);
                if let Some(metadata) = &thinking.metadata {
                    digest.json(metadata);
                }
            }
            Part::ToolCall(call) => {
                digest.text(&call.id);
                digest.text(&call.name);
                digest.json(&call.input);
            }
            Part::ToolResult(result) => {
                digest.text(&result.id);
                for content in &result.content {
                    match content {
                        Content::Text { text } => digest.text(text),
                        Content::Data(data) => digest.data(data),
                    }
                }
            }
        }
    }
    MessageHash { is_of_model, hash: digest.hasher.finish(), weight: digest.weight }
}

fn system(message: &Message, hashing: &RandomState) -> SystemHash {
    let text = message.parts.iter().find_map(|part| match part {
        Part::Text { text } => Some(text.as_str()),
        _ => None,
    });
    SystemHash { whole: message_hash(message, hashing), blocks: blocks(text.unwrap_or_default(), hashing) }
}

/// A hash in the making, and the weight of what it is made of.
struct Digest {
    hasher: <RandomState as BuildHasher>::Hasher,
    weight: u64,
}

impl Digest {
    fn new(hashing: &RandomState) -> Digest {
        Digest { hasher: hashing.build_hasher(), weight: 0 }
    }

    fn text(&mut self, text: &str) {
        text.hash(&mut self.hasher);
        self.weight += text.len() as u64;
    }

    /// Adds JSON as it is written: the order of its keys counts for the provider's cache, but not for `Value`'s own hash.
    fn json(&mut self, value: &impl Serialize) {
        // Neither this writer nor a value of JSON fails.
        let _ = serde_json::to_writer(self, value);
    }

    fn data(&mut self, data: &Data) {
        data.mime.hash(&mut self.hasher);
        data.base64.hash(&mut self.hasher);
        self.weight += DATA_WEIGHT;
    }
}

impl io::Write for Digest {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.hasher.write(bytes);
        self.weight += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Hashes the first blocks of a text.
fn blocks(text: &str, hashing: &RandomState) -> Vec<u32> {
    let starts = text.char_indices().map(|(start, _)| start).step_by(BLOCK).take(MAX_BLOCKS + 1);
    let starts: Vec<usize> = starts.collect();
    let ends = starts.iter().skip(1).copied().chain([text.len()]);
    let block = |(start, end): (&usize, usize)| {
        #[expect(clippy::cast_possible_truncation, reason = "half of the hash will do")]
        let hash = hashing.hash_one(text.get(*start..end).unwrap_or_default()) as u32;
        hash
    };
    starts.iter().zip(ends).take(MAX_BLOCKS).map(block).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::conversation::ToolCall;

    fn fingerprint(messages: &Value, tools: &Value, hashing: &RandomState) -> Fingerprint {
        let chat: Chat = serde_json::from_value(json!({
            "vendor": "v", "model": "m", "messages": messages, "tools": tools, "required": false, "options": {},
        }))
        .unwrap();
        Fingerprint::of(&chat, chat.messages.len(), true, hashing).unwrap()
    }

    fn text(role: &str, text: &str) -> Value {
        json!({ "role": role, "parts": [{ "type": "text", "text": text }] })
    }

    #[test]
    fn hashes_depend_on_everything_that_a_provider_reads() {
        let hashing = RandomState::default();
        let call = |input: Value| {
            let call = ToolCall { id: "1".into(), name: "read".into(), input };
            let message = Message { role: Role::Assistant, name: None, parts: vec![Part::ToolCall(call)] };
            message_hash(&message, &hashing).hash
        };
        assert_eq!(call(json!({ "a": 1, "b": 2 })), call(json!({ "a": 1, "b": 2 })));
        assert_ne!(call(json!({ "a": 1, "b": 2 })), call(json!({ "b": 2, "a": 1 })));
        let of =
            |message: Value| fingerprint(&json!([text("user", "s"), message]), &json!([]), &hashing).messages;
        assert_ne!(of(text("user", "a")), of(text("assistant", "a")));
        assert_ne!(of(text("user", "a")), of(text("user", "b")));
    }

    #[test]
    fn system_text_is_hashed_in_blocks_of_characters() {
        let hashing = RandomState::default();
        let of = |text: &str| blocks(text, &hashing);
        assert_eq!(of("").len(), 0);
        assert_eq!(of(&"é".repeat(BLOCK)).len(), 1);
        assert_eq!(of(&"é".repeat(BLOCK + 1)).len(), 2);
        assert_eq!(of(&"x".repeat(BLOCK * MAX_BLOCKS + 100)).len(), MAX_BLOCKS);
        let (one, other) = (of(&"x".repeat(100)), of(&format!("{}y{}", "x".repeat(40), "x".repeat(59))));
        assert_eq!((one[0] == other[0], one[1] == other[1], one[2] == other[2]), (true, false, true));
    }

    #[test]
    fn enormous_request_has_no_fingerprint() {
        let messages: Vec<Value> = (0..20_000).map(|_| text("user", "a")).collect();
        let chat: Chat = serde_json::from_value(json!({
            "vendor": "v", "model": "m", "messages": messages, "tools": [], "required": false, "options": {},
        }))
        .unwrap();
        assert_eq!(Fingerprint::of(&chat, chat.messages.len(), false, &RandomState::default()), None);
    }
}

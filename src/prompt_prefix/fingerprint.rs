//! Hashes of the parts of a request, in the order in which providers cache them: tools, system text, messages.

use std::hash::{BuildHasher, Hasher};
use std::io;

use foldhash::fast::RandomState;
use serde::Serialize;

use crate::bridge::protocol::Chat;
use crate::conversation::{Digest, Message, Part, Role, Tool};

/// Length of the blocks of a system text that are hashed one by one, in characters. A change is found to that precision.
pub(super) const BLOCK: usize = 32;

/// Most blocks of a system text: those of its first 65,536 characters, in 8 KiB of memory.
const MAX_BLOCKS: usize = 2048;

/// Most bytes of a fingerprint. A longer one, of some ten thousand messages, is not made.
const MAX_MEMORY: usize = 256 * 1024;

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
    /// The hashes of a request, whose messages have their digests. `messages` of them are the client's, those behind are
    /// the server's own and hold for one turn; the first one is the system text if `has_system` is set. `None` for an
    /// enormous request.
    pub fn of(chat: &Chat, messages: usize, has_system: bool, hashing: &RandomState) -> Option<Fingerprint> {
        let mut messages = chat.messages.iter().zip(&chat.digests).take(messages);
        let system = if has_system {
            messages.next().map(|(message, digest)| system(message, *digest, hashing))
        } else {
            None
        };
        let memory = size_of::<ToolHash>() * chat.tools.len() + size_of::<MessageHash>() * messages.len();
        (memory <= MAX_MEMORY).then(|| Fingerprint {
            tools: chat.tools.iter().map(|tool| tool_hash(tool, hashing)).collect(),
            system,
            messages: messages.map(|(message, digest)| message_hash(message, *digest)).collect(),
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
    let mut parameters = WeighedHash::new(hashing);
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

fn message_hash(message: &Message, digest: Digest) -> MessageHash {
    #[expect(clippy::cast_possible_truncation, reason = "half of it will do")]
    let hash = digest.id as u64;
    MessageHash { is_of_model: message.role == Role::Assistant, hash, weight: digest.weight }
}

fn system(message: &Message, digest: Digest, hashing: &RandomState) -> SystemHash {
    let text = message.parts.iter().find_map(|part| match part {
        Part::Text { text } => Some(text.as_str()),
        _ => None,
    });
    SystemHash { whole: message_hash(message, digest), blocks: blocks(text.unwrap_or_default(), hashing) }
}

/// A hash in the making, and the weight of what it is made of.
struct WeighedHash {
    hasher: <RandomState as BuildHasher>::Hasher,
    weight: u64,
}

impl WeighedHash {
    fn new(hashing: &RandomState) -> WeighedHash {
        WeighedHash { hasher: hashing.build_hasher(), weight: 0 }
    }

    /// Adds JSON as it is written: the order of its keys counts for the provider's cache, but not for `Value`'s own hash.
    fn json(&mut self, value: &impl Serialize) {
        // Neither this writer nor a value of JSON fails.
        let _ = serde_json::to_writer(self, value);
    }
}

impl io::Write for WeighedHash {
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
        let messages: Vec<Value> = (0..20_000)
            .map(|_| json!({ "role": "user", "parts": [{ "type": "text", "text": "a" }] }))
            .collect();
        let mut chat: Chat = serde_json::from_value(json!({
            "vendor": "v", "model": "m", "messages": messages, "tools": [], "required": false, "options": {},
        }))
        .unwrap();
        chat.digests = Digest::of_all(&chat.messages);
        assert_eq!(Fingerprint::of(&chat, chat.messages.len(), false, &RandomState::default()), None);
    }
}

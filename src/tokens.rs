//! Token counts. Pure but for a memory of what has been counted.
//!
//! Two counts come out of one pass. `checked` is what Copilot's provider compares with a model's limit, quirks
//! included, before it drops the oldest messages without a word. `estimated` is what the prompt is likely to
//! cost; `Calibration` corrects it by what providers report.

use std::collections::HashMap;
use std::hash::BuildHasher;
use std::sync::LazyLock;

use foldhash::quality::RandomState;
use parking_lot::Mutex;
use serde_json::Value;

use crate::conversation::{Content, Data, Digest, Message, Part, Role, Tool};

pub mod calibration;
mod image;
mod o200k;
pub mod pretokens;

pub use calibration::Calibration;

/// Around each message and before the answer.
const MESSAGE: u64 = 3;
/// A message's role: one word.
const ROLE: u64 = 1;
/// Before the first tool.
const TOOLS: u64 = 16;
/// Around each tool.
const TOOL: u64 = 8;

/// Tokens of a request's input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// By the provider's own measure: what it holds against the model's limit.
    pub checked: u64,
    /// The likely cost of the prompt.
    pub estimated: u64,
}

/// The tokens of a text (`o200k_base`, as the provider counts for all models).
pub fn count_text(text: &str) -> u64 {
    if text.len() < Memory::SHORT {
        return pretokens::count(text);
    }
    MEMORY.count_text(text)
}

/// The tokens of a legal transcript and the tools that go with it.
pub fn count_conversation(messages: &[Message], tools: &[Tool]) -> Count {
    let messages = MESSAGE + messages.iter().map(count_message).sum::<u64>();
    let tools = count_tools(tools);
    Count { checked: messages + tools.checked, estimated: messages + tools.estimated }
}

/// The same, with the digests of the messages: each is counted once while its count is remembered.
pub fn count_digested(messages: &[Message], digests: &[Digest], tools: &[Tool]) -> Count {
    let counts = messages.iter().zip(digests).map(|(message, digest)| {
        let is_short = digest.weight < Memory::SHORT as u64;
        if is_short { count_message(message) } else { MEMORY.count(digest.id, || count_message(message)) }
    });
    let messages = MESSAGE + counts.sum::<u64>();
    let tools = count_tools(tools);
    Count { checked: messages + tools.checked, estimated: messages + tools.estimated }
}

/// The tokens of a call in an answer.
pub fn count_call(name: &str, input: &Value) -> u64 {
    count_text(name) + count_text(&input.to_string())
}

/// The provider makes a message of its own of each of a user's parts.
fn count_message(message: &Message) -> u64 {
    let name = message.name.as_deref().map_or(0, |name| count_text(name) + 1);
    match message.role {
        Role::Assistant => {
            MESSAGE + ROLE + name + message.parts.iter().map(count_part).sum::<u64>() + count_calls(message)
        }
        Role::User | Role::System => {
            message.parts.iter().map(|part| MESSAGE + ROLE + name + count_part(part)).sum()
        }
    }
}

fn count_part(part: &Part) -> u64 {
    match part {
        Part::Text { text } => count_text(text),
        Part::Data(data) => count_data(data),
        Part::Thinking(thinking) => count_text(&thinking.text),
        // Counted all together: the provider rounds their sum.
        Part::ToolCall(_) => 0,
        Part::ToolResult(result) => {
            let content = result.content.iter().map(|content| match content {
                Content::Text { text } => count_text(text),
                Content::Data(data) => count_data(data),
            });
            count_text(&result.id) + content.sum::<u64>()
        }
    }
}

/// The provider adds half to what calls count, for their overhead.
fn count_calls(message: &Message) -> u64 {
    let calls = message.parts.iter().map(|part| match part {
        // The word `function`, and one for having a name.
        Part::ToolCall(call) => count_text(&call.id) + 2 + count_call(&call.name, &call.input),
        _ => 0,
    });
    calls.sum::<u64>() * 3 / 2
}

/// The provider drops other files than images silently: they cost nothing.
fn count_data(data: &Data) -> u64 {
    if data.mime.starts_with("image/") { image::tokens(&data.base64) } else { 0 }
}

/// The provider counts the words in schemas, not the names of properties, and adds a tenth.
fn count_tools(tools: &[Tool]) -> Count {
    if tools.is_empty() {
        return Count::default();
    }
    let mut count = Count { checked: TOOLS, estimated: TOOLS };
    for tool in tools {
        let described = if tool.description.is_empty() { 0 } else { 1 + count_text(&tool.description) };
        let alike = TOOL + 1 + count_text(&tool.name) + described;
        count.checked += alike;
        count.estimated += alike;
        if let Some(schema) = &tool.input_schema {
            count.checked += 1 + count_words(schema);
            count.estimated += 1 + count_text(&schema.to_string());
        }
    }
    Count { checked: count.checked * 11 / 10, ..count }
}

/// Of a schema the strings alone, and one for each property called `name`: the provider takes it for a message's.
fn count_words(value: &Value) -> u64 {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
        Value::String(text) => count_text(text),
        Value::Array(values) => values.iter().map(count_words).sum(),
        Value::Object(properties) => properties
            .iter()
            .map(|(key, value)| u64::from(key == "name" && is_truthy(value)) + count_words(value))
            .sum(),
    }
}

fn is_truthy(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(truth) => *truth,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

/// Memory of counts of longer texts and of messages. Each turn of an agent sends all earlier ones again: 200 000 tokens take
/// 20 ms to count and under 1 ms to recognise.
#[derive(Default)]
struct Memory {
    hasher: RandomState,
    counts: Mutex<HashMap<u128, u64>>,
}

static MEMORY: LazyLock<Memory> = LazyLock::new(Memory::default);

impl Memory {
    /// In bytes: shorter texts are counted about as quickly as they are looked up.
    const SHORT: usize = 256;
    /// 16 384 counts are about 900 kB; then it forgets them all, which costs one slow request.
    const MOST: usize = 16_384;

    fn count_text(&self, text: &str) -> u64 {
        let key = u128::from(self.hasher.hash_one(text)) << 64 | text.len() as u128;
        self.count(key, || pretokens::count(text))
    }

    fn count(&self, key: u128, count: impl FnOnce() -> u64) -> u64 {
        if let Some(count) = self.counts.lock().get(&key) {
            return *count;
        }
        let count = count();
        let mut counts = self.counts.lock();
        if counts.len() >= Memory::MOST {
            counts.clear();
        }
        counts.insert(key, count);
        count
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conversation::{ToolCall, ToolResult};

    fn user(parts: impl Into<Vec<Part>>) -> Message {
        Message { role: Role::User, name: None, parts: parts.into() }
    }

    fn assistant(parts: impl Into<Vec<Part>>) -> Message {
        Message { role: Role::Assistant, name: None, parts: parts.into() }
    }

    fn counted(messages: impl Into<Vec<Message>>) -> u64 {
        count_conversation(&messages.into(), &[]).checked
    }

    #[test]
    fn texts_are_counted_as_the_service_counts_them() {
        for (text, tokens) in [
            ("", 0),
            ("hello world", 2),
            ("Lorem ipsum dolor sit amet, consectetur adipiscing elit.", 10),
            ("   ", 1),
            ("<|endoftext|>", 7),
            ("日本語のテキスト", 6),
        ] {
            assert_eq!(count_text(text), tokens, "{text}");
        }
    }

    #[test]
    fn a_long_text_counts_the_same_every_time() {
        let text = "the quick brown fox ".repeat(1000);
        let wanted = pretokens::count(&text);
        assert_eq!([count_text(&text), count_text(&text)], [wanted, wanted]);
    }

    #[test]
    fn message_counts_the_same_every_time() {
        let messages = [user([Part::text("the quick brown fox ".repeat(100))]), user([Part::text("short")])];
        let digests = Digest::of_all(&messages);
        let wanted = count_conversation(&messages, &[]);
        assert_eq!([(); 2].map(|()| count_digested(&messages, &digests, &[])), [wanted, wanted]);
    }

    #[test]
    fn each_message_costs_three_and_its_role() {
        assert_eq!(counted([]), 3);
        assert_eq!(counted([user([Part::text("hello world")])]), 3 + 4 + 2);
        assert_eq!(counted([user([Part::text("hello"), Part::text("world")])]), 3 + 5 + 5);
        assert_eq!(counted([assistant([Part::text("hello world")])]), 3 + 4 + 2);
        let named = Message { name: Some("ann".into()), ..user([Part::text("hello")]) };
        assert_eq!(counted([named]), 3 + 4 + 1 + count_text("ann") + 1);
    }

    #[test]
    fn calls_cost_half_as_much_again_and_results_their_id() {
        let call = ToolCall { id: "call_1".into(), name: "read".into(), input: json!({"path": "a"}) };
        let inner = count_text("call_1") + 2 + count_text("read") + count_text(r#"{"path":"a"}"#);
        assert_eq!(counted([assistant([Part::ToolCall(call)])]), 3 + 4 + inner * 3 / 2);
        let content = vec![Content::Text { text: "hello world".into() }];
        let result = ToolResult { id: "call_1".into(), content, is_error: false };
        assert_eq!(counted([user([Part::ToolResult(result)])]), 3 + 4 + count_text("call_1") + 2);
    }

    #[test]
    fn tools_cost_their_words_and_a_tenth() {
        let schema = json!({
            "type": "object",
            "properties": {"name": {"type": "string", "description": "hello world"}, "n": {"minimum": 1}},
            "required": ["name"],
        });
        let tool =
            Tool { name: "read".into(), description: "hello".into(), input_schema: Some(schema.clone()) };
        let words = count_text("object") + 1 + count_text("string") + 2 + count_text("name");
        let alike = 16 + 8 + 2 + 2;
        let wanted = Count {
            checked: 3 + (alike + 1 + words) * 11 / 10,
            estimated: 3 + alike + 1 + count_text(&schema.to_string()),
        };
        assert_eq!(count_conversation(&[], &[tool]), wanted);
    }

    #[test]
    fn a_file_that_is_no_image_costs_its_message_only() {
        let data = Data { mime: "application/pdf".into(), base64: "QUJD".into() };
        assert_eq!(counted([user([Part::Data(data)])]), 3 + 4);
    }

    /// Not a threshold: run with `--ignored --nocapture` on a quiet machine.
    #[test]
    #[ignore = "a measurement"]
    fn how_long_a_long_transcript_takes() {
        let text = include_str!("tokens.rs");
        let messages: Vec<Message> =
            (0..80).map(|number| user([Part::text(format!("{number}{text}"))])).collect();
        for _ in 0..3 {
            let start = std::time::Instant::now();
            let count = count_conversation(&messages, &[]);
            println!("{} tokens in {:?}", count.checked, start.elapsed());
        }
    }
}

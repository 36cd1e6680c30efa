//! Values made of the fuzzer's bytes. When these are used up, each value is the simplest of its kind.

use serde_json::{Map, Value, json};

/// Texts that have been trouble: line ends of Unicode, halves of markup, JSON in JSON, a base64 image.
const TEXTS: [&str; 10] =
    ["", " ", "\u{2028}", "\u{85}\r\n", "data: [DONE]\n\n", "{\"a\":1}", "\"", "aGk=", "🦀é", "read"];

pub(super) struct Source<'a>(pub &'a [u8]);

impl<'a> Source<'a> {
    pub fn byte(&mut self) -> u8 {
        let Some((byte, rest)) = self.0.split_first() else { return 0 };
        self.0 = rest;
        *byte
    }

    /// A number below `count`, which is at least 1.
    pub fn below(&mut self, count: usize) -> usize {
        usize::from(self.byte()) % count
    }

    pub fn flag(&mut self) -> bool {
        self.byte() % 2 == 1
    }

    pub fn bytes(&mut self, count: usize) -> &'a [u8] {
        let (bytes, rest) = self.0.split_at(count.min(self.0.len()));
        self.0 = rest;
        bytes
    }

    pub fn text(&mut self) -> String {
        match self.byte() {
            choice if choice < 80 => TEXTS[usize::from(choice) % TEXTS.len()].to_owned(),
            length => String::from_utf8_lossy(self.bytes(usize::from(length) % 40)).into_owned(),
        }
    }

    pub fn object(&mut self, depth: usize) -> Map<String, Value> {
        (0..self.below(4)).map(|_| (self.text(), self.json(depth))).collect()
    }

    fn json(&mut self, depth: usize) -> Value {
        match self.below(if depth == 0 { 5 } else { 7 }) {
            0 => Value::Null,
            1 => json!(self.flag()),
            2 => json!(i32::from(self.byte()) - 100),
            3 => json!(f64::from(self.byte()) / 7.0),
            4 => json!(self.text()),
            5 => (0..self.below(4)).map(|_| self.json(depth - 1)).collect(),
            _ => Value::Object(self.object(depth - 1)),
        }
    }
}

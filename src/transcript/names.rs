//! Tools as the editor takes them, and the way back to those the client knows: their names, and the fields that hold
//! the input of tools whose schema had to be wrapped.

use std::collections::{HashMap, HashSet};

use super::schema_root;
use crate::conversation::{Conversation, Part, Tool, ToolCall, ToolChoice, object_input};

/// The longest name that the services behind the editor take.
const LONGEST: usize = 64;

/// Longest beginning of a name that is left with any number behind it: names with this beginning share their numbers.
const LONGEST_NUMBERED: usize = LONGEST - "_4294967295".len();

/// Clients' names whose form the editor refuses, each with one it takes. Names it takes stay as they are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ToolNameMap {
    to_editor: HashMap<String, String>,
    to_client: HashMap<String, String>,
    /// The field that holds the input of each tool whose schema is wrapped, by the editor's name.
    wrapped: HashMap<String, String>,
}

impl ToolNameMap {
    /// The names of a conversation: of its tools, its choice and its calls.
    pub fn of(conversation: &Conversation) -> ToolNameMap {
        let tools = conversation.tools.iter().map(|tool| tool.name.as_str());
        let choice = match &conversation.tool_choice {
            ToolChoice::Named(name) => Some(name.as_str()),
            ToolChoice::None | ToolChoice::Auto | ToolChoice::Required | ToolChoice::Allowed { .. } => None,
        };
        let parts = conversation.messages.iter().flat_map(|message| &message.parts);
        let calls = parts.filter_map(|part| match part {
            Part::ToolCall(call) => Some(call.name.as_str()),
            _ => None,
        });
        ToolNameMap::mapping(tools.chain(choice), calls)
    }

    /// The name the editor knows it by.
    pub fn to_editor(&self, name: String) -> String {
        self.to_editor.get(&name).cloned().unwrap_or(name)
    }

    /// The name the client knows it by.
    pub fn to_client(&self, name: String) -> String {
        self.to_client.get(&name).cloned().unwrap_or(name)
    }

    /// The tool under the name and with the schema that the editor takes.
    pub fn tool_to_editor(&mut self, tool: Tool) -> Tool {
        let name = self.to_editor(tool.name);
        let input_schema = tool.input_schema.map(|schema| {
            let (schema, field) = schema_root::legal(schema);
            self.wrapped.extend(field.map(|field| (name.clone(), field)));
            schema
        });
        Tool { name, input_schema, ..tool }
    }

    /// A call of the history as the editor takes it.
    pub fn call_to_editor(&self, call: ToolCall) -> ToolCall {
        let name = self.to_editor(call.name);
        let input = match self.wrapped.get(&name) {
            Some(field) => schema_root::wrap_input(call.input, field),
            None => object_input(call.input),
        };
        ToolCall { name, input, ..call }
    }

    /// A call of the model as the client takes it.
    pub fn call_to_client(&self, call: ToolCall) -> ToolCall {
        let input = match self.wrapped.get(&call.name) {
            Some(field) => schema_root::unwrap_input(call.input, field),
            None => call.input,
        };
        ToolCall { name: self.to_client(call.name), input, ..call }
    }

    /// Maps the names of a request. Those of `calls` come one by one, each after all before it, so that a later call
    /// never changes the name of an earlier one.
    fn mapping<'a>(
        offered: impl Iterator<Item = &'a str>,
        calls: impl Iterator<Item = &'a str>,
    ) -> ToolNameMap {
        let (legal, others): (Vec<&str>, Vec<&str>) = offered.partition(|name| is_legal(name));
        let mut legal: HashSet<&str> = legal.into_iter().collect();
        let mut mapping = ToolNameMap::default();
        // The next number for each beginning: trying all numbers for each name would take time that grows with the
        // square of the names.
        let mut next_numbers: HashMap<String, u32> = HashMap::new();
        for name in others.into_iter().chain(calls) {
            if is_legal(name) && !mapping.to_client.contains_key(name) {
                legal.insert(name);
                continue;
            }
            if mapping.to_editor.contains_key(name) {
                continue;
            }
            let is_free = |candidate: &String| {
                !legal.contains(candidate.as_str()) && !mapping.to_client.contains_key(candidate)
            };
            let base = base(name);
            let mut candidate = base.clone();
            if !is_free(&candidate) {
                let beginning = base.chars().take(LONGEST_NUMBERED).collect::<String>();
                let next_number = next_numbers.entry(beginning).or_insert(2);
                while !is_free(&candidate) {
                    candidate = numbered(&base, *next_number);
                    *next_number += 1;
                }
            }
            mapping.to_client.insert(candidate.clone(), name.into());
            mapping.to_editor.insert(name.into(), candidate);
        }
        mapping
    }
}

/// Whether the editor takes a name as it is.
pub fn is_legal(name: &str) -> bool {
    (1..=LONGEST).contains(&name.len()) && name.chars().all(is_word)
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '-'
}

/// `read.file` -> `read_file`
fn base(name: &str) -> String {
    let base: String = name.chars().take(LONGEST).map(|c| if is_word(c) { c } else { '_' }).collect();
    if base.is_empty() { "tool".into() } else { base }
}

/// `read_file` -> `read_file_2`
fn numbered(base: &str, number: u32) -> String {
    let suffix = format!("_{number}");
    base.chars().take(LONGEST.saturating_sub(suffix.len())).collect::<String>() + &suffix
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(names: &[&str], wanted: &[&str]) {
        let mapping = ToolNameMap::mapping(names.iter().copied(), std::iter::empty());
        let found: Vec<String> = names.iter().map(|name| mapping.to_editor((*name).into())).collect();
        assert_eq!(found, wanted);
        for (name, mapped) in names.iter().zip(found) {
            assert_eq!(mapping.to_client(mapped), *name);
        }
    }

    #[test]
    fn illegal_names_are_mapped_and_restored() {
        check(&["read_file", "a-b"], &["read_file", "a-b"]);
        check(&["fs.read", "fs/read", "fs.read"], &["fs_read", "fs_read_2", "fs_read"]);
        check(&["fs.read", "fs_read"], &["fs_read_2", "fs_read"]);
        check(&["", "größe"], &["tool", "gr__e"]);
    }

    #[test]
    fn names_that_are_too_long_are_cut_and_stay_distinct() {
        let (first, second) = (format!("{}first", "x".repeat(70)), format!("{}second", "x".repeat(70)));
        check(&[&first, &second], &[&"x".repeat(64), &format!("{}_2", "x".repeat(62))]);
    }

    #[test]
    fn unknown_name_is_unchanged() {
        assert_eq!(ToolNameMap::default().to_client("new".into()), "new");
    }

    proptest::proptest! {
        #[test]
        fn every_mapping_is_legal_and_reversible(names in proptest::collection::vec("[a._-]{0,3}|\\PC{0,80}", 0..12)) {
            let mapping = ToolNameMap::mapping(names.iter().map(String::as_str), std::iter::empty());
            for name in names {
                let mapped = mapping.to_editor(name.clone());
                proptest::prop_assert!(is_legal(&mapped), "{}", mapped);
                proptest::prop_assert_eq!(mapping.to_client(mapped), name);
            }
        }
    }
}

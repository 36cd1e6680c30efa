//! The handling of each field, block, item and tool type of each vendor's API: one table for each dialect.
//!
//! `tests/compatibility/` has the names of the vendors' own OpenAPI documents and SDKs and examples of each; `extract.py`
//! there renews them. A name that a table lacks fails here, so that a new one is noticed. The tables are rendered into
//! `docs/compatibility.md`; `UPDATE_DOCS=1 cargo test --test it compatibility` writes it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::TestRunner;
use serde_json::{Value, json};

use crate::client::Response;
use crate::gemini_form;
use crate::openai::with;
use crate::server::Server;

mod anthropic;
mod gemini;
mod legacy_completions;
mod ollama;
mod openai_chat;
mod openai_responses;

/// The handling of a name of the vendor's API.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Handling {
    /// It does what the vendor's service does, as far as VS Code's models can.
    Honored,
    /// The model reads in words what it was. In the newest message of the user a block that models can't be shown is
    /// refused.
    Words,
    /// 400, with this value if the thing is a field (others mean nothing and are accepted).
    Refused(&'static str),
    /// Accepted, and without effect.
    Ignored,
}

use Handling::{Honored, Ignored, Refused, Words};

/// Names (separated by spaces), what is done with them, and the reason or the details.
pub type Row = (&'static str, Handling, &'static str);

/// Things of one kind.
pub struct Section {
    pub title: &'static str,
    /// Its name in the vendor's list.
    pub list: &'static str,
    pub rows: &'static [Row],
}

/// The table of a dialect.
pub struct Table {
    pub title: &'static str,
    /// File of the vendor's list.
    pub list: &'static str,
    pub sections: &'static [Section],
}

const TABLES: [&Table; 6] = [
    &openai_chat::TABLE,
    &openai_responses::TABLE,
    &anthropic::TABLE,
    &gemini::TABLE,
    &ollama::TABLE,
    &legacy_completions::TABLE,
];

/// Names that the vendors' lists lack: of this server, and of Ollama's reference.
const OURS: [&str; 3] = ["reasoning_content", "min_p", "tool_call_id"];

/// The picture in the examples, which is no longer an image where its label or place is another.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAE";

impl Section {
    fn names(&self) -> BTreeSet<&'static str> {
        self.rows.iter().flat_map(|(names, ..)| names.split(' ')).collect()
    }

    fn handling(&self, name: &str) -> Handling {
        let row = self.rows.iter().find(|(names, ..)| names.split(' ').any(|one| one == name));
        row.unwrap_or_else(|| panic!("no row for {name}")).1
    }
}

fn list(table: &Table) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compatibility");
    let path = folder.join(format!("{}.json", table.list));
    serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap()
}

/// Examples of a section of the vendor's list, by name.
fn examples(table: &Table, section: &str) -> Vec<(String, Value)> {
    let list = list(table);
    let section = list[section].as_object().unwrap_or_else(|| panic!("no section {section}"));
    let of = |(name, values): (&String, &Value)| {
        let values = values.as_array().unwrap().clone();
        values.into_iter().map(move |value| (name.clone(), value)).collect::<Vec<_>>()
    };
    section.iter().flat_map(of).collect()
}

fn user(content: impl Into<Value>) -> Value {
    json!({ "role": "user", "content": content.into() })
}

/// The path and the request of a dialect for these messages or items.
fn request(table: &Table, messages: &[Value]) -> (&'static str, Value) {
    match table.list {
        "openai_chat" => ("/v1/chat/completions", json!({ "model": "scripted-1", "messages": messages })),
        "openai_responses" => ("/v1/responses", json!({ "model": "scripted-1", "input": messages })),
        "anthropic" => {
            ("/v1/messages", json!({ "model": "scripted-1", "max_tokens": 9999, "messages": messages }))
        }
        "gemini" => {
            let content = |message: &Value| match &message["content"] {
                Value::String(text) => gemini_form::text(text),
                _ => message.clone(),
            };
            let contents: Vec<Value> = messages.iter().map(content).collect();
            ("/v1beta/models/scripted-1:generateContent", gemini_form::request(&contents))
        }
        "legacy_completions" => ("/v1/completions", json!({ "model": "scripted-1", "prompt": "dump:" })),
        _ => ("/api/chat", json!({ "model": "scripted-1", "stream": false, "messages": messages })),
    }
}

fn post(server: &Server, table: &Table, messages: &[Value], more: &Value) -> Response {
    let (path, request) = request(table, messages);
    server.post(path, &with(request, more))
}

#[test]
fn every_name_of_the_vendors_documents_has_a_row() {
    for table in TABLES {
        for section in table.sections {
            let names = section.names();
            let list = list(table);
            let official: BTreeSet<&str> =
                list[section.list].as_object().unwrap().keys().map(String::as_str).collect();
            let missing: Vec<_> = official.difference(&names).collect();
            assert!(missing.is_empty(), "{}, {}: no row for {missing:?}", table.title, section.title);
            let unknown: Vec<_> = names.difference(&official).filter(|name| !OURS.contains(name)).collect();
            assert!(unknown.is_empty(), "{}, {}: unknown {unknown:?}", table.title, section.title);
        }
    }
}

/// A request with this field of a section; `None` for sections that are no fields of requests.
fn request_with(table: &Table, section: &Section, field: &Value) -> Option<(&'static str, Value)> {
    match section.list {
        "fields" | "fields of chats" => {
            let (path, request) = request(table, &[user("dump:")]);
            Some((path, with(request, field)))
        }
        "fields of generations" => {
            let request = json!({ "model": "scripted-1", "stream": false, "prompt": "dump:" });
            Some(("/api/generate", with(request, field)))
        }
        "options" => {
            let (path, request) = request(table, &[user("dump:")]);
            Some((path, with(request, &json!({ "options": field }))))
        }
        "generation config" => {
            let (path, request) = request(table, &[user("dump:")]);
            Some((path, with(request, &json!({ "generationConfig": field }))))
        }
        "thinking config" => {
            let (path, request) = request(table, &[user("dump:")]);
            Some((path, with(request, &json!({ "generationConfig": { "thinkingConfig": field } }))))
        }
        _ => None,
    }
}

#[test]
fn every_field_is_handled_as_its_table_says() {
    let server = Server::demo(&[]);
    let sections = TABLES.iter().flat_map(|table| table.sections.iter().map(move |section| (table, section)));
    for (table, section) in sections {
        let list = list(table);
        let fields = list[section.list].as_object().unwrap();
        for name in section.names() {
            if ["messages", "input", "prompt", "contents", "model", "previous_response_id"].contains(&name)
                || request_with(table, section, &json!({})).is_none()
            {
                // They name things that must exist, or are no fields of requests.
                continue;
            }
            let send = |value: Value| {
                let (path, request) = request_with(table, section, &json!({ name: value })).unwrap();
                server.post(path, &request)
            };
            if let Refused(value) = section.handling(name) {
                let response = send(serde_json::from_str(value).unwrap());
                assert_eq!(response.status, 400, "{} {name}: {}", table.title, response.text());
                continue;
            }
            let Some(field) = fields.get(name) else { continue };
            let mut values = vec![field["example"].clone()];
            // Anthropic's API alone requires a limit.
            values.extend((name != "max_tokens" || table.list != "anthropic").then_some(Value::Null));
            if field["integer"] == true {
                values.extend(field["example"].as_f64().map(Value::from));
            }
            for value in values {
                let response = send(value.clone());
                assert_eq!(response.status, 200, "{} {name} {value}: {}", table.title, response.text());
            }
        }
    }
}

#[test]
fn every_tool_type_is_accepted() {
    let server = Server::demo(&[]);
    for table in [&openai_chat::TABLE, &openai_responses::TABLE, &anthropic::TABLE, &gemini::TABLE] {
        for (name, tool) in examples(table, "tools") {
            let response = post(&server, table, &[user("say:ok")], &json!({ "tools": [tool] }));
            assert_eq!(response.status, 200, "{} {name} {tool}: {}", table.title, response.text());
        }
    }
}

/// Turns of a conversation, each with one block or item of the vendor's document.
fn turns(table: &Table) -> Vec<Vec<Value>> {
    let assistant = |content: Value| json!({ "role": "assistant", "content": content });
    let mut turns = Vec::new();
    match table.list {
        "openai_chat" => {
            let call =
                json!([{ "id": "c1", "type": "function", "function": { "name": "f", "arguments": "{}" } }]);
            for role in ["system", "developer", "user", "assistant", "tool"] {
                for (_, part) in examples(table, &format!("parts of {role} messages")) {
                    turns.push(match role {
                        "tool" => vec![
                            json!({ "role": "assistant", "tool_calls": call }),
                            json!({ "role": "tool", "tool_call_id": "c1", "content": [part] }),
                        ],
                        role => vec![json!({ "role": role, "content": [part] })],
                    });
                }
            }
            for (name, field) in list(table)["fields of assistant messages"].as_object().unwrap() {
                turns.push(vec![with(assistant(json!("a")), &json!({ name: field["example"] }))]);
            }
        }
        "openai_responses" => {
            for (name, item) in examples(table, "items") {
                // An instruction that comes last.
                if name != "compaction_trigger" {
                    turns.push(vec![item]);
                }
            }
            for (_, part) in examples(table, "parts of messages") {
                turns.push(vec![user(json!([part]))]);
                turns.push(vec![assistant(json!([part]))]);
            }
            for (_, part) in examples(table, "parts of outputs") {
                turns.push(vec![
                    json!({ "type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}" }),
                    json!({ "type": "function_call_output", "call_id": "c1", "output": [part] }),
                ]);
            }
        }
        "gemini" => {
            for (_, part) in examples(table, "parts") {
                for (name, field) in list(table)["fields of parts"].as_object().unwrap() {
                    let part = with(part.clone(), &json!({ name: field["example"] }));
                    turns.push(vec![gemini_form::user(&json!([part]))]);
                    turns.push(vec![gemini_form::model(&json!([part]))]);
                }
                turns.push(gemini_form::call_and_result("c1", &json!({}), "a", &json!([part])).into());
            }
        }
        _ => {
            let blocks = examples(table, "blocks");
            for (_, block) in &blocks {
                turns.push(vec![user(json!([block]))]);
                turns.push(vec![assistant(json!([block]))]);
                turns.push(vec![json!({ "role": "system", "content": [block] })]);
                let source = json!({ "type": "content", "content": [block] });
                turns.push(vec![user(json!([{ "type": "document", "source": source }]))]);
            }
            for (_, block) in examples(table, "blocks of results").into_iter().chain(blocks) {
                turns.push(vec![
                    assistant(json!([{ "type": "tool_use", "id": "c1", "name": "f", "input": {} }])),
                    user(json!([{ "type": "tool_result", "tool_use_id": "c1", "content": [block] }])),
                ]);
            }
        }
    }
    turns
}

/// Any history made of the document's own blocks is answered, and no base64 reaches the model.
fn check_histories(table: &Table) {
    let server = Server::demo(&[]);
    let check = |turns: &[Vec<Value>]| {
        let mut messages = vec![user("x")];
        messages.extend(turns.iter().flatten().cloned());
        messages.push(user("dump:"));
        let response = post(&server, table, &messages, &json!({}));
        assert_eq!(response.status, 200, "{messages:?}: {}", response.text());
        assert!(!response.text().contains(PNG), "{messages:?}: {}", response.text());
    };
    let turns = turns(table);
    turns.iter().for_each(|turn| check(std::slice::from_ref(turn)));
    let histories = prop::collection::vec(select(turns), 0..8);
    let config = ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new(config);
    runner
        .run(&histories, |turns| {
            check(&turns);
            Ok(())
        })
        .unwrap();
}

#[test]
fn any_history_of_chat_messages_is_answered() {
    check_histories(&openai_chat::TABLE);
}

#[test]
fn any_history_of_items_is_answered() {
    check_histories(&openai_responses::TABLE);
}

#[test]
fn any_history_of_anthropic_blocks_is_answered() {
    check_histories(&anthropic::TABLE);
}

#[test]
fn any_history_of_gemini_parts_is_answered() {
    check_histories(&gemini::TABLE);
}

#[test]
fn document_is_rendered_from_the_tables() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/compatibility.md");
    let rendered = rendered();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &rendered).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == rendered,
        "docs/compatibility.md is stale: UPDATE_DOCS=1 cargo test --test it compatibility"
    );
}

fn rendered() -> String {
    let mut text = String::from(
        "# Compatibility\n\n\
         What Copilot Proxy does with each field, block, item and tool type of the APIs that it serves.\n\n\
         - **honored**: it does what the vendor's service does, as far as VS Code's models can.\n\
         - **words**: the model reads in words what it was, never as base64. In the newest message of the user, a block that \
         models can't be shown is refused instead.\n\
         - **refused**: 400 with the reason, since ignoring it would change the meaning of the request.\n\
         - **ignored**: accepted, and without effect.\n\n\
         Fields and block types that are in no table are accepted: fields without effect, blocks as words.\n\
         This file is rendered from the tables in `tests/it/compatibility/`, which a test compares with the vendors' own API \
         documents and SDKs.\n",
    );
    for table in TABLES {
        write!(text, "\n## {}\n", table.title).unwrap();
        for section in table.sections {
            write!(text, "\n### {}\n\n| name | handling | details |\n| --- | --- | --- |\n", section.title)
                .unwrap();
            for (names, handling, details) in section.rows {
                let names = names.split(' ').map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
                let handling = match handling {
                    Honored => "honored",
                    Words => "words",
                    Refused(_) => "refused",
                    Ignored => "ignored",
                };
                writeln!(text, "| {names} | {handling} | {details} |").unwrap();
            }
        }
    }
    text
}

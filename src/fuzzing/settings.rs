//! Configuration files that `setup` edits: what a person wrote stays, and a second edit changes nothing.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::CstRootNode;
use serde_json::{Map, Value};
use toml_edit::{DocumentMut, Item, TableLike};

use crate::commands::clients::{claude_code, codex, opencode};
use crate::commands::connection_info::ConnectionInfo;

fn connection() -> ConnectionInfo {
    ConnectionInfo { base: "http://127.0.0.1:8080".into(), ..ConnectionInfo::default() }
}

/// JSON with comments: Claude Code's and opencode's settings.
pub fn setup_json(data: &[u8]) {
    let Ok(before) = std::str::from_utf8(data) else { return };
    let connection = connection();
    if let Ok(after) = claude_code::apply(Some(before), &connection) {
        assert_eq!(
            claude_code::apply(Some(&after), &connection).as_ref(),
            Ok(&after),
            "a second edit changes it"
        );
        let mut wanted =
            if before.trim().is_empty() { Value::Object(Map::new()) } else { json_value(before) };
        merge(&mut wanted, &Value::Object(claude_code::settings(&connection)));
        assert_eq!(json_value(&after), wanted, "another value than the settings has changed");
        for comment in before.lines().filter_map(|line| line.trim().strip_prefix("// ")) {
            assert!(after.contains(comment), "a comment is lost: {comment}");
        }
    }
    if let Ok(after) = opencode::apply(Some(before), &connection) {
        assert_eq!(
            opencode::apply(Some(&after), &connection).as_ref(),
            Ok(&after),
            "a second edit changes it"
        );
        json_value(&after);
    }
}

fn json_value(text: &str) -> Value {
    let root = CstRootNode::parse(text, &ParseOptions::default()).unwrap();
    root.object_value().and_then(|object| object.to_serde_value()).unwrap()
}

fn merge(value: &mut Value, more: &Value) {
    match (value, more) {
        (Value::Object(value), Value::Object(more)) => {
            for (name, more) in more {
                merge(value.entry(name).or_insert(Value::Null), more);
            }
        }
        (value, more) => *value = more.clone(),
    }
}

/// TOML: Codex's settings.
pub fn setup_toml(data: &[u8]) {
    let Ok(before) = std::str::from_utf8(data) else { return };
    let connection = connection();
    let Ok(after) = codex::apply(Some(before), &connection) else { return };
    assert_eq!(codex::apply(Some(&after), &connection).as_ref(), Ok(&after), "a second edit changes it");
    assert_eq!(without_ours(&after), without_ours(before), "another value than the settings has changed");
    for comment in before.lines().filter_map(|line| line.strip_prefix("# ")) {
        assert!(after.contains(comment.trim_end()), "a comment is lost: {comment}");
    }
}

/// All keys and values that `setup` doesn't write, in their order.
fn without_ours(text: &str) -> Vec<String> {
    let mut document: DocumentMut = text.parse().unwrap();
    document.remove("model");
    document.remove("model_provider");
    if let Some(providers) = document.get_mut("model_providers").and_then(Item::as_table_like_mut) {
        providers.remove("copilot-proxy");
        if providers.is_empty() {
            document.remove("model_providers");
        }
    }
    let mut found = Vec::new();
    list(document.as_table(), "", &mut found);
    found.sort();
    found
}

fn list(table: &dyn TableLike, path: &str, found: &mut Vec<String>) {
    for (key, item) in table.iter() {
        let path = format!("{path}.{key:?}");
        if let Some(table) = item.as_table_like() {
            found.push(format!("{path} is a table"));
            list(table, &path, found);
        } else if let Some(tables) = item.as_array_of_tables() {
            for (number, table) in tables.iter().enumerate() {
                list(table, &format!("{path}[{number}]"), found);
            }
        } else if let Some(mut value) = item.as_value().cloned() {
            value.decor_mut().clear();
            found.push(format!("{path} = {value}"));
        }
    }
}

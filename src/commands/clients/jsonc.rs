//! Sets values in JSON as people write it, comments and layout kept.

use jsonc_parser::ParseOptions;
use jsonc_parser::cst::{CstInputValue, CstObject, CstRootNode};
use serde_json::{Map, Value};

use super::Unreadable;

/// Sets values in a JSONC text: objects are merged, everything else is replaced; comments stay.
pub(super) fn merge_into(before: Option<&str>, values: &Map<String, Value>) -> Result<String, Unreadable> {
    let before = before.filter(|before| !before.trim().is_empty());
    let root = CstRootNode::parse(before.unwrap_or("{}\n"), &ParseOptions::default())
        .map_err(|error| Unreadable(format!("it is no JSON: {error}")))?;
    let object = root.object_value().ok_or_else(|| Unreadable("it is not a JSON object".into()))?;
    merge(&object, values, "")?;
    Ok(root.to_string())
}

/// Sets one value in a JSONC text that lacks it.
pub(super) fn insert_missing(text: &str, name: &str, value: &Value) -> Result<String, Unreadable> {
    let root = CstRootNode::parse(text, &ParseOptions::default())
        .map_err(|error| Unreadable(format!("it is no JSON: {error}")))?;
    if let Some(object) = root.object_value().filter(|object| object.get(name).is_none()) {
        object.append(name, written(value));
    }
    Ok(root.to_string())
}

/// The value of a JSONC text, without its comments.
pub(super) fn value(text: &str) -> Option<Value> {
    CstRootNode::parse(text, &ParseOptions::default()).ok()?.object_value()?.to_serde_value()
}

fn merge(object: &CstObject, values: &Map<String, Value>, path: &str) -> Result<(), Unreadable> {
    for (name, value) in values {
        match (value, object.get(name)) {
            (Value::Object(values), Some(property)) => {
                let path = format!("{path}{name}");
                let inner = property
                    .object_value()
                    .ok_or_else(|| Unreadable(format!("its `{path}` is not an object")))?;
                merge(&inner, values, &format!("{path}."))?;
            }
            (value, Some(property)) => {
                // Existing values keep their layout.
                let there = property.value().and_then(|value| value.to_serde_value());
                if there.as_ref() != Some(value) {
                    property.set_value(written(value));
                }
            }
            (value, None) => {
                object.append(name, written(value));
            }
        }
    }
    Ok(())
}

fn written(value: &Value) -> CstInputValue {
    match value {
        Value::Null => CstInputValue::Null,
        Value::Bool(value) => CstInputValue::Bool(*value),
        Value::Number(number) => CstInputValue::Number(number.to_string()),
        Value::String(text) => CstInputValue::String(text.clone()),
        Value::Array(values) => CstInputValue::Array(values.iter().map(written).collect()),
        Value::Object(values) => {
            CstInputValue::Object(values.iter().map(|(name, value)| (name.clone(), written(value))).collect())
        }
    }
}

//! Tools that take free text instead of JSON arguments. Models behind VS Code know functions alone, so that each becomes
//! a function with one string.

use serde_json::{Value, json};

/// The one argument of a function that stands for a tool taking free text.
pub const FREE_TEXT: &str = "input";

/// JSON Schema of the function.
pub fn schema() -> Value {
    json!({
        "type": "object",
        "properties": { FREE_TEXT: { "type": "string" } },
        "required": [FREE_TEXT],
        "additionalProperties": false,
    })
}

/// The part of the function's description that tells the grammar of the text: nothing enforces it.
pub fn grammar(syntax: Option<&str>, definition: &str) -> String {
    format!("`{FREE_TEXT}` must follow this {} grammar:\n{definition}", syntax.unwrap_or_default())
}

/// The free text as the argument of the function.
pub fn wrap(text: &str) -> Value {
    json!({ FREE_TEXT: text })
}

/// The free text that a model wrote for a tool; whatever else it wrote in its place, as JSON.
pub fn unwrap(input: &Value) -> String {
    match input.get(FREE_TEXT) {
        Some(Value::String(text)) => text.clone(),
        _ => input.to_string(),
    }
}

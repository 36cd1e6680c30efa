//! A call's arguments, which OpenAI's APIs carry as JSON inside a string, and others as they are.

use serde_json::{Map, Value, json};

use crate::dialect::common::string_or_object::WordOrObject;

/// The arguments that a client sends back. Text that is no JSON (a model wrote it) is kept whole, under a
/// name of its own: the model sees what it said, and nothing is lost.
pub fn read(arguments: &str) -> Value {
    if arguments.trim().is_empty() {
        return json!({});
    }
    serde_json::from_str(arguments).unwrap_or_else(|_| json!({ "_raw": arguments }))
}

/// The same where a client may also send the object itself, or nothing.
pub fn of(arguments: Option<WordOrObject<String, Map<String, Value>>>) -> Value {
    match arguments {
        Some(WordOrObject::Word(json)) => read(&json),
        Some(WordOrObject::Object(object)) => Value::Object(object),
        None => json!({}),
    }
}

/// The arguments of a call as clients parse them.
pub fn to_json(input: &Value) -> String {
    input.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_arguments_are_kept_as_text() {
        for (arguments, input) in [
            (r#"{"b": 1, "a": "\u2028"}"#, json!({"b": 1, "a": "\u{2028}"})),
            ("", json!({})),
            (" ", json!({})),
            ("[1]", json!([1])),
            (r#"{"path": "a.r"#, json!({"_raw": r#"{"path": "a.r"#})),
        ] {
            assert_eq!(read(arguments), input);
        }
        assert_eq!(to_json(&json!({"b": 1, "a": [true]})), r#"{"b":1,"a":[true]}"#);
    }
}

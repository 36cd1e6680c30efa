//! Validation of a JSON value against a client's JSON Schema. Pure: nothing is ever loaded from a file or the network.

use std::error::Error;

use boon::{CompileError, Compiler, Draft, ErrorKind, Schemas, UrlLoader, ValidationError};
use serde_json::Value;

/// URL under which the compiler knows the client's schema; no file has it.
const LOCATION: &str = "urn:copilot-proxy:schema";

/// Most errors in a message: enough to correct a value, and few enough to read.
const MAX_ERRORS: usize = 5;

/// Validates `value` and returns the errors, each with the JSON pointer of its place. An invalid schema gives none: the
/// provider rejects it.
///
/// A schema without `$schema` is of draft 2020-12. Patterns with look-around, which the regex engine lacks, are
/// skipped.
pub fn errors(schema: &Value, value: &Value) -> Vec<String> {
    let mut schema = schema.clone();
    loop {
        let mut compiler = Compiler::new();
        compiler.set_default_draft(Draft::V2020_12);
        compiler.use_loader(Box::new(NoLoader));
        if compiler.add_resource(LOCATION, schema.clone()).is_err() {
            return Vec::new();
        }
        let mut schemas = Schemas::new();
        match compiler.compile(LOCATION, &mut schemas) {
            Ok(index) => {
                let Err(error) = schemas.validate(value, index) else { return Vec::new() };
                let mut messages = Vec::new();
                collect(&error, &mut messages);
                return messages;
            }
            Err(error) => match unsupported_pattern(&error) {
                Some(pattern) if remove_pattern(&mut schema, &pattern) => {}
                _ => return Vec::new(),
            },
        }
    }
}

/// A loader that fails: a schema must contain all that it refers to.
struct NoLoader;

impl UrlLoader for NoLoader {
    fn load(&self, url: &str) -> Result<Value, Box<dyn Error>> {
        Err(format!("{url} is not part of the schema").into())
    }
}

/// Collects the innermost errors: they name the exact place.
fn collect(error: &ValidationError<'_, '_>, messages: &mut Vec<String>) {
    if error.causes.is_empty() || matches!(error.kind, ErrorKind::AnyOf | ErrorKind::OneOf(_)) {
        if messages.len() < MAX_ERRORS {
            let place = error.instance_location.to_string();
            let message = error.kind.to_string();
            messages.push(if place.is_empty() { message } else { format!("at {place}: {message}") });
        }
        return;
    }
    error.causes.iter().for_each(|cause| collect(cause, messages));
}

/// The pattern that keeps a schema from being compiled.
fn unsupported_pattern(error: &CompileError) -> Option<String> {
    fn find(error: &ValidationError<'_, '_>) -> Option<String> {
        match &error.kind {
            ErrorKind::Format { got, want: "regex", .. } => got.as_str().map(str::to_owned),
            _ => error.causes.iter().find_map(find),
        }
    }
    match error {
        CompileError::InvalidRegex { regex, .. } => Some(regex.clone()),
        CompileError::ValidationError { src, .. } => find(src),
        _ => None,
    }
}

/// Removes a pattern that can't be compiled. Returns whether it was found.
fn remove_pattern(schema: &mut Value, regex: &str) -> bool {
    match schema {
        Value::Object(object) => {
            let mut found = false;
            if object.get("pattern").and_then(Value::as_str) == Some(regex) {
                object.remove("pattern");
                found = true;
            }
            if let Some(Value::Object(properties)) = object.get_mut("patternProperties") {
                found |= properties.remove(regex).is_some();
            }
            for value in object.values_mut() {
                found |= remove_pattern(value, regex);
            }
            found
        }
        Value::Array(items) => {
            items.iter_mut().map(|item| remove_pattern(item, regex)).fold(false, std::ops::BitOr::bitor)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(schema: &Value, value: &Value, expected: &[&str]) {
        assert_eq!(errors(schema, value), expected, "{schema} {value}");
    }

    #[test]
    fn each_error_names_its_place() {
        let schema = json!({
            "type": "object",
            "properties": {
                "age": { "type": "integer", "minimum": 0 },
                "pets": { "type": "array", "items": { "enum": ["cat", "dog"] } },
            },
            "required": ["age"],
            "additionalProperties": false,
        });
        check(&schema, &json!({ "age": 36, "pets": ["cat"] }), &[]);
        check(&schema, &json!({}), &["missing properties 'age'"]);
        check(&schema, &json!({ "age": "old" }), &["at /age: want integer, but got string"]);
        check(
            &schema,
            &json!({ "age": -1, "pets": ["cow"], "x": 1 }),
            &[
                "at /age: must be >=0, but got -1",
                "at /pets/0: value must be one of 'cat', 'dog'",
                "additionalProperties 'x' not allowed",
            ],
        );
    }

    /// SDKs send references into `$defs`, unions with null, and named drafts.
    #[test]
    fn schemas_of_sdks_are_supported() {
        let by_reference = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "$defs": { "step": { "type": "object", "required": ["text"] } },
            "definitions": { "word": { "type": "string" } },
            "type": "object",
            "properties": {
                "steps": { "type": "array", "items": { "$ref": "#/$defs/step" } },
                "word": { "$ref": "#/definitions/word" },
                "note": { "anyOf": [{ "type": "string" }, { "type": "null" }] },
            },
        });
        check(&by_reference, &json!({ "steps": [{ "text": "a" }], "word": "b", "note": null }), &[]);
        check(&by_reference, &json!({ "steps": [{}] }), &["at /steps/0: missing properties 'text'"]);
        check(&by_reference, &json!({ "note": 1 }), &["at /note: anyOf failed"]);
        let recursive = json!({
            "type": "object",
            "properties": { "next": { "$ref": "#" } },
            "additionalProperties": false,
        });
        check(&recursive, &json!({ "next": { "next": {} } }), &[]);
        check(
            &recursive,
            &json!({ "next": { "x": 1 } }),
            &["at /next: additionalProperties 'x' not allowed"],
        );
    }

    #[test]
    fn unsupported_pattern_is_skipped_and_the_rest_checked() {
        let schema = json!({
            "type": "object",
            "properties": { "a": { "type": "string", "pattern": "^(?!no)" }, "b": { "pattern": "^[0-9]+$" } },
        });
        check(&schema, &json!({ "a": "no", "b": "1" }), &[]);
        check(&schema, &json!({ "a": 1, "b": "1" }), &["at /a: want string, but got number"]);
        check(&schema, &json!({ "a": "", "b": "x" }), &["at /b: 'x' does not match pattern '^[0-9]+$'"]);
    }

    #[test]
    fn invalid_schema_accepts_everything_and_loads_nothing() {
        check(&json!({ "type": 7 }), &json!("x"), &[]);
        check(&json!({ "$ref": "file:///etc/passwd" }), &json!("x"), &[]);
        check(&json!({ "$ref": "https://example.test/schema.json" }), &json!("x"), &[]);
        check(&json!(true), &json!("x"), &[]);
    }
}

//! Roots of tools' schemas. The services behind the editor take only a plain object there: any other schema travels as a
//! field of one, and the input of its calls comes out of that field again.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

/// Name of the field that holds the original.
const FIELD: &str = "value";

/// Keywords that no service takes at the root of a schema.
const COMBINING: [&str; 9] = ["anyOf", "oneOf", "allOf", "not", "enum", "const", "$ref", "if", "$dynamicRef"];

/// Keywords that only an object can meet: a root with one of them lacks nothing but its type.
const OF_OBJECTS: [&str; 5] =
    ["properties", "required", "additionalProperties", "patternProperties", "propertyNames"];

/// Keywords that stay at the root: references begin there.
const OF_ROOTS: [&str; 4] = ["$schema", "$id", "$defs", "definitions"];

/// Keywords that hold schemas by name.
const NAMED_SCHEMAS: [&str; 6] =
    ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"];

/// Keywords that hold data, in which nothing is a reference.
const DATA: [&str; 5] = ["const", "enum", "default", "example", "examples"];

/// A schema as the services take it, and the field that holds the original where it had to be wrapped.
pub fn legal(mut schema: Value) -> (Value, Option<String>) {
    let Some(root) = schema.as_object_mut() else { return (schema, None) };
    let is_combined = COMBINING.iter().any(|keyword| root.contains_key(*keyword));
    match root.get("type") {
        // The editor leaves an empty schema out.
        _ if root.is_empty() => (schema, None),
        Some(Value::String(kind)) if kind == "object" && !is_combined => (schema, None),
        None if !is_combined && OF_OBJECTS.iter().any(|keyword| root.contains_key(*keyword)) => {
            root.insert("type".into(), json!("object"));
            (schema, None)
        }
        _ => {
            let field = free_field(&schema);
            (wrapped(schema, &field), Some(field))
        }
    }
}

/// The input of a call with the original schema, as the wrapped one has it.
pub fn wrap_input(input: Value, field: &str) -> Value {
    Value::Object(Map::from_iter([(field.to_owned(), input)]))
}

/// The input of a call by the original schema. A model may have followed that one.
pub fn unwrap_input(mut input: Value, field: &str) -> Value {
    match input.as_object_mut() {
        Some(fields) if fields.len() == 1 => fields.shift_remove(field).unwrap_or(input),
        _ => input,
    }
}

/// A name that no part of the schema uses, so that a wrapped input can't be taken for an original one.
fn free_field(schema: &Value) -> String {
    let mut used = HashSet::new();
    collect_names(schema, &mut used);
    let numbered = (2..=used.len() + 1).map(|number| format!("{FIELD}_{number}"));
    let mut candidates = std::iter::once(FIELD.to_owned()).chain(numbered);
    candidates.find(|name| !used.contains(name.as_str())).unwrap_or_else(|| FIELD.to_owned())
}

/// Collects the names that a field could have by chance.
fn collect_names<'a>(schema: &'a Value, names: &mut HashSet<&'a str>) {
    match schema {
        Value::Object(fields) => {
            names.extend(fields.keys().map(String::as_str).filter(|name| name.starts_with(FIELD)));
            fields.values().for_each(|value| collect_names(value, names));
        }
        Value::Array(values) => values.iter().for_each(|value| collect_names(value, names)),
        _ => {}
    }
}

fn wrapped(mut schema: Value, field: &str) -> Value {
    let mut root = Map::new();
    if let Some(inner) = schema.as_object_mut() {
        for keyword in OF_ROOTS {
            if let Some(value) = inner.shift_remove(keyword) {
                root.insert(keyword.into(), value);
            }
        }
    }
    let id = root.get("$id").and_then(Value::as_str).map(|id| id.trim_end_matches('#').to_owned());
    let references = References { id, prefix: format!("/properties/{field}") };
    references.move_in(&mut schema);
    for definitions in ["$defs", "definitions"] {
        if let Some(schemas) = root.get_mut(definitions).and_then(Value::as_object_mut) {
            schemas.values_mut().for_each(|schema| references.move_in(schema));
        }
    }
    root.insert("type".into(), json!("object"));
    root.insert("properties".into(), wrap_input(schema, field));
    root.insert("required".into(), json!([field]));
    root.insert("additionalProperties".into(), json!(false));
    Value::Object(root)
}

/// Moves references to parts of the original root.
struct References {
    /// `$id` of the root: references may begin with it.
    id: Option<String>,
    /// JSON pointer of the original root in the new one.
    prefix: String,
}

impl References {
    fn move_in(&self, schema: &mut Value) {
        match schema {
            Value::Array(schemas) => schemas.iter_mut().for_each(|schema| self.move_in(schema)),
            // A schema with an id is a document of its own: references in it begin there.
            Value::Object(keywords) if !keywords.contains_key("$id") => {
                for (keyword, value) in keywords {
                    match (keyword.as_str(), value) {
                        ("$ref" | "$dynamicRef" | "$recursiveRef", Value::String(reference)) => {
                            if let Some(moved) = self.moved(reference) {
                                *reference = moved;
                            }
                        }
                        (keyword, Value::Object(schemas)) if NAMED_SCHEMAS.contains(&keyword) => {
                            schemas.values_mut().for_each(|schema| self.move_in(schema));
                        }
                        (keyword, _) if DATA.contains(&keyword) => {}
                        (_, value) => self.move_in(value),
                    }
                }
            }
            _ => {}
        }
    }

    /// The reference to what has moved; `None` for definitions, anchors and other documents.
    fn moved(&self, reference: &str) -> Option<String> {
        let within = match &self.id {
            Some(id) => reference.strip_prefix(id.as_str()).unwrap_or(reference),
            None => reference,
        };
        let is_root = within.is_empty() && within.len() < reference.len();
        let pointer = if is_root { "" } else { within.strip_prefix('#')? };
        let stays = ["/$defs/", "/definitions/"].iter().any(|definitions| pointer.starts_with(definitions));
        let is_pointer = pointer.is_empty() || pointer.starts_with('/');
        (is_pointer && !stays).then(|| format!("#{}{pointer}", self.prefix))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schema: Value, field: &str, wanted: Value) {
        assert_eq!(legal(schema), (wanted, Some(field.into())));
    }

    #[test]
    fn plain_object_is_unchanged() {
        for schema in [
            json!({}),
            json!({ "type": "object" }),
            json!({ "type": "object", "properties": { "anyOf": { "anyOf": [{ "$ref": "#" }] } } }),
            json!({ "$defs": { "a": { "type": "string" } }, "type": "object", "additionalProperties": false }),
        ] {
            assert_eq!(legal(schema.clone()), (schema, None));
        }
        let untyped = json!({ "properties": { "a": {} } });
        assert_eq!(legal(untyped), (json!({ "properties": { "a": {} }, "type": "object" }), None));
    }

    #[test]
    fn any_other_root_becomes_a_field() {
        for schema in [
            json!({ "type": "array", "items": { "type": "string" } }),
            json!({ "anyOf": [{ "type": "array" }, { "type": "object" }] }),
            json!({ "type": "object", "oneOf": [{ "required": ["a"] }] }),
            json!({ "type": ["object", "null"] }),
            json!({ "enum": ["a", "b"] }),
            json!({ "description": "anything" }),
        ] {
            check(
                schema.clone(),
                "value",
                json!({
                    "type": "object",
                    "properties": { "value": schema },
                    "required": ["value"],
                    "additionalProperties": false,
                }),
            );
        }
    }

    #[test]
    fn property_may_have_the_name_of_a_keyword() {
        // The root is wrapped, since it is no plain object.
        let schema = |reference: &str| {
            json!({ "oneOf": [{ "properties": {
                "$id": { "$ref": reference },
                "default": { "$ref": reference },
                "enum": { "items": { "$ref": reference } },
            } }] })
        };
        let (wrapped, _) = legal(schema("#"));
        assert_eq!(wrapped["properties"]["value"], schema("#/properties/value"));
    }

    #[test]
    fn references_still_resolve() {
        check(
            json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "$ref": "#/$defs/node",
                "$defs": {
                    "node": { "type": "object", "properties": {
                        "next": { "$ref": "#/$defs/node" },
                        "root": { "$ref": "#" },
                        "first": { "$ref": "#/allOf/0" },
                        "$ref": { "const": { "$ref": "#" } },
                        "named": { "$ref": "#anchor" },
                        "other": { "$ref": "https://example.com/a#/b" },
                    } },
                },
                "allOf": [{ "$anchor": "anchor" }],
            }),
            "value",
            json!({
                "$schema": "https://json-schema.org/draft/2020-12/schema",
                "$defs": {
                    "node": { "type": "object", "properties": {
                        "next": { "$ref": "#/$defs/node" },
                        "root": { "$ref": "#/properties/value" },
                        "first": { "$ref": "#/properties/value/allOf/0" },
                        "$ref": { "const": { "$ref": "#" } },
                        "named": { "$ref": "#anchor" },
                        "other": { "$ref": "https://example.com/a#/b" },
                    } },
                },
                "type": "object",
                "properties": { "value": { "$ref": "#/$defs/node", "allOf": [{ "$anchor": "anchor" }] } },
                "required": ["value"],
                "additionalProperties": false,
            }),
        );
        let id = "https://example.com/schema";
        check(
            json!({ "$id": id, "type": "array", "items": { "anyOf": [
                { "$ref": id }, { "$ref": "#/items" }, { "$ref": format!("{id}#/items") },
            ] } }),
            "value",
            json!({
                "$id": id,
                "type": "object",
                "properties": { "value": { "type": "array", "items": { "anyOf": [
                    { "$ref": "#/properties/value" },
                    { "$ref": "#/properties/value/items" },
                    { "$ref": "#/properties/value/items" },
                ] } } },
                "required": ["value"],
                "additionalProperties": false,
            }),
        );
    }

    #[test]
    fn reference_in_a_keyword_that_holds_one_schema_resolves() {
        check(
            json!({ "type": "array", "items": { "$ref": "#/prefixItems/0" }, "prefixItems": [{ "type": "string" }] }),
            "value",
            json!({
                "type": "object",
                "properties": { "value": {
                    "type": "array",
                    "items": { "$ref": "#/properties/value/prefixItems/0" },
                    "prefixItems": [{ "type": "string" }],
                } },
                "required": ["value"],
                "additionalProperties": false,
            }),
        );
    }

    #[test]
    fn field_has_a_name_that_the_schema_does_not_use() {
        let (_, field) = legal(json!({ "anyOf": [{ "properties": { "value": {} } }] }));
        assert_eq!(field.as_deref(), Some("value_2"));
    }

    #[test]
    fn input_is_unwrapped() {
        for input in [json!([1]), json!({ "a": 1 }), json!(null), json!({ "value": 1 })] {
            assert_eq!(unwrap_input(wrap_input(input.clone(), "value"), "value"), input);
        }
        for input in [json!([1]), json!({ "a": 1, "value": 2 }), json!({}), json!({ "a": 1 })] {
            assert_eq!(unwrap_input(input.clone(), "value"), input);
        }
    }
}

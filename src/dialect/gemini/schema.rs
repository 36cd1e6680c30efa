//! The API's own form of schemas as JSON Schema: types in upper case, `nullable`, bounds as strings, `propertyOrdering`.

use serde_json::{Map, Value, json};

use super::parts::camel_case;

/// Keywords whose values are integers, which Google's JSON writes as strings.
const BOUNDS: [&str; 6] =
    ["minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"];

/// Converts a schema. What is JSON Schema already stays as it is: clients send such schemas here too.
pub fn to_json_schema(schema: Map<String, Value>) -> Value {
    let mut converted = Map::with_capacity(schema.len());
    let mut is_nullable = false;
    for (name, value) in schema {
        let name = if name.starts_with('$') { name } else { camel_case(name) };
        let value = match (name.as_str(), value) {
            (_, Value::Null) | ("propertyOrdering", _) => continue,
            ("nullable", value) => {
                is_nullable = value == Value::Bool(true);
                continue;
            }
            ("type", Value::String(kind)) if kind == "TYPE_UNSPECIFIED" => continue,
            ("type", Value::String(kind)) => Value::String(kind.to_lowercase()),
            ("type", Value::Array(kinds)) => kinds.into_iter().map(lower_case).collect(),
            // Google's word for a string that has an `enum`.
            ("format", Value::String(format)) if format == "enum" => continue,
            ("properties" | "defs" | "$defs" | "definitions", Value::Object(schemas)) => {
                Value::Object(schemas.into_iter().map(|(name, schema)| (name, convert(schema))).collect())
            }
            ("items" | "additionalProperties", value) => convert(value),
            ("anyOf" | "oneOf" | "allOf" | "prefixItems", Value::Array(schemas)) => {
                schemas.into_iter().map(convert).collect()
            }
            (bound, Value::String(number)) if BOUNDS.contains(&bound) => {
                number.parse::<u64>().map_or(Value::String(number), Value::from)
            }
            (_, value) => value,
        };
        converted.insert(name, value);
    }
    if is_nullable {
        allow_null(&mut converted);
    }
    Value::Object(converted)
}

fn convert(schema: Value) -> Value {
    match schema {
        Value::Object(schema) => to_json_schema(schema),
        other => other,
    }
}

fn lower_case(kind: Value) -> Value {
    match kind {
        Value::String(kind) => Value::String(kind.to_lowercase()),
        other => other,
    }
}

fn allow_null(schema: &mut Map<String, Value>) {
    match schema.get_mut("type") {
        Some(Value::Array(kinds)) => kinds.push("null".into()),
        Some(kind) => *kind = json!([kind.take(), "null"]),
        None => {}
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
    if let Some(Value::Array(schemas)) = schema.get_mut("anyOf") {
        schemas.push(json!({ "type": "null" }));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(schema: Value) -> Value {
        convert(schema)
    }

    #[test]
    fn own_form_becomes_json_schema() {
        assert_eq!(
            converted(json!({
                "type": "OBJECT",
                "description": "A place",
                "properties": {
                    "any_of": { "type": "STRING", "format": "enum", "enum": ["a", "b"], "nullable": true },
                    "list": { "type": "ARRAY", "min_items": "1", "maxItems": 2, "items": { "type": "INTEGER", "format": "int32" } },
                    "either": { "any_of": [{ "type": "STRING" }, { "type": "NUMBER" }], "nullable": true },
                    "free": { "type": "TYPE_UNSPECIFIED", "nullable": false, "title": null },
                },
                "required": ["list"],
                "propertyOrdering": ["list", "any_of"],
            })),
            json!({
                "type": "object",
                "description": "A place",
                "properties": {
                    "any_of": { "type": ["string", "null"], "enum": ["a", "b", null] },
                    "list": { "type": "array", "minItems": 1, "maxItems": 2, "items": { "type": "integer", "format": "int32" } },
                    "either": { "anyOf": [{ "type": "string" }, { "type": "number" }, { "type": "null" }] },
                    "free": {},
                },
                "required": ["list"],
            })
        );
    }

    #[test]
    fn json_schema_stays_as_it_is() {
        let schema = json!({
            "type": "object",
            "properties": { "a": { "$ref": "#/$defs/A" }, "b": { "type": ["string", "null"], "minLength": 1 } },
            "$defs": { "A": { "type": "integer", "const": 3 } },
            "additionalProperties": false,
        });
        assert_eq!(converted(schema.clone()), schema);
    }
}

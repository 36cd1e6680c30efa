//! Placeholders for blocks that models can't be shown: what each was, and what is in it, never its base64.

use serde_json::{Map, Value};

use crate::dialect::common::body_json::shortened;

/// Fields that tell a model nothing.
const NOT_CONTENT: [&str; 5] = ["type", "id", "cache_control", "signature", "status"];

/// Fields that hold base64, or what a service sealed for itself.
const PAYLOADS: [&str; 10] = [
    "data",
    "file_data",
    "image_data",
    "audio_data",
    "b64_json",
    "base64",
    "bytes",
    "blob",
    "signature",
    "image",
];

/// Beginnings of the base64 of PDF, PNG, JPEG, GIF, RIFF, ZIP, ID3, Ogg, SVG and XML files.
const SIGNATURES: [&str; 10] =
    ["JVBERi", "iVBORw", "/9j/", "R0lGOD", "UklGR", "UEsDB", "SUQz", "T2dnU", "PHN2Zy", "PD94bW"];

/// Strings of this many characters or more without a space are base64 under any name.
const LONG: usize = 200;

const LEFT_OUT: &str = "[base64 left out]";

/// Words for a block of a type that isn't known here: its text, and all other content as JSON.
pub fn unknown_block(kind: &str, mut fields: Map<String, Value>) -> String {
    fields.retain(|name, value| !NOT_CONTENT.contains(&name.as_str()) && !value.is_null());
    let text = match fields.get("text") {
        Some(Value::String(_)) => fields.shift_remove("text"),
        _ => None,
    };
    let (text, kind) = (text.as_ref().and_then(Value::as_str), shortened(kind));
    match (text, fields.is_empty()) {
        (Some(text), true) => text.to_owned(),
        (Some(text), false) => format!("{text}\n[{kind}: {}]", without_base64(Value::Object(fields))),
        (None, true) => format!("[{kind}]"),
        (None, false) => format!("[{kind}: {}]", without_base64(Value::Object(fields))),
    }
}

/// Words for a file that is no text and no image: `[PDF document left out: ...]`.
pub fn file_left_out(noun: &str, mime: &str, name: Option<&str>) -> String {
    let kind = match mime {
        "" => noun.to_owned(),
        "application/pdf" => format!("PDF {noun} (application/pdf)"),
        mime => format!("{noun} of type {}", shortened(mime)),
    };
    let name = name.map(|name| format!(" `{}`", shortened(name))).unwrap_or_default();
    format!("[{kind}{name} left out: only text and images can be shown]")
}

/// Words for a file that the client only names: by its address, or by the id of a stored file.
pub fn named_file_left_out(noun: &str, name: &str) -> String {
    format!("[{noun} {} left out: nothing is fetched here]", shortened(name))
}

/// JSON of the content with a note in place of each base64.
pub fn without_base64(mut content: Value) -> Value {
    remove_base64(&mut content);
    content
}

fn remove_base64(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(remove_base64),
        Value::Object(fields) => {
            // The data of a text source is text.
            let is_text = fields.get("type").is_some_and(|kind| kind == "text");
            for (name, value) in fields {
                match value {
                    Value::String(text) if is_base64(name, text, is_text) => *text = LEFT_OUT.into(),
                    Value::String(text) => shorten_data_url(text),
                    value => remove_base64(value),
                }
            }
        }
        Value::String(text) if is_base64("", text, false) => *text = LEFT_OUT.into(),
        Value::String(text) => shorten_data_url(text),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn is_base64(name: &str, text: &str, is_text: bool) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=-_\r\n".contains(&byte);
    let is_sealed = name.starts_with("encrypted");
    let is_payload = is_sealed || (PAYLOADS.contains(&name) && !is_text);
    let is_file = SIGNATURES.iter().any(|signature| text.starts_with(signature));
    is_sealed
        || ((is_payload || is_file || text.len() >= LONG) && !text.is_empty() && text.bytes().all(is_digit))
}

/// `data:image/png;base64,[base64 left out]`
fn shorten_data_url(text: &mut String) {
    let is_data = text.get(..5).is_some_and(|scheme| scheme.eq_ignore_ascii_case("data:"));
    if let (true, Some(comma)) = (is_data, text.find(',')) {
        text.truncate(comma + 1);
        text.push_str(LEFT_OUT);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn placeholder(block: Value) -> String {
        let Value::Object(fields) = block else { panic!("no object") };
        unknown_block(fields["type"].as_str().unwrap(), fields.clone())
    }

    #[test]
    fn unknown_block_is_its_text_or_its_type_and_content() {
        for (block, wanted) in [
            (json!({ "type": "connector_text", "text": "hello" }), "hello"),
            (json!({ "type": "connector_text", "id": "1", "text": "hello", "x": null }), "hello"),
            (json!({ "type": "new", "text": "a", "title": "b" }), "a\n[new: {\"title\":\"b\"}]"),
            (json!({ "type": "new", "n": [1, { "a": "b c" }] }), r#"[new: {"n":[1,{"a":"b c"}]}]"#),
            (json!({ "type": "new", "text": ["a"] }), r#"[new: {"text":["a"]}]"#),
            (json!({ "type": "new" }), "[new]"),
        ] {
            assert_eq!(placeholder(block), wanted);
        }
    }

    #[test]
    fn base64_is_left_out() {
        let long = "aGVsbG8h".repeat(100);
        for source in [
            json!({ "type": "base64", "media_type": "application/pdf", "data": "aGVsbG8=" }),
            json!({ "type": "new", "payload": "JVBERi0xLjQK" }),
            json!({ "type": "new", "content": [long] }),
            json!({ "type": "new", "url": "data:image/png;base64,aGVsbG8=" }),
            json!({ "type": "new", "encrypted_content": "a sealed text" }),
        ] {
            let text = placeholder(json!({ "type": "new", "source": source }));
            assert!(text.contains("left out]"), "{text}");
            for secret in ["aGVsbG8", "JVBERi", "sealed"] {
                assert!(!text.contains(secret), "{text}");
            }
        }
    }

    #[test]
    fn all_other_content_is_kept() {
        let source =
            json!({ "type": "text", "data": "hello", "url": "https://example.com/aGVsbG8", "path": "/a/b" });
        assert_eq!(without_base64(source.clone()), source);
    }
}

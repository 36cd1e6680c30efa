//! Requests and responses in whole values.

mod accepted_requests;
mod properties;
mod rejected_requests;
mod responses;

use serde_json::{Map, Value, json};

/// Reads a stream as a client does: the choices of a whole response, and the last usage.
fn folded(stream: &[u8]) -> (Vec<Value>, Value) {
    let text = std::str::from_utf8(stream).unwrap();
    let mut choices: Vec<Value> = Vec::new();
    let mut usage = Value::Null;
    // As the strictest line readers, which split at every Unicode line separator.
    for line in text.split(['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}']) {
        let Some(data) = line.strip_prefix("data: ") else {
            assert!(line.is_empty() || line.starts_with(':'), "a line cut in two: {line}");
            continue;
        };
        if data == "[DONE]" {
            continue;
        }
        let chunk: Value = serde_json::from_str(data).unwrap();
        if chunk["usage"].is_object() {
            usage = chunk["usage"].clone();
        }
        for chunk_choice in chunk["choices"].as_array().unwrap() {
            let index = usize::try_from(chunk_choice["index"].as_u64().unwrap()).unwrap();
            if choices.len() <= index {
                choices.resize_with(index + 1, Value::default);
            }
            fold(&mut choices[index], chunk_choice);
        }
    }
    (choices, usage)
}

fn fold(choice: &mut Value, chunk_choice: &Value) {
    if choice.is_null() {
        *choice = json!({ "index": chunk_choice["index"], "message": {}, "logprobs": null });
    }
    let message = choice["message"].as_object_mut().unwrap();
    for (key, value) in chunk_choice["delta"].as_object().unwrap() {
        match (key.as_str(), value) {
            ("tool_calls", Value::Array(calls)) => {
                for call in calls {
                    let whole = message.entry("tool_calls").or_insert_with(|| json!([]));
                    let mut call = call.as_object().unwrap().clone();
                    let index = call.shift_remove("index").unwrap();
                    assert_eq!(index, json!(whole.as_array().unwrap().len()), "calls counted one by one");
                    whole.as_array_mut().unwrap().push(Value::Object(call));
                }
            }
            ("reasoning_details", Value::Array(details)) => {
                let whole = message.entry("reasoning_details").or_insert_with(|| json!([]));
                whole.as_array_mut().unwrap().extend(details.iter().cloned());
            }
            (_, Value::String(more)) => append(message, key, more),
            (_, value) => {
                message.insert(key.clone(), value.clone());
            }
        }
    }
    if !chunk_choice["finish_reason"].is_null() {
        choice["finish_reason"] = chunk_choice["finish_reason"].clone();
    }
}

fn append(message: &mut Map<String, Value>, key: &str, more: &str) {
    match message.entry(key).or_insert_with(|| json!("")) {
        Value::String(text) => text.push_str(more),
        other => panic!("{key} is {other}"),
    }
}

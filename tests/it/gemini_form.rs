//! Requests and responses of a client of Google's Gemini API.

use serde_json::{Value, json};

/// Path of the endpoint for whole responses of a model.
pub fn generate(model: &str) -> String {
    format!("/v1beta/models/{model}:generateContent")
}

/// The path for this mode: the API names it there, not in the body.
pub fn in_mode(path: &str, stream: bool) -> String {
    if stream { path.replace(":generateContent", ":streamGenerateContent?alt=sse") } else { path.to_owned() }
}

/// A request with these contents.
pub fn request(contents: &[Value]) -> Value {
    json!({ "contents": contents })
}

/// A content of the user with these parts.
pub fn user(parts: &Value) -> Value {
    json!({ "role": "user", "parts": parts })
}

/// A text of the user.
pub fn text(text: &str) -> Value {
    user(&json!([{ "text": text }]))
}

/// A content of the model with these parts.
pub fn model(parts: &Value) -> Value {
    json!({ "role": "model", "parts": parts })
}

/// A call of a tool and its result, with these parts besides.
pub fn call_and_result(id: &str, args: &Value, output: &str, parts: &Value) -> [Value; 2] {
    let response = json!({ "id": id, "name": "f", "response": { "output": output }, "parts": parts });
    [
        model(&json!([{ "functionCall": { "id": id, "name": "f", "args": args } }])),
        user(&json!([{ "functionResponse": response }])),
    ]
}

/// The contents of chat messages that have text.
pub fn contents(messages: &Value) -> Vec<Value> {
    let content = |message: &Value| match message["role"].as_str().unwrap() {
        "assistant" => model(&json!([{ "text": message["content"] }])),
        _ => user(&json!([{ "text": message["content"] }])),
    };
    messages.as_array().unwrap().iter().map(content).collect()
}

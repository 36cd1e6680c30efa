//! The `dump:` directive: the request as the model gets it, as one line of JSON. Pure.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::bridge::protocol::Chat;
use crate::conversation::{Data, Message, Part, Thinking, Tool};
use crate::simulator::select_phase::result_text;

/// The request as JSON, its bytes as their number and digest.
pub fn dump(chat: &Chat) -> Value {
    json!({
        "messages": chat.messages.iter().map(message).collect::<Vec<_>>(),
        "tools": chat.tools.iter().map(tool).collect::<Vec<_>>(),
        "toolMode": if chat.required { "required" } else { "auto" },
        "modelOptions": chat.options,
    })
}

fn message(message: &Message) -> Value {
    json!({"role": message.role, "parts": message.parts.iter().map(part).collect::<Vec<_>>()})
}

fn part(part: &Part) -> Value {
    match part {
        Part::Text { text } => json!({"type": "text", "text": text}),
        Part::Data(data) => bytes(data),
        Part::Thinking(thinking) => sealed(thinking),
        Part::ToolCall(call) => {
            json!({"type": "tool_call", "id": call.id, "name": call.name, "input": call.input})
        }
        Part::ToolResult(result) => {
            json!({"type": "tool_result", "id": result.id, "text": result_text(result)})
        }
    }
}

/// Thinking with what its provider gets back of it.
fn sealed(thinking: &Thinking) -> Value {
    let fields = [
        ("type", Some(json!("thinking"))),
        ("text", Some(json!(thinking.text))),
        ("id", thinking.id.as_ref().map(|id| json!(id))),
        ("metadata", thinking.metadata.as_ref().map(|metadata| json!(metadata))),
    ];
    fields.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn bytes(data: &Data) -> Value {
    let bytes = STANDARD.decode(&data.base64).unwrap_or_default();
    let digest = format!("{:x}", Bytes::copy_from_slice(&Sha256::digest(&bytes)));
    json!({"type": "data", "mime": data.mime, "bytes": bytes.len(), "sha256": digest})
}

fn tool(tool: &Tool) -> Value {
    json!({"name": tool.name, "description": tool.description, "inputSchema": tool.input_schema})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::{Content, Role, ToolCall, ToolResult};

    #[test]
    fn dump_has_the_whole_request_in_order() {
        let image = Data { mime: "image/png".into(), base64: "aGVsbG8=".into() };
        let call = ToolCall { id: "c".into(), name: "get".into(), input: json!({"b": 1, "a": [2]}) };
        let result = ToolResult {
            id: "c".into(),
            content: vec![
                Content::Text { text: "a".into() },
                Content::Data(image.clone()),
                Content::Text { text: "b".into() },
            ],
            is_error: true,
        };
        let schema = json!({"type": "object"});
        let chat = Chat {
            client: None,
            vendor: "demo".into(),
            model: "scripted-1".into(),
            messages: vec![
                Message {
                    role: Role::User,
                    name: Some("ann".into()),
                    parts: vec![Part::text("a\nb"), Part::Data(image)],
                },
                Message {
                    role: Role::Assistant,
                    name: None,
                    parts: vec![Part::Thinking(Thinking::text("hm")), Part::ToolCall(call)],
                },
                Message { role: Role::User, name: None, parts: vec![Part::ToolResult(result)] },
            ],
            tools: vec![
                Tool { name: "get".into(), description: "gets".into(), input_schema: Some(schema) },
                Tool { name: "none".into(), description: String::new(), input_schema: None },
            ],
            required: true,
            options: [("temperature".to_owned(), json!(0.5))].into_iter().collect(),
            configuration: [("reasoningEffort".to_owned(), json!("high"))].into_iter().collect(),
            include_encrypted_thinking: true,
            digests: Vec::new(),
        };
        let digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
        let wanted = format!(
            concat!(
                r#"{{"messages":[{{"role":"user","parts":[{{"type":"text","text":"a\nb"}},"#,
                r#"{{"type":"data","mime":"image/png","bytes":5,"sha256":"{}"}}]}},"#,
                r#"{{"role":"assistant","parts":[{{"type":"thinking","text":"hm"}},"#,
                r#"{{"type":"tool_call","id":"c","name":"get","input":{{"b":1,"a":[2]}}}}]}},"#,
                r#"{{"role":"user","parts":[{{"type":"tool_result","id":"c","text":"ab"}}]}}],"#,
                r#""tools":[{{"name":"get","description":"gets","inputSchema":{{"type":"object"}}}},"#,
                r#"{{"name":"none","description":"","inputSchema":null}}],"#,
                r#""toolMode":"required","modelOptions":{{"temperature":0.5}}}}"#,
            ),
            digest
        );
        assert_eq!(dump(&chat).to_string(), wanted);
    }
}

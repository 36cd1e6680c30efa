//! Refusals of the services behind Copilot's models: what Copilot passes on unchecked, and they don't take. Pure.

use std::collections::HashSet;

use serde_json::{Value, json};

use crate::bridge::protocol::{Chat, ProviderError};
use crate::conversation::{Part, Tool};
use crate::simulator::image_rules;
use crate::simulator::models::Service;

/// Refuses as the service does, in the form in which VS Code passes it on.
pub fn check(chat: &Chat, service: Service) -> Result<(), ProviderError> {
    let parts = || {
        chat.messages.iter().enumerate().flat_map(|(index, message)| {
            message.parts.iter().enumerate().map(move |(part_index, part)| (index, part_index, part))
        })
    };
    let refusal = chat
        .tools
        .iter()
        .enumerate()
        .find_map(|(index, tool)| schema_refusal(index, tool, service))
        .or_else(|| parts().find_map(|(index, _, part)| id_refusal(index, part, service)))
        .or_else(|| repeated_id(chat, service))
        .or_else(|| parts().find_map(|(index, place, part)| signature_refusal(index, place, part, service)))
        .or_else(|| parts().find_map(|(index, place, part)| input_refusal(index, place, part)))
        .or_else(|| parts().find_map(|(index, _, part)| image_rules::mislabelled(index, part, service)));
    refusal.map_or(Ok(()), |message| {
        let body = json!({"error": {"message": message, "code": "invalid_request_body"}});
        Err(ProviderError {
            name: "Error".into(),
            code: None,
            message: format!("Request Failed: 400 {body}"),
        })
    })
}

/// Copilot hands Anthropic's service every signature, those of other services too.
fn signature_refusal(index: usize, place: usize, part: &Part, service: Service) -> Option<String> {
    let Part::Thinking(thinking) = part else { return None };
    let origin = thinking.metadata.as_ref()?.get("vscode_thinking_origin_api")?;
    (service == Service::Messages && origin != service.api_name())
        .then(|| format!("messages.{index}.content.{place}: Invalid `signature` in `thinking` block"))
}

/// Keywords at the root of a schema that no service accepts beside or instead of `"type": "object"`.
const COMBINING: [&str; 6] = ["anyOf", "oneOf", "allOf", "not", "enum", "$ref"];

fn schema_refusal(index: usize, tool: &Tool, service: Service) -> Option<String> {
    // An empty schema is left out by Copilot.
    let schema = tool.input_schema.as_ref().filter(|schema| **schema != json!({}))?;
    let is_object = schema.get("type").and_then(Value::as_str) == Some("object");
    let combining = COMBINING.iter().find(|keyword| schema.get(keyword).is_some());
    if is_object && combining.is_none() {
        return None;
    }
    Some(match (service, combining) {
        (Service::Messages, Some(keyword)) => format!(
            "tools.{index}.custom.input_schema: input_schema does not support {keyword} at the top level"
        ),
        (Service::Messages, None) => {
            format!("tools.{index}.custom.input_schema.type: Input should be 'object'")
        }
        (Service::Chat | Service::Responses, _) => format!(
            "Invalid schema for function '{}': schema must have type 'object' and not have \
             'oneOf'/'anyOf'/'allOf'/'enum'/'not' at the top level.",
            tool.name
        ),
    })
}

fn id_of(part: &Part) -> Option<&str> {
    match part {
        Part::ToolCall(call) => Some(&call.id),
        Part::ToolResult(result) => Some(&result.id),
        Part::Text { .. } | Part::Data(_) | Part::Thinking(_) => None,
    }
}

fn id_refusal(index: usize, part: &Part, service: Service) -> Option<String> {
    let id = id_of(part)?;
    let length = id.chars().count();
    let too_long = |place: &str, most: usize| {
        (length > most || id.is_empty()).then(|| {
            format!(
                "Invalid '{place}': string too long. Expected a string with maximum length {most}, but got a string \
                 with length {length} instead."
            )
        })
    };
    match service {
        Service::Chat => too_long(&format!("messages[{index}].tool_calls[0].id"), 40),
        Service::Responses => too_long(&format!("input[{index}].call_id"), 64),
        Service::Messages => {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
            let fits = (1..=64).contains(&length) && id.bytes().all(is_plain);
            (!fits).then(|| {
                format!(
                    "messages.{index}.content.0.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"
                )
            })
        }
    }
}

fn repeated_id(chat: &Chat, service: Service) -> Option<String> {
    let mut ids = HashSet::new();
    let mut calls = chat.messages.iter().flat_map(|message| &message.parts).filter_map(|part| match part {
        Part::ToolCall(call) => Some(&call.id),
        _ => None,
    });
    let repeated = calls.find(|id| !ids.insert(*id))?;
    Some(match service {
        Service::Messages => "messages: `tool_use` ids must be unique".into(),
        Service::Chat | Service::Responses => format!("Duplicate tool call id '{repeated}'."),
    })
}

/// VS Code takes objects only, and so does Anthropic's service.
fn input_refusal(index: usize, place: usize, part: &Part) -> Option<String> {
    match part {
        Part::ToolCall(call) if !call.input.is_object() => Some(format!(
            "messages.{index}.content.{place}.tool_use.input: Input should be a valid dictionary"
        )),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::{Message, Role, ToolCall};

    const ALL: [Service; 3] = [Service::Chat, Service::Responses, Service::Messages];

    fn chat(parts: Vec<Part>, tools: &[Tool]) -> Chat {
        serde_json::from_value(json!({
            "vendor": "demo", "model": "scripted-1", "tools": tools, "required": false, "options": {},
            "messages": [Message { role: Role::Assistant, name: None, parts }],
        }))
        .unwrap()
    }

    fn call(id: &str, input: Value) -> Part {
        Part::ToolCall(ToolCall { id: id.into(), name: "get".into(), input })
    }

    fn refused(service: Service, parts: Vec<Part>) -> bool {
        check(&chat(parts, &[]), service).is_err()
    }

    #[test]
    fn each_service_has_its_own_limit_of_ids() {
        for (id, by_service) in [
            ("call_1-A".to_owned(), [false, false, false]),
            ("functions.get:0".to_owned(), [false, false, true]),
            ("a".repeat(41), [true, false, false]),
            ("a".repeat(65), [true, true, true]),
            (String::new(), [true, true, true]),
        ] {
            let refusals = ALL.map(|service| refused(service, vec![call(&id, json!({}))]));
            assert_eq!(refusals, by_service, "{id}");
        }
        for service in ALL {
            assert!(refused(service, vec![call("a", json!({})), call("a", json!({}))]));
        }
    }

    #[test]
    fn call_inputs_must_be_objects() {
        for input in [json!([1]), json!("text"), Value::Null, json!(1)] {
            assert!(ALL.iter().all(|service| refused(*service, vec![call("a", input.clone())])));
        }
    }

    #[test]
    fn schema_root_must_be_a_plain_object() {
        let refused = |service, schema: &Value| {
            let tool =
                Tool { name: "get".into(), description: String::new(), input_schema: Some(schema.clone()) };
            check(&chat(vec![], &[tool]), service).is_err()
        };
        for (schema, expected) in [
            (json!({}), false),
            (json!({"type": "object", "$defs": {}, "properties": {"a": {"anyOf": []}}}), false),
            (json!({"type": "object", "anyOf": []}), true),
            (json!({"type": "object", "$ref": "#/$defs/a"}), true),
            (json!({"type": ["object", "null"]}), true),
            (json!({"type": "array"}), true),
            (json!({"properties": {}}), true),
            (json!(true), true),
        ] {
            assert_eq!(ALL.map(|service| refused(service, &schema)), [expected; 3], "{schema}");
        }
    }
}

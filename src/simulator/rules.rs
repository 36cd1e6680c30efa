//! The rules of GitHub Copilot's provider: what it refuses, and what it drops without an error. Pure.

use std::collections::HashSet;

use serde_json::json;

use crate::bridge::protocol::{Chat, ProviderError};
use crate::conversation::{Message, Part, Role, Tool};
use crate::simulator::image_rules;
use crate::simulator::models::Service;

const MAX_TOOLS: usize = 128;

/// Refuses illegal requests with the messages of VS Code and Copilot.
pub fn check(chat: &Chat) -> Result<(), ProviderError> {
    let refusal = system_message(&chat.messages)
        .or_else(|| misnamed_tool(&chat.tools))
        .or_else(|| chat.messages.is_empty().then(|| "Invalid request: no messages.".into()))
        .or_else(|| unanswered_call(&chat.messages));
    refuse(refusal)
}

/// Refuses too many tools and tools that can't be required, which Copilot does after it has checked the length.
pub fn check_tools(chat: &Chat) -> Result<(), ProviderError> {
    refuse(too_many_tools(chat))
}

fn refuse(message: Option<String>) -> Result<(), ProviderError> {
    message.map_or(Ok(()), |message| Err(ProviderError { name: "Error".into(), code: None, message }))
}

/// The request as Copilot reads it: one text for each assistant message, no list of stop strings, and no tool choice
/// for Anthropic's service.
pub fn as_read(mut chat: Chat, service: Service) -> Chat {
    chat.required &= service != Service::Messages;
    image_rules::pass_on(&mut chat, service);
    if chat.options.get("stop").is_some_and(serde_json::Value::is_array) {
        chat.options.shift_remove("stop");
    }
    for message in &mut chat.messages {
        message.parts.retain(|part| !is_dropped_thinking(part, service));
        if message.role == Role::Assistant {
            let mut texts = 0;
            message.parts.retain(|part| {
                texts += usize::from(matches!(part, Part::Text { .. }));
                !matches!(part, Part::Text { .. }) || texts == 1
            });
        }
    }
    chat
}

/// Thinking goes upstream only as it came. An id alone is enough for `/chat/completions`.
fn is_dropped_thinking(part: &Part, service: Service) -> bool {
    let Part::Thinking(thinking) = part else { return false };
    let encrypted = thinking.metadata.as_ref().and_then(|metadata| metadata.get("encrypted_content"));
    thinking.id.is_none() || (service != Service::Chat && encrypted.is_none())
}

/// VS Code gives the role of a system message to its own extensions only.
fn system_message(messages: &[Message]) -> Option<String> {
    let system = |message: &Message| message.role == Role::System;
    messages.iter().any(system).then(|| "CANNOT use API proposal: languageModelSystem".into())
}

fn misnamed_tool(tools: &[Tool]) -> Option<String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let misnamed = tools.iter().find(|tool| tool.name.is_empty() || !tool.name.bytes().all(allowed))?;
    let name = &misnamed.name;
    Some(format!(
        "Invalid tool name \"{name}\": only alphanumeric characters, hyphens, and underscores are allowed."
    ))
}

fn too_many_tools(chat: &Chat) -> Option<String> {
    match chat.tools.len() {
        tools if tools > MAX_TOOLS => Some(format!("Cannot have more than {MAX_TOOLS} tools per request.")),
        tools if tools > 1 && chat.required => {
            Some("LanguageModelChatToolMode.Required is not supported with more than one tool".into())
        }
        _ => None,
    }
}

/// Copilot passes a call without its result on; this is the service's answer.
fn unanswered_call(messages: &[Message]) -> Option<String> {
    let mut rest = messages;
    while let Some((message, after)) = rest.split_first() {
        rest = after;
        if message.role != Role::Assistant {
            continue;
        }
        let answered = results_at_the_start_of(after);
        let unanswered = message.parts.iter().find_map(|part| match part {
            Part::ToolCall(call) if !answered.contains(call.id.as_str()) => Some(&call.id),
            _ => None,
        });
        if let Some(id) = unanswered {
            let message = format!(
                "An assistant message with 'tool_calls' must be followed by tool messages responding to each \
                 'tool_call_id'. The following tool_call_ids did not have response messages: {id}"
            );
            let body = json!({"error": {"message": message, "code": "invalid_request_body"}});
            return Some(format!("Request Failed: 400 {body}"));
        }
    }
    None
}

/// The ids of the unbroken run of tool results that these messages begin with.
fn results_at_the_start_of(messages: &[Message]) -> HashSet<&str> {
    let parts = messages.iter().take_while(|message| message.role == Role::User);
    let results = parts.flat_map(|message| &message.parts).map_while(|part| match part {
        Part::ToolResult(result) => Some(result.id.as_str()),
        _ => None,
    });
    results.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value};

    use super::*;
    use crate::conversation::{ToolCall, ToolResult};

    fn chat(messages: Vec<Message>) -> Chat {
        let (vendor, model) = ("demo".into(), "scripted-1".into());
        let (options, configuration) = (Map::new(), Map::new());
        Chat {
            client: None,
            vendor,
            model,
            messages,
            tools: vec![],
            required: false,
            options,
            configuration,
            include_encrypted_thinking: false,
            digests: Vec::new(),
        }
    }

    fn message(role: Role, parts: impl Into<Vec<Part>>) -> Message {
        Message { role, name: None, parts: parts.into() }
    }

    fn user(parts: impl Into<Vec<Part>>) -> Message {
        message(Role::User, parts)
    }

    fn assistant(parts: impl Into<Vec<Part>>) -> Message {
        message(Role::Assistant, parts)
    }

    fn call(id: &str) -> Part {
        Part::ToolCall(ToolCall { id: id.into(), name: "get".into(), input: json!({}) })
    }

    fn result(id: &str) -> Part {
        Part::ToolResult(ToolResult { id: id.into(), content: vec![], is_error: false })
    }

    fn with_tools(names: impl IntoIterator<Item = String>, required: bool) -> Chat {
        let tool = |name| Tool { name, description: String::new(), input_schema: None };
        Chat {
            tools: names.into_iter().map(tool).collect(),
            required,
            ..chat(vec![user([Part::text("hi")])])
        }
    }

    fn numbered(count: usize, required: bool) -> Chat {
        with_tools((0..count).map(|number| format!("tool_-{number}")), required)
    }

    fn check_all(chat: &Chat) -> Result<(), ProviderError> {
        check(chat).and_then(|()| check_tools(chat))
    }

    fn sentence(chat: &Chat) -> String {
        check_all(chat).map_err(|error| error.message).expect_err("a refusal")
    }

    #[test]
    fn legal_request_is_accepted() {
        assert_eq!(check_all(&numbered(128, false)), Ok(()));
        assert_eq!(check_all(&numbered(1, true)), Ok(()));
        assert_eq!(check_all(&numbered(0, true)), Ok(()));
    }

    #[test]
    fn each_refusal_has_its_own_message() {
        assert_eq!(
            check_all(&numbered(2, true)),
            Err(ProviderError {
                name: "Error".into(),
                code: None,
                message: "LanguageModelChatToolMode.Required is not supported with more than one tool".into()
            })
        );
        assert_eq!(sentence(&numbered(129, false)), "Cannot have more than 128 tools per request.");
        assert_eq!(
            sentence(&with_tools(["fine".into(), "a.b".into()], false)),
            "Invalid tool name \"a.b\": only alphanumeric characters, hyphens, and underscores are allowed."
        );
        for misnamed in ["", "a b", "é", "a\n"] {
            assert!(sentence(&with_tools([misnamed.into()], false)).starts_with("Invalid tool name"));
        }
        assert_eq!(sentence(&chat(vec![])), "Invalid request: no messages.");
        assert_eq!(
            sentence(&chat(vec![message(Role::System, [Part::text("be kind")])])),
            "CANNOT use API proposal: languageModelSystem"
        );
    }

    #[test]
    fn every_call_needs_its_result_directly_after_it() {
        let calls = assistant([call("1"), call("2")]);
        let unanswered = |after: &[Message]| {
            let messages = [std::slice::from_ref(&calls), after].concat();
            let refusal = check(&chat(messages)).err()?.message;
            let body: Value = serde_json::from_str(refusal.strip_prefix("Request Failed: 400 ")?).ok()?;
            body["error"]["message"].as_str()?.rsplit_once("messages: ").map(|(_, id)| id.to_owned())
        };
        assert_eq!(unanswered(&[user([result("2"), result("1"), Part::text("and")])]), None);
        assert_eq!(unanswered(&[user([result("1")]), user([result("2")])]), None);
        assert_eq!(unanswered(&[user([result("1"), Part::text("and"), result("2")])]), Some("2".into()));
        assert_eq!(
            unanswered(&[assistant([Part::text("no")]), user([result("1"), result("2")])]),
            Some("1".into())
        );
        assert_eq!(unanswered(&[]), Some("1".into()));
    }

    #[test]
    fn a_list_of_stop_strings_and_an_assistants_later_texts_are_dropped() {
        let (a, b) = (Part::text("a"), Part::text("b"));
        let mut asked =
            chat(vec![user([a.clone(), b.clone()]), assistant([a.clone(), call("1"), b.clone()])]);
        asked.options.insert("stop".into(), json!(["x"]));
        asked.options.insert("temperature".into(), json!(1));
        let read = as_read(asked, Service::Chat);
        assert_eq!(read.messages, [user([a.clone(), b]), assistant([a, call("1")])]);
        assert_eq!(Value::from(read.options), json!({"temperature": 1}));
    }

    #[test]
    fn tool_choice_does_not_reach_anthropic() {
        let required = |service| as_read(numbered(1, true), service).required;
        assert!(required(Service::Chat) && required(Service::Responses) && !required(Service::Messages));
    }

    #[test]
    fn single_stop_string_is_kept() {
        let mut asked = chat(vec![]);
        asked.options.insert("stop".into(), json!("x"));
        assert_eq!(as_read(asked.clone(), Service::Chat), asked);
    }
}

//! Model `auto` as Copilot serves it: a request is routed to a model by the text of its last user message. Pure.

use serde_json::{Map, Value};

use crate::bridge::protocol::{Chat, ProviderError};
use crate::conversation::{Message, Part, Role};

/// Id of the model.
pub const ID: &str = "auto";

/// Models that requests are routed to, by tier. Only the first is offered.
const ROUTES: [(&str, &str); 3] =
    [("efficiency", "gpt-5-mini"), ("balance", "gpt-5-codex"), ("intelligence", "gpt-5.4")];

/// Routes a request for `auto`; `None` for one for any other model.
pub fn route(chat: &Chat) -> Result<Option<&'static str>, ProviderError> {
    if chat.model != ID {
        return Ok(None);
    }
    let newest = chat.messages.iter().rev().find(|message| message.role == Role::User);
    if newest.is_none_or(|message| !has_words(message)) {
        return Err(ProviderError {
            name: "Error".into(),
            code: None,
            message: "Auto mode needs a prompt or a command to route a request.".into(),
        });
    }
    Ok(Some(routed_model(&chat.configuration)))
}

/// Copilot joins the texts of the message and trims them; a zero-width space is left over.
fn has_words(message: &Message) -> bool {
    let is_blank = |character: char| character.is_whitespace() || character == '\u{feff}';
    message.parts.iter().any(|part| matches!(part, Part::Text { text } if !text.chars().all(is_blank)))
}

fn routed_model(configuration: &Map<String, Value>) -> &'static str {
    let tier = configuration.get("tier").and_then(Value::as_str);
    let route = ROUTES.iter().find(|(name, _)| tier == Some(name));
    route.map_or("gpt-5-codex", |(_, model)| model)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conversation::ToolResult;

    fn chat(parts: Vec<Part>, tier: &Value) -> Chat {
        let message = Message { role: Role::User, name: None, parts };
        serde_json::from_value(json!({
            "vendor": "demo", "model": ID, "messages": [message], "tools": [], "required": false, "options": {},
            "configuration": {"tier": tier},
        }))
        .unwrap()
    }

    fn result() -> Part {
        Part::ToolResult(ToolResult { id: "1".into(), content: vec![], is_error: false })
    }

    #[test]
    fn newest_message_without_text_is_refused() {
        for parts in [vec![result()], vec![result(), Part::text(" \n\u{feff}")], vec![]] {
            let refusal = route(&chat(parts, &Value::Null)).unwrap_err();
            assert_eq!(refusal.message, "Auto mode needs a prompt or a command to route a request.");
        }
        for words in [".", "\u{200b}", "Continue."] {
            let routed = route(&chat(vec![result(), Part::text(words)], &Value::Null));
            assert_eq!(routed, Ok(Some("gpt-5-codex")), "{words:?}");
        }
    }

    #[test]
    fn tier_selects_the_model() {
        for (tier, model) in ROUTES.into_iter().chain([("unknown", "gpt-5-codex")]) {
            assert_eq!(route(&chat(vec![Part::text("hi")], &json!(tier))), Ok(Some(model)));
        }
    }

    #[test]
    fn other_models_are_not_routed() {
        let other = Chat { model: "scripted-1".into(), ..chat(vec![result()], &Value::Null) };
        assert_eq!(route(&other), Ok(None));
    }
}

//! Copilot's silent trimming: the oldest messages of a prompt that is over the limit are dropped. Pure.

use serde_json::Value;

use crate::bridge::protocol::{Chat, ModelInfo, ProviderError};
use crate::simulator::models::default_context_size;
use crate::tokens::count_conversation;

/// Most tokens that a message or a tool costs besides its text.
const OVERHEAD: usize = 64;

/// Drops the oldest messages until the rest fits; fails if the last message alone doesn't.
pub fn trim(chat: &mut Chat, model: &ModelInfo) -> Result<(), ProviderError> {
    let limit = limit(chat, model);
    if u64::try_from(most_tokens(chat)).is_ok_and(|most| most <= limit) {
        return Ok(());
    }
    while count_conversation(&chat.messages, &chat.tools).checked > limit {
        if chat.messages.len() < 2 {
            let message = "Message exceeds token limit.".into();
            return Err(ProviderError { name: "Error".into(), code: None, message });
        }
        chat.messages.remove(0);
    }
    Ok(())
}

/// The window, unless the request's context size or the model's default is smaller. Zero and negative sizes fit nothing.
fn limit(chat: &Chat, model: &ModelInfo) -> u64 {
    let size = match chat.configuration.get("contextSize").and_then(Value::as_f64) {
        // Sizes are whole and far below 2^52.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        Some(size) => Some(size as u64),
        None => default_context_size(model),
    };
    size.map_or(model.max_input_tokens, |size| size.min(model.max_input_tokens))
}

/// An upper bound that is quick to find: no token is shorter than a byte.
fn most_tokens(chat: &Chat) -> usize {
    let messages = serde_json::to_vec(&chat.messages).map_or(usize::MAX / 2, |json| json.len());
    let tools = serde_json::to_vec(&chat.tools).map_or(usize::MAX / 2, |json| json.len());
    let parts: usize = chat.messages.iter().map(|message| message.parts.len() + 1).sum();
    messages.saturating_add(tools).saturating_mul(3) / 2 + OVERHEAD * (parts + chat.tools.len() + 1)
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, json};

    use super::*;
    use crate::conversation::{Message, Part, Role};
    use crate::simulator::models;

    /// Two messages of 20 000 tokens and a short one.
    fn chat(context_size: &Value) -> Chat {
        let long = || Message::text(Role::User, "word ".repeat(20_000));
        let configuration: Map<String, Value> = match context_size {
            Value::Null => Map::new(),
            size => [("contextSize".to_owned(), size.clone())].into_iter().collect(),
        };
        Chat {
            client: None,
            vendor: "demo".into(),
            model: "scripted-long".into(),
            messages: vec![long(), long(), Message::text(Role::User, "newest")],
            tools: vec![],
            required: false,
            options: Map::new(),
            configuration,
            include_encrypted_thinking: false,
            digests: Vec::new(),
        }
    }

    fn left(id: &str, context_size: &Value) -> Result<usize, String> {
        let all = models::all();
        let model = all.iter().find(|model| model.id == id).unwrap();
        let mut chat = chat(context_size);
        trim(&mut chat, model).map_err(|error| error.message)?;
        assert_eq!(chat.messages.last().unwrap().parts, [Part::text("newest")]);
        Ok(chat.messages.len())
    }

    #[test]
    fn long_context_price_trims_to_the_default_size() {
        assert_eq!(left("scripted-long", &Value::Null), Ok(2));
        assert_eq!(left("scripted-long", &json!(200_000)), Ok(3));
        assert_eq!(left("scripted-long", &json!(1_000)), Ok(1));
        assert_eq!(left("scripted-1", &Value::Null), Ok(3));
        assert_eq!(left("scripted-mini", &json!(1_000_000)), Ok(1));
    }

    #[test]
    fn size_zero_fits_nothing() {
        for size in [0, -1] {
            assert_eq!(left("scripted-long", &json!(size)), Err("Message exceeds token limit.".into()));
        }
    }
}

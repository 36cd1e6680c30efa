//! The largest prompt at a model's standard price. Copilot doesn't tell extensions where a long-context price begins, but
//! limits prompts to that length by default, and refuses a single message beyond it before it sends anything.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use parking_lot::Mutex;
use serde_json::Map;
use tokio::time::timeout;

use super::price::{STANDARD_CONTEXT, has_long_context_price};
use crate::bridge::protocol::{Chat, ModelInfo};
use crate::bridge::{BridgeError, Editor};
use crate::conversation::{Message, Role, Tool};
use crate::tokens::count_conversation;

/// Tokens up to which every model has its standard price, so that nothing needs to be found out.
const ALWAYS_STANDARD: u64 = 8_000;

/// Accuracy of the search, in tokens.
const PRECISION: u64 = 250;

/// Longest time for one step of the search.
const STEP_TIMEOUT: Duration = Duration::from_secs(10);

/// Limits that were found, by vendor and model; clones share them.
#[derive(Clone, Default)]
pub struct StandardContexts(Arc<Mutex<HashMap<(String, String), u64>>>);

impl StandardContexts {
    /// The largest prompt of this model at its standard price, if one of `tokens` exceeds it.
    pub(super) async fn exceeded_by(
        &self,
        tokens: u64,
        model: &ModelInfo,
        editors: &[Editor],
    ) -> Option<u64> {
        if tokens <= ALWAYS_STANDARD || !has_long_context_price(model) {
            return None;
        }
        let maximum = self.limit(model, editors).await;
        (tokens > maximum).then_some(maximum)
    }

    async fn limit(&self, model: &ModelInfo, editors: &[Editor]) -> u64 {
        let key = (model.vendor.clone(), model.id.clone());
        let known = self.0.lock().get(&key).copied();
        if let Some(limit) = known {
            return limit;
        }
        let found = match editors.first() {
            Some(editor) if model.reports_usage => search(model, editor).await,
            _ => None,
        };
        let Some(limit) = found else { return STANDARD_CONTEXT };
        log::info!("standard context found model={} tokens={limit}", crate::log::quoted(&model.id));
        self.0.lock().insert(key, limit);
        limit
    }
}

/// Finds the largest message that the provider takes by default; `None` if it answers otherwise than Copilot's.
async fn search(model: &ModelInfo, editor: &Editor) -> Option<u64> {
    let (mut fits, mut exceeds) = (0, model.max_input_tokens);
    while exceeds - fits > PRECISION {
        let middle = fits + (exceeds - fits) / 2;
        if is_too_long(model, editor, middle).await? {
            exceeds = middle;
        } else {
            fits = middle;
        }
    }
    let empty = probe(model, 0);
    Some(fits + count_conversation(&empty.messages, &empty.tools).checked)
}

/// Whether a message of so many tokens exceeds the provider's default limit.
async fn is_too_long(model: &ModelInfo, editor: &Editor, tokens: u64) -> Option<bool> {
    let mut response = editor.chat(&Arc::new(probe(model, tokens))).ok()?;
    match timeout(STEP_TIMEOUT, response.next()).await.ok()?? {
        Err(BridgeError::Editor(error)) if error.message == "Message exceeds token limit." => Some(true),
        Err(BridgeError::Editor(error))
            if error.message.starts_with("LanguageModelChatToolMode.Required") =>
        {
            Some(false)
        }
        _ => None,
    }
}

/// A request that the provider never sends to its service: it refuses to require a call of one of two tools, after it
/// has checked the length.
fn probe(model: &ModelInfo, tokens: u64) -> Chat {
    let tool = |name: &str| Tool { name: name.into(), description: String::new(), input_schema: None };
    // Each repetition is one token.
    let text = " a".repeat(usize::try_from(tokens).unwrap_or_default());
    Chat {
        client: None,
        vendor: model.vendor.clone(),
        model: model.id.clone(),
        messages: vec![Message::text(Role::User, text)],
        tools: vec![tool("a"), tool("b")],
        required: true,
        options: Map::new(),
        configuration: Map::new(),
        include_encrypted_thinking: false,
        digests: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probe_has_the_requested_token_count() {
        let count = |tokens| {
            let Chat { messages, tools, .. } = probe(&ModelInfo::default(), tokens);
            count_conversation(&messages, &tools).checked
        };
        assert_eq!(count(5_000), count(0) + 5_000);
    }
}

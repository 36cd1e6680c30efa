//! A client's connection to a server: base URL, key and model. Each client has its own way to be configured with it,
//! in `clients`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::api_client::{ApiClient, ServerOption, key};
use crate::models::{ModelEntry, resolve, with_tier};

/// A client's connection to a server.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct ConnectionInfo {
    /// For example `http://127.0.0.1:8080`: what clients of Anthropic's API call the base URL.
    pub base: String,
    /// The key of the server, if it needs one.
    pub key: Option<String>,
    /// The model that the user named.
    pub model: Option<String>,
    /// The models there are; empty if no server can be asked.
    pub models: Vec<ModelEntry>,
}

/// A model that was named does not exist.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the server has no model `{requested}`; it has: {}", known.join(", "))]
pub struct NoSuchModel {
    requested: String,
    known: Vec<String>,
}

impl ConnectionInfo {
    /// Asks the server what there is, with the key in the environment.
    pub(super) fn of(server: &ServerOption, model: Option<&str>) -> Result<ConnectionInfo, NoSuchModel> {
        ConnectionInfo::with_key(server, model, key())
    }

    /// Asks the server what there is, with this key.
    pub(super) fn with_key(
        server: &ServerOption,
        model: Option<&str>,
        key: Option<String>,
    ) -> Result<ConnectionInfo, NoSuchModel> {
        let base = server.base();
        let models = ApiClient::with_key(base.clone(), key.clone()).models();
        ConnectionInfo { base, key, model: None, models }.with_model(model)
    }

    /// Chooses a model by any name that the server would understand.
    fn with_model(self, requested: Option<&str>) -> Result<ConnectionInfo, NoSuchModel> {
        let Some(requested) = requested else { return Ok(self) };
        let found = with_tier(Some(requested), "", &self.models)
            .or_else(|| resolve(Some(requested), "", &self.models).cloned())
            .map(|listed| listed.id);
        if found.is_none() && !self.models.is_empty() {
            let known = self.models.into_iter().map(|listed| listed.id).collect();
            return Err(NoSuchModel { requested: requested.to_owned(), known });
        }
        Ok(ConnectionInfo { model: Some(found.unwrap_or_else(|| requested.to_owned())), ..self })
    }

    /// The base URL for clients of OpenAI's API.
    pub fn openai_base(&self) -> String {
        format!("{}/v1", self.base)
    }

    /// The key; clients insist on one even where the server asks for none.
    pub fn key_or_filler(&self) -> &str {
        self.key.as_deref().unwrap_or("unused")
    }

    /// The person's model, else the one that the first of these words finds, else the first there is. Without a
    /// server the first word itself: the server will understand it.
    pub fn model_like(&self, words: &[&str]) -> String {
        let found = || self.find(words).or(self.models.first()).map(|listed| listed.id.clone());
        let first_word = || words.first().copied().unwrap_or_default().to_owned();
        self.model.clone().or_else(found).unwrap_or_else(first_word)
    }

    /// The model of this id, if the server has it.
    pub fn entry(&self, id: &str) -> Option<&ModelEntry> {
        self.models.iter().find(|listed| listed.id == id)
    }

    /// The host and the port of the base URL: `127.0.0.1:8080`.
    pub fn authority(&self) -> &str {
        self.base.strip_prefix("http://").unwrap_or(&self.base)
    }

    /// The port of the base URL.
    pub fn port(&self) -> &str {
        /// The port of an address without one.
        const OF_HTTP: &str = "80";
        self.authority().rsplit_once(':').map_or(OF_HTTP, |(_, port)| port)
    }

    /// A model that uses up little, if there is one.
    pub fn small_model(&self) -> Option<&str> {
        self.find(&["gpt mini", "mini", "haiku"]).map(|listed| listed.id.as_str())
    }

    fn find(&self, words: &[&str]) -> Option<&ModelEntry> {
        words.iter().find_map(|word| resolve(Some(word), "", &self.models))
    }
}

/// The longest response of a model, in tokens.
pub(super) fn max_output_tokens(listed: &ModelEntry) -> u64 {
    /// The limit of most models, where the editor doesn't tell.
    const USUAL: u64 = 16_384;
    listed.model.extra.get("maxOutputTokens").and_then(Value::as_u64).unwrap_or(USUAL)
}

#[cfg(test)]
pub(super) mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::bridge::protocol::ModelInfo;

    /// A server with these models.
    pub fn connection(models: &[&str]) -> ConnectionInfo {
        let listed = |id: &&str| ModelEntry {
            id: (*id).to_owned(),
            model: Arc::new(ModelInfo {
                vendor: "copilot".into(),
                id: (*id).to_owned(),
                family: (*id).to_owned(),
                version: "1".into(),
                name: id.to_uppercase(),
                max_input_tokens: 100_000,
                tools: Some(true),
                images: Some(false),
                reports_usage: false,
                extra: serde_json::Map::new(),
            }),
        };
        let models = models.iter().map(listed).collect();
        ConnectionInfo { base: "http://127.0.0.1:8080".into(), models, ..ConnectionInfo::default() }
    }

    #[test]
    fn model_is_the_given_one_else_of_the_clients_vendor_else_any() {
        let there = connection(&["gpt-4o", "claude-sonnet-4", "claude-sonnet-4.5"]);
        assert_eq!(there.model_like(&["sonnet", "claude"]), "claude-sonnet-4.5");
        assert_eq!(there.model_like(&["gemini", "gpt"]), "gpt-4o");
        assert_eq!(there.model_like(&["gemini"]), "gpt-4o");
        assert_eq!(connection(&[]).model_like(&["sonnet", "claude"]), "sonnet");

        let named = there.clone().with_model(Some("claude-sonnet-4-20250514")).unwrap();
        assert_eq!(named.model_like(&["gpt"]), "claude-sonnet-4");
        assert_eq!(named.small_model(), None);
        assert_eq!(connection(&["gpt-5", "gpt-5-mini"]).small_model(), Some("gpt-5-mini"));
    }

    #[test]
    fn unknown_model_is_rejected_if_the_models_are_known() {
        let refused = connection(&["gpt-4o"]).with_model(Some("gemini")).unwrap_err();
        assert_eq!(refused.to_string(), "the server has no model `gemini`; it has: gpt-4o");
        assert_eq!(connection(&[]).with_model(Some("gemini")).unwrap().model.as_deref(), Some("gemini"));
    }
}

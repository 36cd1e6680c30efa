//! Crush: a provider with all the models in its `crush.json`.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::{ConfigFile, ConfigPaths, Configuration, Unreadable, jsonc};
use crate::commands::connection_info::{ConnectionInfo, max_output_tokens};

/// Its configuration.
pub const CONFIGURATION: Configuration = Configuration {
    user: &[ConfigFile::new(|paths, _| folder(paths).join("crush.json"), apply)],
    project: &[ConfigFile::shared(
        |_, exists| ConfigPaths::first_of(&PathBuf::new(), &[".crush.json", "crush.json"], exists),
        apply,
        "$COPILOT_PROXY_API_KEY",
    )],
    names_model: true,
    next_step: "start it as usual: crush",
};

/// Name of the provider in its configuration.
const PROVIDER: &str = "copilot-proxy";

fn folder(paths: &ConfigPaths) -> PathBuf {
    let of_windows = paths.named.get("LOCALAPPDATA").filter(|_| cfg!(windows));
    of_windows.unwrap_or(&paths.config).join("crush")
}

fn configuration(connection: &ConnectionInfo) -> Map<String, Value> {
    let large = connection.model_like(&["sonnet", "claude", "gpt"]);
    let small = connection.small_model().unwrap_or(&large);
    let models: Vec<Value> = connection
        .models
        .iter()
        .map(|listed| {
            json!({
                "id": listed.id,
                "name": listed.model.name,
                "context_window": listed.model.max_input_tokens,
                "default_max_tokens": max_output_tokens(listed),
                "supports_attachments": listed.model.images.unwrap_or(false),
            })
        })
        .collect();
    let provider = json!({
        "name": "Copilot Proxy",
        "type": "openai-compat",
        "base_url": connection.openai_base(),
        "api_key": connection.key_or_filler(),
        "models": if models.is_empty() { vec![json!({ "id": large, "name": large })] } else { models },
    });
    let chosen = |model: &str| json!({ "provider": PROVIDER, "model": model });
    Map::from_iter([
        ("$schema".to_owned(), json!("https://charm.land/crush.json")),
        ("providers".to_owned(), json!({ PROVIDER: provider })),
        ("models".to_owned(), json!({ "large": chosen(&large), "small": chosen(small) })),
    ])
}

/// Applies the configuration to its `crush.json`.
fn apply(before: Option<&str>, connection: &ConnectionInfo) -> Result<String, Unreadable> {
    jsonc::merge_into(before, &configuration(connection))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::connection_info::tests::connection;

    #[test]
    fn provider_has_all_models_and_is_chosen() {
        let before = "{\n  \"lsp\": { \"go\": { \"command\": \"gopls\" } }\n}\n";
        let after = apply(Some(before), &connection(&["claude-sonnet-4", "gpt-5-mini"])).unwrap();
        assert!(after.contains("\"lsp\": { \"go\": { \"command\": \"gopls\" } }"), "{after}");
        let content: Value = serde_json::from_str(&after).unwrap();
        assert_eq!(content["providers"]["copilot-proxy"]["models"][1]["id"], "gpt-5-mini");
        assert_eq!(
            content["models"]["large"],
            json!({ "provider": "copilot-proxy", "model": "claude-sonnet-4" })
        );
        assert_eq!(content["models"]["small"]["model"], "gpt-5-mini");
        assert_eq!(apply(Some(&after), &connection(&["claude-sonnet-4", "gpt-5-mini"])).unwrap(), after);
    }
}

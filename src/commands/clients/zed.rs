//! Zed: a provider with all the models in its `settings.json`. Zed keeps keys in the system's keychain and asks for them.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::{ConfigFile, ConfigPaths, Configuration, Unreadable, jsonc};
use crate::commands::connection_info::{ConnectionInfo, max_output_tokens};

/// Its settings.
pub const CONFIGURATION: Configuration = Configuration {
    user: &[ConfigFile::new(|paths, _| folder(paths).join("settings.json"), apply)],
    // Models are no settings of a project.
    project: &[],
    names_model: true,
    next_step: "in Zed run `agent: open settings` and enter a key for Copilot Proxy: any text, unless you have made \
                keys in VS Code",
};

/// Name of the provider in its settings.
const PROVIDER: &str = "Copilot Proxy";

fn folder(paths: &ConfigPaths) -> PathBuf {
    match paths.named.get("APPDATA").filter(|_| cfg!(windows)) {
        Some(folder) => folder.join("Zed"),
        // On macOS, too; only Linux has the variable.
        None => paths.config.join("zed"),
    }
}

fn settings(connection: &ConnectionInfo) -> Map<String, Value> {
    let model = connection.model_like(&["sonnet", "claude", "gpt"]);
    let mut models: Vec<Value> = connection
        .models
        .iter()
        .map(|listed| {
            json!({
                "name": listed.id,
                "display_name": listed.model.name,
                "max_tokens": listed.model.max_input_tokens,
                "max_output_tokens": max_output_tokens(listed),
                "capabilities": {
                    "tools": listed.model.tools.unwrap_or(true),
                    "images": listed.model.images.unwrap_or(false),
                    "parallel_tool_calls": true,
                    "prompt_cache_key": false,
                },
            })
        })
        .collect();
    if models.is_empty() {
        /// Zed insists on a limit; this is one that most models have.
        const USUAL: u32 = 128_000;
        models.push(json!({ "name": model, "display_name": model, "max_tokens": USUAL }));
    }
    let provider = json!({ "api_url": connection.openai_base(), "available_models": models });
    Map::from_iter([
        ("language_models".to_owned(), json!({ "openai_compatible": { PROVIDER: provider } })),
        ("agent".to_owned(), json!({ "default_model": { "provider": PROVIDER, "model": model } })),
    ])
}

/// Applies the settings to its `settings.json`.
fn apply(before: Option<&str>, connection: &ConnectionInfo) -> Result<String, Unreadable> {
    jsonc::merge_into(before, &settings(connection))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::connection_info::tests::connection;

    #[test]
    fn models_are_added_and_comments_stay() {
        let before = "// Zed settings\n{\n  \"agent\": { \"dock\": \"left\" }, // mine\n}\n";
        let after = apply(Some(before), &connection(&["claude-sonnet-4"])).unwrap();
        assert!(after.starts_with("// Zed settings\n"), "{after}");
        for part in [
            "\"dock\": \"left\"",
            "// mine",
            "\"api_url\": \"http://127.0.0.1:8080/v1\"",
            "\"max_tokens\": 100000",
        ] {
            assert!(after.contains(part), "{part} in {after}");
        }
    }
}

//! Qwen Code: a provider with all the models in its `settings.json`.

use serde_json::{Map, Value, json};

use super::{ConfigFile, Configuration, Unreadable, jsonc};
use crate::commands::connection_info::ConnectionInfo;

/// Its settings; the variable of the key is among them.
pub const CONFIGURATION: Configuration = Configuration {
    user: &[ConfigFile::new(|paths, _| paths.home.join(".qwen").join("settings.json"), apply)],
    // A project's may be shared; without the variable of the key it refuses to start.
    project: &[],
    names_model: true,
    next_step: "start it as usual: qwen",
};

/// Name of the provider, which the settings map to OpenAI's API.
const PROVIDER: &str = "copilot-proxy";

/// Variable of the key, which the settings also set.
const KEY_VARIABLE: &str = "COPILOT_PROXY_API_KEY";

/// Version of the settings' form. Without one Qwen Code rewrites the file when it starts.
const VERSION: u32 = 4;

fn settings(connection: &ConnectionInfo) -> Map<String, Value> {
    let model = connection.model_like(&["qwen", "gpt"]);
    let described = |id: &str, name: &str, window: Option<u64>| {
        let mut entry = json!({
            "id": id, "name": name, "baseUrl": connection.openai_base(), "envKey": KEY_VARIABLE,
        });
        if let (Some(window), Some(entry)) = (window, entry.as_object_mut()) {
            entry.insert("generationConfig".into(), json!({ "contextWindowSize": window }));
        }
        entry
    };
    let mut models: Vec<Value> = connection
        .models
        .iter()
        .map(|listed| described(&listed.id, &listed.model.name, Some(listed.model.max_input_tokens)))
        .collect();
    if connection.entry(&model).is_none() {
        models.push(described(&model, &model, None));
    }
    Map::from_iter([
        ("env".to_owned(), json!({ KEY_VARIABLE: connection.key_or_filler() })),
        ("modelProviders".to_owned(), json!({ PROVIDER: models })),
        ("providerProtocol".to_owned(), json!({ PROVIDER: "openai" })),
        ("security".to_owned(), json!({ "auth": { "selectedType": "openai" } })),
        ("model".to_owned(), json!({ "name": model })),
    ])
}

/// Applies the settings to its `settings.json`.
pub fn apply(before: Option<&str>, connection: &ConnectionInfo) -> Result<String, Unreadable> {
    let after = jsonc::merge_into(before, &settings(connection))?;
    jsonc::insert_missing(&after, "$version", &VERSION.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::connection_info::tests::connection;

    #[test]
    fn missing_file_gets_the_models_once() {
        let there = connection(&["gpt-4o"]);
        let fresh = apply(None, &there).unwrap();
        let expected = json!({
            "env": { "COPILOT_PROXY_API_KEY": "unused" },
            "modelProviders": { "copilot-proxy": [{
                "id": "gpt-4o", "name": "GPT-4O", "baseUrl": "http://127.0.0.1:8080/v1",
                "envKey": "COPILOT_PROXY_API_KEY", "generationConfig": { "contextWindowSize": 100_000 },
            }] },
            "providerProtocol": { "copilot-proxy": "openai" },
            "security": { "auth": { "selectedType": "openai" } },
            "model": { "name": "gpt-4o" },
            "$version": 4,
        });
        assert_eq!(serde_json::from_str::<Value>(&fresh).unwrap(), expected);
        assert_eq!(apply(Some(&fresh), &there).unwrap(), fresh);
    }

    #[test]
    fn own_providers_and_version_stay() {
        let before = "{\n  // Mine.\n  \"$version\": 5,\n  \"modelProviders\": { \"openai\": [] }\n}\n";
        let after = apply(Some(before), &connection(&[])).unwrap();
        assert!(after.contains("// Mine.\n  \"$version\": 5,"), "{after}");
        assert!(after.contains("\"openai\": []"), "{after}");
    }
}

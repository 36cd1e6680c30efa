//! opencode: a provider with all the models in its `opencode.json`, or the same in a variable. Kilo's command line descends
//! from it and has the same in its `kilo.json`.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::{ConfigFile, ConfigPaths, Configuration, Unreadable, jsonc};
use crate::commands::connection_info::{ConnectionInfo, max_output_tokens};
use crate::models::ModelEntry;

/// Name of the provider in its configuration.
const PROVIDER: &str = "copilot-proxy";

/// Holds a configuration that stands above its files.
pub const VARIABLE: &str = "OPENCODE_CONFIG_CONTENT";

/// The same for Kilo.
pub const KILO_VARIABLE: &str = "KILO_CONFIG_CONTENT";

/// The variable of the key, as its files name it.
pub(super) const KEY_REFERENCE: &str = "{env:COPILOT_PROXY_API_KEY}";

/// Its configuration.
pub const CONFIGURATION: Configuration = Configuration {
    user: &[ConfigFile::new(user_file, apply)],
    project: &[ConfigFile::shared(project_file, apply, KEY_REFERENCE)],
    names_model: true,
    next_step: "start it as usual: opencode",
};

/// Kilo's configuration.
pub const KILO: Configuration = Configuration {
    user: &[ConfigFile::rewritten(
        |paths, exists| {
            ConfigPaths::first_of(&paths.config.join("kilo"), &["kilo.jsonc", "kilo.json"], exists)
        },
        apply_kilo,
        without_migration,
    )],
    project: &[ConfigFile::shared(
        |_, exists| ConfigPaths::first_of(Path::new(""), &["kilo.jsonc", "kilo.json"], exists),
        apply_kilo,
        KEY_REFERENCE,
    )],
    names_model: true,
    next_step: "start it as usual: kilo",
};

/// The variant with comments where the user has one.
const NAMES: &[&str] = &["opencode.jsonc", "opencode.json"];

pub(super) fn user_file(paths: &ConfigPaths, exists: &dyn Fn(&Path) -> bool) -> PathBuf {
    ConfigPaths::first_of(&paths.config.join("opencode"), NAMES, exists)
}

pub(super) fn project_file(_: &ConfigPaths, exists: &dyn Fn(&Path) -> bool) -> PathBuf {
    ConfigPaths::first_of(Path::new(""), NAMES, exists)
}

/// The configuration to write, with all the models and their limits.
pub fn configuration(connection: &ConnectionInfo) -> Map<String, Value> {
    with_schema("https://opencode.ai/config.json", connection)
}

/// The same for Kilo.
pub fn kilo_configuration(connection: &ConnectionInfo) -> Map<String, Value> {
    with_schema("https://app.kilo.ai/config.json", connection)
}

fn with_schema(schema: &str, connection: &ConnectionInfo) -> Map<String, Value> {
    let model = connection.model_like(&["sonnet", "claude", "gpt"]);
    // For the titles of its sessions.
    let small = connection.small_model().unwrap_or(&model).to_owned();
    let mut models: Map<String, Value> =
        connection.models.iter().map(|listed| (listed.id.clone(), described(listed))).collect();
    for named in [&model, &small] {
        models.entry(named).or_insert_with(|| json!({ "name": named }));
    }
    let provider = json!({
        "npm": "@ai-sdk/openai-compatible",
        "name": "Copilot Proxy",
        "options": { "baseURL": connection.openai_base(), "apiKey": connection.key_or_filler() },
        "models": models,
    });
    Map::from_iter([
        ("$schema".to_owned(), schema.into()),
        ("model".to_owned(), format!("{PROVIDER}/{model}").into()),
        ("small_model".to_owned(), format!("{PROVIDER}/{small}").into()),
        ("provider".to_owned(), json!({ PROVIDER: provider })),
    ])
}

fn described(listed: &ModelEntry) -> Value {
    let model = &listed.model;
    json!({
        "name": model.name,
        "tool_call": model.tools.unwrap_or(true),
        "attachment": model.images.unwrap_or(false),
        "limit": { "context": model.max_input_tokens, "output": max_output_tokens(listed) },
    })
}

/// Applies the configuration to its `opencode.json`.
pub fn apply(before: Option<&str>, connection: &ConnectionInfo) -> Result<String, Unreadable> {
    jsonc::merge_into(before, &configuration(connection))
}

fn apply_kilo(before: Option<&str>, connection: &ConnectionInfo) -> Result<String, Unreadable> {
    jsonc::merge_into(before, &kilo_configuration(connection))
}

/// The content without what Kilo adds at its first start, when it also drops the comments.
fn without_migration(text: &str) -> String {
    let Some(mut content) = jsonc::value(text) else { return text.to_owned() };
    if let Some(content) = content.as_object_mut() {
        let permission = content.get_mut("permission").and_then(Value::as_object_mut);
        let is_empty = permission.is_some_and(|permission| {
            permission.shift_remove("bash");
            permission.is_empty()
        });
        if is_empty {
            content.shift_remove("permission");
        }
    }
    content.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::connection_info::tests::connection;

    #[test]
    fn missing_file_gets_the_configuration() {
        let models = connection(&["gpt-5-mini", "claude-sonnet-4"]);
        let fresh = apply(None, &models).unwrap();
        assert_eq!(
            fresh,
            r#"{
  "$schema": "https://opencode.ai/config.json",
  "model": "copilot-proxy/claude-sonnet-4",
  "small_model": "copilot-proxy/gpt-5-mini",
  "provider": {
    "copilot-proxy": {
      "npm": "@ai-sdk/openai-compatible",
      "name": "Copilot Proxy",
      "options": {
        "baseURL": "http://127.0.0.1:8080/v1",
        "apiKey": "unused"
      },
      "models": {
        "gpt-5-mini": {
          "name": "GPT-5-MINI",
          "tool_call": true,
          "attachment": false,
          "limit": {
            "context": 100000,
            "output": 16384
          }
        },
        "claude-sonnet-4": {
          "name": "CLAUDE-SONNET-4",
          "tool_call": true,
          "attachment": false,
          "limit": {
            "context": 100000,
            "output": 16384
          }
        }
      }
    }
  }
}
"#
        );
        assert_eq!(apply(Some(&fresh), &models).unwrap(), fresh);
    }

    #[test]
    fn permission_that_kilo_adds_is_no_change_of_the_user() {
        let written = "{\n  // Mine.\n  \"share\": \"disabled\"\n}\n";
        let started = "{ \"share\": \"disabled\", \"permission\": { \"bash\": \"allow\" } }";
        assert_eq!(without_migration(written), without_migration(started));
        assert_ne!(without_migration(written), without_migration(&started.replace("disabled", "manual")));
    }

    #[test]
    fn other_providers_and_comments_stay() {
        let before = "{\n  // Mine.\n  \"provider\": { \"other\": { \"npm\": \"other\" } }\n}\n";
        let after = apply(Some(before), &connection(&[])).unwrap();
        assert!(after.starts_with("{\n  // Mine.\n  \"provider\": {"), "{after}");
        assert!(after.contains("\"other\": { \"npm\": \"other\" }"), "{after}");
        assert!(after.contains("\"model\": \"copilot-proxy/sonnet\""), "{after}");
    }
}

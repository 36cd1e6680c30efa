//! Cline's command line: the provider in its `providers.json`, as `cline auth openai-compatible` writes it.

use serde_json::{Map, Value, json};

use super::{ConfigFile, Configuration, Unreadable, jsonc};
use crate::commands::connection_info::ConnectionInfo;

/// Its providers.
pub const CONFIGURATION: Configuration = Configuration {
    user: &[ConfigFile::rewritten(
        |paths, _| {
            [".cline", "data", "settings", "providers.json"]
                .iter()
                .fold(paths.home.clone(), |path, name| path.join(name))
        },
        apply,
        without_times,
    )],
    project: &[],
    names_model: true,
    next_step: "start it as usual: cline",
};

/// Name of the provider for servers with OpenAI's API.
const PROVIDER: &str = "openai-compatible";

/// The entry must have a time; Cline replaces it by the one of its start.
const NEVER: &str = "1970-01-01T00:00:00.000Z";

/// Applies the provider to its `providers.json`.
fn apply(before: Option<&str>, connection: &ConnectionInfo) -> Result<String, Unreadable> {
    let provider = json!({
        "settings": {
            "provider": PROVIDER,
            "apiKey": connection.key_or_filler(),
            "model": connection.model_like(&["sonnet", "claude", "gpt"]),
            "baseUrl": connection.openai_base(),
        },
        "updatedAt": NEVER,
        "tokenSource": "manual",
    });
    let settings = [
        ("version".to_owned(), json!(1)),
        ("lastUsedProvider".to_owned(), json!(PROVIDER)),
        ("providers".to_owned(), json!({ PROVIDER: provider })),
    ];
    jsonc::merge_into(before, &Map::from_iter(settings))
}

/// The content without what Cline itself writes at each start.
fn without_times(text: &str) -> String {
    let Ok(mut content) = serde_json::from_str::<Value>(text) else { return text.to_owned() };
    if let Some(content) = content.as_object_mut() {
        content.shift_remove("modes");
        let providers = content.get_mut("providers").and_then(Value::as_object_mut);
        for provider in providers.into_iter().flatten().filter_map(|(_, provider)| provider.as_object_mut()) {
            provider.shift_remove("updatedAt");
        }
    }
    content.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::connection_info::tests::connection;

    #[test]
    fn times_do_not_count_as_changes() {
        let written = apply(None, &connection(&["gpt-4o"])).unwrap();
        let started = written
            .replace(NEVER, "2026-11-27T11:07:36.448Z")
            .replace("\"lastUsed", "\"modes\": {}, \"lastUsed");
        assert_eq!(without_times(&written), without_times(&started));
        assert_ne!(without_times(&written), without_times(&started.replace("gpt-4o", "gpt-5")));
        assert_eq!(without_times("no JSON"), "no JSON");
    }
}

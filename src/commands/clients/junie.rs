//! Junie's command line: a model profile of its own, `copilot-proxy.json`.

use std::path::PathBuf;

use serde_json::{Map, Value, json};

use super::{ConfigFile, Configuration, Unreadable, jsonc};
use crate::commands::connection_info::ConnectionInfo;

/// Its profile. One in a project is shared with it.
pub const CONFIGURATION: Configuration = Configuration {
    user: &[ConfigFile::new(
        |paths, _| paths.folder("JUNIE_HOME", ".junie").join("models").join(FILE),
        apply,
    )],
    project: &[ConfigFile::shared(
        |_, _| PathBuf::from(".junie").join("models").join(FILE),
        apply,
        "${COPILOT_PROXY_API_KEY}",
    )],
    names_model: true,
    next_step: "start it with this profile: junie --model custom:copilot-proxy",
};

/// The name before the extension is that of the profile.
const FILE: &str = "copilot-proxy.json";

/// Applies the profile. The URL is the whole one: Junie appends nothing to it.
fn apply(before: Option<&str>, connection: &ConnectionInfo) -> Result<String, Unreadable> {
    let model = connection.model_like(&["gpt", "codex"]);
    let small = connection.small_model().unwrap_or(&model);
    let profile = [
        ("id", json!(model)),
        ("baseUrl", json!(format!("{}/responses", connection.openai_base()))),
        ("apiType", json!("OpenAIResponses")),
        ("apiKey", json!(connection.key_or_filler())),
        ("fasterModel", json!({ "id": small })),
    ];
    let profile: Map<String, Value> =
        profile.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    jsonc::merge_into(before, &profile)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::connection_info::tests::connection;

    #[test]
    fn profile_names_the_whole_url() {
        let fresh = apply(None, &connection(&["gpt-5", "gpt-5-mini"])).unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(&fresh).unwrap(),
            json!({
                "id": "gpt-5",
                "baseUrl": "http://127.0.0.1:8080/v1/responses",
                "apiType": "OpenAIResponses",
                "apiKey": "unused",
                "fasterModel": { "id": "gpt-5-mini" },
            })
        );
    }
}

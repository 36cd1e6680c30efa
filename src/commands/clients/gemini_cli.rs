//! Gemini CLI: the kind of login and the model in its `settings.json`, address and key in the `.env` beside it.

use serde_json::{Map, json};

use super::{ConfigFile, Configuration, Unreadable, dotenv, jsonc};
use crate::commands::connection_info::ConnectionInfo;

/// Its settings and variables.
pub const CONFIGURATION: Configuration = Configuration {
    user: &[
        ConfigFile::new(|paths, _| paths.home.join(".gemini").join("settings.json"), apply_settings),
        ConfigFile::new(
            |paths, _| paths.home.join(".gemini").join(".env"),
            |before, connection| Ok(dotenv::with_variables(before, environment(connection))),
        ),
    ],
    // A project's `.env` counts in folders that the user has trusted only.
    project: &[],
    names_model: true,
    next_step: "start it as usual: gemini",
};

/// The variables that it reads.
fn environment(connection: &ConnectionInfo) -> Vec<(&'static str, String)> {
    vec![
        ("GOOGLE_GEMINI_BASE_URL", connection.base.clone()),
        ("GEMINI_API_KEY", connection.key_or_filler().to_owned()),
    ]
}

fn model(connection: &ConnectionInfo) -> String {
    connection.model_like(&["gemini", "gpt"])
}

fn apply_settings(before: Option<&str>, connection: &ConnectionInfo) -> Result<String, Unreadable> {
    let settings = [
        ("security".to_owned(), json!({ "auth": { "selectedType": "gemini-api-key" } })),
        ("model".to_owned(), json!({ "name": model(connection) })),
    ];
    jsonc::merge_into(before, &Map::from_iter(settings))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::connection_info::tests::connection;

    #[test]
    fn login_and_model_are_set_and_the_rest_stays() {
        let before = "{\n  \"ui\": { \"theme\": \"Dark\" }, // mine\n}\n";
        let after = apply_settings(Some(before), &connection(&["gemini-2.5-pro"])).unwrap();
        assert!(after.contains("\"ui\": { \"theme\": \"Dark\" }, // mine"), "{after}");
        assert!(after.contains("\"selectedType\": \"gemini-api-key\""), "{after}");
        assert!(after.contains("\"name\": \"gemini-2.5-pro\""), "{after}");
    }
}

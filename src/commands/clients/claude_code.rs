//! Claude Code: the `env` of its settings, or its environment.

use serde_json::{Map, Value};

use super::{Unreadable, jsonc};
use crate::commands::connection_info::ConnectionInfo;

/// Variables of other ways to its models, which would be taken instead.
pub const RIVALS: &[&str] = &[
    "ANTHROPIC_API_KEY",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_OAUTH_TOKEN",
];

/// The variables that it reads. A token and not a key: it asks the user about a key that is new to it.
pub fn environment(connection: &ConnectionInfo) -> Vec<(&'static str, String)> {
    vec![
        ("ANTHROPIC_BASE_URL", connection.base.clone()),
        ("ANTHROPIC_AUTH_TOKEN", connection.key_or_filler().to_owned()),
        ("ANTHROPIC_MODEL", connection.model_like(&["sonnet", "claude"])),
    ]
}

/// The settings with these variables.
pub fn settings(connection: &ConnectionInfo) -> Map<String, Value> {
    let variables = environment(connection).into_iter().map(|(name, value)| (name.to_owned(), value.into()));
    Map::from_iter([("env".to_owned(), Value::Object(variables.collect()))])
}

/// The settings without the key, for a command line, which other users can read.
pub fn settings_without_key(connection: &ConnectionInfo) -> Map<String, Value> {
    let mut settings = settings(connection);
    if let Some(variables) = settings.get_mut("env").and_then(Value::as_object_mut) {
        variables.shift_remove("ANTHROPIC_AUTH_TOKEN");
    }
    settings
}

/// Applies the settings to its `settings.json`.
pub fn apply(before: Option<&str>, connection: &ConnectionInfo) -> Result<String, Unreadable> {
    jsonc::merge_into(before, &settings(connection))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::connection_info::tests::connection;

    fn after(before: Option<&str>) -> Result<String, String> {
        let connection = connection(&["gpt-4o", "claude-sonnet-4"]);
        apply(before, &connection).map_err(|error| error.to_string())
    }

    #[test]
    fn missing_and_empty_files_get_the_settings() {
        let settings = r#"{
  "env": {
    "ANTHROPIC_BASE_URL": "http://127.0.0.1:8080",
    "ANTHROPIC_AUTH_TOKEN": "unused",
    "ANTHROPIC_MODEL": "claude-sonnet-4"
  }
}
"#;
        assert_eq!(after(None).as_deref(), Ok(settings));
        assert_eq!(after(Some("\n")).as_deref(), Ok(settings));
        assert_eq!(after(Some(settings)).as_deref(), Ok(settings));
    }

    #[test]
    fn existing_content_is_kept() {
        let before = r#"{
    // Mine.
    "theme": "dark",   /* at night */
    "env": {
        "ANTHROPIC_BASE_URL": "https://example.org", // the old one
        "EDITOR": "vi"
    },
    "permissions": { "allow": ["Bash(ls:*)"], },
}"#;
        let expected = r#"{
    // Mine.
    "theme": "dark",   /* at night */
    "env": {
        "ANTHROPIC_BASE_URL": "http://127.0.0.1:8080", // the old one
        "EDITOR": "vi",
        "ANTHROPIC_AUTH_TOKEN": "unused",
        "ANTHROPIC_MODEL": "claude-sonnet-4"
    },
    "permissions": { "allow": ["Bash(ls:*)"], },
}"#;
        assert_eq!(after(Some(before)).as_deref(), Ok(expected));
    }

    #[test]
    fn malformed_settings_file_is_rejected() {
        for (before, complaint) in [
            ("[]", "it is not a JSON object; fix or move the file first"),
            (r#"{"env": []}"#, "its `env` is not an object; fix or move the file first"),
        ] {
            assert_eq!(after(Some(before)), Err(complaint.to_owned()));
        }
        assert!(after(Some("{\"env\": {")).unwrap_err().starts_with("it is no JSON: "));
    }

    #[test]
    fn given_key_and_model_are_used() {
        let connection = ConnectionInfo { key: Some("k".into()), model: Some("m".into()), ..connection(&[]) };
        assert_eq!(
            environment(&connection),
            [
                ("ANTHROPIC_BASE_URL", "http://127.0.0.1:8080".to_owned()),
                ("ANTHROPIC_AUTH_TOKEN", "k".to_owned()),
                ("ANTHROPIC_MODEL", "m".to_owned()),
            ]
        );
    }
}

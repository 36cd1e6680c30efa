//! Claude Code: the `env` of its settings, or its environment.

use serde_json::{Map, Value};

use super::{ConfigFile, Configuration, Unreadable, jsonc};
use crate::commands::connection_info::ConnectionInfo;

/// Its settings. Those of a project are the ones that git ignores, so that they may have the key.
pub const CONFIGURATION: Configuration = Configuration {
    user: &[ConfigFile::new(
        |paths, _| paths.folder("CLAUDE_CONFIG_DIR", ".claude").join("settings.json"),
        apply,
    )],
    project: &[ConfigFile::new(|_, _| [".claude", "settings.local.json"].iter().collect(), apply)],
    names_model: true,
    next_step: "start it as usual: claude",
};

/// Variables of other ways to its models, which would be taken instead.
pub const RIVALS: &[&str] = &[
    "ANTHROPIC_API_KEY",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_OAUTH_TOKEN",
];

/// Models with a window of at least this many tokens get `[1m]` behind their names, by which Claude Code plans with a
/// million tokens.
const MILLION: u64 = 800_000;

/// The variables that it reads. A token and not a key: it asks the user about a key that is new to it.
pub fn environment(connection: &ConnectionInfo) -> Vec<(&'static str, String)> {
    let model = connection.model_like(&["sonnet", "claude"]);
    let window = connection.entry(&model).map(|entry| entry.model.max_input_tokens);
    let suffix = if window.is_some_and(|window| window >= MILLION) { "[1m]" } else { "" };
    let mut variables = vec![
        ("ANTHROPIC_BASE_URL", connection.base.clone()),
        ("ANTHROPIC_AUTH_TOKEN", connection.key_or_filler().to_owned()),
        ("ANTHROPIC_MODEL", format!("{model}{suffix}")),
    ];
    // Titles, summaries and the like.
    let small = connection.small_model();
    variables.extend(small.map(|small| ("ANTHROPIC_DEFAULT_HAIKU_MODEL", small.to_owned())));
    // It knows the windows of Anthropic's own service, which are larger.
    variables.extend(window.map(|window| ("CLAUDE_CODE_AUTO_COMPACT_WINDOW", window.to_string())));
    variables.extend([
        // `/model` then lists the server's models.
        ("CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY", "1".to_owned()),
        // A line of the system prompt that changes, and with it the cached prefix.
        ("CLAUDE_CODE_ATTRIBUTION_HEADER", "0".to_owned()),
    ]);
    variables
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
    "ANTHROPIC_MODEL": "claude-sonnet-4",
    "CLAUDE_CODE_AUTO_COMPACT_WINDOW": "100000",
    "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY": "1",
    "CLAUDE_CODE_ATTRIBUTION_HEADER": "0"
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
        "ANTHROPIC_MODEL": "claude-sonnet-4",
        "CLAUDE_CODE_AUTO_COMPACT_WINDOW": "100000",
        "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY": "1",
        "CLAUDE_CODE_ATTRIBUTION_HEADER": "0"
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

    fn value(connection: &ConnectionInfo, name: &str) -> Option<String> {
        environment(connection).into_iter().find(|(known, _)| *known == name).map(|(_, value)| value)
    }

    #[test]
    fn given_key_and_model_are_used() {
        let connection = ConnectionInfo { key: Some("k".into()), model: Some("m".into()), ..connection(&[]) };
        assert_eq!(value(&connection, "ANTHROPIC_AUTH_TOKEN").as_deref(), Some("k"));
        assert_eq!(value(&connection, "ANTHROPIC_MODEL").as_deref(), Some("m"));
        assert_eq!(value(&connection, "CLAUDE_CODE_AUTO_COMPACT_WINDOW"), None);
    }

    #[test]
    fn window_and_small_model_are_those_of_the_server() {
        let mut there = connection(&["claude-sonnet-4", "gpt-5-mini"]);
        assert_eq!(value(&there, "ANTHROPIC_DEFAULT_HAIKU_MODEL").as_deref(), Some("gpt-5-mini"));
        for (window, model) in [(128_000, "claude-sonnet-4"), (936_000, "claude-sonnet-4[1m]")] {
            std::sync::Arc::make_mut(&mut there.models[0].model).max_input_tokens = window;
            assert_eq!(value(&there, "CLAUDE_CODE_AUTO_COMPACT_WINDOW"), Some(window.to_string()));
            assert_eq!(value(&there, "ANTHROPIC_MODEL").as_deref(), Some(model));
        }
    }
}

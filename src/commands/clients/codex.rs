//! Codex: a provider of its own in its `config.toml`, or the same on its command line.

use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike, Value};

use super::{ConfigFile, Configuration, Unreadable};
use crate::commands::connection_info::ConnectionInfo;

/// Its configuration. It takes no provider from a project's.
pub const CONFIGURATION: Configuration = Configuration {
    user: &[ConfigFile::new(|paths, _| paths.folder("CODEX_HOME", ".codex").join("config.toml"), apply)],
    project: &[],
    names_model: true,
    next_step: "start it as usual: codex",
};

/// Name of the provider in its configuration.
const PROVIDER: &str = "copilot-proxy";

/// Variable that has the key where it must not be on the command line.
pub const KEY_VARIABLE: &str = "COPILOT_PROXY_API_KEY";

/// The provider's entry without its key. Without `env_key` it asks for no login and no variable.
fn provider(connection: &ConnectionInfo) -> Vec<(&'static str, String)> {
    vec![
        ("name", "Copilot Proxy".to_owned()),
        ("base_url", connection.openai_base()),
        ("wire_api", "responses".to_owned()),
    ]
}

fn model(connection: &ConnectionInfo) -> String {
    connection.model_like(&["gpt", "codex"])
}

/// The window of the model, of which Codex knows nothing by itself, and the size from which on it compacts: early enough
/// for the answer and the tools' output of one more turn.
fn window(connection: &ConnectionInfo) -> Vec<(&'static str, Value)> {
    let Some(entry) = connection.entry(&model(connection)) else { return Vec::new() };
    let window = i64::try_from(entry.model.max_input_tokens).unwrap_or(i64::MAX);
    vec![
        ("model_context_window", Value::from(window)),
        ("model_auto_compact_token_limit", Value::from(window / 100 * 85)),
    ]
}

/// Arguments that go before its own. The key is in a variable: other users can read command lines.
pub fn arguments(connection: &ConnectionInfo) -> Vec<String> {
    let key = connection.key.as_ref().map(|_| ("env_key", KEY_VARIABLE.to_owned()));
    let described: InlineTable = provider(connection).into_iter().chain(key).collect();
    let settings = [
        ("model".to_owned(), Value::from(model(connection))),
        ("model_provider".to_owned(), Value::from(PROVIDER)),
        (format!("model_providers.{PROVIDER}"), Value::from(described)),
    ];
    let window = window(connection).into_iter().map(|(name, value)| (name.to_owned(), value));
    settings
        .into_iter()
        .chain(window)
        .flat_map(|(name, value)| ["-c".to_owned(), format!("{name}={value}")])
        .collect()
}

/// Applies the settings to its `config.toml`.
pub fn apply(before: Option<&str>, connection: &ConnectionInfo) -> Result<String, Unreadable> {
    let mut document: DocumentMut =
        before.unwrap_or_default().parse().map_err(|error| Unreadable(format!("it is no TOML: {error}")))?;
    set(document.as_table_mut(), "model", model(connection).into());
    set(document.as_table_mut(), "model_provider", PROVIDER.into());
    for (name, value) in window(connection) {
        set(document.as_table_mut(), name, value);
    }
    let providers = inner(document.as_table_mut(), "model_providers", true)?;
    let ours = inner(providers, PROVIDER, false)?;
    let key = connection.key.clone().map(|key| ("experimental_bearer_token", key));
    for (name, value) in provider(connection).into_iter().chain(key) {
        set(ours, name, value.into());
    }
    Ok(document.to_string())
}

/// The table of this name, made if there is none.
pub(super) fn inner<'a>(
    table: &'a mut dyn TableLike,
    name: &str,
    only_holds_tables: bool,
) -> Result<&'a mut dyn TableLike, Unreadable> {
    let fresh = || {
        let mut table = Table::new();
        table.set_implicit(only_holds_tables);
        Item::Table(table)
    };
    let item = table.entry(name).or_insert_with(fresh);
    item.as_table_like_mut().ok_or_else(|| Unreadable(format!("its `{name}` is not a table")))
}

/// Sets a value; the comments around the old one stay.
pub(super) fn set(table: &mut dyn TableLike, name: &str, mut value: Value) {
    match table.get_mut(name).and_then(Item::as_value_mut) {
        Some(old) if is_same(old, &value) => {}
        Some(old) => {
            *value.decor_mut() = old.decor().clone();
            *old = value;
        }
        None => {
            table.insert(name, Item::Value(value));
        }
    }
}

/// Compares texts and numbers without their layout.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::String(one), Value::String(other)) => one.value() == other.value(),
        (Value::Integer(one), Value::Integer(other)) => one.value() == other.value(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::connection_info::tests::connection;

    fn after(before: Option<&str>) -> Result<String, String> {
        apply(before, &connection(&["claude-sonnet-4", "gpt-4o"])).map_err(|error| error.to_string())
    }

    const FRESH: &str = r#"model = "gpt-4o"
model_provider = "copilot-proxy"
model_context_window = 100000
model_auto_compact_token_limit = 85000

[model_providers.copilot-proxy]
name = "Copilot Proxy"
base_url = "http://127.0.0.1:8080/v1"
wire_api = "responses"
"#;

    #[test]
    fn missing_file_gets_the_settings_once() {
        assert_eq!(after(None).as_deref(), Ok(FRESH));
        assert_eq!(after(Some(FRESH)).as_deref(), Ok(FRESH));
    }

    #[test]
    fn existing_content_is_kept() {
        let before = r#"# Mine.
model = 'o3' # the old one
approval_policy = "never"

[model_providers.other] # of the office
name = "Other"

[projects."/work"]
trust_level = "trusted"
"#;
        let expected = r#"# Mine.
model = "gpt-4o" # the old one
approval_policy = "never"
model_provider = "copilot-proxy"
model_context_window = 100000
model_auto_compact_token_limit = 85000

[model_providers.other] # of the office
name = "Other"

[model_providers.copilot-proxy]
name = "Copilot Proxy"
base_url = "http://127.0.0.1:8080/v1"
wire_api = "responses"

[projects."/work"]
trust_level = "trusted"
"#;
        assert_eq!(after(Some(before)).as_deref(), Ok(expected));
    }

    #[test]
    fn inline_provider_tables_are_extended() {
        let before = "model_providers = { other = { name = \"Other\" } }\n";
        let after = after(Some(before)).unwrap();
        let document: DocumentMut = after.parse().unwrap();
        assert_eq!(document["model_providers"]["other"]["name"].as_str(), Some("Other"));
        assert_eq!(document["model_providers"][PROVIDER]["wire_api"].as_str(), Some("responses"));
    }

    #[test]
    fn malformed_config_is_rejected() {
        assert!(after(Some("model = ")).unwrap_err().starts_with("it is no TOML: "));
        assert_eq!(
            after(Some("model_providers = 1")).unwrap_err(),
            "its `model_providers` is not a table; fix or move the file first"
        );
    }

    #[test]
    fn command_line_names_the_variable_of_the_key() {
        let connection = ConnectionInfo { key: Some("k".into()), ..connection(&["gpt-4o"]) };
        assert_eq!(
            arguments(&connection),
            [
                "-c",
                "model=\"gpt-4o\"",
                "-c",
                "model_provider=\"copilot-proxy\"",
                "-c",
                "model_providers.copilot-proxy={ name = \"Copilot Proxy\", base_url = \"http://127.0.0.1:8080/v1\", wire_api = \"responses\", env_key = \"COPILOT_PROXY_API_KEY\" }",
                "-c",
                "model_context_window=100000",
                "-c",
                "model_auto_compact_token_limit=85000",
            ]
        );
    }
}

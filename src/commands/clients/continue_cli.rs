//! Continue: a model in its `config.yaml`, which its command line and its extensions share.

use super::{ConfigFile, Configuration, Unreadable, yaml_models};
use crate::commands::connection_info::ConnectionInfo;

/// Its configuration.
pub const CONFIGURATION: Configuration = Configuration {
    user: &[ConfigFile::new(
        |paths, _| paths.folder("CONTINUE_GLOBAL_DIR", ".continue").join("config.yaml"),
        apply,
    )],
    project: &[],
    names_model: true,
    next_step: "start it as usual: cn; in the IDE choose the model Copilot Proxy",
};

/// A file of its own; Continue requires these names.
const FRESH: &str = "name: Local\nversion: 1.0.0\nschema: v1\n";

/// Puts the model at the head of the list, where it is the default one.
fn apply(before: Option<&str>, connection: &ConnectionInfo) -> Result<String, Unreadable> {
    let item = format!(
        "- name: Copilot Proxy\n  provider: openai\n  model: {}\n  apiBase: {}\n  apiKey: {}\n  roles: [chat, edit, apply]\n  capabilities: [tool_use]\n",
        connection.model_like(&["sonnet", "claude", "gpt"]),
        connection.openai_base(),
        connection.key_or_filler(),
    );
    let before = before.filter(|before| !before.trim().is_empty()).unwrap_or(FRESH);
    yaml_models::with_first(before, &item)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::connection_info::tests::connection;

    #[test]
    fn missing_file_gets_the_model_once() {
        let there = connection(&["gpt-4o"]);
        let fresh = apply(None, &there).unwrap();
        let expected = "name: Local\nversion: 1.0.0\nschema: v1\nmodels:\n  - name: Copilot Proxy\n    provider: openai\n    model: gpt-4o\n    apiBase: http://127.0.0.1:8080/v1\n    apiKey: unused\n    roles: [chat, edit, apply]\n    capabilities: [tool_use]\n";
        assert_eq!(fresh, expected);
        assert_eq!(apply(Some(&fresh), &there).unwrap(), fresh);
    }
}

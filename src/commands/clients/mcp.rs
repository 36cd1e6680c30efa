//! The editor's tools in clients that speak MCP: the server's `/mcp` among the MCP servers of Claude Code, Codex and
//! opencode.

use serde_json::{Map, Value, json};
use toml_edit::{DocumentMut, InlineTable, Item};

use super::codex::{inner, set};
use super::opencode;
use super::{ConfigFile, Configuration, Unreadable, jsonc};
use crate::commands::connection_info::ConnectionInfo;

/// Claude Code's servers of a project.
pub const CLAUDE_CODE: Configuration = Configuration {
    user: &[],
    project: &[ConfigFile::shared(
        |_, _| ".mcp.json".into(),
        apply_claude_code,
        "${COPILOT_PROXY_API_KEY:-unused}",
    )],
    names_model: false,
    next_step: "start claude in this folder and allow the server `vscode`; /mcp shows it",
};

/// Codex's servers.
pub const CODEX: Configuration = Configuration {
    user: &[ConfigFile::new(
        |paths, _| paths.folder("CODEX_HOME", ".codex").join("config.toml"),
        apply_codex,
    )],
    project: &[],
    names_model: false,
    next_step: "start it as usual: codex; /mcp shows the server `vscode`",
};

/// opencode's servers.
pub const OPENCODE: Configuration = Configuration {
    user: &[ConfigFile::new(opencode::user_file, apply_opencode)],
    project: &[ConfigFile::shared(opencode::project_file, apply_opencode, opencode::KEY_REFERENCE)],
    names_model: false,
    next_step: "start it as usual: opencode; `opencode mcp list` shows the server `vscode`",
};

/// Name of the server in the clients, which show it with its tools.
const SERVER: &str = "vscode";

fn url(connection: &ConnectionInfo) -> String {
    format!("{}/mcp", connection.base)
}

fn authorization(connection: &ConnectionInfo) -> Option<String> {
    connection.key.as_ref().map(|key| format!("Bearer {key}"))
}

/// A server's entry in JSON, with the key where the server needs one.
fn entry(kind: &str, connection: &ConnectionInfo) -> Value {
    let mut entry =
        Map::from_iter([("type".to_owned(), json!(kind)), ("url".to_owned(), json!(url(connection)))]);
    if let Some(authorization) = authorization(connection) {
        entry.insert("headers".into(), json!({ "Authorization": authorization }));
    }
    Value::Object(entry)
}

/// Applies it to the `.mcp.json` of a project, which Claude Code and others read.
pub fn apply_claude_code(before: Option<&str>, connection: &ConnectionInfo) -> Result<String, Unreadable> {
    let servers = json!({ SERVER: entry("http", connection) });
    jsonc::merge_into(before, &Map::from_iter([("mcpServers".to_owned(), servers)]))
}

/// Applies it to opencode's `opencode.json`.
pub fn apply_opencode(before: Option<&str>, connection: &ConnectionInfo) -> Result<String, Unreadable> {
    let servers = json!({ SERVER: entry("remote", connection) });
    jsonc::merge_into(before, &Map::from_iter([("mcp".to_owned(), servers)]))
}

/// Applies it to Codex's `config.toml`.
pub fn apply_codex(before: Option<&str>, connection: &ConnectionInfo) -> Result<String, Unreadable> {
    let mut document: DocumentMut =
        before.unwrap_or_default().parse().map_err(|error| Unreadable(format!("it is no TOML: {error}")))?;
    let servers = inner(document.as_table_mut(), "mcp_servers", true)?;
    let server = inner(servers, SERVER, false)?;
    set(server, "url", url(connection).into());
    if let Some(authorization) = authorization(connection) {
        let headers = InlineTable::from_iter([("Authorization", authorization)]);
        server.insert("http_headers", Item::Value(headers.into()));
    }
    Ok(document.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::connection_info::tests::connection;

    #[test]
    fn server_is_added_once_and_the_rest_stays() {
        let there = connection(&[]);
        let json_before = "{\n  // Mine.\n  \"mcpServers\": { \"mine\": { \"command\": \"a\" } }\n}\n";
        let after = apply_claude_code(Some(json_before), &there).unwrap();
        assert!(after.contains("// Mine.") && after.contains("\"mine\": { \"command\": \"a\" }"), "{after}");
        assert!(after.contains("\"url\": \"http://127.0.0.1:8080/mcp\""), "{after}");
        assert_eq!(apply_claude_code(Some(&after), &there).as_deref(), Ok(after.as_str()));

        let toml_before = "# Mine.\n[mcp_servers.mine]\ncommand = \"a\"\n";
        let after = apply_codex(Some(toml_before), &there).unwrap();
        let ours = "\n[mcp_servers.vscode]\nurl = \"http://127.0.0.1:8080/mcp\"\n";
        assert_eq!(after, format!("{toml_before}{ours}"));
        assert_eq!(apply_codex(Some(&after), &there).as_deref(), Ok(after.as_str()));
    }

    #[test]
    fn missing_file_gets_the_server_and_its_key() {
        let there = ConnectionInfo { key: Some("k".into()), ..connection(&[]) };
        let opencode: Value = serde_json::from_str(&apply_opencode(None, &there).unwrap()).unwrap();
        let headers = json!({ "Authorization": "Bearer k" });
        let entry = json!({ "type": "remote", "url": "http://127.0.0.1:8080/mcp", "headers": headers });
        assert_eq!(opencode, json!({ "mcp": { "vscode": entry } }));
        assert_eq!(
            apply_codex(None, &there).unwrap(),
            "[mcp_servers.vscode]\nurl = \"http://127.0.0.1:8080/mcp\"\nhttp_headers = { Authorization = \"Bearer k\" }\n"
        );
    }

    #[test]
    fn unreadable_files_are_left_alone() {
        assert!(apply_codex(Some("= 1"), &connection(&[])).is_err());
        assert!(apply_codex(Some("mcp_servers = 1"), &connection(&[])).is_err());
        assert!(apply_claude_code(Some("[]"), &connection(&[])).is_err());
        assert!(apply_opencode(Some("{ \"mcp\": 1 }"), &connection(&[])).is_err());
    }
}

//! `copilot-proxy setup`: the changes, the confirmation, and undo.

use serde_json::Value;

use crate::client::Request;
use crate::editor::{Editor, model, person_key};
use crate::server::{Home, Server};
use crate::terminal::Terminal;
use crate::wait::until;

const MINE: &str = "{\n  // Mine.\n  \"theme\": \"dark\"\n}";

/// A terminal with an empty home and no server.
fn terminal() -> Terminal {
    Terminal::beside(&Home::new())
}

#[test]
fn setup_writes_exactly_the_change_that_it_showed() {
    let terminal = terminal();
    terminal.write(".claude/settings.json", MINE);
    let ended = terminal.answering("y\n", &["setup", "claude-code"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
    let path = terminal.file(".claude/settings.json");
    let shown = format!("--- {0}\n+++ {0}\n", path.display());
    assert!(ended.stdout.contains(&shown), "{}", ended.stdout);
    for line in [
        "   // Mine.\n",
        "+    \"ANTHROPIC_BASE_URL\": \"http://127.0.0.1:8080\",\n",
        "+    \"ANTHROPIC_MODEL\": \"sonnet\"\n",
        "Write this? [y/N] Written.",
    ] {
        assert!(ended.stdout.contains(line), "{}", ended.stdout);
    }
    let text = terminal.read(".claude/settings.json");
    assert!(text.starts_with("{\n  // Mine.\n  \"theme\": \"dark\",\n  \"env\": {\n"), "{text}");
}

#[test]
fn answer_no_changes_nothing() {
    let terminal = terminal();
    for answers in ["n\n", "\n", ""] {
        let ended = terminal.answering(answers, &["setup", "codex"]);
        assert_eq!(
            (ended.code, ended.stderr.as_str()),
            (Some(1), "copilot-proxy: nothing was changed\n"),
            "{answers:?}"
        );
        assert_eq!(terminal.files(), Vec::<String>::new());
    }
}

#[test]
fn undo_restores_every_byte_and_removes_new_files() {
    let server = Server::demo(&[]);
    let url = format!("http://127.0.0.1:{}", server.port);
    for (client, file, before) in [
        ("claude-code", ".claude/settings.json", Some(MINE)),
        ("claude-code", ".claude/settings.json", None),
        ("codex", ".codex/config.toml", Some("model='o3'\r\n# \u{fffd} no end of line")),
        ("codex", ".codex/config.toml", None),
        ("opencode", ".config/opencode/opencode.json", Some("")),
        ("opencode", ".config/opencode/opencode.json", None),
        ("codex-mcp", ".codex/config.toml", Some("# Mine.\n[mcp_servers.a]\ncommand = 'a'\n")),
        ("codex-mcp", ".codex/config.toml", None),
        ("claude-code-mcp", ".mcp.json", Some("{ \"mcpServers\": {} } // mine")),
        ("claude-code-mcp", ".mcp.json", None),
        ("opencode-mcp", ".config/opencode/opencode.json", Some("{\n  // Mine.\n}")),
        ("env", ".env", Some("OPENAI_API_KEY=secret")),
        ("env", ".env", None),
    ] {
        let terminal = terminal();
        if let Some(text) = before {
            terminal.write(file, text);
        }
        let files = terminal.files();
        let set_up = || {
            let ended = terminal.run(&["setup", "--url", &url, client, "--yes"]);
            assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{client} {before:?}");
            ended.stdout
        };
        set_up();
        let after = terminal.read(file);
        assert!(after.contains(&url), "{after}");
        assert!(set_up().ends_with(": set up already.\n"));
        assert_eq!(terminal.read(file), after);

        let ended = terminal.run(&["setup", client, "--undo", "--yes"]);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{client} {before:?}");
        assert_eq!(terminal.files(), files, "{client} {before:?}");
        if let Some(text) = before {
            assert_eq!(terminal.read(file), text);
        }
        let again = terminal.run(&["setup", client, "--undo", "--yes"]);
        assert!(again.stderr.contains("nothing to undo"), "{again:?}");
    }
}

#[test]
fn undo_reverts_repeated_setups_at_once() {
    let terminal = terminal();
    terminal.write(".env", "A=b\n");
    for port in ["1", "2"] {
        let url = format!("http://127.0.0.1:{port}");
        assert_eq!(terminal.run(&["setup", "--url", &url, "env", "--yes"]).code, Some(0));
        assert!(terminal.read(".env").contains(&url));
    }
    assert_eq!(terminal.run(&["setup", "env", "--undo", "--yes"]).code, Some(0));
    assert_eq!(terminal.read(".env"), "A=b\n");
}

#[test]
fn undo_asks_before_it_discards_later_changes() {
    let terminal = terminal();
    terminal.write(".env", "A=b\n");
    assert_eq!(terminal.run(&["setup", "env", "--yes"]).code, Some(0));
    let changed = terminal.read(".env") + "C=d\n";
    terminal.write(".env", &changed);

    let refused = terminal.run(&["setup", "env", "--undo", "--yes"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("it was changed after it was set up"), "{refused:?}");
    assert_eq!(terminal.read(".env"), changed);

    assert_eq!(terminal.run(&["setup", "env", "--undo", "--force", "--yes"]).code, Some(0));
    assert_eq!(terminal.read(".env"), "A=b\n");
}

#[test]
fn unparsable_file_is_not_changed() {
    let terminal = terminal();
    terminal.write(".claude/settings.json", "{ \"env\": ");
    let ended = terminal.run(&["setup", "claude-code", "--yes"]);
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("settings.json: it is no JSON: "), "{ended:?}");
    assert_eq!(terminal.read(".claude/settings.json"), "{ \"env\": ");
}

#[cfg(unix)]
#[test]
fn symbolic_links_and_permissions_are_preserved() {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    let terminal = terminal();
    terminal.write("dotfiles/env", "A=b\n");
    fs::set_permissions(terminal.file("dotfiles/env"), fs::Permissions::from_mode(0o640)).unwrap();
    std::os::unix::fs::symlink("dotfiles/env", terminal.file(".env")).unwrap();
    assert_eq!(terminal.run(&["setup", "env", "--yes"]).code, Some(0));
    assert!(fs::symlink_metadata(terminal.file(".env")).unwrap().is_symlink());
    assert!(terminal.read("dotfiles/env").starts_with("A=b\nOPENAI_BASE_URL="));
    let mode = |path| fs::metadata(terminal.file(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("dotfiles/env"), 0o640);

    assert_eq!(terminal.run(&["setup", "codex", "--yes"]).code, Some(0));
    assert_eq!(mode(".codex/config.toml"), 0o600);
}

#[test]
fn address_and_models_are_those_of_the_running_server() {
    let server = Server::serve(&[]);
    let _editor = server.simulate();
    let terminal = Terminal::beside(&server.home);
    assert_eq!(terminal.run(&["setup", "claude-code", "--yes"]).code, Some(0));
    let settings: Value = serde_json::from_str(&terminal.read(".claude/settings.json")).unwrap();
    assert_eq!(settings["env"]["ANTHROPIC_BASE_URL"], format!("http://127.0.0.1:{}", server.port));
    assert_eq!(settings["env"]["ANTHROPIC_MODEL"], "claude-sonnet-4");

    let named = terminal.run(&["setup", "codex", "--yes", "--model", "gpt-5-mini"]);
    assert_eq!(named.code, Some(0), "{named:?}");
    assert!(terminal.read(".codex/config.toml").starts_with("model = \"gpt-5-mini\"\n"));
    let unknown = terminal.run(&["setup", "codex", "--yes", "--model", "llama"]);
    assert!(unknown.stderr.starts_with("copilot-proxy: the server has no model `llama`; it has: "));
}

#[test]
fn clients_without_a_file_get_a_snippet_to_copy() {
    let terminal = terminal();
    for (client, base) in [
        ("aider", "http://127.0.0.1:8080/v1"),
        ("continue", "http://127.0.0.1:8080/v1"),
        ("zed", "http://127.0.0.1:8080/v1"),
        ("llm", "http://127.0.0.1:8080/v1"),
        ("langchain", "http://127.0.0.1:8080/v1"),
        ("ollama", "OLLAMA_HOST=http://127.0.0.1:8080 "),
        ("mcp", "\"args\": [\"mcp\"]"),
    ] {
        let ended = terminal.run(&["setup", client]);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        assert!(ended.stdout.contains(base), "{}", ended.stdout);
    }
    assert_eq!(terminal.files(), Vec::<String>::new());
}

/// The key in a `.env`.
fn key_in(terminal: &Terminal) -> String {
    let text = terminal.read(".env");
    let line = text.lines().find_map(|line| line.strip_prefix("OPENAI_API_KEY="));
    line.unwrap_or_else(|| panic!("no key: {text}")).to_owned()
}

#[test]
fn client_gets_a_key_that_the_server_knows_until_undo() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    editor.send_keys(&[person_key("mine", "sesame")]);
    let status = |key: &str| {
        server.send(&Request::get("/v1/models").header("authorization", &format!("Bearer {key}"))).status
    };
    until("the key to be required", || (status("") == 401).then_some(()));
    let terminal = Terminal::beside(&server.home);
    assert_eq!(terminal.run(&["setup", "env", "--yes"]).code, Some(0));
    let key = key_in(&terminal);
    assert_eq!(status(&key), 200, "at once, and without a restart");
    let stored = std::fs::read_to_string(server.home.path().join("keys.json")).unwrap();
    assert!(stored.contains("\"env\"") && !stored.contains(&key), "{stored}");

    // Another set-up of the same file keeps the key.
    assert_eq!(terminal.run(&["setup", "env", "--yes", "--url", "http://localhost:9"]).code, Some(0));
    assert_eq!(key_in(&terminal), key);
    assert_eq!(terminal.run(&["setup", "env", "--undo", "--yes"]).code, Some(0));
    assert_eq!(status(&key), 401);
}

#[test]
fn key_is_made_without_a_server_and_valid_from_its_start() {
    let home = Home::new();
    let terminal = Terminal::beside(&home);
    assert_eq!(terminal.run(&["setup", "env", "--yes"]).code, Some(0));
    let key = key_in(&terminal);
    let server = Server::serve_in(&home, &[]);
    let mut editor = Editor::with_models(&home, &[model("m")]);
    editor.send_keys(&[person_key("mine", "sesame")]);
    let status = |key: &str| server.send(&Request::get("/v1/models").header("x-api-key", key)).status;
    until("the key to be required", || (status("") == 401).then_some(()));
    assert_eq!(status(&key), 200);
}

#[test]
fn without_a_key_of_its_own_the_client_gets_any() {
    let terminal = terminal();
    for options in [&["--no-key"][..], &["--url", "http://0.0.0.0:9"]] {
        assert_eq!(terminal.run(&[&["setup", "env", "--yes"], options].concat()).code, Some(0));
        assert_eq!(key_in(&terminal), "unused");
        assert_eq!(terminal.run(&["setup", "env", "--undo", "--yes"]).code, Some(0));
    }
}

#[test]
fn file_of_a_project_gets_no_key() {
    let terminal = terminal();
    assert_eq!(terminal.run(&["setup", "claude-code-mcp", "--yes"]).code, Some(0));
    let text = terminal.read(".mcp.json");
    assert!(text.contains("/mcp") && !text.contains("Authorization"), "{text}");
}

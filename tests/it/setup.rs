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
        "+    \"ANTHROPIC_MODEL\": \"sonnet\",\n",
        "This works while VS Code is open; `copilot-proxy setup claude-code --undo` puts back what is there now.\n",
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
        ("kilo", ".config/kilo/kilo.json", Some("{ \"share\": \"disabled\" } // mine")),
        ("kilo", ".config/kilo/kilo.json", None),
        ("gemini-cli", ".gemini/.env", Some("# Mine\r\nGEMINI_API_KEY=secret")),
        ("gemini-cli", ".gemini/.env", None),
        ("qwen-code", ".qwen/settings.json", Some("{\n\t\"ui\": {},\n}")),
        ("qwen-code", ".qwen/settings.json", None),
        ("cline", ".cline/data/settings/providers.json", Some("{\"providers\":{}}")),
        ("cline", ".cline/data/settings/providers.json", None),
        ("continue", ".continue/config.yaml", Some("name: x\r\nmodels:\r\n- name: mine # b")),
        ("continue", ".continue/config.yaml", None),
        ("crush", ".config/crush/crush.json", Some("{ \"options\": { \"debug\": true } }")),
        ("crush", ".config/crush/crush.json", None),
        ("junie", ".junie/models/copilot-proxy.json", None),
        ("zed", ".config/zed/settings.json", Some("// Zed settings\n{\n  \"vim_mode\": true,\n}\n")),
        ("zed", ".config/zed/settings.json", None),
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
        ("copilot-cli", "http://127.0.0.1:8080/v1"),
        ("goose", "OPENAI_HOST=http://127.0.0.1:8080\n"),
        ("jetbrains", "http://127.0.0.1:8080/v1"),
        ("xcode", "port 8080"),
        ("gptel", ":host \"127.0.0.1:8080\""),
        ("open-webui", "http://127.0.0.1:8080/v1"),
        ("n8n", "http://127.0.0.1:8080/v1"),
        ("home-assistant", "http://127.0.0.1:8080\n"),
        ("llm", "http://127.0.0.1:8080/v1"),
        ("langchain", "http://127.0.0.1:8080/v1"),
        ("ollama", "OLLAMA_HOST=http://127.0.0.1:8080\n"),
        ("mcp", "\"args\": [\"mcp\"]"),
    ] {
        let ended = terminal.run(&["setup", client]);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        assert!(ended.stdout.contains(base), "{}", ended.stdout);
    }
    assert_eq!(terminal.files(), Vec::<String>::new());
}

#[test]
fn commands_to_copy_are_in_the_syntax_of_the_shell() {
    let terminal = terminal();
    for (shell, line) in [
        ("posix", "export COPILOT_PROVIDER_BASE_URL=http://127.0.0.1:8080/v1\n"),
        ("powershell", "$env:COPILOT_PROVIDER_BASE_URL = 'http://127.0.0.1:8080/v1'\n"),
        ("fish", "set -gx COPILOT_PROVIDER_BASE_URL http://127.0.0.1:8080/v1\n"),
    ] {
        let ended = terminal.run(&["setup", "copilot-cli", "--shell", shell]);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
        assert!(ended.stdout.contains(line), "{}", ended.stdout);
    }
}

const CODEX: &str = ".codex/config.toml";
const SHARED: &str = "# Mine.\nmodel = 'o3'\n";

#[test]
fn clients_that_share_a_file_are_undone_one_by_one() {
    let run = |terminal: &Terminal, arguments: &[&str]| {
        let ended = terminal.run(&[&["setup"], arguments, &["--yes"]].concat());
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    };
    let marked = |terminal: &Terminal| {
        let listed: Vec<Value> = serde_json::from_str(&terminal.run(&["setup", "--json"]).stdout).unwrap();
        let marked = listed.iter().filter(|entry| entry["set_up"] == true);
        marked.map(|entry| entry["client"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for (clients, undone) in [
        (["codex", "codex-mcp"], "codex"),
        (["codex", "codex-mcp"], "codex-mcp"),
        (["codex-mcp", "codex"], "codex-mcp"),
    ] {
        let kept = if undone == "codex" { "codex-mcp" } else { "codex" };
        let (one, both) = (terminal(), terminal());
        for terminal in [&one, &both] {
            terminal.write(CODEX, SHARED);
        }
        run(&one, &[kept, "--no-key"]);
        for client in clients {
            run(&both, &[client, "--no-key"]);
        }
        assert_eq!(marked(&both), ["codex", "codex-mcp"]);

        run(&both, &[undone, "--undo"]);
        assert_eq!(both.read(CODEX), one.read(CODEX), "{undone} of {clients:?}");
        assert_eq!(marked(&both), [kept]);
        run(&both, &[kept, "--undo"]);
        assert_eq!(both.read(CODEX), SHARED, "{clients:?}");
        assert_eq!(marked(&both), Vec::<String>::new());
    }
}

#[test]
fn key_of_a_shared_file_stays_until_its_last_client_is_undone() {
    let server = Server::serve(&[]);
    let terminal = Terminal::beside(&server.home);
    for client in ["codex", "codex-mcp"] {
        assert_eq!(terminal.run(&["setup", client, "--yes"]).code, Some(0));
    }
    let keys =
        || std::fs::read_to_string(server.home.path().join("keys.json")).unwrap().matches("sha256").count();
    let key = |text: &str| {
        text.split('"').find(|word| word.contains("cp-setup-")).map(|word| word.replace("Bearer ", ""))
    };
    let both = key(&terminal.read(CODEX));
    assert_eq!((both.is_some(), keys()), (true, 1));
    assert_eq!(terminal.run(&["setup", "codex", "--undo", "--yes"]).code, Some(0));
    assert_eq!((key(&terminal.read(CODEX)), keys()), (both, 1));
    assert_eq!(terminal.run(&["setup", "codex-mcp", "--undo", "--yes"]).code, Some(0));
    assert_eq!((terminal.files(), keys()), (Vec::new(), 0));
}

#[test]
fn project_scope_writes_into_the_folder_and_is_undone_there() {
    let terminal = terminal();
    for (client, file, has_key) in [
        ("claude-code", ".claude/settings.local.json", true),
        ("opencode", "opencode.json", false),
        ("kilo", "kilo.json", false),
        ("crush", "crush.json", false),
        ("junie", ".junie/models/copilot-proxy.json", false),
    ] {
        let set_up = terminal.run(&["setup", client, "--scope", "project", "--yes"]);
        assert_eq!((set_up.code, set_up.stderr.as_str()), (Some(0), ""), "{client}");
        assert_eq!(terminal.read(file).contains("cp-setup-"), has_key, "{client}");
        let undone = terminal.run(&["setup", client, "--undo", "--yes"]);
        assert_eq!((undone.code, undone.stderr.as_str()), (Some(0), ""), "{client}");
        assert_eq!(terminal.files(), Vec::<String>::new(), "{client}");
    }
    let refused = terminal.run(&["setup", "codex", "--scope", "project", "--yes"]);
    assert_eq!(
        (refused.code, refused.stderr.as_str()),
        (
            Some(1),
            "copilot-proxy: Codex has no configuration of a project that could be set up; leave `--scope` out\n"
        )
    );
}

/// `script` gives the command a terminal.
#[cfg(target_os = "linux")]
#[test]
fn person_at_a_terminal_is_asked_for_the_scope() {
    let home = Home::new();
    for (answers, file) in
        [("folder\ny\n", ".claude/settings.local.json"), ("\ny\n", ".claude/settings.json")]
    {
        let terminal = Terminal::beside(&home);
        let output = terminal.at_a_terminal(answers, &["setup", "claude-code"]);
        assert!(output.contains("For all your projects, or for this folder only?"), "{output}");
        assert!(terminal.read(file).contains("ANTHROPIC_BASE_URL"), "{output}");
    }
}

#[test]
fn undo_of_all_restores_what_was_not_changed_since_and_names_the_rest() {
    let terminal = terminal();
    terminal.write(CODEX, SHARED);
    terminal.write(".env", "A=b\n");
    for client in ["codex", "codex-mcp", "gemini-cli", "env"] {
        assert_eq!(terminal.run(&["setup", client, "--yes"]).code, Some(0));
    }
    let changed = terminal.read(".env") + "C=d\n";
    terminal.write(".env", &changed);

    let ended = terminal.run(&["setup", "--undo", "--all", "--yes"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.stderr.contains(".env: it was changed after it was set up"), "{ended:?}");
    assert_eq!((terminal.read(CODEX).as_str(), terminal.read(".env")), (SHARED, changed));
    assert_eq!(terminal.files(), [".codex", CODEX, ".env"]);
    assert_eq!(terminal.run(&["setup", "--undo", "--all", "--force", "--yes"]).code, Some(0));
    assert_eq!(terminal.read(".env"), "A=b\n");
    assert_eq!(terminal.run(&["setup", "--undo", "--all", "--yes"]).stdout, "Nothing to undo.\n");
}

#[test]
fn what_a_client_rewrites_by_itself_does_not_hinder_undo() {
    const PROVIDERS: &str = ".cline/data/settings/providers.json";
    let terminal = terminal();
    assert_eq!(terminal.run(&["setup", "cline", "--yes"]).code, Some(0));
    let started = terminal.read(PROVIDERS).replace("1970-01-01", "2026-11-27");
    terminal.write(PROVIDERS, &started);
    assert!(terminal.run(&["setup", "cline", "--yes"]).stdout.ends_with(": set up already.\n"));
    assert_eq!(terminal.run(&["setup", "cline", "--undo", "--yes"]).code, Some(0));
    assert_eq!(terminal.files(), Vec::<String>::new());
}

#[test]
fn undo_log_of_an_earlier_version_is_understood() {
    let terminal = terminal();
    terminal.write(".env", "A=b\n");
    assert_eq!(terminal.run(&["setup", "env", "--yes"]).code, Some(0));
    let folder = terminal.file(".local/state/copilot-proxy/setup");
    let log = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    let mut history: Value = serde_json::from_slice(&std::fs::read(&log).unwrap()).unwrap();
    history["steps"][0].as_object_mut().unwrap().remove("writer");
    std::fs::write(&log, history.to_string()).unwrap();
    assert_eq!(terminal.run(&["setup", "env", "--undo", "--yes"]).code, Some(0));
    assert_eq!(terminal.read(".env"), "A=b\n");
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

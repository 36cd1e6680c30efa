//! `copilot-proxy setup --json`: the plan that other programs show to the user, and their confirmation.

use serde_json::{Value, json};

use crate::server::Home;
use crate::terminal::{Question, Terminal};

const FILE: &str = ".env";
const MINE: &str = "A=b\n";

fn terminal() -> Terminal {
    let terminal = Terminal::beside(&Home::new());
    terminal.write(FILE, MINE);
    terminal
}

fn plan(question: &Question) -> Value {
    serde_json::from_str(&question.line).unwrap()
}

fn set_up(terminal: &Terminal) {
    assert_eq!(terminal.run(&["setup", "env", "--yes"]).code, Some(0));
}

#[test]
fn plan_equals_the_change_that_y_writes() {
    let terminal = terminal();
    let question = terminal.start(&["setup", "env", "--json"]);
    let Value::Object(mut plan) = plan(&question) else { panic!("{}", question.line) };
    assert_eq!(terminal.read(FILE), MINE, "before the answer");
    let after = plan["changes"][0]["after"].take();
    let note = plan.remove("note").unwrap();
    assert!(
        note.as_str().is_some_and(|note| note.starts_with("No models at http://127.0.0.1:8080")),
        "{note}"
    );
    let next = "the OpenAI and Anthropic SDKs find these variables once your program has loaded the file";
    let changes = json!([{ "file": terminal.file(FILE), "before": MINE, "after": null }]);
    let without =
        "This works while VS Code is open; `copilot-proxy setup env --undo` puts back what is there now.";
    assert_eq!(
        Value::Object(plan),
        json!({ "plan": "write", "changes": changes, "next": next, "without_vscode": without })
    );
    let ended = question.answer("y\n");
    assert_eq!((ended.code, ended.stdout.as_str(), ended.stderr.as_str()), (Some(0), "", ""));
    assert_eq!(terminal.read(FILE), after);
}

#[test]
fn closed_input_changes_nothing() {
    let terminal = terminal();
    let ended = terminal.start(&["setup", "env", "--json"]).answer("");
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(1), "copilot-proxy: nothing was changed\n"));
    assert_eq!(terminal.read(FILE), MINE);
}

#[test]
fn file_changed_after_the_plan_is_not_overwritten() {
    let terminal = terminal();
    let question = terminal.start(&["setup", "env", "--json"]);
    terminal.write(FILE, "A=c\n");
    let ended = question.answer("y\n");
    assert_eq!(ended.code, Some(1));
    assert!(ended.stderr.contains("the file was changed after the preview"), "{ended:?}");
    assert_eq!(terminal.read(FILE), "A=c\n");
    assert!(terminal.run(&["setup", "env", "--undo"]).stderr.contains("nothing to undo"));
}

#[test]
fn undo_plan_names_the_changes_it_discards() {
    let terminal = terminal();
    set_up(&terminal);
    let undo = ["setup", "env", "--undo", "--force", "--json"];
    let written = terminal.read(FILE);
    let expected = |before: &str, changed| {
        let changes = json!([{ "file": terminal.file(FILE), "before": before, "after": MINE }]);
        json!({ "plan": "undo", "changes": changes, "changed": changed })
    };
    assert_eq!(plan(&terminal.start(&undo)), expected(&written, false));

    let changed = written + "C=d\n";
    terminal.write(FILE, &changed);
    let question = terminal.start(&undo);
    assert_eq!(plan(&question), expected(&changed, true));
    assert_eq!(question.answer("y\n").code, Some(0));
    assert_eq!(terminal.read(FILE), MINE);
}

#[test]
fn without_a_client_all_clients_are_listed_with_their_state() {
    let terminal = terminal();
    set_up(&terminal);
    let listed: Vec<Value> = serde_json::from_str(&terminal.run(&["setup", "--json"]).stdout).unwrap();
    let short: Vec<(&str, &str, &str, bool)> = listed
        .iter()
        .map(|entry| {
            let text = |name: &str| entry[name].as_str().unwrap_or_default();
            assert_eq!(entry["file"].is_string(), entry["scope"].is_string(), "{entry}");
            (text("client"), text("title"), text("scope"), entry["set_up"] == true)
        })
        .collect();
    assert_eq!(
        short,
        [
            ("claude-code", "Claude Code", "user", false),
            ("claude-code", "Claude Code", "project", false),
            ("codex", "Codex", "user", false),
            ("opencode", "opencode", "user", false),
            ("opencode", "opencode", "project", false),
            ("kilo", "Kilo", "user", false),
            ("kilo", "Kilo", "project", false),
            ("gemini-cli", "Gemini CLI", "user", false),
            ("qwen-code", "Qwen Code", "user", false),
            ("cline", "Cline", "user", false),
            ("continue", "Continue", "user", false),
            ("crush", "Crush", "user", false),
            ("crush", "Crush", "project", false),
            ("junie", "Junie", "user", false),
            ("junie", "Junie", "project", false),
            ("zed", "Zed", "user", false),
            ("env", ".env", "project", true),
            ("claude-code-mcp", "Claude Code: the editor's tools", "project", false),
            ("codex-mcp", "Codex: the editor's tools", "user", false),
            ("opencode-mcp", "opencode: the editor's tools", "user", false),
            ("opencode-mcp", "opencode: the editor's tools", "project", false),
            ("copilot-cli", "Copilot CLI", "", false),
            ("goose", "goose", "", false),
            ("aider", "aider", "", false),
            ("llm", "llm", "", false),
            ("langchain", "LangChain", "", false),
            ("jetbrains", "JetBrains AI Assistant", "", false),
            ("xcode", "Xcode", "", false),
            ("gptel", "gptel (Emacs)", "", false),
            ("open-webui", "Open WebUI", "", false),
            ("n8n", "n8n", "", false),
            ("home-assistant", "Home Assistant", "", false),
            ("ollama", "Programs for Ollama only", "", false),
            ("mcp", "Other MCP clients: the editor's tools", "", false),
        ]
    );
    assert!(listed.iter().all(|entry| entry["installed"] == false), "{listed:?}");
    assert_eq!(listed[16]["file"], json!(terminal.file(FILE)));

    let expected = terminal.run(&["setup"]).stdout;
    assert!(expected.contains("aider            text to copy\n"), "{expected}");
    assert!(
        expected.contains(&format!("env              {} (set up)\n", terminal.file(FILE).display())),
        "{expected}"
    );
    let project = terminal.file(".claude/settings.local.json");
    assert!(expected.contains(&format!("{:16} {} (--scope project)\n", "", project.display())), "{expected}");
}

#[cfg(unix)]
#[test]
fn clients_on_the_machine_are_marked() {
    use std::os::unix::fs::symlink;
    let terminal = terminal();
    std::fs::create_dir(terminal.file("bin")).unwrap();
    symlink("/bin/true", terminal.file("bin/codex")).unwrap();
    let expected = terminal.run(&["setup"]).stdout;
    let line = format!("codex            {} (installed)\n", terminal.file(".codex/config.toml").display());
    assert!(expected.contains(&line), "{expected}");
}

#[test]
fn snippet_names_its_language() {
    let plan = |arguments: &[&str]| -> Value {
        serde_json::from_str(&terminal().run(&[&["setup"], arguments, &["--json"]].concat()).stdout).unwrap()
    };
    let expected = plan(&["langchain"]);
    assert_eq!((&expected["plan"], &expected["into"]), (&json!("copy"), &json!("langchain.py")));
    assert!(
        expected["text"].as_str().is_some_and(|text| text.contains("http://127.0.0.1:8080/v1")),
        "{expected}"
    );
    assert_eq!(plan(&["aider", "--shell", "powershell"])["into"], "aider.ps1");
}

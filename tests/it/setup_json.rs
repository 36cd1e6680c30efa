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
    let after = plan.remove("after").unwrap();
    let note = plan.remove("note").unwrap();
    assert!(
        note.as_str().is_some_and(|note| note.starts_with("No models at http://127.0.0.1:8080")),
        "{note}"
    );
    let next = "the OpenAI and Anthropic SDKs find these variables once your program has loaded the file";
    let file = terminal.file(FILE);
    assert_eq!(Value::Object(plan), json!({ "plan": "write", "file": file, "before": MINE, "next": next }));
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
    let expected = |before: &str, changed| json!({ "plan": "undo", "file": terminal.file(FILE), "before": before, "after": MINE, "changed": changed });
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
    let short: Vec<(&str, &str, bool, bool)> = listed
        .iter()
        .map(|entry| {
            let text = |name: &str| entry[name].as_str().unwrap();
            (text("client"), text("title"), entry["file"].is_string(), entry["set_up"] == true)
        })
        .collect();
    assert_eq!(
        short,
        [
            ("claude-code", "Claude Code", true, false),
            ("codex", "Codex", true, false),
            ("opencode", "opencode", true, false),
            ("env", ".env", true, true),
            ("claude-code-mcp", "Claude Code: the editor's tools", true, false),
            ("codex-mcp", "Codex: the editor's tools", true, false),
            ("opencode-mcp", "opencode: the editor's tools", true, false),
            ("aider", "aider", false, false),
            ("continue", "Continue", false, false),
            ("zed", "Zed", false, false),
            ("llm", "llm", false, false),
            ("langchain", "LangChain", false, false),
            ("ollama", "Programs for Ollama only", false, false),
            ("mcp", "Other MCP clients: the editor's tools", false, false),
        ]
    );
    assert_eq!(listed[3]["file"], json!(terminal.file(FILE)));

    let expected = terminal.run(&["setup"]).stdout;
    assert!(expected.contains("aider            text to copy\n"), "{expected}");
    assert!(
        expected.contains(&format!("env              {} (set up)\n", terminal.file(FILE).display())),
        "{expected}"
    );
}

#[test]
fn snippet_names_its_language() {
    let expected: Value =
        serde_json::from_str(&terminal().run(&["setup", "continue", "--json"]).stdout).unwrap();
    assert_eq!((&expected["plan"], &expected["into"]), (&json!("copy"), &json!("config.yaml")));
    assert!(
        expected["text"].as_str().is_some_and(|text| text.contains("http://127.0.0.1:8080/v1")),
        "{expected}"
    );
}

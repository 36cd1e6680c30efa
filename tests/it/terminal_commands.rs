//! `copilot-proxy status`, `models`, `ask` and `completions`: what people type in a terminal.
#![cfg(unix)]

use serde_json::Value;

use crate::server::{Home, Server};
use crate::terminal::Terminal;

#[test]
fn without_a_server_each_command_says_what_to_do() {
    let terminal = Terminal::beside(&Home::new());
    // Nothing listens on port 1, even if a server uses the default port.
    for command in ["status", "models", "ask"] {
        let ended = terminal.answering("Hello", &[command, "--url", "http://127.0.0.1:1"]);
        assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{command}");
        let stderr = &ended.stderr;
        assert!(stderr.starts_with("copilot-proxy: no server answers at http://127.0.0.1:1 ("), "{stderr}");
        assert!(stderr.contains("open VS Code") && stderr.contains("copilot-proxy demo"), "{stderr}");
    }
}

#[test]
fn status_and_models_describe_the_running_server() {
    let server = Server::serve(&[]);
    let _editor = server.simulate();
    let terminal = Terminal::beside(&server.home);
    let status = terminal.run(&["status"]);
    assert_eq!((status.code, status.stderr.as_str()), (Some(0), ""));
    let first =
        format!("Copilot Proxy {} on http://127.0.0.1:{}, up ", env!("CARGO_PKG_VERSION"), server.port);
    assert!(status.stdout.starts_with(&first) && status.stdout.contains("  windows  1"), "{}", status.stdout);
    let health: Value = serde_json::from_str(&terminal.run(&["status", "--json"]).stdout).unwrap();
    assert_eq!(health["status"], "ok");

    let models = terminal.run(&["models"]);
    assert_eq!(models.code, Some(0));
    let ids = server.get("/v1/models").json()["data"].as_array().unwrap().len();
    assert_eq!(models.stdout.lines().count(), ids + 1, "{}", models.stdout);
    let list: Value = serde_json::from_str(&terminal.run(&["models", "--json"]).stdout).unwrap();
    assert_eq!(list["data"].as_array().unwrap().len(), ids);
}

#[test]
fn ask_prints_the_answer_and_fails_with_the_servers_message() {
    let server = Server::serve(&[]);
    let _editor = server.simulate();
    let terminal = Terminal::beside(&server.home);
    let answer = terminal.run(&["ask", "--model", "scripted-1", "say:Hello,", "world"]);
    assert_eq!(
        (answer.code, answer.stdout.as_str(), answer.stderr.as_str()),
        (Some(0), "Hello, world\n", "")
    );
    let piped = terminal.answering("say:from the pipe\n", &["ask", "-m", "scripted-1"]);
    assert_eq!(piped.stdout, "from the pipe\n");

    let refused = terminal.run(&["ask", "-m", "no-such-model", "Hello"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (Some(1), ""));
    assert!(
        refused.stderr.contains("no-such-model") && refused.stderr.contains("scripted-1"),
        "{}",
        refused.stderr
    );
    let broken = terminal.run(&["ask", "-m", "scripted-1", "say:half\nfail:Unknown the window was closed"]);
    assert_eq!((broken.code, broken.stdout.as_str()), (Some(1), "half"));
    assert!(broken.stderr.contains("the window was closed"), "{}", broken.stderr);
    let nothing = terminal.run(&["ask"]);
    assert_eq!((nothing.code, nothing.stdout.as_str()), (Some(1), ""));
    assert!(nothing.stderr.contains("no question"), "{}", nothing.stderr);
}

#[test]
fn completions_are_printed_for_each_shell() {
    for (shell, expected) in
        [("bash", "complete -F"), ("zsh", "#compdef"), ("fish", "complete -c"), ("powershell", "Register-")]
    {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_copilot-proxy"))
            .args(["completions", shell])
            .output()
            .unwrap();
        let script = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && script.contains(expected) && script.contains("setup"), "{shell}");
    }
}

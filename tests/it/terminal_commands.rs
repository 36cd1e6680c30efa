//! `copilot-proxy status`, `models`, `ask`, `logs`, `man`, `completions` and the output of `demo`: what people type in a terminal.
#![cfg(unix)]

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::server::{Home, Server};
use crate::terminal::Terminal;
use crate::wait::until;

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

#[test]
fn logs_prints_the_kept_lines_and_follows_new_ones() {
    let server = Server::serve(&[]);
    let _editor = server.simulate();
    let terminal = Terminal::beside(&server.home);
    let follower = terminal.follow(&["logs", "--follow", "-n", "1"]);
    assert!(follower.next_line().contains("[info]"), "a line that was there before");
    let answer = terminal.run(&["ask", "--model", "scripted-1", "say:secret words"]);
    assert_eq!(answer.code, Some(0));
    until("a line about the request", || follower.next_line().contains("model resolved").then_some(()));

    let all = terminal.run(&["logs"]);
    assert_eq!((all.code, all.stderr.as_str()), (Some(0), ""));
    let listening = format!(" [info] listening on http://127.0.0.1:{}\n", server.port);
    assert!(all.stdout.contains(&listening), "{}", all.stdout);
    assert!(!all.stdout.contains("secret words") && !all.stdout.contains('\x1b'), "{}", all.stdout);
    assert_eq!(terminal.run(&["logs", "-n", "2"]).stdout.lines().count(), 2);
    // Reading the log is no window.
    assert!(terminal.run(&["status"]).stdout.contains("  windows  1"));
}

#[test]
fn logs_goes_on_with_the_next_server() {
    let first = Server::serve(&[]);
    let terminal = Terminal::beside(&first.home);
    let follower = terminal.follow(&["logs", "-f"]);
    let listening =
        |port: u16| move |line: String| line.ends_with(&format!("127.0.0.1:{port}")).then_some(());
    let (home, is_first) = (first.home.clone(), listening(first.port));
    until("the first server's port", || is_first(follower.next_line()));
    drop(first);
    let second = Server::serve_in(&home, &[]);
    let is_second = listening(second.port);
    until("the second server's port", || is_second(follower.next_line()));
}

#[test]
fn logs_without_a_server_says_what_to_do() {
    let ended = Terminal::beside(&Home::new()).run(&["logs", "-f"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""));
    assert_eq!(
        ended.stderr,
        "copilot-proxy: no server is running; open VS Code with the Copilot Proxy extension\n"
    );
}

#[test]
fn man_page_has_a_section_for_each_command() {
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_copilot-proxy")).arg("man").output().unwrap();
    let page = String::from_utf8(output.stdout).unwrap();
    assert!(page.starts_with(".ie \\n(.g .ds Aq") || page.contains(".TH copilot-proxy 1"), "{page}");
    for section in ["COPILOT-PROXY DEMO", "COPILOT-PROXY SETUP", "COPILOT-PROXY LOGS"] {
        assert!(page.contains(&format!(".SH \"{section}\"")), "{section} in {page}");
    }
    assert!(page.contains("\\-\\-follow"), "options of a command");
}

#[test]
fn demo_prints_three_things_to_try() {
    let demo = Terminal::beside(&Home::new()).lines_of(&["demo", "--port", "0"]);
    let ready = demo.next_line();
    let base = ready.strip_prefix("listening on ").unwrap().to_owned();
    assert_eq!(demo.next_line(), "Try:");
    let curl = demo.next_line();
    assert!(curl.starts_with(&format!("  curl -N {base}/v1/chat/completions -d '")), "{curl}");
    assert!(demo.next_line().ends_with(&format!(" ask -m gpt-4o --url {base} \"Hello\"")));
    assert_eq!(demo.next_line(), format!("  {base}/ui in a browser"));
    // The first one works as it is printed.
    let answer = std::process::Command::new("sh").args(["-c", &format!("{curl} -s")]).output().unwrap();
    let answer = String::from_utf8(answer.stdout).unwrap();
    assert!(
        answer.contains("data: ") && answer.contains("Copilot ") && answer.ends_with("[DONE]\n\n"),
        "{answer}"
    );
}

#[test]
fn friendly_sentence_streams_at_a_pace_to_read_and_scripts_at_once() {
    let server = Server::demo(&[]);
    let timed = |text: &str| {
        let began = Instant::now();
        let body = json!({ "model": "gpt-4o", "messages": [{ "role": "user", "content": text }] });
        assert_eq!(server.post("/v1/chat/completions", &body).status, 200);
        began.elapsed()
    };
    // The pauses alone take 0.9 s.
    assert!(timed("Hello") > Duration::from_millis(800));
    let script = "say:a b c d e f g h i j k l m n o p q r s t u v w x y z a b c d e f g h i j k";
    assert!(timed(script) < Duration::from_millis(800));
}

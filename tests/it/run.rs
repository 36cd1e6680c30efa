//! `copilot-proxy run`: arguments and environment of the client, and its exit status.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use copilot_proxy::bridge::protocol::{FromEditor, Watch};
use serde_json::json;

use crate::client::Request;
use crate::editor::{Editor, model, person_key};
use crate::openai::{CHAT, chat, with};
use crate::server::{Home, Server};
use crate::terminal::{Question, Terminal};
use crate::wait::until;

/// Creates a program that prints its arguments and the relevant environment variables.
fn program(terminal: &Terminal, name: &str) -> String {
    let text = "#!/bin/sh\nfor word in \"$@\"; do echo \"argument: $word\"; done\n\
                if [ \"$1\" = --settings ] && [ -f \"$2\" ]; then cat \"$2\"; echo; fi\n\
                env | grep -E '^(OPENAI|ANTHROPIC|OPENCODE|NO_PROXY)' | sort\n";
    terminal.write(name, text);
    let path = terminal.file(name);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn any_program_gets_the_server_in_its_environment() {
    let terminal = Terminal::beside(&Home::new());
    let program = program(&terminal, "mine");
    let ended = terminal.run(&["run", "--", &program, "-x", "two words"]);
    assert_eq!(
        ended.stdout,
        "argument: -x\nargument: two words\n\
         ANTHROPIC_API_KEY=unused\nANTHROPIC_BASE_URL=http://127.0.0.1:8080\nNO_PROXY=127.0.0.1,localhost\n\
         OPENAI_API_BASE=http://127.0.0.1:8080/v1\nOPENAI_API_KEY=unused\n\
         OPENAI_BASE_URL=http://127.0.0.1:8080/v1\nOPENAI_MODEL=gpt\n"
    );
    assert_eq!(ended.code, Some(0));
    assert!(
        ended.stderr.starts_with("copilot-proxy: no server is running: open VS Code"),
        "{}",
        ended.stderr
    );
    assert_eq!(terminal.files(), ["mine"]);
}

#[test]
fn claude_code_codex_and_opencode_get_their_own_settings() {
    let server = Server::serve(&[]);
    let _editor = server.simulate();
    let terminal = Terminal::beside(&server.home);
    let base = format!("http://127.0.0.1:{}", server.port);
    for (name, expected) in [
        (
            "claude",
            vec![
                "argument: --settings".to_owned(),
                format!("\"ANTHROPIC_BASE_URL\":\"{base}\""),
                "\"ANTHROPIC_AUTH_TOKEN\":\"cp-run-".into(),
                "ANTHROPIC_AUTH_TOKEN=cp-run-".into(),
                "ANTHROPIC_MODEL=claude-sonnet-4".into(),
            ],
        ),
        (
            "codex",
            vec![
                "argument: model=\"gpt-".to_owned(),
                "argument: model_provider=\"copilot-proxy\"".into(),
                format!("base_url = \"{base}/v1\""),
            ],
        ),
        ("opencode", vec![format!("OPENCODE_CONFIG_CONTENT={{"), format!("\"baseURL\":\"{base}/v1\"")]),
    ] {
        let program = program(&terminal, name);
        let ended = terminal.run(&["run", "--", &program, "exec", "hello"]);
        assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""), "{name}");
        assert!(ended.stdout.contains("argument: exec\nargument: hello\n"), "{}", ended.stdout);
        for words in expected {
            assert!(ended.stdout.contains(&words), "{words}: {}", ended.stdout);
        }
    }
}

#[test]
fn exit_status_is_that_of_the_program() {
    let terminal = Terminal::beside(&Home::new());
    assert_eq!(terminal.run(&["run", "--", "sh", "-c", "exit 7"]).code, Some(7));
    assert_eq!(terminal.answering("hello", &["run", "--", "cat"]).stdout, "hello");
    let missing = terminal.run(&["run", "--", "no-such-program"]);
    assert_eq!(missing.code, Some(127));
    assert!(missing.stderr.contains("copilot-proxy: no-such-program: "), "{missing:?}");
    terminal.write("text", "no program");
    let text = terminal.file("text");
    assert_eq!(terminal.run(&["run", "--", text.to_str().unwrap()]).code, Some(126));
}

/// Starts a program that prints its key and ends with its input; returns it and the key.
fn with_key(terminal: &Terminal, options: &[&str]) -> (Question, String) {
    let program = ["--", "sh", "-c", "echo $OPENAI_API_KEY; read line"];
    let question = terminal.start(&[&["run"], options, &program].concat());
    let key = question.line.trim().to_owned();
    assert!(key.starts_with("cp-run-"), "{key}");
    (question, key)
}

fn status(server: &Server, key: &str) -> u16 {
    server.send(&Request::get("/v1/models").header("authorization", &format!("Bearer {key}"))).status
}

#[test]
fn program_has_a_key_of_its_own_until_it_ends() {
    let server = Server::serve(&["--window-wait", "200"]);
    let mut editor = Editor::attach(&server.home);
    editor.send_keys(&[person_key("mine", "sesame")]);
    editor.send_models(&[model("m")]);
    editor.expect_status(|status| status.models == 1);
    let terminal = Terminal::beside(&server.home);
    let (program, key) = with_key(&terminal, &["--max-credits", "50"]);

    let mut client = server.client();
    let request = Request::post(CHAT, &with(chat("Hello"), &json!({ "model": "m" })));
    client.send(&request.header("x-api-key", &key));
    let (stream, _) = editor.expect_chat();
    editor.respond(stream, "Hello");
    assert_eq!(client.response().status, 200);
    editor.send(0, &FromEditor::Watch(Watch { enabled: true }));
    let record = editor.expect_activity().requests.pop().unwrap();
    assert!(record.key.as_deref().is_some_and(|name| name.starts_with("run-sh-")), "{record:?}");
    until("the program's session in the usage", || {
        let by_session = Request::get("/v1/usage?by=session").header("x-api-key", "sesame");
        let usage = server.send(&by_session).json();
        (usage["data"][0]["key"].as_str() == record.key.as_deref()).then_some(())
    });

    let (other, other_key) = with_key(&terminal, &[]);
    assert_ne!(other_key, key);
    assert_eq!(program.answer("\n").code, Some(0));
    until("the end of the key", || (status(&server, &key) == 401).then_some(()));
    assert_eq!(status(&server, &other_key), 200);
    other.answer("\n");
}

#[test]
fn key_stays_valid_when_the_server_is_replaced() {
    let mut server = Server::serve(&[]);
    let terminal = Terminal::beside(&server.home);
    let (program, key) = with_key(&terminal, &[]);
    assert_eq!(status(&server, &key), 200);
    server.process.kill();
    let server = Server::serve_in(&server.home, &[]);
    // The request waits until `run` has attached again.
    assert_eq!(status(&server, &key), 200);
    assert_eq!(program.answer("\n").code, Some(0));
}

#[test]
fn key_of_an_ended_program_is_refused_even_where_none_is_needed() {
    let server = Server::serve(&["--window-wait", "200"]);
    assert_eq!(status(&server, "cp-run-unknown"), 401);
    assert_eq!(status(&server, "unknown"), 200);
}

#[test]
fn signal_and_exit_code_pass_through_while_the_program_has_a_key() {
    let server = Server::serve(&[]);
    let terminal = Terminal::beside(&server.home);
    assert_eq!(terminal.run(&["run", "--", "sh", "-c", "exit 7"]).code, Some(7));
    assert_eq!(terminal.run(&["run", "--", "sh", "-c", "kill -TERM $$"]).code, Some(128 + 15));
    // The program's parent is `run`: a signal for it reaches the program.
    let program = "trap 'echo ended; exit 3' TERM; kill -TERM $PPID; while :; do sleep 0.01; done";
    let ended = terminal.run(&["run", "--", "sh", "-c", program]);
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(3), "ended\n"));
}

#[test]
fn key_is_on_no_command_line() {
    let server = Server::serve(&[]);
    let _editor = server.simulate();
    let terminal = Terminal::beside(&server.home);
    for name in ["claude", "codex", "other"] {
        let program = program(&terminal, name);
        let ended = terminal.run(&["run", "--", &program]);
        let arguments = ended.stdout.lines().filter(|line| line.starts_with("argument: "));
        assert!(arguments.clone().all(|argument| !argument.contains("cp-run-")), "{}", ended.stdout);
    }
    let left: Vec<_> =
        fs::read_dir(server.home.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().starts_with("run-")), "{left:?}");
}

#[test]
fn limit_needs_a_server_that_makes_a_key() {
    let terminal = Terminal::beside(&Home::new());
    let ended = terminal.run(&["run", "--max-credits", "5", "--", "true"]);
    assert_eq!(ended.code, Some(1));
    assert_eq!(
        ended.stderr,
        "copilot-proxy: --max-credits needs a key of the server: no server is running\n"
    );
    for wrong in ["0", "-1", "nan", "much"] {
        let option = format!("--max-credits={wrong}");
        assert_eq!(terminal.run(&["run", &option, "--", "true"]).code, Some(2), "{wrong}");
    }
}

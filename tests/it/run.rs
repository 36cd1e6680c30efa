//! `copilot-proxy run`: arguments and environment of the client, and its exit status.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::server::{Home, Server};
use crate::terminal::Terminal;

/// Creates a program that prints its arguments and the relevant environment variables.
fn program(terminal: &Terminal, name: &str) -> String {
    let text = "#!/bin/sh\nfor word in \"$@\"; do echo \"argument: $word\"; done\n\
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
    assert_eq!((ended.code, ended.stderr.as_str()), (Some(0), ""));
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
                "ANTHROPIC_AUTH_TOKEN=unused".into(),
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
    assert_eq!(missing.code, Some(1));
    assert!(missing.stderr.starts_with("copilot-proxy: no-such-program: "), "{missing:?}");
}

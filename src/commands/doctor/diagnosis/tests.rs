//! Findings of given observations.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::bridge::directory::{ProtocolRange, ServerFile};
use crate::commands::connection_info::tests::connection;
use crate::commands::doctor::environment::Environment;

const MINE: &str = env!("CARGO_PKG_VERSION");

/// Everything as it should be.
fn healthy() -> Observations {
    Observations {
        directory: "/run/copilot-proxy".into(),
        file: Some(ServerFile {
            pid: 7,
            version: MINE.into(),
            protocol: ProtocolRange { min: 1, max: 1 },
            endpoint: String::new(),
            token: String::new(),
            port: Some(8080),
            started_at: 0,
            instance: Some("i".into()),
        }),
        base: "http://127.0.0.1:8080".into(),
        responder: Responder::Server { version: MINE.into(), instance: "i".into() },
        health: json!({ "editors": 2, "windows": [["shop", "docs"], []] }),
        models: connection(&["gpt-4o", "claude-sonnet-4"]).models,
        test_request: Some(asked(Some((200, "")))),
        outside: None,
        environment: Environment::default(),
    }
}

fn asked(outcome: Option<(u16, &str)>) -> TestRequest {
    let outcome = outcome.map(|(status, reason)| (status, reason.to_owned()));
    TestRequest { model: "gpt-4o".into(), took: Duration::from_millis(1200), outcome }
}

/// The findings in short: status, subject and what was found.
fn short(observations: &Observations) -> Vec<String> {
    let line = |finding: Finding| {
        assert_eq!(finding.hint.is_none(), finding.status == Severity::Ok, "{finding:?}");
        format!("{:?} {}: {}", finding.status, finding.subject, finding.found)
    };
    findings(observations).into_iter().map(line).collect()
}

#[test]
fn healthy_installation_has_only_ok_findings() {
    assert_eq!(
        short(&healthy()),
        [
            format!("Ok server: version {MINE} is running (pid 7)"),
            "Ok port: the base URL is http://127.0.0.1:8080/v1 (http://127.0.0.1:8080 for Anthropic's and Ollama's APIs)"
                .into(),
            "Ok windows: 2 attached: shop, docs; one without folder".into(),
            "Ok models: 2: gpt-4o, claude-sonnet-4".into(),
            "Ok request: gpt-4o answered in 1.2s; consent is given".into(),
        ]
    );
}

#[test]
fn without_a_server_there_is_one_finding() {
    let observations = Observations { file: None, responder: Responder::None, ..healthy() };
    assert_eq!(short(&observations), ["Error server: not running: no server.json in /run/copilot-proxy"]);
}

#[test]
fn port_finding_names_the_other_program() {
    let port = |file: Option<ServerFile>, responder| {
        short(&Observations { file, responder, test_request: None, ..healthy() }).remove(1)
    };
    let file = || healthy().file.unwrap();
    let other = Responder::Server { version: MINE.into(), instance: "j".into() };
    for (file, responder, wanted) in [
        (
            Some(ServerFile { port: None, ..file() }),
            Responder::None,
            "Error port: the server is stopped, its port is closed",
        ),
        (
            Some(file()),
            Responder::None,
            "Error port: no answer at http://127.0.0.1:8080, where the server should be",
        ),
        (
            Some(ServerFile { port: None, ..file() }),
            Responder::OtherProgram { holder: None },
            "Error port: http://127.0.0.1:8080 is in use by another program",
        ),
        (
            Some(ServerFile { port: None, ..file() }),
            Responder::OtherProgram { holder: Some(Holder { name: "python3".into(), pid: 812 }) },
            "Error port: http://127.0.0.1:8080 is in use by python3 (pid 812)",
        ),
        (Some(file()), other, "Error port: http://127.0.0.1:8080 is in use by another Copilot Proxy server"),
        (
            Some(file()),
            Responder::NeedsKey { sent_one: false },
            "Error key: http://127.0.0.1:8080 needs a key",
        ),
        (
            Some(file()),
            Responder::NeedsKey { sent_one: true },
            "Error key: http://127.0.0.1:8080 refuses the key in COPILOT_PROXY_API_KEY",
        ),
    ] {
        assert_eq!(port(file, responder), wanted);
    }
}

#[test]
fn missing_models_consent_and_responses_are_errors() {
    let last = |observations: Observations| short(&observations).pop().unwrap();
    assert_eq!(
        last(Observations {
            health: json!({ "editors": 0 }),
            models: Vec::new(),
            test_request: None,
            ..healthy()
        }),
        "Error models: VS Code offers no language models"
    );
    for (outcome, wanted) in [
        (
            Some((403, "Allow Copilot Proxy in VS Code: …")),
            "Error consent: Allow Copilot Proxy in VS Code: …",
        ),
        (Some((429, "the quota is used up")), "Error request: the quota is used up"),
        (Some((500, "no")), "Error request: gpt-4o failed: 500 no"),
        (None, "Error request: gpt-4o was silent for 1s"),
    ] {
        assert_eq!(last(Observations { test_request: Some(asked(outcome)), ..healthy() }), wanted);
    }
}

#[test]
fn each_environment_has_its_address() {
    let wanted = |place, outside: Option<&str>| {
        let environment = Environment { place, proxy_variable: None };
        let observations = Observations { environment, outside: outside.map(str::to_owned), ..healthy() };
        let last = findings(&observations).pop().unwrap();
        format!("{}: {}", last.found, last.hint.unwrap())
    };
    for (place, outside, text) in [
        (MachineKind::Wsl, None, "networkingMode=mirrored"),
        (MachineKind::Container, None, "http://host.docker.internal:8080"),
        (
            MachineKind::Container,
            Some("http://host.docker.internal:8080"),
            "`--url http://host.docker.internal:8080`",
        ),
        (MachineKind::Remote, None, "Ports view"),
        (MachineKind::Codespace, None, "this is a codespace"),
    ] {
        let wanted = wanted(place, outside);
        assert!(wanted.contains(text), "{wanted}");
    }
}

#[test]
fn proxy_variable_is_an_error() {
    let environment = Environment { place: MachineKind::Plain, proxy_variable: Some("HTTP_PROXY") };
    let wanted = short(&Observations { environment, ..healthy() }).pop().unwrap();
    assert_eq!(
        wanted,
        "Error network: HTTP_PROXY sends requests for this machine to a proxy, which can't reach the server"
    );
}

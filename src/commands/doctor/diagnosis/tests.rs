//! What is said of what was seen.

use std::time::Duration;

use serde_json::json;

use super::*;
use crate::bridge::directory::{ProtocolRange, ServerFile};
use crate::commands::connection_info::tests::wiring;
use crate::commands::doctor::environment::Environment;

const MINE: &str = env!("CARGO_PKG_VERSION");

/// Everything as it should be.
fn well_seen() -> Seen {
    Seen {
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
        answering: Answering::Server { version: MINE.into(), instance: "i".into() },
        health: json!({ "editors": 2, "windows": [["shop", "docs"], []] }),
        models: wiring(&["gpt-4o", "claude-sonnet-4"]).models,
        question: Some(asked(Some((200, "")))),
        outside: None,
        surroundings: Environment::default(),
    }
}

fn asked(outcome: Option<(u16, &str)>) -> Question {
    let outcome = outcome.map(|(status, reason)| (status, reason.to_owned()));
    Question { model: "gpt-4o".into(), took: Duration::from_millis(1200), outcome }
}

/// The findings in short: verdict, subject and what was found.
fn short(seen: &Seen) -> Vec<String> {
    let line = |finding: Finding| {
        assert_eq!(finding.advice.is_none(), finding.verdict == Verdict::Well, "{finding:?}");
        format!("{:?} {}: {}", finding.verdict, finding.subject, finding.found)
    };
    findings(seen).into_iter().map(line).collect()
}

#[test]
fn what_is_well_is_said_to_be() {
    assert_eq!(
        short(&well_seen()),
        [
            format!("Well server: version {MINE} runs here (process 7)"),
            "Well port: the base URL is http://127.0.0.1:8080/v1 (for Anthropic's and Ollama's http://127.0.0.1:8080)"
                .into(),
            "Well windows: 2 attached: shop, docs; one without a folder".into(),
            "Well models: 2: gpt-4o, claude-sonnet-4".into(),
            "Well request: gpt-4o answers, after 1.2s; consent is given".into(),
        ]
    );
}

#[test]
fn without_a_server_there_is_one_thing_to_say() {
    let seen = Seen { file: None, answering: Answering::Nobody, ..well_seen() };
    assert_eq!(short(&seen), ["Wrong server: none runs: there is no server.json in /run/copilot-proxy"]);
}

#[test]
fn a_port_is_the_servers_or_whose_else() {
    let port = |file: Option<ServerFile>, answering| {
        short(&Seen { file, answering, question: None, ..well_seen() }).remove(1)
    };
    let file = || well_seen().file.unwrap();
    let other = Answering::Server { version: MINE.into(), instance: "j".into() };
    for (file, answering, said) in [
        (
            Some(ServerFile { port: None, ..file() }),
            Answering::Nobody,
            "Wrong port: the server has been stopped: its port is closed",
        ),
        (
            Some(file()),
            Answering::Nobody,
            "Wrong port: nobody answers at http://127.0.0.1:8080, where the server should be",
        ),
        (
            Some(ServerFile { port: None, ..file() }),
            Answering::Stranger,
            "Wrong port: http://127.0.0.1:8080 belongs to another program",
        ),
        (
            Some(file()),
            other,
            "Wrong port: another Copilot Proxy answers at http://127.0.0.1:8080 than the one that runs here",
        ),
        (
            Some(file()),
            Answering::WantsKey { had_one: false },
            "Wrong key: http://127.0.0.1:8080 wants a key",
        ),
        (
            Some(file()),
            Answering::WantsKey { had_one: true },
            "Wrong key: http://127.0.0.1:8080 refuses the key in COPILOT_PROXY_API_KEY",
        ),
    ] {
        assert_eq!(port(file, answering), said);
    }
}

#[test]
fn windows_models_consent_and_answers_may_be_missing() {
    let last = |seen: Seen| short(&seen).pop().unwrap();
    assert_eq!(
        last(Seen { health: json!({ "editors": 0 }), models: Vec::new(), question: None, ..well_seen() }),
        "Wrong models: VS Code offers none"
    );
    for (outcome, said) in [
        (
            Some((403, "Allow Copilot Proxy in VS Code: …")),
            "Wrong consent: Allow Copilot Proxy in VS Code: …",
        ),
        (Some((429, "the quota is used up")), "Wrong request: the quota is used up"),
        (Some((500, "no")), "Wrong request: gpt-4o did not answer: 500 no"),
        (None, "Wrong request: gpt-4o said nothing for 1s"),
    ] {
        assert_eq!(last(Seen { question: Some(asked(outcome)), ..well_seen() }), said);
    }
}

#[test]
fn each_place_has_its_address() {
    let said = |place, outside: Option<&str>| {
        let surroundings = Environment { place, detour: None };
        let seen = Seen { surroundings, outside: outside.map(str::to_owned), ..well_seen() };
        let last = findings(&seen).pop().unwrap();
        format!("{}: {}", last.found, last.advice.unwrap())
    };
    for (place, outside, words) in [
        (Place::Wsl, None, "networkingMode=mirrored"),
        (Place::Container, None, "http://host.docker.internal:8080"),
        (
            Place::Container,
            Some("http://host.docker.internal:8080"),
            "`--url http://host.docker.internal:8080`",
        ),
        (Place::Remote, None, "Ports view"),
        (Place::Codespace, None, "this is a codespace"),
    ] {
        let said = said(place, outside);
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn a_detour_is_named() {
    let surroundings = Environment { place: Place::Plain, detour: Some("HTTP_PROXY") };
    let said = short(&Seen { surroundings, ..well_seen() }).pop().unwrap();
    assert_eq!(
        said,
        "Wrong network: HTTP_PROXY sends requests for this machine to a proxy, where no server is"
    );
}

//! Makes findings of what was seen: each says how something stands, and what to do if it stands badly. Pure.

use serde::Serialize;
use serde_json::Value;

use super::environment::Place;
use super::examination::{Answering, Question, Seen};
use crate::commands::api_client::KEY_VARIABLE;

/// How one thing stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Finding {
    /// What it is about, in a word.
    pub subject: &'static str,
    pub verdict: Verdict,
    /// How it stands.
    pub found: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// How well it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Verdict {
    Well,
    /// Worth knowing.
    Note,
    Wrong,
}

fn well(subject: &'static str, found: impl Into<String>) -> Finding {
    Finding { subject, verdict: Verdict::Well, found: found.into(), advice: None }
}

fn note(subject: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Finding {
    Finding { subject, verdict: Verdict::Note, found: found.into(), advice: Some(advice.into()) }
}

fn wrong(subject: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Finding {
    Finding { subject, verdict: Verdict::Wrong, found: found.into(), advice: Some(advice.into()) }
}

/// Everything there is to say, the first cause first.
pub(super) fn findings(seen: &Seen) -> Vec<Finding> {
    let mut findings = vec![server(seen)];
    findings.extend(port(seen));
    if matches!(seen.answering, Answering::Server { .. }) {
        findings.push(windows(&seen.health));
        findings.push(models(seen));
        findings.extend(seen.question.as_ref().map(question));
    }
    findings.extend(place(seen));
    findings.extend(seen.surroundings.detour.map(|variable| {
        wrong(
            "network",
            format!("{variable} sends requests for this machine to a proxy, where no server is"),
            "export NO_PROXY=127.0.0.1,localhost (and no_proxy, which some programs read instead)",
        )
    }));
    findings
}

fn server(seen: &Seen) -> Finding {
    let mine = env!("CARGO_PKG_VERSION");
    match (&seen.file, &seen.answering) {
        (Some(file), _) if file.version != mine => note(
            "server",
            format!("version {} runs here (process {}), this is version {mine}", file.version, file.pid),
            "reload the VS Code windows that are older: Developer: Reload Window",
        ),
        (Some(file), _) => well("server", format!("version {mine} runs here (process {})", file.pid)),
        (None, Answering::Server { version, .. }) => note(
            "server",
            format!(
                "version {version} answers at {}, none is known in {}",
                seen.base,
                seen.directory.display()
            ),
            "a demo or another directory's: fine if that is the one you mean",
        ),
        (None, _) => wrong(
            "server",
            format!("none runs: there is no server.json in {}", seen.directory.display()),
            "open VS Code with the Copilot Proxy extension, or run `Copilot Proxy: Start Server` there; \
             `copilot-proxy demo` tries it without VS Code",
        ),
    }
}

fn port(seen: &Seen) -> Option<Finding> {
    let base = &seen.base;
    let file = seen.file.as_ref();
    let is_closed = file.is_some_and(|file| file.port.is_none());
    Some(match &seen.answering {
        Answering::Nobody if is_closed => wrong(
            "port",
            "the server has been stopped: its port is closed",
            "run `Copilot Proxy: Start Server` in VS Code",
        ),
        Answering::Nobody if file.is_some() => wrong(
            "port",
            format!("nobody answers at {base}, where the server should be"),
            "it may have been killed: reload a VS Code window, which starts it anew",
        ),
        Answering::Nobody => return None,
        Answering::Stranger => wrong(
            "port",
            format!("{base} belongs to another program"),
            "stop that program (the server takes the port as soon as it is free), or choose another port in \
             the setting `copilotProxy.port`",
        ),
        Answering::WantsKey { had_one: false } => wrong(
            "key",
            format!("{base} wants a key"),
            format!("set {KEY_VARIABLE} to what the setting `copilotProxy.apiKey` says"),
        ),
        Answering::WantsKey { had_one: true } => wrong(
            "key",
            format!("{base} refuses the key in {KEY_VARIABLE}"),
            "set it to what the setting `copilotProxy.apiKey` says",
        ),
        Answering::Server { instance, .. } => {
            let known = file.and_then(|file| file.instance.as_ref());
            if known.is_some_and(|known| known != instance) {
                wrong(
                    "port",
                    format!("another Copilot Proxy answers at {base} than the one that runs here"),
                    "stop that one (a demo in a terminal?): this server takes the port as soon as it is free",
                )
            } else {
                well("port", format!("the base URL is {base}/v1 (for Anthropic's and Ollama's {base})"))
            }
        }
    })
}

fn windows(health: &Value) -> Finding {
    let count = health.get("editors").and_then(Value::as_u64).unwrap_or_default();
    if count == 0 {
        return wrong(
            "windows",
            "none is attached",
            "open VS Code with the Copilot Proxy extension; an older window may need Developer: Reload Window",
        );
    }
    let windows = health.get("windows").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let named: Vec<String> = windows.iter().map(named).collect();
    well("windows", format!("{count} attached: {}", named.join("; ")))
}

fn named(folders: &Value) -> String {
    let folders: Vec<&str> = folders.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if folders.is_empty() { "one without a folder".into() } else { folders.join(", ") }
}

fn models(seen: &Seen) -> Finding {
    if seen.models.is_empty() {
        return wrong(
            "models",
            "VS Code offers none",
            "install GitHub Copilot in VS Code, sign in, and open the chat once",
        );
    }
    let ids: Vec<&str> = seen.models.iter().map(|listed| listed.id.as_str()).collect();
    well("models", format!("{}: {}", ids.len(), ids.join(", ")))
}

fn question(Question { model, took, outcome }: &Question) -> Finding {
    match outcome {
        Some((200, _)) => well("request", format!("{model} answers, after {took:.1?}; consent is given")),
        Some((403, reason)) => wrong(
            "consent",
            reason,
            "click Copilot Proxy in VS Code's status bar and allow the use of the models",
        ),
        Some((429, reason)) => {
            wrong("request", reason, "wait, or see in VS Code how much of your Copilot quota is left")
        }
        Some((status, reason)) => wrong(
            "request",
            format!("{model} did not answer: {status} {reason}"),
            "`Copilot Proxy: Show Logs` in VS Code tells more",
        ),
        None => wrong(
            "request",
            format!("{model} said nothing for {took:.0?}"),
            "ask it in VS Code's own chat; `Copilot Proxy: Show Logs` tells more",
        ),
    }
}

fn place(seen: &Seen) -> Option<Finding> {
    let base = &seen.base;
    let (found, advice) = match seen.surroundings.place {
        Place::Plain => return None,
        Place::Codespace => (
            "this is a codespace",
            format!(
                "programs in here use {base}; on your own machine use the address that VS Code's Ports view shows"
            ),
        ),
        Place::Container => match &seen.outside {
            Some(outside) => (
                "this is a container, and a server answers on the machine outside",
                format!("use {outside}; with the commands of this program, `--url {outside}`"),
            ),
            None => (
                "this is a container",
                format!(
                    "with VS Code attached to it the server runs in here: {base}. One outside is reached at \
                     http://host.docker.internal:8080, or at {base} if the container was started with `--network host`"
                ),
            ),
        },
        Place::Wsl => (
            "this is WSL",
            format!(
                "of a VS Code window that is connected to WSL the server runs in here: {base}, for Windows' programs \
                 too. One of a plain Windows window is reached from here if .wslconfig says `networkingMode=mirrored`"
            ),
        ),
        Place::Remote => (
            "this is a remote machine",
            format!(
                "of a Remote-SSH window the server runs here: {base}; on your own machine use the address that VS \
                 Code's Ports view shows"
            ),
        ),
    };
    Some(note("place", found, advice))
}

#[cfg(test)]
mod tests;

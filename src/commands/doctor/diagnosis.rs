//! Turns observations into findings: the status of one thing each, and a hint where something can be done. Pure.

use serde::Serialize;
use serde_json::Value;

use super::environment::MachineKind;
use super::observe::{Observations, Responder, TestRequest};
use crate::commands::api_client::KEY_VARIABLE;
use crate::port_holder::Holder;

/// The status of one thing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(in crate::commands) struct Finding {
    /// The thing, in one word.
    pub subject: &'static str,
    pub status: Severity,
    /// Description of what was found.
    pub found: String,
    /// The one thing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub hint: Option<String>,
}

/// Severity of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(in crate::commands) enum Severity {
    Ok,
    /// Worth knowing; nothing has to be done.
    Info,
    /// Works, but not as it should.
    Warning,
    Error,
}

fn ok(subject: &'static str, found: impl Into<String>) -> Finding {
    Finding { subject, status: Severity::Ok, found: found.into(), hint: None }
}

fn info(subject: &'static str, found: impl Into<String>, hint: impl Into<String>) -> Finding {
    Finding { subject, status: Severity::Info, found: found.into(), hint: Some(hint.into()) }
}

fn warning(subject: &'static str, found: impl Into<String>, hint: impl Into<String>) -> Finding {
    Finding { subject, status: Severity::Warning, found: found.into(), hint: Some(hint.into()) }
}

fn error(subject: &'static str, found: impl Into<String>, hint: impl Into<String>) -> Finding {
    Finding { subject, status: Severity::Error, found: found.into(), hint: Some(hint.into()) }
}

/// All findings, the first cause first.
pub(super) fn findings(observations: &Observations) -> Vec<Finding> {
    let mut findings = vec![server(observations)];
    findings.extend(port(observations));
    if matches!(observations.responder, Responder::Server { .. }) {
        findings.push(windows(&observations.health));
        findings.push(models(observations));
        findings.extend(observations.test_request.as_ref().map(test_request));
    }
    findings.extend(place(observations));
    findings.extend(observations.environment.proxy_variable.map(|variable| {
        error(
            "network",
            format!("{variable} sends requests for this machine to a proxy, which can't reach the server"),
            "export NO_PROXY=127.0.0.1,localhost (and no_proxy, which some programs read instead)",
        )
    }));
    findings
}

fn server(observations: &Observations) -> Finding {
    let mine = env!("CARGO_PKG_VERSION");
    match (&observations.file, &observations.responder) {
        (Some(file), _) if file.version != mine => warning(
            "server",
            format!("version {} is running (pid {}), this program is version {mine}", file.version, file.pid),
            "run `Developer: Reload Window` in the VS Code windows that are older",
        ),
        (Some(file), _) => ok("server", format!("version {mine} is running (pid {})", file.pid)),
        (None, Responder::Server { version, .. }) => info(
            "server",
            format!(
                "version {version} answers at {}, but no server is registered in {}",
                observations.base,
                observations.directory.display()
            ),
            "a demo, or a server of another directory: fine if that is the one you mean",
        ),
        (None, _) => error(
            "server",
            format!("not running: no server.json in {}", observations.directory.display()),
            "open VS Code with the Copilot Proxy extension, or run `Copilot Proxy: Start Server` there; \
             `copilot-proxy demo` tries it without VS Code",
        ),
    }
}

fn port(observations: &Observations) -> Option<Finding> {
    let base = &observations.base;
    let file = observations.file.as_ref();
    let is_closed = file.is_some_and(|file| file.port.is_none());
    Some(match &observations.responder {
        Responder::None if is_closed => error(
            "port",
            "the server is stopped, its port is closed",
            "run `Copilot Proxy: Start Server` in VS Code",
        ),
        Responder::None if file.is_some() => error(
            "port",
            format!("no answer at {base}, where the server should be"),
            "it may have been killed: run `Developer: Reload Window` in VS Code, which starts it again",
        ),
        Responder::None => return None,
        Responder::OtherProgram { holder } => error(
            "port",
            format!("{base} is in use by {}", program(holder.as_ref())),
            "stop that program (the server takes the port as soon as it is free), or choose another port in \
             the setting `copilotProxy.port`",
        ),
        Responder::NeedsKey { sent_one: false } => error(
            "key",
            format!("{base} needs a key"),
            format!("set {KEY_VARIABLE} to a key; `Copilot Proxy: Manage Keys...` in VS Code copies one"),
        ),
        Responder::NeedsKey { sent_one: true } => error(
            "key",
            format!("{base} refuses the key in {KEY_VARIABLE}"),
            "set it to a key that `Copilot Proxy: Manage Keys...` in VS Code copies",
        ),
        Responder::Server { instance, .. } => {
            let known = file.and_then(|file| file.instance.as_ref());
            if known.is_some_and(|known| known != instance) {
                error(
                    "port",
                    format!("{base} is in use by another Copilot Proxy server"),
                    "stop that server (a demo in a terminal?): this one takes the port as soon as it is free",
                )
            } else {
                ok("port", format!("the base URL is {base}/v1 ({base} for Anthropic's and Ollama's APIs)"))
            }
        }
    })
}

fn program(holder: Option<&Holder>) -> String {
    holder.map_or_else(|| "another program".into(), |Holder { name, pid }| format!("{name} (pid {pid})"))
}

fn windows(health: &Value) -> Finding {
    let count = health.get("editors").and_then(Value::as_u64).unwrap_or_default();
    if count == 0 {
        return error(
            "windows",
            "no window is attached",
            "open VS Code with the Copilot Proxy extension; an older window may need Developer: Reload Window",
        );
    }
    let windows = health.get("windows").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let named: Vec<String> = windows.iter().map(named).collect();
    ok("windows", format!("{count} attached: {}", named.join("; ")))
}

fn named(folders: &Value) -> String {
    let folders: Vec<&str> = folders.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    if folders.is_empty() { "one without folder".into() } else { folders.join(", ") }
}

fn models(observations: &Observations) -> Finding {
    if observations.models.is_empty() {
        return error(
            "models",
            "VS Code offers no language models",
            "install GitHub Copilot in VS Code, sign in, and open the chat once",
        );
    }
    let ids: Vec<&str> = observations.models.iter().map(|listed| listed.id.as_str()).collect();
    ok("models", format!("{}: {}", ids.len(), ids.join(", ")))
}

fn test_request(TestRequest { model, took, outcome }: &TestRequest) -> Finding {
    match outcome {
        Some((200, _)) => ok("request", format!("{model} answered in {took:.1?}; consent is given")),
        Some((403, reason)) => error(
            "consent",
            reason,
            "click Copilot Proxy in VS Code's status bar and allow the use of the models",
        ),
        Some((429, reason)) => error("request", reason, "wait, or check your Copilot quota in VS Code"),
        Some((status, reason)) => error(
            "request",
            format!("{model} failed: {status} {reason}"),
            "see `Copilot Proxy: Show Logs` in VS Code",
        ),
        None => error(
            "request",
            format!("{model} was silent for {took:.0?}"),
            "try it in VS Code's own chat; see `Copilot Proxy: Show Logs`",
        ),
    }
}

fn place(observations: &Observations) -> Option<Finding> {
    let base = &observations.base;
    let (found, hint) = match observations.environment.place {
        MachineKind::Plain => return None,
        MachineKind::Codespace => (
            "this is a codespace",
            format!(
                "programs in here use {base}; on your own machine use the address that VS Code's Ports view shows"
            ),
        ),
        MachineKind::Container => match &observations.outside {
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
        MachineKind::Wsl => (
            "this is WSL",
            format!(
                "of a VS Code window that is connected to WSL the server runs in here: {base}, for Windows' programs \
                 too. One of a plain Windows window is reached from here if .wslconfig says `networkingMode=mirrored`"
            ),
        ),
        MachineKind::Remote => (
            "this is a remote machine",
            format!(
                "of a Remote-SSH window the server runs here: {base}; on your own machine use the address that VS \
                 Code's Ports view shows"
            ),
        ),
    };
    Some(info("place", found, hint))
}

#[cfg(test)]
mod tests;

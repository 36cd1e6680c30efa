//! `setup` without a client: lists the clients, which of them are on this machine, and which are set up.

use std::env;
use std::io::{self, Write};
use std::path::Path;

use clap::ValueEnum;
use serde::Serialize;

use super::SetupError;
use super::undo_log::UndoLog;
use crate::commands::clients::{Client, ConfigPaths, Scope, SetupMethod};

/// A client in one scope, as `setup --json` lists it.
#[derive(Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(in crate::commands) struct ClientEntry {
    /// Name on the command line.
    client: String,
    /// Name that its makers use.
    title: &'static str,
    /// Null where there is a text to copy.
    scope: Option<Scope>,
    /// File that is written, the first if there are several; null where there is a text to copy.
    file: Option<String>,
    /// Whether it is set up, and can be undone.
    set_up: bool,
    /// Whether its command is on this machine.
    installed: bool,
}

pub(super) fn print(paths: &ConfigPaths, as_json: bool) -> Result<(), SetupError> {
    let entries: Vec<Vec<ClientEntry>> =
        Client::value_variants().iter().map(|client| entries(*client, paths)).collect::<Result<_, _>>()?;
    let mut out = io::stdout().lock();
    if as_json {
        let entries: Vec<ClientEntry> = entries.into_iter().flatten().collect();
        writeln!(out, "{}", serde_json::to_string(&entries).map_err(io::Error::from)?)?;
        return Ok(());
    }
    for entries in entries {
        let is_choice = entries.len() > 1;
        for (number, entry) in entries.into_iter().enumerate() {
            let name = if number == 0 { &entry.client } else { "" };
            let how = entry.file.as_deref().unwrap_or("text to copy");
            let scope = (is_choice && entry.scope == Some(Scope::Project)).then_some("--scope project");
            let marks = [
                scope,
                (entry.installed && number == 0).then_some("installed"),
                entry.set_up.then_some("set up"),
            ];
            let marks: Vec<&str> = marks.into_iter().flatten().collect();
            let marks = if marks.is_empty() { String::new() } else { format!(" ({})", marks.join(", ")) };
            writeln!(out, "{name:<16} {how}{marks}")?;
        }
    }
    Ok(())
}

fn entries(client: Client, paths: &ConfigPaths) -> Result<Vec<ClientEntry>, SetupError> {
    let installed = client.program().is_some_and(is_installed);
    let entry = |scope, file, set_up| ClientEntry {
        client: client.name(),
        title: client.title(),
        scope,
        file,
        set_up,
        installed,
    };
    let configuration = match client.method() {
        SetupMethod::Write(configuration) => configuration,
        SetupMethod::Copy(_) => return Ok(vec![entry(None, None, false)]),
    };
    let of_scope = |scope| {
        let logs = configuration.files(scope).iter().map(|file| UndoLog::of_file(paths, &file.path(paths)));
        let logs: Vec<UndoLog> = logs.collect::<Result<_, _>>()?;
        let set_up = logs.iter().any(|log| log.has(client));
        Ok(entry(Some(scope), logs.first().map(|log| log.file().display().to_string()), set_up))
    };
    configuration.scopes().map(of_scope).collect()
}

/// Whether a command is found by its name.
fn is_installed(program: &str) -> bool {
    let names = if cfg!(windows) {
        ["exe", "cmd", "bat"].map(|extension| format!("{program}.{extension}")).to_vec()
    } else {
        vec![program.to_owned()]
    };
    let is_in = |folder: &Path| names.iter().any(|name| folder.join(name).is_file());
    env::var_os("PATH").is_some_and(|path| env::split_paths(&path).any(|folder| is_in(&folder)))
}

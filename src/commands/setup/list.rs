//! `setup` without a client: lists the clients and which of them are set up.

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;

use super::SetupError;
use super::undo_log::UndoLog;
use crate::commands::clients::{Client, ConfigPaths, SetupMethod};

/// A client, as `setup --json` lists it.
#[derive(Serialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub(in crate::commands) struct ClientEntry {
    /// Name on the command line.
    client: String,
    /// Name that its makers use.
    title: &'static str,
    /// File that is written; null where there is a text to copy.
    file: Option<String>,
    /// Whether it is set up, and can be undone.
    set_up: bool,
}

pub(super) fn print(paths: &ConfigPaths, as_json: bool) -> Result<(), SetupError> {
    let entries: Vec<ClientEntry> =
        Client::value_variants().iter().map(|client| entry(*client, paths)).collect::<Result<_, _>>()?;
    let mut out = io::stdout().lock();
    if as_json {
        writeln!(out, "{}", serde_json::to_string(&entries).map_err(io::Error::from)?)?;
        return Ok(());
    }
    for ClientEntry { client, file, set_up, .. } in entries {
        let how = file.as_deref().unwrap_or("text to copy");
        let state = if set_up { " (set up)" } else { "" };
        writeln!(out, "{client:<16} {how}{state}")?;
    }
    Ok(())
}

fn entry(client: Client, paths: &ConfigPaths) -> Result<ClientEntry, SetupError> {
    let record = match client.method() {
        SetupMethod::Write(configuration) => Some(UndoLog::of_file(paths, &configuration.file(paths))?),
        SetupMethod::Copy(_) => None,
    };
    Ok(ClientEntry {
        client: client.name(),
        title: client.title(),
        file: record.as_ref().map(|record| record.file().display().to_string()),
        set_up: record.is_some_and(|record| record.last().is_some()),
    })
}

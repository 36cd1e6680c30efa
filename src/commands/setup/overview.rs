//! The programs that can be set up, and which of them are.

use std::io::{self, Write};

use clap::ValueEnum;
use serde::Serialize;

use super::SetupError;
use super::undo_log::UndoLog;
use crate::commands::client::{Client, ConfigPaths, SetupMethod};

/// One of them.
#[derive(Serialize)]
struct Entry {
    /// As it is said on the command line.
    client: String,
    /// As its makers write it.
    title: &'static str,
    /// The file that is written; null where the person is given a text to copy.
    file: Option<String>,
    /// It was set up, and can be put back.
    set_up: bool,
}

pub(super) fn tell(places: &ConfigPaths, as_json: bool) -> Result<(), SetupError> {
    let entries: Vec<Entry> =
        Client::value_variants().iter().map(|client| entry(*client, places)).collect::<Result<_, _>>()?;
    let mut out = io::stdout().lock();
    if as_json {
        writeln!(out, "{}", serde_json::to_string(&entries).map_err(io::Error::from)?)?;
        return Ok(());
    }
    for Entry { client, file, set_up, .. } in entries {
        let how = file.as_deref().unwrap_or("text to copy");
        let state = if set_up { " (set up)" } else { "" };
        writeln!(out, "{client:<12} {how}{state}")?;
    }
    Ok(())
}

fn entry(client: Client, places: &ConfigPaths) -> Result<Entry, SetupError> {
    let record = match client.way(places) {
        SetupMethod::File(file) => Some(UndoLog::of_file(places, &file)?),
        SetupMethod::Text(_) => None,
    };
    Ok(Entry {
        client: client.name(),
        title: client.title(),
        file: record.as_ref().map(|record| record.file().display().to_string()),
        set_up: record.is_some_and(|record| record.last().is_some()),
    })
}

//! `copilot-proxy setup CLIENT`: writes the configuration that makes a client use this server, after showing the change;
//! `--undo` restores the file byte for byte. With `--json` the calling program asks the user.

use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

use super::api_client::{KEY_VARIABLE, ServerOption};
use super::clients::{Client, ConfigPaths, Configuration, SetupMethod, Unreadable, snippets};
use super::connection_info::{ConnectionInfo, NoSuchModel};

mod client_key;
mod diff;
mod file;
mod list;
mod plan;
mod undo_log;

use client_key::ClientKey;
#[cfg(test)]
pub(super) use list::ClientEntry;
pub(super) use plan::Plan;
use undo_log::UndoLog;

/// Options of `copilot-proxy setup`.
#[derive(Clone, Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line, free of the others")]
pub struct SetupOptions {
    /// The client to set up; list all clients when omitted
    #[arg(value_enum)]
    pub client: Option<Client>,

    /// Write without asking
    #[arg(long, short)]
    pub yes: bool,

    /// Restore the file as it was before
    #[arg(long, requires = "client")]
    pub undo: bool,

    /// Undo even if the file was changed since; those changes are lost
    #[arg(long, requires = "undo")]
    pub force: bool,

    /// The model to use, by any name that the server understands [default: the newest of the client's kind]
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,

    /// Write no key that names the client; any is accepted while you have made none in VS Code
    #[arg(long, conflicts_with = "undo")]
    pub no_key: bool,

    /// Print the planned change as one JSON line, then wait for `y`
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub(super) server: ServerOption,
}

/// Reasons for which a client was not set up; its file is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// There is no home directory.
    #[error("no home directory: set HOME")]
    NoHome,
    /// A file can't be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// Path of the file.
        path: PathBuf,
        /// The system's words.
        error: io::Error,
    },
    /// Its file is not what such a file should be.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// Path of the file.
        path: PathBuf,
        /// The problem in it.
        error: Unreadable,
    },
    /// The model that was named is not there.
    #[error(transparent)]
    NoSuchModel(#[from] NoSuchModel),
    /// It was never set up.
    #[error("{}: nothing to undo, Copilot Proxy has not written this file", .0.display())]
    NothingToUndo(PathBuf),
    /// The file was edited after set-up.
    #[error(
        "{}: it was changed after it was set up, and undoing would lose these changes; `--undo --force` puts back \
         what was there before all the same",
        .0.display()
    )]
    Changed(PathBuf),
    /// The file was edited while the user was asked.
    #[error("{}: the file was changed after the preview; nothing was written. Run the command again", .0.display())]
    ChangedMeanwhile(PathBuf),
    /// The user declined.
    #[error("nothing was changed")]
    Declined,
    /// The terminal is gone.
    #[error(transparent)]
    Terminal(#[from] io::Error),
}

/// Names the file that an error of the system is about.
fn at(path: &Path) -> impl FnOnce(io::Error) -> SetupError {
    move |error| SetupError::Io { path: path.to_owned(), error }
}

/// Sets a client up or undoes it; lists all clients when none is given.
pub fn setup(options: &SetupOptions) -> Result<(), SetupError> {
    let paths =
        ConfigPaths::of(|name| std::env::var_os(name).map(PathBuf::from)).ok_or(SetupError::NoHome)?;
    let Some(client) = options.client else { return list::print(&paths, options.json) };
    let configuration = match client.method() {
        SetupMethod::Copy(_) if options.undo => {
            let message = "Nothing to undo: no file is written for this client.".into();
            return Ok(Plan::Nothing { message }.print(options.json)?);
        }
        SetupMethod::Copy(snippet) => {
            let connection = ConnectionInfo::of(&options.server, options.model.as_deref())?;
            let text = snippets::fill_in(snippet.text, &connection);
            return Ok(Plan::Copy { into: snippet.into, text }.print(options.json)?);
        }
        SetupMethod::Write(configuration) => configuration,
    };
    let record = UndoLog::of_file(&paths, &configuration.file(&paths))?;
    if options.undo { undo(options, record) } else { write_settings(options, client, configuration, record) }
}

fn write_settings(
    options: &SetupOptions,
    client: Client,
    configuration: Configuration,
    mut record: UndoLog,
) -> Result<(), SetupError> {
    let path = record.file().to_owned();
    let mut connection = ConnectionInfo::of(&options.server, options.model.as_deref())?;
    let before = file::read(&path).map_err(at(&path))?;
    let unreadable = |error| SetupError::Unreadable { path: path.clone(), error };
    let text = before.as_deref().map(std::str::from_utf8).transpose();
    let text = text.map_err(|_| unreadable(Unreadable("it is no UTF-8 text".into())))?;
    let mut client_key = if client.shares_file() { None } else { ClientKey::of(options, text)? };
    if let Some(client_key) = &client_key {
        connection.key = Some(client_key.text.clone());
    } else if client.shares_file() {
        connection.key = connection.key.map(|_| format!("${{{KEY_VARIABLE}:-unused}}"));
    }
    let after = configuration.apply(text, &connection).map_err(unreadable)?;
    if text == Some(after.as_str()) {
        let message = format!("{}: set up already.", path.display());
        return Ok(Plan::Nothing { message }.print(options.json)?);
    }
    let is_guess = configuration.names_model && connection.models.is_empty();
    let note = is_guess.then(|| {
        let base = &connection.base;
        format!(
            "No models at {base} now: the one written here is a general name, which the server will understand."
        )
    });
    let plan = Plan::Write {
        file: path.display().to_string(),
        before: text.map(str::to_owned),
        after: after.clone(),
        note,
        next: configuration.next_step,
    };
    confirm(options, &plan)?;
    unchanged(&path, before.as_deref())?;
    // The undo entry is saved first: a file that can't be restored is not written.
    record.add(before.as_deref(), after.as_bytes())?;
    if let Some(client_key) = &mut client_key {
        client_key.record(&client.name(), &path)?;
    }
    file::write(&path, after.as_bytes()).map_err(at(&path))?;
    if !options.json {
        let (next, name) = (configuration.next_step, client.name());
        writeln!(io::stdout(), "Written. Next: {next}.\nTo undo: copilot-proxy setup {name} --undo")?;
    }
    Ok(())
}

fn undo(options: &SetupOptions, mut record: UndoLog) -> Result<(), SetupError> {
    let path = record.file().to_owned();
    let now = file::read(&path).map_err(at(&path))?;
    let Some(step) = record.last() else { return Err(SetupError::NothingToUndo(path)) };
    let changed = !step.wrote(now.as_deref());
    if changed && !options.force {
        return Err(SetupError::Changed(path));
    }
    let before = step.before()?;
    let text =
        |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let plan =
        Plan::Undo { file: path.display().to_string(), before: text(&now), after: text(&before), changed };
    confirm(options, &plan)?;
    unchanged(&path, now.as_deref())?;
    match &before {
        Some(bytes) => file::write(&path, bytes).map_err(at(&path))?,
        None => record.remove().map_err(at(&path))?,
    }
    record.remove_last()?;
    ClientKey::remove(options, &path, text(&before).as_deref())?;
    if !options.json {
        writeln!(io::stdout(), "{}: as it was before.", path.display())?;
    }
    Ok(())
}

/// The question may take long: only what was shown is changed.
fn unchanged(path: &Path, shown: Option<&[u8]>) -> Result<(), SetupError> {
    let now = file::read(path).map_err(at(path))?;
    if now.as_deref() == shown { Ok(()) } else { Err(SetupError::ChangedMeanwhile(path.to_owned())) }
}

/// Shows what is to be done, and asks.
fn confirm(options: &SetupOptions, plan: &Plan) -> Result<(), SetupError> {
    plan.print(options.json)?;
    if options.yes {
        return Ok(());
    }
    if !options.json {
        write!(io::stdout(), "{} [y/N] ", plan.question())?;
    }
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if ["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) {
        return Ok(());
    }
    if !options.json {
        writeln!(io::stdout())?;
    }
    Err(SetupError::Declined)
}

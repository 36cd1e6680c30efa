//! `copilot-proxy setup CLIENT`: writes the configuration that makes a client use this server, after showing the change;
//! `--undo` restores the files byte for byte. With `--json` the calling program asks the user.

use std::io::{self, BufRead, IsTerminal, Write};
use std::path::{Path, PathBuf};

use super::api_client::{ServerOption, key};
use super::clients::shell::Shell;
use super::clients::{
    Client, ConfigFile, ConfigPaths, Configuration, KeyText, Scope, SetupMethod, Unreadable,
};
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
use plan::FileChange;
pub(super) use plan::Plan;
use undo_log::{Planned, UndoLog, Writer};

/// Options of `copilot-proxy setup`.
#[derive(Clone, Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of the command line, free of the others")]
pub struct SetupOptions {
    /// The client to set up; list all clients when omitted
    #[arg(value_enum, group = "target")]
    pub client: Option<Client>,

    /// Write without asking
    #[arg(long, short)]
    pub yes: bool,

    /// Restore the files as they were before
    #[arg(long, requires = "target")]
    pub undo: bool,

    /// Undo every set-up
    #[arg(long, requires = "undo", group = "target")]
    pub all: bool,

    /// Undo even if a file was changed since; those changes are lost
    #[arg(long, requires = "undo")]
    pub force: bool,

    /// For all your projects or for this folder only [default: all projects, where the client has such a file]
    #[arg(long, value_enum, requires = "client")]
    pub scope: Option<Scope>,

    /// The model to use, by any name that the server understands [default: the newest of the client's kind]
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,

    /// Write no key that names the client; any is accepted while you have made none in VS Code
    #[arg(long, conflicts_with = "undo")]
    pub no_key: bool,

    /// Shell of the commands in a text to copy [default: yours]
    #[arg(long, value_enum)]
    pub shell: Option<Shell>,

    /// Print the planned change as one JSON line, then wait for `y`
    #[arg(long)]
    pub json: bool,

    #[command(flatten)]
    pub(super) server: ServerOption,
}

/// Reasons for which a client was not set up; its files are unchanged.
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
    /// The client has no file of this scope.
    #[error("{0} has no configuration {1} that could be set up; leave `--scope` out")]
    NoSuchScope(&'static str, &'static str),
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

/// A file that a set-up changes.
struct Target {
    log: UndoLog,
    /// Its content now.
    now: Option<Vec<u8>>,
    planned: Planned,
}

impl Target {
    fn path(&self) -> &Path {
        self.log.file()
    }

    fn change(&self) -> FileChange {
        FileChange {
            file: self.path().display().to_string(),
            before: text(self.now.as_deref()),
            after: text(self.planned.content.as_deref()),
        }
    }
}

fn text(bytes: Option<&[u8]>) -> Option<String> {
    bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned())
}

/// Sets a client up or undoes it; lists all clients when none is given.
pub fn setup(options: &SetupOptions) -> Result<(), SetupError> {
    let paths =
        ConfigPaths::of(|name| std::env::var_os(name).map(PathBuf::from)).ok_or(SetupError::NoHome)?;
    if options.all {
        return undo_all(options, &paths);
    }
    let Some(client) = options.client else { return list::print(&paths, options.json) };
    match client.method() {
        SetupMethod::Copy(_) if options.undo => {
            let message = "Nothing to undo: no file is written for this client.".into();
            Ok(Plan::Nothing { message }.print(options.json)?)
        }
        SetupMethod::Copy(snippet) => {
            let connection = ConnectionInfo::of(&options.server, options.model.as_deref())?;
            let shell = options.shell.unwrap_or_else(|| Shell::of(|name| std::env::var(name).ok()));
            let (into, text) = snippet.for_server(&connection, shell);
            Ok(Plan::Copy { into, text }.print(options.json)?)
        }
        SetupMethod::Write(configuration) if options.undo => undo(options, client, configuration, &paths),
        SetupMethod::Write(configuration) => write_settings(options, client, configuration, &paths),
    }
}

fn write_settings(
    options: &SetupOptions,
    client: Client,
    configuration: Configuration,
    paths: &ConfigPaths,
) -> Result<(), SetupError> {
    let scope = chosen_scope(options, client, configuration)?;
    let connection = ConnectionInfo::of(&options.server, options.model.as_deref())?;
    let files = configuration.files(scope);
    let mut found = Vec::new();
    for file in files {
        let log = UndoLog::of_file(paths, &file.path(paths))?;
        let now = file::read(log.file()).map_err(at(log.file()))?;
        found.push((*file, log, now));
    }
    let has_key = files.iter().any(|file| file.key == KeyText::Clear);
    let texts: Vec<Option<String>> = found.iter().map(|(_, _, now)| text(now.as_deref())).collect();
    let texts: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
    let mut client_key = if has_key { ClientKey::of(options, &texts)? } else { None };
    let mut targets = Vec::new();
    for (part, (file, log, now)) in found.into_iter().enumerate() {
        let connection = with_key_for(file, &connection, client_key.as_ref());
        let planned = log.with(Writer::new(client, scope, part, connection), now.as_deref());
        let planned =
            planned.map_err(|error| SetupError::Unreadable { path: log.file().to_owned(), error })?;
        if !is_same(file, now.as_deref(), planned.content.as_deref()) {
            targets.push(Target { log, now, planned });
        }
    }
    if targets.is_empty() {
        let path = files.first().map(|file| UndoLog::of_file(paths, &file.path(paths))).transpose()?;
        let path = path.map(|log| log.file().display().to_string()).unwrap_or_default();
        let message = format!("{path}: set up already.");
        return Ok(Plan::Nothing { message }.print(options.json)?);
    }
    let is_guess = configuration.names_model && connection.models.is_empty();
    let note = is_guess.then(|| {
        let base = &connection.base;
        format!(
            "No models at {base} now: the one written here is a general name, which the server will understand."
        )
    });
    let name = client.name();
    let plan = Plan::Write {
        changes: targets.iter().map(Target::change).collect(),
        note,
        next: configuration.next_step,
        without_vscode: format!(
            "This works while VS Code is open; `copilot-proxy setup {name} --undo` puts back what is there now."
        ),
    };
    confirm(options, &plan)?;
    for target in &targets {
        unchanged(target.path(), target.now.as_deref())?;
    }
    // The undo entries are saved first: a file that can't be restored is not written.
    for target in &mut targets {
        target.log.record(&target.planned)?;
    }
    if let Some(client_key) = &mut client_key {
        let has_it = |target: &&Target| {
            text(target.planned.content.as_deref()).is_some_and(|text| text.contains(&client_key.text))
        };
        if let Some(path) = targets.iter().find(has_it).map(|target| target.path().to_owned()) {
            client_key.record(&name, &path)?;
        }
    }
    for target in &targets {
        let bytes = target.planned.content.as_deref().unwrap_or_default();
        file::write(target.path(), bytes).map_err(at(target.path()))?;
    }
    if !options.json {
        let next = configuration.next_step;
        writeln!(io::stdout(), "Written. Next: {next}.\nTo undo: copilot-proxy setup {name} --undo")?;
    }
    Ok(())
}

/// The connection with the key as the file is to hold it.
fn with_key_for(
    file: ConfigFile,
    connection: &ConnectionInfo,
    client_key: Option<&ClientKey>,
) -> ConnectionInfo {
    let own = client_key.map(|client_key| client_key.text.clone());
    let key = match file.key {
        KeyText::Clear => own.or_else(|| connection.key.clone()),
        KeyText::Reference(reference) => connection.key.as_ref().map(|_| reference.to_owned()),
    };
    ConnectionInfo { key, ..connection.clone() }
}

/// Whether nothing that counts would change.
fn is_same(file: ConfigFile, now: Option<&[u8]>, after: Option<&[u8]>) -> bool {
    let significant = |bytes: Option<&[u8]>| text(bytes).map(|text| file.significant(&text));
    significant(now) == significant(after)
}

/// The scope that the user names, else the client's usual one. A person at a terminal is asked if there are two.
fn chosen_scope(
    options: &SetupOptions,
    client: Client,
    configuration: Configuration,
) -> Result<Scope, SetupError> {
    if let Some(scope) = options.scope {
        let whose = match scope {
            Scope::User => "for all projects",
            Scope::Project => "of a project",
        };
        let is_there = !configuration.files(scope).is_empty();
        return if is_there { Ok(scope) } else { Err(SetupError::NoSuchScope(client.title(), whose)) };
    }
    let usual = configuration.scopes().next().unwrap_or(Scope::User);
    let is_choice = configuration.scopes().count() > 1;
    if !is_choice || options.yes || options.json || !io::stdin().is_terminal() {
        return Ok(usual);
    }
    write!(io::stdout(), "For all your projects, or for this folder only? [Projects/folder] ")?;
    io::stdout().flush()?;
    let answer = answer()?;
    Ok(if ["f", "folder"].contains(&answer.as_str()) { Scope::Project } else { usual })
}

fn undo(
    options: &SetupOptions,
    client: Client,
    configuration: Configuration,
    paths: &ConfigPaths,
) -> Result<(), SetupError> {
    let mut targets = Vec::new();
    let mut first = None;
    for scope in configuration.scopes().filter(|scope| options.scope.is_none_or(|wanted| wanted == *scope)) {
        for file in configuration.files(scope) {
            let log = UndoLog::of_file(paths, &file.path(paths))?;
            first.get_or_insert_with(|| log.file().to_owned());
            let now = file::read(log.file()).map_err(at(log.file()))?;
            let key = ClientKey::in_text(options, text(now.as_deref()).as_deref())?.or_else(key);
            if let Some(planned) = log.without(client, now.as_deref(), key.as_deref())? {
                targets.push(Target { log, now, planned });
            }
        }
        // The folder's set-up stands unless it is the only one or was named.
        if !targets.is_empty() {
            break;
        }
    }
    if targets.is_empty() {
        return Err(SetupError::NothingToUndo(first.unwrap_or_default()));
    }
    restore(options, targets)
}

/// Undoes every set-up whose files are as they were written; names the others.
fn undo_all(options: &SetupOptions, paths: &ConfigPaths) -> Result<(), SetupError> {
    let mut targets = Vec::new();
    for log in UndoLog::all(paths)? {
        let now = file::read(log.file()).map_err(at(log.file()))?;
        let Some(planned) = log.without_all(now.as_deref())? else { continue };
        if planned.loses_changes && !options.force {
            super::warn(&SetupError::Changed(log.file().to_owned()).to_string());
        } else {
            targets.push(Target { log, now, planned });
        }
    }
    if targets.is_empty() {
        return Ok(Plan::Nothing { message: "Nothing to undo.".into() }.print(options.json)?);
    }
    restore(options, targets)
}

/// Puts the planned contents back.
fn restore(options: &SetupOptions, mut targets: Vec<Target>) -> Result<(), SetupError> {
    let changed = targets.iter().find(|target| target.planned.loses_changes);
    if let Some(changed) = changed.filter(|_| !options.force) {
        return Err(SetupError::Changed(changed.path().to_owned()));
    }
    let plan =
        Plan::Undo { changed: changed.is_some(), changes: targets.iter().map(Target::change).collect() };
    confirm(options, &plan)?;
    for target in &targets {
        unchanged(target.path(), target.now.as_deref())?;
    }
    for target in &mut targets {
        let path = target.path().to_owned();
        match &target.planned.content {
            Some(bytes) => file::write(&path, bytes).map_err(at(&path))?,
            None => target.log.remove().map_err(at(&path))?,
        }
        target.log.record(&target.planned)?;
        ClientKey::remove(options, &path, text(target.planned.content.as_deref()).as_deref())?;
        if !options.json {
            writeln!(io::stdout(), "{}: as it was before.", path.display())?;
        }
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
    if ["y", "yes"].contains(&answer()?.as_str()) {
        return Ok(());
    }
    if !options.json {
        writeln!(io::stdout())?;
    }
    Err(SetupError::Declined)
}

/// A line of the user's, in lower case.
fn answer() -> io::Result<String> {
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(answer.trim().to_lowercase())
}

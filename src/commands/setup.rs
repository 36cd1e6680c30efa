//! `copilot-proxy setup CLIENT`: writes the file that makes a client use this server, once the person has seen
//! what is to change; `--undo` puts back what was there, byte for byte.

use std::io::{self, BufRead, Write};
use std::path::{Path, PathBuf};

use super::client::{Client, Places, Unreadable, Way, recipes};
use super::reach::ServerOption;
use super::wiring::{NoSuchModel, Wiring};

mod diff;
mod file;
mod record;

use record::Record;

/// What a person says after `copilot-proxy setup`.
#[derive(Clone, Debug, clap::Args)]
pub struct SetupOptions {
    /// The program to set up
    #[arg(value_enum)]
    pub client: Client,

    /// Write without asking
    #[arg(long, short)]
    pub yes: bool,

    /// Put back what was there before
    #[arg(long)]
    pub undo: bool,

    /// Undo even if the file was changed since; what was changed is lost
    #[arg(long, requires = "undo")]
    pub force: bool,

    /// The model to use, by any name that the server understands [default: the newest of the client's kind]
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,

    #[command(flatten)]
    pub(super) server: ServerOption,
}

/// Why a client was not set up; its file is as it was.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// Nobody knows where its file is.
    #[error("no home directory: set HOME")]
    NoHome,
    /// A file can't be read or written.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's words.
        error: io::Error,
    },
    /// Its file is not what such a file should be.
    #[error("{}: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        error: Unreadable,
    },
    /// The model that was named is not there.
    #[error(transparent)]
    NoSuchModel(#[from] NoSuchModel),
    /// It was never set up.
    #[error("{}: nothing to undo, Copilot Proxy has not written this file", .0.display())]
    NothingToUndo(PathBuf),
    /// Somebody has worked on it.
    #[error(
        "{}: it was changed after it was set up; `--undo --force` puts back what was there before, all the same",
        .0.display()
    )]
    Changed(PathBuf),
    /// The person said no.
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

/// Sets a client up, or back.
pub fn setup(options: &SetupOptions) -> Result<(), SetupError> {
    let places = Places::of(|name| std::env::var_os(name).map(PathBuf::from)).ok_or(SetupError::NoHome)?;
    let path = match options.client.way(&places) {
        Way::Text(_) if options.undo => {
            writeln!(io::stdout(), "Nothing to undo: no file is written for this client.")?;
            return Ok(());
        }
        Way::Text(recipe) => {
            let wiring = Wiring::of(&options.server, options.model.as_deref())?;
            write!(io::stdout(), "{}", recipes::filled_in(recipe, &wiring))?;
            return Ok(());
        }
        Way::File(path) => std::path::absolute(&path).map_err(at(&path))?,
    };
    let record = Record::of(&places.state.join("setup"), &path)?;
    if options.undo { undo(options, record) } else { write_settings(options, record) }
}

fn write_settings(options: &SetupOptions, mut record: Record) -> Result<(), SetupError> {
    let path = record.file().to_owned();
    let wiring = Wiring::of(&options.server, options.model.as_deref())?;
    let before = file::read(&path).map_err(at(&path))?;
    let unreadable = |error| SetupError::Unreadable { path: path.clone(), error };
    let text = before.as_deref().map(std::str::from_utf8).transpose();
    let text = text.map_err(|_| unreadable(Unreadable("it is no UTF-8 text".into())))?;
    let after = options.client.settled(text, &wiring).map_err(unreadable)?;
    if wiring.models.is_empty() {
        writeln!(
            io::stdout(),
            "No models at {} now: the one written here is a general name, which the server will understand.",
            wiring.base
        )?;
    }
    if text == Some(after.as_str()) {
        writeln!(io::stdout(), "{}: set up already.", path.display())?;
        return Ok(());
    }
    show(&path, text, Some(&after))?;
    consent(options.yes, "Write this?")?;
    // The way back is kept first: a file that can't be put back is not written.
    record.remember(before.as_deref(), after.as_bytes())?;
    file::write(&path, after.as_bytes()).map_err(at(&path))?;
    writeln!(
        io::stdout(),
        "Written. Next: {}.\nBack to how it was: copilot-proxy setup {} --undo",
        options.client.next_step(),
        name_of(options.client)
    )?;
    Ok(())
}

fn undo(options: &SetupOptions, mut record: Record) -> Result<(), SetupError> {
    let path = record.file().to_owned();
    let now = file::read(&path).map_err(at(&path))?;
    let Some(step) = record.last() else { return Err(SetupError::NothingToUndo(path)) };
    if !options.force && !step.wrote(now.as_deref()) {
        return Err(SetupError::Changed(path));
    }
    let before = step.before()?;
    let text =
        |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    show(&path, text(&now).as_deref(), text(&before).as_deref())?;
    consent(options.yes, "Put this back?")?;
    match &before {
        Some(bytes) => file::write(&path, bytes).map_err(at(&path))?,
        None => record.unmake().map_err(at(&path))?,
    }
    record.forget_last()?;
    writeln!(io::stdout(), "{}: as it was before.", path.display())?;
    Ok(())
}

fn show(path: &Path, before: Option<&str>, after: Option<&str>) -> io::Result<()> {
    write!(io::stdout(), "{}", diff::told(&path.display().to_string(), before, after))
}

fn consent(given: bool, question: &str) -> Result<(), SetupError> {
    if given {
        return Ok(());
    }
    write!(io::stdout(), "{question} [y/N] ")?;
    io::stdout().flush()?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    if ["y", "yes"].contains(&answer.trim().to_lowercase().as_str()) {
        Ok(())
    } else {
        writeln!(io::stdout())?;
        Err(SetupError::Declined)
    }
}

/// As it is said on the command line.
fn name_of(client: Client) -> String {
    use clap::ValueEnum;
    client.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
}

//! Earlier contents of the files that `setup` wrote, in the user's state directory, for `--undo`. Several clients may share
//! a file: each write is a step of its own, and undoing an earlier one repeats the later ones on the content before it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{SetupError, at, file};
use crate::commands::clients::{Client, ConfigFile, ConfigPaths, KeyText, Scope, SetupMethod, Unreadable};
use crate::commands::connection_info::ConnectionInfo;

/// The history of one file.
pub(super) struct UndoLog {
    /// Path of the log.
    path: PathBuf,
    history: History,
}

#[derive(Default, Serialize, Deserialize)]
struct History {
    file: PathBuf,
    /// Folders that were made for it, the outermost first.
    folders: Vec<PathBuf>,
    steps: Vec<UndoEntry>,
}

/// One change of the file.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct UndoEntry {
    /// Absent in logs of earlier versions, which told no clients apart.
    #[serde(default)]
    writer: Option<Writer>,
    /// The content before, in base64; absent if the file did not exist.
    before: Option<String>,
    /// The digest of what was written.
    wrote: String,
}

/// The set-up that changes a file: enough to repeat it.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Writer {
    client: String,
    scope: Scope,
    /// Number of the file among those of the client.
    part: usize,
    /// Without a key in the clear.
    connection: ConnectionInfo,
}

/// A content of the file, and the steps that lead to it.
pub(super) struct Planned {
    /// Absent if the file is to go.
    pub content: Option<Vec<u8>>,
    steps: Vec<UndoEntry>,
    /// Whether changes of the user's would be lost.
    pub loses_changes: bool,
}

impl Writer {
    pub fn new(client: Client, scope: Scope, part: usize, connection: ConnectionInfo) -> Writer {
        Writer { client: client.name(), scope, part, connection }
    }

    fn file(&self) -> Option<ConfigFile> {
        match Client::named(&self.client)?.method() {
            SetupMethod::Write(configuration) => configuration.files(self.scope).get(self.part).copied(),
            SetupMethod::Copy(_) => None,
        }
    }

    /// The content after its write. The key is the one that all clients of the file share.
    fn apply(&self, before: Option<&[u8]>, key: Option<&str>) -> Result<String, Unreadable> {
        let unknown = || Unreadable(format!("it was set up for `{}`, which is unknown", self.client));
        let file = self.file().ok_or_else(unknown)?;
        let mut connection = self.connection.clone();
        if file.key == KeyText::Clear {
            connection.key = key.map(str::to_owned);
        }
        let text = before.map(std::str::from_utf8).transpose();
        file.apply(text.map_err(|_| Unreadable("it is no UTF-8 text".into()))?, &connection)
    }

    /// As it is kept: a key in the clear is in the configuration only.
    fn stored(mut self) -> Writer {
        if self.file().is_none_or(|file| file.key == KeyText::Clear) {
            self.connection.key = None;
        }
        self
    }
}

impl UndoEntry {
    /// Whether the content is the written one.
    fn wrote(&self, bytes: Option<&[u8]>) -> bool {
        bytes.is_some_and(|bytes| digest_by(self.writer.as_ref(), bytes) == self.wrote)
    }

    /// The content before.
    fn before(&self) -> Result<Option<Vec<u8>>, SetupError> {
        let decoded = self.before.as_ref().map(|text| STANDARD.decode(text)).transpose();
        decoded.map_err(|error| SetupError::Terminal(io::Error::other(error)))
    }

    fn is_of(&self, client: &str) -> bool {
        self.writer.as_ref().is_none_or(|writer| writer.client == client)
    }
}

impl UndoLog {
    /// The record of this file, empty if it was never written. One in no folder lies in the one where we are.
    pub fn of_file(paths: &ConfigPaths, file: &Path) -> Result<UndoLog, SetupError> {
        let file = std::path::absolute(file).map_err(at(file))?;
        let name = digest(file.as_os_str().as_encoded_bytes());
        let path = folder(paths).join(name).with_extension("json");
        let history = read(&path)?.unwrap_or_else(|| History { file, ..History::default() });
        Ok(UndoLog { path, history })
    }

    /// The records of all files.
    pub fn all(paths: &ConfigPaths) -> Result<Vec<UndoLog>, SetupError> {
        let folder = folder(paths);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(at(&folder))?,
        };
        let mut logs = Vec::new();
        for entry in entries {
            let path = entry.map_err(at(&folder))?.path();
            if let Some(history) = read(&path)? {
                logs.push(UndoLog { path, history });
            }
        }
        logs.sort_by(|one, other| one.file().cmp(other.file()));
        Ok(logs)
    }

    /// The file it is about.
    pub fn file(&self) -> &Path {
        &self.history.file
    }

    /// Whether this client's set-up is among the steps.
    pub fn has(&self, client: Client) -> bool {
        let name = client.name();
        self.history.steps.iter().any(|step| step.is_of(&name))
    }

    /// Plans a write, given the content now. A client that is written again takes the place of its earlier write, so that
    /// undo restores the user's content.
    pub fn with(&self, writer: Writer, now: Option<&[u8]>) -> Result<Planned, Unreadable> {
        let key = writer.connection.key.clone();
        let steps = &self.history.steps;
        let place = steps.iter().rposition(|step| step.is_of(&writer.client));
        let again = place.filter(|place| is_intact(steps.get(*place..).unwrap_or_default(), now));
        let earlier = again.and_then(|place| Some((place, steps.get(place)?.before().ok()?)));
        let (kept, before, later) = match earlier {
            Some((place, before)) => (steps.get(..place), before, steps.get(place + 1..)),
            None => (steps.get(..), now.map(<[u8]>::to_vec), None),
        };
        let writers = later.unwrap_or_default().iter().filter_map(|step| step.writer.clone());
        repeat(kept.unwrap_or_default(), before, [writer].into_iter().chain(writers), key.as_deref())
    }

    /// Plans to undo a client's set-up, given the content now; none if it isn't among the steps.
    pub fn without(
        &self,
        client: Client,
        now: Option<&[u8]>,
        key: Option<&str>,
    ) -> Result<Option<Planned>, SetupError> {
        let steps = &self.history.steps;
        let name = client.name();
        let Some(place) = steps.iter().rposition(|step| step.is_of(&name)) else { return Ok(None) };
        let Some((step, later)) = steps.get(place..).and_then(<[UndoEntry]>::split_first) else {
            return Ok(None);
        };
        let writers = later.iter().filter_map(|step| step.writer.clone());
        let planned = repeat(steps.get(..place).unwrap_or_default(), step.before()?, writers, key);
        let planned =
            planned.map_err(|error| SetupError::Unreadable { path: self.file().to_owned(), error })?;
        let loses_changes = !is_intact(steps.get(place..).unwrap_or_default(), now);
        Ok(Some(Planned { loses_changes, ..planned }))
    }

    /// Plans to undo all set-ups, given the content now.
    pub fn without_all(&self, now: Option<&[u8]>) -> Result<Option<Planned>, SetupError> {
        let steps = &self.history.steps;
        let Some(first) = steps.first() else { return Ok(None) };
        let loses_changes = !is_intact(steps, now);
        Ok(Some(Planned { content: first.before()?, steps: Vec::new(), loses_changes }))
    }

    /// Records a plan. For a write it comes before the file changes, for an undo after it.
    pub fn record(&mut self, planned: &Planned) -> Result<(), SetupError> {
        self.history.steps.clone_from(&planned.steps);
        if planned.steps.is_empty() {
            return fs::remove_file(&self.path).map_err(at(&self.path));
        }
        if self.history.folders.is_empty() {
            let folders = self.history.file.ancestors().skip(1);
            let missing: Vec<&Path> = folders.take_while(|folder| !folder.exists()).collect();
            self.history.folders = missing.into_iter().rev().map(Path::to_owned).collect();
        }
        let text = serde_json::to_vec_pretty(&self.history).map_err(io::Error::from);
        text.and_then(|text| file::write(&self.path, &text)).map_err(at(&self.path))
    }

    /// Removes the file, and the folders that were made for it unless something else lies there by now.
    pub fn remove(&self) -> io::Result<()> {
        match fs::remove_file(&self.history.file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        for folder in self.history.folders.iter().rev() {
            // Fails if the directory is not empty.
            let _ = fs::remove_dir(folder);
        }
        Ok(())
    }
}

/// Applies the writers in turn to a content that these steps have led to.
fn repeat(
    steps: &[UndoEntry],
    mut content: Option<Vec<u8>>,
    writers: impl Iterator<Item = Writer>,
    key: Option<&str>,
) -> Result<Planned, Unreadable> {
    let mut steps = steps.to_vec();
    for writer in writers {
        let after = writer.apply(content.as_deref(), key)?.into_bytes();
        let writer = writer.stored();
        steps.push(UndoEntry {
            before: content.map(|bytes| STANDARD.encode(bytes)),
            wrote: digest_by(Some(&writer), &after),
            writer: Some(writer),
        });
        content = Some(after);
    }
    Ok(Planned { content, steps, loses_changes: false })
}

/// Whether each step begins with what the one before it wrote, and the file now is what the last one wrote.
fn is_intact(steps: &[UndoEntry], now: Option<&[u8]>) -> bool {
    let next = steps.iter().skip(1).map(|step| step.before().ok().flatten());
    steps.iter().zip(next).all(|(step, next)| step.wrote(next.as_deref()))
        && steps.last().is_none_or(|last| last.wrote(now))
}

fn folder(paths: &ConfigPaths) -> PathBuf {
    paths.state.join("setup")
}

fn read(path: &Path) -> Result<Option<History>, SetupError> {
    let bytes = file::read(path).map_err(at(path))?;
    bytes.map(|bytes| serde_json::from_slice(&bytes)).transpose().map_err(|error| at(path)(error.into()))
}

/// The digest of what counts in the writer's file.
fn digest_by(writer: Option<&Writer>, bytes: &[u8]) -> String {
    match (writer.and_then(Writer::file), std::str::from_utf8(bytes)) {
        (Some(file), Ok(text)) => digest(file.significant(text).as_bytes()),
        _ => digest(bytes),
    }
}

fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write;
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        // Writing to a string can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

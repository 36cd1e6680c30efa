//! Earlier contents of the files that `setup` wrote, in the user's state directory, for `--undo`.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{SetupError, at, file};
use crate::commands::clients::ConfigPaths;

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
#[derive(Serialize, Deserialize)]
pub(super) struct UndoEntry {
    /// The content before, in base64; absent if the file did not exist.
    before: Option<String>,
    /// The digest of what was written.
    wrote: String,
}

impl UndoEntry {
    /// Whether the content is the written one.
    pub fn wrote(&self, bytes: Option<&[u8]>) -> bool {
        bytes.is_some_and(|bytes| digest(bytes) == self.wrote)
    }

    /// The content before.
    pub fn before(&self) -> Result<Option<Vec<u8>>, SetupError> {
        let decoded = self.before.as_ref().map(|text| STANDARD.decode(text)).transpose();
        decoded.map_err(|error| SetupError::Terminal(io::Error::other(error)))
    }
}

impl UndoLog {
    /// The record of this file, empty if it was never written. One in no folder lies in the one where we are.
    pub fn of_file(paths: &ConfigPaths, file: &Path) -> Result<UndoLog, SetupError> {
        let file = std::path::absolute(file).map_err(at(file))?;
        let name = digest(file.as_os_str().as_encoded_bytes());
        let path = paths.state.join("setup").join(name).with_extension("json");
        let bytes = file::read(&path).map_err(at(&path))?;
        let history = match bytes {
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|error| at(&path)(error.into()))?,
            None => History { file, ..History::default() },
        };
        Ok(UndoLog { path, history })
    }

    /// The file it is about.
    pub fn file(&self) -> &Path {
        &self.history.file
    }

    /// The entry of the last write.
    pub fn last(&self) -> Option<&UndoEntry> {
        self.history.steps.last()
    }

    /// Records a write of the file. Overwriting the program's own content adds no step: undo restores the user's
    /// content.
    pub fn add(&mut self, before: Option<&[u8]>, after: &[u8]) -> Result<(), SetupError> {
        let wrote = digest(after);
        match self.history.steps.last_mut() {
            Some(last) if last.wrote(before) => last.wrote = wrote,
            _ => {
                let before = before.map(|bytes| STANDARD.encode(bytes));
                self.history.steps.push(UndoEntry { before, wrote });
            }
        }
        if self.history.folders.is_empty() {
            let folders = self.history.file.ancestors().skip(1);
            let missing: Vec<&Path> = folders.take_while(|folder| !folder.exists()).collect();
            self.history.folders = missing.into_iter().rev().map(Path::to_owned).collect();
        }
        self.save()
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

    /// Removes the entry of the last write.
    pub fn remove_last(&mut self) -> Result<(), SetupError> {
        self.history.steps.pop();
        if self.history.steps.is_empty() {
            return fs::remove_file(&self.path).map_err(at(&self.path));
        }
        self.save()
    }

    fn save(&self) -> Result<(), SetupError> {
        let text = serde_json::to_vec_pretty(&self.history).map_err(io::Error::from);
        text.and_then(|text| file::write(&self.path, &text)).map_err(at(&self.path))
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

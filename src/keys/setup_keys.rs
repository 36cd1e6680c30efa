//! `keys.json` in the state directory: the keys that `copilot-proxy setup` made for clients, as SHA-256 hashes. The key
//! itself is in the client's configuration only. `setup` works without a server; a server reads the file when it changes.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};

use super::key::{Key, KeyKind, KeyLimits};
use super::text::{self, Hash, SETUP_PREFIX, hash};

/// The file, and its keys when it was read last.
pub struct SetupKeys {
    path: PathBuf,
    content: Content,
    /// Its state when it was read last; absent if it doesn't exist.
    version: Option<(SystemTime, u64)>,
}

#[derive(Default, Serialize, Deserialize)]
struct Content {
    keys: Vec<StoredKey>,
}

/// The key of one client.
#[derive(Serialize, Deserialize)]
struct StoredKey {
    /// The client.
    name: String,
    /// The configuration file that has the key.
    file: PathBuf,
    /// In base64.
    sha256: String,
}

impl SetupKeys {
    /// Name of the file in the state directory.
    pub const FILE: &'static str = "keys.json";

    /// A new key.
    pub fn make() -> io::Result<String> {
        text::make(SETUP_PREFIX)
    }

    /// Reads the file of a state directory. A missing one has no keys.
    pub fn open(state_directory: &Path) -> io::Result<SetupKeys> {
        let mut keys = SetupKeys::watched(state_directory);
        keys.read()?;
        Ok(keys)
    }

    /// The file of a state directory, not read yet.
    pub(super) fn watched(state_directory: &Path) -> SetupKeys {
        SetupKeys { path: state_directory.join(SetupKeys::FILE), content: Content::default(), version: None }
    }

    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The valid key in a configuration file's text, if it has one.
    pub fn find_in<'a>(&self, configuration: &'a str) -> Option<&'a str> {
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let words = configuration.split(|c| !is_part(c)).filter(|word| word.starts_with(SETUP_PREFIX));
        words.into_iter().find(|word| {
            let hash = STANDARD.encode(hash(word.as_bytes()));
            self.content.keys.iter().any(|key| key.sha256 == hash)
        })
    }

    /// Adds the key of a client, in place of an earlier one in the same file.
    pub fn add(&mut self, name: &str, file: &Path, text: &str) -> io::Result<()> {
        self.content.keys.retain(|key| key.file != file);
        let sha256 = STANDARD.encode(hash(text.as_bytes()));
        self.content.keys.push(StoredKey { name: name.to_owned(), file: file.to_owned(), sha256 });
        self.save()
    }

    /// Removes the key of a configuration file.
    pub fn remove(&mut self, file: &Path) -> io::Result<()> {
        let before = self.content.keys.len();
        self.content.keys.retain(|key| key.file != file);
        if self.content.keys.len() == before { Ok(()) } else { self.save() }
    }

    /// All keys, if the file has changed since it was read last. A file that can't be read has none.
    pub(super) fn changed(&mut self) -> Option<Vec<(Key, Hash)>> {
        if version(&self.path) == self.version {
            return None;
        }
        if let Err(error) = self.read() {
            log::warn!("keys of set-up clients can't be read error={:?}", error.to_string());
            self.content = Content::default();
        }
        let keys = self.content.keys.iter().filter_map(|stored| {
            let hash = STANDARD.decode(&stored.sha256).ok()?.try_into().ok()?;
            let key = Key {
                name: stored.name.clone(),
                kind: KeyKind::Setup,
                models: Vec::new(),
                may_use_tools: true,
                limits: KeyLimits::default(),
            };
            Some((key, hash))
        });
        Some(keys.collect())
    }

    fn read(&mut self) -> io::Result<()> {
        self.version = version(&self.path);
        self.content = match fs::read(&self.path) {
            Ok(bytes) => serde_json::from_slice(&bytes)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Content::default(),
            Err(error) => return Err(error),
        };
        Ok(())
    }

    /// Writes the file; a reader sees the old one or the new one.
    fn save(&mut self) -> io::Result<()> {
        if let Some(directory) = self.path.parent() {
            private_directory(directory)?;
        }
        let fresh = self.path.with_extension(format!("{}.new", std::process::id()));
        let mut file = private(&fresh)?;
        file.write_all(&serde_json::to_vec_pretty(&self.content)?)?;
        file.sync_all()?;
        fs::rename(&fresh, &self.path)?;
        self.version = version(&self.path);
        Ok(())
    }
}

/// Time and inode of the last change: a rename within the clock's resolution changes the latter.
fn version(path: &Path) -> Option<(SystemTime, u64)> {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, distinct(&metadata)))
}

#[cfg(unix)]
fn distinct(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(metadata)
}

#[cfg(not(unix))]
fn distinct(metadata: &fs::Metadata) -> u64 {
    metadata.len()
}

/// Creates a directory that only this user can enter, as the server wants its own.
fn private_directory(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

#[cfg(unix)]
fn private(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;
    File::options().create(true).truncate(true).write(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private(path: &Path) -> io::Result<File> {
    File::create(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_has_no_key_in_the_clear_and_is_private() {
        let directory = tempfile::tempdir().unwrap();
        let state = directory.path().join("state");
        let mut keys = SetupKeys::open(&state).unwrap();
        let text = SetupKeys::make().unwrap();
        keys.add("codex", Path::new("/c"), &text).unwrap();
        keys.add("env", Path::new("/e"), &SetupKeys::make().unwrap()).unwrap();
        let stored = fs::read_to_string(keys.path()).unwrap();
        assert!(stored.contains("codex") && !stored.contains(&text), "{stored}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(keys.path()).unwrap().permissions().mode() & 0o777, 0o600);
        }
        let again = SetupKeys::open(&state).unwrap();
        assert_eq!(again.find_in(&format!("token = \"{text}\"\n")), Some(text.as_str()));
        assert_eq!(again.find_in(&format!("token = \"{text}x\"\n")), None);
        assert_eq!(again.find_in("cp-setup-"), None);
    }
}

//! The directory of a server, with its lock, its socket and `server.json`.
//!
//! There is one server per directory: the process that holds the lock. Editors use the directory of the user; the demo
//! and every test use a temporary one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

mod server_lock;

pub use server_lock::ServerLock;

/// A directory that only this user can open.
#[derive(Clone, Debug)]
pub struct Directory(PathBuf);

/// Content of `server.json`: the address of the server of this directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ServerFile {
    /// Process id of the server.
    pub pid: u32,
    /// Version, as `copilot-proxy --version` prints it.
    pub version: String,
    /// Protocol versions that the server accepts.
    pub protocol: ProtocolRange,
    /// The local socket: a path, or a pipe's name on Windows.
    pub endpoint: String,
    /// Token that a hello must carry; 128 random bits.
    pub token: String,
    /// HTTP port; null while it is closed.
    pub port: Option<u16>,
    /// Start of the server, in milliseconds since 1970.
    #[cfg_attr(test, ts(type = "number"))]
    pub started_at: u64,
    /// Random id of this run, as in `GET /health`; distinguishes it from another server on the same port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(test, ts(optional))]
    pub instance: Option<String>,
}

/// A range of protocol versions, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct ProtocolRange {
    /// The oldest version.
    pub min: u32,
    /// The newest version.
    pub max: u32,
}

/// Reasons for which a directory can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The system doesn't allow to create, read or write it.
    #[error("{}: {error}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Error of the system.
        error: io::Error,
    },
    /// Other users can open it, or it belongs to one.
    #[error("{}: must be a directory that you own and that only you can open (mode 0700)", path.display())]
    NotPrivate {
        /// Path of the directory.
        path: PathBuf,
    },
    /// Another process holds the lock.
    #[error("{}: another Copilot Proxy server is running in this directory", path.display())]
    Taken {
        /// Path of the directory.
        path: PathBuf,
    },
}

impl Directory {
    /// Path of the user's directory: `$XDG_RUNTIME_DIR/copilot-proxy`, else `copilot-proxy-<uid>` in the
    /// directory for temporary files, on Windows `%LOCALAPPDATA%\copilot-proxy`.
    pub fn of_the_user() -> PathBuf {
        let from = |variable| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
        if cfg!(windows) {
            return from("LOCALAPPDATA").unwrap_or_else(std::env::temp_dir).join("copilot-proxy");
        }
        from("XDG_RUNTIME_DIR").map_or_else(
            || std::env::temp_dir().join(format!("copilot-proxy-{}", user())),
            |dir| dir.join("copilot-proxy"),
        )
    }

    /// Creates the directory if it is missing; fails if other users can open it.
    pub fn open(path: impl Into<PathBuf>) -> Result<Directory, DirectoryError> {
        let path = path.into();
        make(&path).map_err(|error| DirectoryError::Io { path: path.clone(), error })?;
        // A link counts as not private: its target can be changed.
        let found =
            fs::symlink_metadata(&path).map_err(|error| DirectoryError::Io { path: path.clone(), error })?;
        if found.is_dir() && is_private(&found) {
            Ok(Directory(path))
        } else {
            Err(DirectoryError::NotPrivate { path })
        }
    }

    /// Path of the directory, as it was given.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes `server.json`. A reader sees the old file or the new one, never a part.
    pub fn publish(&self, server: &ServerFile) -> Result<(), DirectoryError> {
        let path = self.0.join("server.json");
        let fresh = self.0.join("server.json.new");
        let write = || {
            fs::write(&fresh, serde_json::to_vec_pretty(server)?)?;
            make_private(&fresh)?;
            fs::rename(&fresh, &path)
        };
        write().map_err(|error| DirectoryError::Io { path: path.clone(), error })
    }

    /// Whether `server.json` is there and is this server's.
    pub fn publishes(&self, server: &ServerFile) -> bool {
        Directory::server(&self.0).is_ok_and(|published| published == *server)
    }

    /// Removes `server.json`, if it exists: editors no longer attach.
    pub fn retract(&self) {
        // It may not exist.
        let _ = fs::remove_file(self.0.join("server.json"));
    }

    /// Reads the `server.json` of a directory.
    pub fn server(path: &Path) -> Result<ServerFile, DirectoryError> {
        let path = path.join("server.json");
        let read = || Ok(serde_json::from_slice(&fs::read(&path)?)?);
        read().map_err(|error| DirectoryError::Io { path: path.clone(), error })
    }
}

#[cfg(unix)]
fn user() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(not(unix))]
fn user() -> u32 {
    0
}

#[cfg(unix)]
fn make(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

#[cfg(not(unix))]
fn make(path: &Path) -> io::Result<()> {
    fs::create_dir_all(path)
}

#[cfg(unix)]
fn is_private(found: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    found.uid() == user() && found.mode() & 0o077 == 0
}

/// Windows keeps the user's local application data private by itself.
#[cfg(not(unix))]
fn is_private(_found: &fs::Metadata) -> bool {
    true
}

#[cfg(unix)]
fn make_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn make_private(_path: &Path) -> io::Result<()> {
    Ok(())
}

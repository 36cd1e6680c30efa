//! The lock of a directory: of several servers that start at once, only the one that holds it runs.

use std::fs::{self, File, TryLockError};
use std::path::PathBuf;

use super::{Directory, DirectoryError};

/// The lock of a directory, held until it is dropped; the system frees it when the process dies.
#[derive(Debug)]
pub struct ServerLock {
    file: File,
    path: PathBuf,
}

impl Directory {
    /// Takes the lock, then removes the files of a killed server.
    pub fn lock(&self) -> Result<ServerLock, DirectoryError> {
        let path = self.0.join("lock");
        let io = |error| DirectoryError::Io { path: self.0.join("lock"), error };
        let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(DirectoryError::Taken { path: self.0.clone() }),
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        for entry in fs::read_dir(&self.0).map_err(io)?.flatten() {
            if entry.path().extension().is_some_and(|extension| extension == "sock") {
                // No process listens on it: this process has the lock.
                let _ = fs::remove_file(entry.path());
            }
        }
        self.retract();
        Ok(ServerLock { file, path })
    }
}

impl ServerLock {
    /// Whether its file is still the one in the directory: another server can lock a new one.
    #[cfg(unix)]
    pub fn is_in_place(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        let identity = |metadata: fs::Metadata| (metadata.dev(), metadata.ino());
        match (self.file.metadata().map(identity), fs::symlink_metadata(&self.path).map(identity)) {
            (Ok(held), Ok(found)) => held == found,
            _ => false,
        }
    }

    /// Windows doesn't remove open files.
    #[cfg(not(unix))]
    pub fn is_in_place(&self) -> bool {
        true
    }
}

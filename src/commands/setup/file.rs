//! Reads and writes a user's file: a link stays a link, permissions stay, and it is never seen half written.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The content of a file; `None` if it doesn't exist.
pub(super) fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a file and the folders above it. A new file is readable by this user only, since it may come to hold a key.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // The target of a link is written, not the link.
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let fresh = beside(&path);
    let written = private(&fresh).and_then(|mut file| {
        file.write_all(bytes)?;
        if let Ok(there) = fs::metadata(&path) {
            file.set_permissions(there.permissions())?;
        }
        file.sync_all()
    });
    let moved = written.and_then(|()| fs::rename(&fresh, &path));
    if moved.is_err() {
        // It may not exist.
        let _ = fs::remove_file(&fresh);
    }
    moved
}

fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    path.with_file_name(name)
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

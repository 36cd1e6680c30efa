//! A file that passes settings with a key to a program: in the server's private directory, readable by this user only, and
//! gone with the program.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The file; removed when it is dropped.
pub(super) struct KeyFile(PathBuf);

impl KeyFile {
    /// Writes a text.
    pub fn write(path: PathBuf, text: &str) -> io::Result<KeyFile> {
        let mut options = fs::File::options();
        options.create(true).truncate(true).write(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt;
            options.mode(0o600);
        }
        let mut file = options.open(&path)?;
        let file_at = KeyFile(path);
        file.write_all(text.as_bytes())?;
        Ok(file_at)
    }

    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = fs::remove_file(&self.0);
    }
}

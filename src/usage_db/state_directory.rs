//! The user's state directory, in which data that outlives a server is kept.

use std::path::PathBuf;

/// The state directory by the environment of this process.
pub fn state_directory() -> Option<PathBuf> {
    state_directory_by(|variable| std::env::var_os(variable).map(PathBuf::from))
}

/// `$XDG_STATE_HOME/copilot-proxy`, else `~/.local/state/copilot-proxy`; on macOS
/// `~/Library/Application Support/copilot-proxy`, on Windows `%LOCALAPPDATA%\copilot-proxy`. Absent where the environment
/// names no home.
pub fn state_directory_by(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let from = |name| variable(name).filter(|value| !value.as_os_str().is_empty());
    let parent = if cfg!(windows) {
        from("LOCALAPPDATA")
    } else if let Some(state) = from("XDG_STATE_HOME") {
        Some(state)
    } else if cfg!(target_os = "macos") {
        from("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        from("HOME").map(|home| home.join(".local/state"))
    };
    parent.map(|parent| parent.join("copilot-proxy"))
}

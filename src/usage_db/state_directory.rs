//! The user's state directory, in which data that outlives a server is kept.

use std::path::PathBuf;

/// `$XDG_STATE_HOME/copilot-proxy`, else `~/.local/state/copilot-proxy`; on macOS
/// `~/Library/Application Support/copilot-proxy`, on Windows `%LOCALAPPDATA%\copilot-proxy`. Absent where the environment
/// names no home.
pub fn state_directory() -> Option<PathBuf> {
    let from = |variable| std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from);
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

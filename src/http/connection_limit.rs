//! The number of connections that may be open at once, so that file descriptors are left for the bridge and for files.

/// File descriptors that connections of clients may not use: for editors, the directory's files and the databases.
const RESERVED: u64 = 64;

/// Most connections of all ports together. A thousand idle clients and a thousand streams are served well; far above,
/// memory is the limit.
const MOST: u64 = 8192;

/// Connections at once that get a refusal; more are closed without a response.
pub(super) const REFUSED: usize = 8;

/// Raises this process's limit on open files as far as the system permits: macOS begins with 256.
#[cfg(unix)]
pub(super) fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    // Fails where the system's limit for one process is lower still; the old limit then stays.
    if current != maximum && setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }).is_err() {
        log::debug!("the limit on open files stays limit={}", current.unwrap_or_default());
    }
}

/// Windows has no such limit.
#[cfg(not(unix))]
pub(super) fn raise_open_files() {}

/// The limit that leaves the reserve, by this process's limit on open files.
pub(super) fn most_connections() -> usize {
    #[cfg(unix)]
    let open_files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    let open_files = None;
    below(open_files)
}

/// With very few descriptors, connections get half.
fn below(open_files: Option<u64>) -> usize {
    let open_files = open_files.unwrap_or(u64::MAX);
    let most = open_files.saturating_sub(RESERVED).max(open_files / 2).clamp(1, MOST);
    usize::try_from(most).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::below;

    #[test]
    fn connections_leave_descriptors_for_the_bridge() {
        let limits = [Some(64), Some(128), Some(1024), Some(1 << 20), None, Some(0)].map(below);
        assert_eq!(limits, [32, 64, 960, 8192, 8192, 1]);
    }
}

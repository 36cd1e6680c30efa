//! The local socket: its random name, its permissions, and the loop that accepts connections of this user.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use interprocess::local_socket::tokio::{Listener, Stream};
#[cfg(unix)]
use interprocess::local_socket::traits::StreamCommon as _;
use interprocess::local_socket::traits::tokio::Listener as _;
use interprocess::local_socket::{GenericFilePath, ListenerOptions, ToFsName};
use tokio::sync::Semaphore;

use super::connection::serve_connection;
use super::directory::Directory;
use super::handshake::{ConnectionConfig, HandshakeConfig};
use super::socket::Socket;

/// Most connections at once, attached or not; later ones wait. No user has half as many windows.
const MAX_CONNECTIONS: usize = 256;

/// The socket that editors attach to, not accepting yet.
pub struct BridgeListener {
    listener: Listener,
    /// A path, or a pipe's name on Windows; random per start, so that a stale socket never has the same name.
    pub endpoint: String,
    /// Token that a hello must carry; 128 random bits per start.
    pub token: Arc<str>,
}

impl BridgeListener {
    /// Opens the socket of a directory whose lock is held.
    pub fn open(directory: &Directory) -> io::Result<BridgeListener> {
        let endpoint = if cfg!(windows) {
            format!(r"\\.\pipe\copilot-proxy-{:032x}", random::<16>()?)
        } else {
            directory.path().join(format!("{:08x}.sock", random::<4>()?)).display().to_string()
        };
        let name = endpoint.as_str().to_fs_name::<GenericFilePath>()?;
        let listener = restricted(ListenerOptions::new().name(name))?.create_tokio()?;
        Ok(BridgeListener { listener, endpoint, token: format!("{:032x}", random::<16>()?).into() })
    }

    /// Whether the socket is still in its directory, so that editors can connect.
    pub fn is_in_place(endpoint: &str) -> bool {
        cfg!(windows) || std::fs::symlink_metadata(endpoint).is_ok()
    }

    /// Accepts connections and serves each in a task of its own. Never returns; those tasks go on when it is dropped.
    pub async fn accept_loop(self, connection: ConnectionConfig) {
        let config = HandshakeConfig { token: self.token, connection };
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            // The semaphore is never closed.
            let place = places.clone().acquire_owned().await.ok();
            match self.listener.accept().await {
                Ok(stream) if is_this_user(&stream) => match Socket::try_from(stream) {
                    Ok(socket) => {
                        let connection = serve_connection(socket, config.clone());
                        tokio::task::spawn_local(async move {
                            connection.await;
                            drop(place);
                        });
                    }
                    Err(error) => log::warn!("connection lost error={:?}", error.to_string()),
                },
                Ok(_) => log::warn!("connection refused, it belongs to another user"),
                Err(error) => {
                    log::warn!("connection can't be accepted error={:?}", error.to_string());
                    // Most likely no file descriptors are left: an immediate retry would only use CPU time.
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

/// A number of this many random bytes.
fn random<const BYTES: usize>() -> io::Result<u128> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes.iter().fold(0, |number, byte| number << 8 | u128::from(*byte)))
}

/// Restricts the socket to this user where the system can. Its directory is private in any case.
#[cfg(all(unix, not(target_os = "macos")))]
#[allow(clippy::unnecessary_wraps)] // The other systems can fail here.
fn restricted(options: ListenerOptions<'_>) -> io::Result<ListenerOptions<'_>> {
    use interprocess::os::unix::local_socket::ListenerOptionsExt;
    Ok(options.mode(0o600))
}

#[cfg(target_os = "macos")]
#[allow(clippy::unnecessary_wraps)]
fn restricted(options: ListenerOptions<'_>) -> io::Result<ListenerOptions<'_>> {
    Ok(options)
}

/// Restricts the pipe to its owner and the system: by default every user could read from it.
#[cfg(windows)]
fn restricted(options: ListenerOptions<'_>) -> io::Result<ListenerOptions<'_>> {
    use interprocess::os::windows::local_socket::ListenerOptionsExt;
    use interprocess::os::windows::security_descriptor::SecurityDescriptor;
    let owner_and_system = widestring::u16cstr!("D:P(A;;GA;;;OW)(A;;GA;;;SY)");
    Ok(options.security_descriptor(SecurityDescriptor::deserialize(owner_and_system)?))
}

/// Whether the process at the other end belongs to this user or to root.
#[cfg(unix)]
fn is_this_user(stream: &Stream) -> bool {
    let peer = stream.peer_creds().ok().and_then(|peer| peer.euid());
    peer.is_some_and(|uid| uid == 0 || uid == rustix::process::geteuid().as_raw())
}

/// True on Windows: the access list of the pipe refuses other users.
#[cfg(not(unix))]
fn is_this_user(_stream: &Stream) -> bool {
    true
}

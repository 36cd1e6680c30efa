//! The user that owns the other end of a connection. On a shared host every user can connect to 127.0.0.1.

use std::net::SocketAddr;

#[cfg(target_os = "linux")]
mod proc_net_tcp;
#[cfg(target_os = "linux")]
mod sock_diag;

/// The owner of the other end, as far as the system reveals it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux reveals the owner"))]
pub(super) enum Peer {
    /// This user or root.
    Trusted,
    /// Another user.
    OtherUser {
        /// Numeric user id.
        uid: u32,
    },
    /// The system doesn't reveal the owner: refused like another user.
    Unknown,
    /// The other end has been closed already; the system reports it as root's.
    Closed,
}

/// Owner of one end of a connection.
#[cfg(target_os = "linux")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Owner {
    uid: u32,
    /// Whether a process has the socket open. The kernel reports closed sockets as root's.
    is_open: bool,
}

/// Looks up the owners of connections.
pub(super) struct PeerLookup {
    #[cfg(target_os = "linux")]
    kernel: sock_diag::Kernel,
}

impl PeerLookup {
    /// Opens what later lookups need.
    pub fn new() -> PeerLookup {
        PeerLookup {
            #[cfg(target_os = "linux")]
            kernel: sock_diag::Kernel::open(),
        }
    }

    /// Looks up the owner of the `remote` end of a loopback connection whose end in this process is `local`.
    #[cfg(target_os = "linux")]
    pub fn find(&mut self, remote: SocketAddr, local: SocketAddr) -> Peer {
        match self.kernel.owner(remote, local).or_else(|| proc_net_tcp::owner(remote, local)) {
            None => Peer::Unknown,
            Some(Owner { is_open: false, .. }) => Peer::Closed,
            Some(Owner { uid, .. }) if uid == 0 || uid == rustix::process::geteuid().as_raw() => {
                Peer::Trusted
            }
            Some(Owner { uid, .. }) => Peer::OtherUser { uid },
        }
    }

    /// Other systems don't reveal the owner.
    #[cfg(not(target_os = "linux"))]
    #[expect(clippy::unused_self, reason = "as on Linux")]
    pub fn find(&mut self, _remote: SocketAddr, _local: SocketAddr) -> Peer {
        Peer::Trusted
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn connection_of_this_user_is_trusted() {
        let us = Owner { uid: rustix::process::geteuid().as_raw(), is_open: true };
        for address in ["127.0.0.1:0", "[::1]:0"] {
            // Not every machine has IPv6.
            let Ok(listener) = TcpListener::bind(address) else { continue };
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (remote, local) = (client.local_addr().unwrap(), listener.local_addr().unwrap());
            let mut lookup = PeerLookup::new();
            assert_eq!(lookup.find(remote, local), Peer::Trusted);
            assert_eq!(proc_net_tcp::owner(remote, local), Some(us), "{address}");
            // Not every sandbox permits netlink sockets.
            assert!(lookup.kernel.owner(remote, local).is_none_or(|found| found == us), "{address}");
        }
    }

    #[test]
    fn connection_that_does_not_exist_has_an_unknown_owner() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (local, remote) = (listener.local_addr().unwrap(), "127.0.0.1:1".parse().unwrap());
        let mut lookup = PeerLookup::new();
        assert_eq!(lookup.find(remote, local), Peer::Unknown);
        // A listening socket is not the other end of a connection.
        assert_eq!((lookup.kernel.owner(local, remote), proc_net_tcp::owner(local, remote)), (None, None));
    }

    #[test]
    fn closed_client_is_not_trusted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (remote, local) = (client.local_addr().unwrap(), listener.local_addr().unwrap());
        drop(client);
        let mut lookup = PeerLookup::new();
        assert_eq!(lookup.find(remote, local), Peer::Closed);
        assert_eq!(proc_net_tcp::owner(remote, local), Some(Owner { uid: 0, is_open: false }));
    }
}

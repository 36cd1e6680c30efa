//! The user that owns the other end of a connection. On a shared host every user can connect to 127.0.0.1.

use std::net::SocketAddr;

#[cfg(target_os = "linux")]
mod diag;
#[cfg(target_os = "linux")]
mod table;

/// The owner of the other end, as far as the system reveals it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// This user, root, or unknown.
    Trusted,
    /// Another user.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux reveals the owner"))]
    OtherUser {
        /// Numeric user id.
        uid: u32,
    },
}

impl Peer {
    /// Looks up the owner of the `remote` end of a loopback connection whose end in this process is `local`.
    #[cfg(target_os = "linux")]
    pub(super) fn of(remote: SocketAddr, local: SocketAddr) -> Peer {
        match diag::owner(remote, local).or_else(|| table::owner(remote, local)) {
            Some(uid) if uid != 0 && uid != rustix::process::geteuid().as_raw() => Peer::OtherUser { uid },
            _ => Peer::Trusted,
        }
    }

    /// Other systems don't reveal the owner.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn of(_remote: SocketAddr, _local: SocketAddr) -> Peer {
        Peer::Trusted
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn connection_of_this_user_is_trusted() {
        let us = rustix::process::geteuid().as_raw();
        for address in ["127.0.0.1:0", "[::1]:0"] {
            // Not every machine has IPv6.
            let Ok(listener) = std::net::TcpListener::bind(address) else { continue };
            let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (remote, local) = (client.local_addr().unwrap(), listener.local_addr().unwrap());
            assert_eq!(Peer::of(remote, local), Peer::Trusted);
            assert_eq!(table::owner(remote, local), Some(us), "{address}");
            // Not every sandbox permits netlink sockets.
            assert!(diag::owner(remote, local).is_none_or(|found| found == us), "{address}");
        }
    }

    #[test]
    fn connection_that_does_not_exist_has_no_owner() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (local, remote) = (listener.local_addr().unwrap(), "127.0.0.1:1".parse().unwrap());
        assert_eq!((diag::owner(remote, local), table::owner(remote, local)), (None, None));
        // A listening socket is not the other end of a connection.
        assert_eq!((diag::owner(local, remote), table::owner(local, remote)), (None, None));
    }
}

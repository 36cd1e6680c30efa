//! Who is at the other end of a connection. On a shared host 127.0.0.1 is everybody's, not only this user's.

use std::net::SocketAddr;

#[cfg(target_os = "linux")]
mod diag;
#[cfg(target_os = "linux")]
mod table;

/// The user at the other end, as far as the system tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// This user, root, or nobody knows.
    Ours,
    /// Another user.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux tells"))]
    OtherUser {
        /// Which.
        uid: u32,
    },
}

impl Peer {
    /// Looks up who owns the `there` end of a loopback connection whose other end is `here`.
    #[cfg(target_os = "linux")]
    pub(super) fn of(there: SocketAddr, here: SocketAddr) -> Peer {
        match diag::owner(there, here).or_else(|| table::owner(there, here)) {
            Some(uid) if uid != 0 && uid != rustix::process::geteuid().as_raw() => Peer::OtherUser { uid },
            _ => Peer::Ours,
        }
    }

    /// Other systems don't tell.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn of(_there: SocketAddr, _here: SocketAddr) -> Peer {
        Peer::Ours
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_connection_of_our_own_is_ours() {
        let us = rustix::process::geteuid().as_raw();
        for address in ["127.0.0.1:0", "[::1]:0"] {
            // Not every machine has IPv6.
            let Ok(listener) = std::net::TcpListener::bind(address) else { continue };
            let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (there, here) = (client.local_addr().unwrap(), listener.local_addr().unwrap());
            assert_eq!(Peer::of(there, here), Peer::Ours);
            assert_eq!(table::owner(there, here), Some(us), "{address}");
            // Not every sandbox lets its programs ask.
            assert!(diag::owner(there, here).is_none_or(|found| found == us), "{address}");
        }
    }

    #[test]
    fn a_connection_that_is_not_there_is_nobodys() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let (here, there) = (listener.local_addr().unwrap(), "127.0.0.1:1".parse().unwrap());
        assert_eq!((diag::owner(there, here), table::owner(there, here)), (None, None));
        // Who listens there is not at the other end.
        assert_eq!((diag::owner(here, there), table::owner(here, there)), (None, None));
    }
}

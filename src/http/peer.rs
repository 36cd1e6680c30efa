//! Who is at the other end of a connection. On a shared host 127.0.0.1 is everybody's, not only this user's.

use std::net::SocketAddr;

/// The user at the other end, as far as the system tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Peer {
    /// This user, root, or nobody knows.
    Ours,
    /// Another user.
    #[cfg_attr(not(target_os = "linux"), expect(dead_code, reason = "only Linux tells"))]
    Stranger {
        /// Which.
        uid: u32,
    },
}

impl Peer {
    /// Looks up who owns the `there` end of a loopback connection whose other end is `here`.
    #[cfg(target_os = "linux")]
    pub(super) fn of(there: SocketAddr, here: SocketAddr) -> Peer {
        // The kernel hands the table out in pieces: where connections come and go meanwhile, one may be missed.
        const LOOKS: usize = 3;
        let table = if there.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
        let look = |_| std::fs::read_to_string(table).ok().and_then(|table| owner(&table, there, here));
        match (0..LOOKS).find_map(look) {
            Some(uid) if uid != 0 && uid != rustix::process::geteuid().as_raw() => Peer::Stranger { uid },
            _ => Peer::Ours,
        }
    }

    /// Other systems don't tell.
    #[cfg(not(target_os = "linux"))]
    pub(super) fn of(_there: SocketAddr, _here: SocketAddr) -> Peer {
        Peer::Ours
    }
}

/// The owner of the socket between these addresses, in the table that the kernel keeps (proc(5)). Both count: a
/// connection to elsewhere that is over but still listed may have had the same port, and belongs to nobody now.
#[cfg(target_os = "linux")]
fn owner(table: &str, local: SocketAddr, remote: SocketAddr) -> Option<u32> {
    let (local, remote) = (listed(local), listed(remote));
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let is_it = fields.next() == Some(local.as_str()) && fields.next() == Some(remote.as_str());
        // st tx:rx tr:tm retrnsmt uid
        if is_it { fields.nth(4)?.parse().ok() } else { None }
    })
}

/// An address as the table has it.
#[cfg(target_os = "linux")]
fn listed(address: SocketAddr) -> String {
    match address {
        // The kernel prints an address as the number, or the four, that its bytes are in memory.
        SocketAddr::V4(v4) => format!("{:08X}:{:04X}", u32::from_ne_bytes(v4.ip().octets()), v4.port()),
        SocketAddr::V6(v6) => {
            let words = v6.ip().octets();
            let words =
                words.as_chunks::<4>().0.iter().map(|word| format!("{:08X}", u32::from_ne_bytes(*word)));
            format!("{}:{:04X}", words.collect::<String>(), v6.port())
        }
    }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    const TABLE: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 1 1 0 100 0 0 10 0
   1: 0100007F:9C40 0100007F:1F91 06 00000000:00000000 03:00000000 00000000     0        0 0 3 0
   2: 0100007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000 65534        0 2 1 0 20 4 30 10 -1
";

    #[test]
    #[cfg(target_endian = "little")]
    fn the_owner_of_the_other_end_is_found() {
        let owner =
            |table, port: u16| owner(table, ([127, 0, 0, 1], port).into(), ([127, 0, 0, 1], 8080).into());
        assert_eq!(owner(TABLE, 40000), Some(65534));
        assert_eq!(owner(TABLE, 40001), None);
        assert_eq!(owner("", 40000), None);
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn so_it_is_in_the_table_of_ipv6() {
        const TABLE: &str = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:9C40 00000000000000000000000001000000:1F90 01 00000000:00000000 00:00000000 00000000 65534        0 2 1 0 20 4 30 10 -1
";
        let loopback = std::net::Ipv6Addr::LOCALHOST;
        let owner = |port: u16| owner(TABLE, (loopback, port).into(), (loopback, 8080).into());
        assert_eq!((owner(40000), owner(40001)), (Some(65534), None));
    }

    #[test]
    fn a_connection_of_our_own_is_ours() {
        let us = rustix::process::geteuid().as_raw();
        for (address, table) in [("127.0.0.1:0", "/proc/net/tcp"), ("[::1]:0", "/proc/net/tcp6")] {
            // Not every machine has IPv6.
            let Ok(listener) = std::net::TcpListener::bind(address) else { continue };
            let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (there, here) = (client.local_addr().unwrap(), listener.local_addr().unwrap());
            assert_eq!(Peer::of(there, here), Peer::Ours);
            let found = (0..3).find_map(|_| owner(&std::fs::read_to_string(table).unwrap(), there, here));
            assert_eq!(found, Some(us), "{address}");
        }
    }
}

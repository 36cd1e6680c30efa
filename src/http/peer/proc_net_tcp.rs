//! Looks up the owner of a socket in `/proc/net/tcp` (proc(5)), where `sock_diag` is not permitted. The kernel walks its
//! whole hash table to write that file, which takes milliseconds on a large machine.

use std::fs::read_to_string;
use std::net::SocketAddr;

use super::Owner;

/// The user that owns the `local` end of a connection; none if the table doesn't list it.
pub(super) fn owner(local: SocketAddr, remote: SocketAddr) -> Option<Owner> {
    // The kernel writes the table in pieces: an entry may be missing while connections open and close.
    const ATTEMPTS: usize = 3;
    let table = if local.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
    (0..ATTEMPTS).find_map(|_| find_owner(&read_to_string(table).ok()?, local, remote))
}

/// Finds the owner of the socket between these addresses. Both must match: a closed connection to another address,
/// still listed and without an owner, may have the same local port.
fn find_owner(table: &str, local: SocketAddr, remote: SocketAddr) -> Option<Owner> {
    let (local, remote) = (table_address(local), table_address(remote));
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let matches = fields.next() == Some(local.as_str()) && fields.next() == Some(remote.as_str());
        if !matches {
            return None;
        }
        // st tx:rx tr:tm retrnsmt uid timeout inode
        let uid = fields.nth(4)?.parse().ok()?;
        Some(Owner { uid, is_open: fields.nth(1)? != "0" })
    })
}

/// Formats an address as the table does.
fn table_address(address: SocketAddr) -> String {
    match address {
        // The kernel prints the bytes of an address as native-endian 32-bit words: one for IPv4, four for IPv6.
        SocketAddr::V4(v4) => format!("{:08X}:{:04X}", u32::from_ne_bytes(v4.ip().octets()), v4.port()),
        SocketAddr::V6(v6) => {
            let words = v6.ip().octets();
            let words =
                words.as_chunks::<4>().0.iter().map(|word| format!("{:08X}", u32::from_ne_bytes(*word)));
            format!("{}:{:04X}", words.collect::<String>(), v6.port())
        }
    }
}

#[cfg(test)]
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
    fn owner_is_found_by_both_addresses() {
        let owner = |table, port: u16| {
            find_owner(table, ([127, 0, 0, 1], port).into(), ([127, 0, 0, 1], 8080).into())
        };
        assert_eq!(owner(TABLE, 40000), Some(Owner { uid: 65534, is_open: true }));
        assert_eq!(owner(TABLE, 40001), None);
        assert_eq!(owner("", 40000), None);
        let closed = find_owner(TABLE, ([127, 0, 0, 1], 40000).into(), ([127, 0, 0, 1], 8081).into());
        assert_eq!(closed, Some(Owner { uid: 0, is_open: false }));
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn ipv6_owner_is_found_by_both_addresses() {
        const TABLE: &str = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000001000000:9C40 00000000000000000000000001000000:1F90 01 00000000:00000000 00:00000000 00000000 65534        0 2 1 0 20 4 30 10 -1
";
        let loopback = std::net::Ipv6Addr::LOCALHOST;
        let owner = |port: u16| find_owner(TABLE, (loopback, port).into(), (loopback, 8080).into());
        assert_eq!((owner(40000), owner(40001)), (Some(Owner { uid: 65534, is_open: true }), None));
    }
}

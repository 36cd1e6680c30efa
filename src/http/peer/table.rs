//! Looks up who owns a socket in the table of all of them (proc(5)), where the kernel can't be asked: the kernel walks
//! through all that it has room for, which takes milliseconds on a large machine.

use std::fs::read_to_string;
use std::net::SocketAddr;

/// The user that owns the `local` end of a connection; none where the table does not say.
pub(super) fn owner(local: SocketAddr, remote: SocketAddr) -> Option<u32> {
    // The kernel hands the table out in pieces: where connections come and go meanwhile, one may be missed.
    const LOOKS: usize = 3;
    let table = if local.is_ipv4() { "/proc/net/tcp" } else { "/proc/net/tcp6" };
    (0..LOOKS).find_map(|_| listed_owner(&read_to_string(table).ok()?, local, remote))
}

/// The owner of the socket between these addresses, in the table that the kernel keeps (proc(5)). Both count: a
/// connection to elsewhere that is over but still listed may have had the same port, and belongs to nobody now.
fn listed_owner(table: &str, local: SocketAddr, remote: SocketAddr) -> Option<u32> {
    let (local, remote) = (listed(local), listed(remote));
    table.lines().skip(1).find_map(|line| {
        let mut fields = line.split_ascii_whitespace().skip(1);
        let is_it = fields.next() == Some(local.as_str()) && fields.next() == Some(remote.as_str());
        // st tx:rx tr:tm retrnsmt uid
        if is_it { fields.nth(4)?.parse().ok() } else { None }
    })
}

/// An address as the table has it.
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
    fn the_owner_of_the_other_end_is_found() {
        let owner = |table, port: u16| {
            listed_owner(table, ([127, 0, 0, 1], port).into(), ([127, 0, 0, 1], 8080).into())
        };
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
        let owner = |port: u16| listed_owner(TABLE, (loopback, port).into(), (loopback, 8080).into());
        assert_eq!((owner(40000), owner(40001)), (Some(65534), None));
    }
}

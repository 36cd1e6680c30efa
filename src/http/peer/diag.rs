//! Asks the kernel itself, by `sock_diag`, who owns a socket: one question, one answer. Knows no files.

use std::net::{IpAddr, SocketAddr};

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
};

/// `SOCK_DIAG_BY_FAMILY`, of a question and of its answer.
const BY_FAMILY: u16 = 20;
/// `NLM_F_REQUEST`
const REQUEST: u16 = 1;
const TCP: u8 = 6;
const LISTEN: u8 = 10;

/// Of a netlink message, in bytes.
const HEADER: usize = 16;
/// Where the parts of an `inet_diag_msg` are.
const STATE: usize = HEADER + 1;
const ID: usize = HEADER + 4;
const UID: usize = HEADER + 64;
/// Of the addresses of both ends, as they stand in question and answer.
const ENDS: usize = 36;

/// The user that owns the `local` end of a connection; none where the kernel does not say.
pub(super) fn owner(local: SocketAddr, remote: SocketAddr) -> Option<u32> {
    let kernel = socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        Some(netlink::SOCK_DIAG),
    );
    let kernel = kernel.ok()?;
    send(&kernel, &question(local, remote), SendFlags::empty()).ok()?;
    // The kernel has answered when the question is sent.
    let mut answer = [0; 1024];
    let (length, _) = recv(&kernel, answer.as_mut_slice(), RecvFlags::empty()).ok()?;
    read(answer.get(..length)?, local, remote)
}

/// An `inet_diag_req_v2` in its netlink message.
fn question(local: SocketAddr, remote: SocketAddr) -> Vec<u8> {
    // `AF_INET` and `AF_INET6`
    let family = if local.is_ipv4() { 2 } else { 10 };
    let mut request = vec![family, TCP, 0, 0];
    request.extend(u32::MAX.to_ne_bytes()); // in any state
    request.extend(ends(local, remote));
    request.extend(0u32.to_ne_bytes()); // on any interface
    request.extend([0xff; 8]); // whichever socket it is: no cookie
    let length = u32::try_from(HEADER + request.len()).unwrap_or(0);
    let mut message = Vec::from(length.to_ne_bytes());
    message.extend(BY_FAMILY.to_ne_bytes());
    message.extend(REQUEST.to_ne_bytes());
    message.extend([0; 8]); // our number of the question, and the kernel's of us: one question a socket
    message.extend(request);
    message
}

/// A socket that only listens at that address is not the one.
fn read(answer: &[u8], local: SocketAddr, remote: SocketAddr) -> Option<u32> {
    let is_answer = answer.get(4..6)? == BY_FAMILY.to_ne_bytes();
    let is_it = *answer.get(STATE)? != LISTEN && answer.get(ID..ID + ENDS)? == ends(local, remote);
    let uid = answer.get(UID..UID + 4)?.try_into().ok()?;
    (is_answer && is_it).then_some(u32::from_ne_bytes(uid))
}

/// Ports, then addresses, as they travel; an address has room for one of IPv6.
fn ends(local: SocketAddr, remote: SocketAddr) -> Vec<u8> {
    let mut ends = [local.port().to_be_bytes(), remote.port().to_be_bytes()].concat();
    for end in [local, remote] {
        match end.ip() {
            IpAddr::V4(v4) => ends.extend([v4.octets().as_slice(), &[0; 12]].concat()),
            IpAddr::V6(v6) => ends.extend(v6.octets()),
        }
    }
    ends
}

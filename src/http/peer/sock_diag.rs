//! Looks up the owner of a socket with the kernel's `sock_diag` (netlink): one request, one response, no files but the
//! socket.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;

use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, netlink, recv, send, socket_with,
};

use super::Owner;

/// Message type `SOCK_DIAG_BY_FAMILY`, of request and response.
const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// Flag of a netlink message that is a request.
const NLM_F_REQUEST: u16 = 1;
const IPPROTO_TCP: u8 = 6;
const TCP_LISTEN: u8 = 10;

/// Size of a netlink message's header, in bytes.
const HEADER: usize = 16;
/// Offsets of the fields of an `inet_diag_msg`.
const STATE: usize = HEADER + 1;
const ID: usize = HEADER + 4;
const UID: usize = HEADER + 64;
const INODE: usize = HEADER + 68;
/// Offset of the sequence number in a netlink message's header.
const SEQUENCE: usize = 8;
/// Size of the addresses of both ends, in bytes; the same in request and response.
const ENDS: usize = 36;

/// A connection to the kernel, opened once: a new socket for each request would fail when the process has no file
/// descriptor left.
#[derive(Default)]
pub(super) struct Kernel {
    socket: Option<OwnedFd>,
    sequence: u32,
}

impl Kernel {
    /// Opens the connection; where netlink is not permitted, every lookup finds nothing.
    pub fn open() -> Kernel {
        let socket = socket_with(
            AddressFamily::NETLINK,
            SocketType::RAW,
            SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
            Some(netlink::SOCK_DIAG),
        );
        Kernel { socket: socket.ok(), sequence: 0 }
    }

    /// Looks up the owner of the `local` end of a connection; none if the kernel doesn't reveal it.
    pub fn owner(&mut self, local: SocketAddr, remote: SocketAddr) -> Option<Owner> {
        let socket = self.socket.as_ref()?;
        self.sequence = self.sequence.wrapping_add(1);
        send(socket, &request(self.sequence, local, remote), SendFlags::empty()).ok()?;
        // The kernel responds before `send` returns. Older responses are left over from lookups that failed.
        loop {
            let mut response = [0; 1024];
            let (length, _) = recv(socket, response.as_mut_slice(), RecvFlags::empty()).ok()?;
            let response = response.get(..length)?;
            if response.get(SEQUENCE..SEQUENCE + 4)? == self.sequence.to_ne_bytes() {
                return read(response, local, remote);
            }
        }
    }
}

/// An `inet_diag_req_v2` in its netlink message.
fn request(sequence: u32, local: SocketAddr, remote: SocketAddr) -> Vec<u8> {
    // `AF_INET` and `AF_INET6`
    let family = if local.is_ipv4() { 2 } else { 10 };
    let mut body = vec![family, IPPROTO_TCP, 0, 0];
    body.extend(u32::MAX.to_ne_bytes()); // in any state
    body.extend(ends(local, remote));
    body.extend(0u32.to_ne_bytes()); // on any interface
    body.extend([0xff; 8]); // no cookie: any socket between these addresses
    let length = u32::try_from(HEADER + body.len()).unwrap_or(0);
    let mut message = Vec::from(length.to_ne_bytes());
    message.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    message.extend(NLM_F_REQUEST.to_ne_bytes());
    message.extend(sequence.to_ne_bytes());
    message.extend([0; 4]); // port id: the kernel's
    message.extend(body);
    message
}

/// Reads the owner from the response. A socket that listens at `local` is not an end of the connection.
fn read(response: &[u8], local: SocketAddr, remote: SocketAddr) -> Option<Owner> {
    let number = |at: usize| Some(u32::from_ne_bytes(response.get(at..at + 4)?.try_into().ok()?));
    let is_response = response.get(4..6)? == SOCK_DIAG_BY_FAMILY.to_ne_bytes();
    let matches = *response.get(STATE)? != TCP_LISTEN && response.get(ID..ID + ENDS)? == ends(local, remote);
    let (uid, inode) = (number(UID)?, number(INODE)?);
    (is_response && matches).then_some(Owner { uid, is_open: inode != 0 })
}

/// Ports, then addresses, in network byte order; each address takes the 16 bytes of an IPv6 one.
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

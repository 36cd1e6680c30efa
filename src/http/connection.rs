//! One TCP connection of a client: a socket whose owner must say his request and take his answer in time.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::head_timeout::HeadTimer;
use super::peer::Peer;
use crate::options::ServerOptions;

/// Bare, as all that is said before a request is understood.
const LATE: &[u8] = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// A socket that breaks when nothing could be written to it for too long, or when a head that has begun does not
/// come to its end. Without the one a client that never reads would keep its model talking for ever.
pub(super) struct Connection {
    socket: TcpStream,
    /// Who is at the other end.
    pub(super) peer: Peer,
    /// Knows how long the next head has been coming.
    pub(super) head: HeadTimer,
    stall_timeout: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    pub(super) fn new(socket: TcpStream, peer: Peer, options: &ServerOptions) -> Connection {
        let head = HeadTimer::new(options.receive_timeout);
        Connection { socket, peer, head, stall_timeout: options.stall_timeout, stalled: None }
    }

    fn watch<T>(&mut self, context: &mut Context<'_>, written: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(self.stall_timeout)));
        stalled.as_mut().poll(context).map(|()| {
            log::warn!(
                "a client took nothing of its answer for {:?}: its connection is closed",
                self.stall_timeout
            );
            Err(io::ErrorKind::TimedOut.into())
        })
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.head.bytes();
        } else if read.is_pending() && self.head.poll_late(context).is_ready() {
            if self.stalled.is_none() {
                // No answer is on its way that this would fall into. If the socket does not take it, nobody reads.
                let _ = self.socket.try_write(LATE);
            }
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

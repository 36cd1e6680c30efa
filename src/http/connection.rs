//! One TCP connection of a client, closed when the client is too slow to send a head or to read a response.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::head_timeout::{Expired, HeadTimer};
use super::peer::Peer;
use crate::options::ServerOptions;

/// Response to a head that took too long. It has no JSON body: the API that the client speaks is not known yet.
const HEAD_TIMEOUT_RESPONSE: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// A socket that fails with `TimedOut` when nothing could be written for `stall_timeout`, or when a head is not
/// complete within `receive_timeout`. Without the first, a client that never reads would keep its model running.
pub(super) struct Connection {
    socket: TcpStream,
    /// Owner of the other end.
    pub(super) peer: Peer,
    /// Limits the time to receive a head.
    pub(super) head_timer: HeadTimer,
    stall_timeout: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    pub(super) fn new(socket: TcpStream, peer: Peer, options: &ServerOptions) -> Connection {
        Connection {
            socket,
            peer,
            head_timer: HeadTimer::new(options.receive_timeout),
            stall_timeout: options.stall_timeout,
            stalled: None,
        }
    }

    /// Passes the result of a write on, or fails when writes have been pending for too long.
    fn limit_stall<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let stalled = self.stalled.get_or_insert_with(|| Box::pin(sleep(self.stall_timeout)));
        stalled.as_mut().poll(context).map(|()| {
            log::warn!(
                "connection closed, the client stopped reading request={} stalled={:?}",
                self.head_timer.request_id().as_deref().unwrap_or_default(),
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
        if self.head_timer.poll_expired(context) == Poll::Ready(Expired::Linger) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(context, buffer);
        if buffer.filled().len() > before {
            self.head_timer.bytes_received();
        } else if read.is_pending() && self.head_timer.poll_expired(context).is_ready() {
            if self.stalled.is_none() {
                // No response is being written. If the socket doesn't accept this one, the client doesn't read.
                let _ = self.socket.try_write(HEAD_TIMEOUT_RESPONSE);
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
        self.limit_stall(context, written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}

//! One TCP connection of a client, closed when the client is too slow to send a head or to read a response.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Sleep, sleep};

use super::head_timeout::{Expired, HeadTimer};
use super::peer::Peer;
use super::read_ahead::ReadAhead;
use crate::options::{MAX_BODY, ServerOptions};

/// Response to a head that took too long. It has no JSON body: the API that the client speaks is not known yet.
const HEAD_TIMEOUT_RESPONSE: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";

/// Most bytes that are kept of what a client sends while an earlier request is being answered: one more request of the
/// largest size.
const MAX_KEPT: usize = MAX_BODY + 64 * 1024;

/// Bytes that are read and kept at a time, so that a client that sends much leaves time for others.
const KEEP_AT_ONCE: usize = 64 * 1024;

/// A socket that fails with `TimedOut` when nothing could be written for `stall_timeout`, or when a head is not
/// complete within `receive_timeout`. Without the first, a client that never reads would keep its model running. It is read
/// all the time, so that the end of a connection is noticed whatever the client sent before.
pub(super) struct Connection {
    /// The socket, which `idle_connection` keeps when it ends what actix-web has for this connection.
    socket: Rc<RefCell<TcpStream>>,
    /// Whether the connection was reported to actix-web as ended, though it only rests.
    is_resting: Rc<Cell<bool>>,
    /// Owner of the other end.
    pub(super) peer: Peer,
    /// Limits the time to receive a head.
    pub(super) head_timer: HeadTimer,
    /// Limits what actix-web reads while it answers a request.
    pub(super) read_ahead: ReadAhead,
    /// Bytes received beyond that limit.
    kept: BytesMut,
    stall_timeout: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
}

impl Connection {
    pub(super) fn new(socket: Rc<RefCell<TcpStream>>, peer: Peer, options: &ServerOptions) -> Connection {
        Connection {
            socket,
            is_resting: Rc::default(),
            peer,
            head_timer: HeadTimer::new(options.receive_timeout),
            read_ahead: ReadAhead::default(),
            kept: BytesMut::new(),
            stall_timeout: options.stall_timeout,
            stalled: None,
        }
    }

    /// Becomes true when the connection is reported as ended because it rests between two requests.
    pub(super) fn is_resting(&self) -> Rc<Cell<bool>> {
        self.is_resting.clone()
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

impl Connection {
    /// Passes on what was kept, else what can be read of the socket.
    fn pass_on(
        &mut self,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
        room: usize,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = if self.kept.is_empty() {
            // Frees the memory of what has been passed on.
            self.kept = BytesMut::new();
            let room = u64::try_from(room).unwrap_or(u64::MAX);
            Pin::new(&mut (&mut *self.socket.borrow_mut()).take(room)).poll_read(context, buffer)
        } else {
            let kept = self.kept.split_to(room.min(self.kept.len()).min(buffer.remaining()));
            buffer.put_slice(&kept);
            Poll::Ready(Ok(()))
        };
        self.read_ahead.passed(buffer.filled().len() - before);
        read
    }

    /// Reads what can't be passed on yet and keeps it. Ready when the connection has ended, or has to.
    fn keep(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.kept.reserve(KEEP_AT_ONCE);
        let mut socket = self.socket.borrow_mut();
        let mut socket = (&mut *socket).take(KEEP_AT_ONCE as u64);
        let read = pin!(socket.read_buf(&mut self.kept)).poll(context);
        match read {
            Poll::Ready(Ok(0)) => Poll::Ready(Ok(())),
            Poll::Ready(Ok(_)) if self.kept.len() > MAX_KEPT => {
                log::warn!(
                    "connection closed, the client sent too much before its response ended request={} limit={MAX_KEPT}",
                    self.head_timer.request_id().as_deref().unwrap_or_default(),
                );
                Poll::Ready(Err(io::ErrorKind::QuotaExceeded.into()))
            }
            Poll::Ready(Ok(_)) => {
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // The next request is for the connection that `idle_connection` creates.
        if self.is_resting.get() {
            return Poll::Ready(Ok(()));
        }
        if self.head_timer.poll_expired(context) == Poll::Ready(Expired::Linger) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        let before = buffer.filled().len();
        let read = match self.read_ahead.room(context) {
            0 => self.keep(context),
            room => self.pass_on(context, buffer, room),
        };
        if let Some(received @ [_, ..]) = buffer.filled().get(before..) {
            self.head_timer.bytes_received(received);
            return read;
        }
        if read.is_ready() {
            return read;
        }
        match self.head_timer.poll_expired(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Expired::Idle) => {
                self.is_resting.set(true);
                Poll::Ready(Ok(()))
            }
            Poll::Ready(Expired::Head | Expired::Linger) => {
                if self.stalled.is_none() {
                    // No response is being written. If the socket doesn't accept this one, the client doesn't read.
                    let _ = self.socket.borrow().try_write(HEAD_TIMEOUT_RESPONSE);
                }
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut *self.socket.borrow_mut()).poll_write(context, bytes);
        self.limit_stall(context, written)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The response may have ended since the last read: its end starts a time limit, which has to wake this task.
        if self.head_timer.poll_expired(context).is_ready() {
            context.waker().wake_by_ref();
        }
        Pin::new(&mut *self.socket.borrow_mut()).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.is_resting.get() {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut *self.socket.borrow_mut()).poll_shutdown(context)
    }
}

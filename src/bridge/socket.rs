//! The server's end of a local socket, registered so that the event loop wakes only when there is work.
//!
//! Tokio's own sockets wait for reading and writing at once. A Unix socket becomes writable again each time that its peer has
//! read something, so every message that the server sends would wake it once more for nothing.

#[cfg(not(unix))]
pub(super) use interprocess::local_socket::tokio::Stream as Socket;
#[cfg(unix)]
pub(super) use unix::Socket;

#[cfg(unix)]
mod unix {
    use std::cell::RefCell;
    use std::io::{self, ErrorKind, Write};
    use std::net::Shutdown;
    use std::os::fd::OwnedFd;
    use std::os::unix::net::UnixStream;
    use std::pin::Pin;
    use std::task::{Context, Poll, ready};

    use interprocess::local_socket::tokio::Stream;
    use rustix::io::Errno;
    use tokio::io::unix::AsyncFd;
    use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};

    /// A connected socket of one task, which reads from and writes to a shared reference.
    pub(in super::super) struct Socket {
        readable: AsyncFd<UnixStream>,
        /// A duplicate that waits for room, only while the peer doesn't read what it is sent.
        writable: RefCell<Option<AsyncFd<UnixStream>>>,
    }

    impl TryFrom<Stream> for Socket {
        type Error = io::Error;

        fn try_from(stream: Stream) -> io::Result<Socket> {
            let Stream::UdSocket(stream) = stream;
            let stream = UnixStream::from(OwnedFd::try_from(stream)?);
            stream.set_nonblocking(true)?;
            let readable = register(stream, Interest::READABLE)?;
            Ok(Socket { readable, writable: RefCell::default() })
        }
    }

    /// Waits for events of one kind only.
    #[expect(unsafe_code, reason = "registers a descriptor")]
    fn register(stream: UnixStream, interest: Interest) -> io::Result<AsyncFd<UnixStream>> {
        // SAFETY: a socket stays the owner of one descriptor until it is dropped.
        Ok(unsafe { AsyncFd::register_with_interest(stream, interest) }?)
    }

    impl AsyncRead for &Socket {
        fn poll_read(
            self: Pin<&mut Self>,
            context: &mut Context<'_>,
            buffer: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            let socket = *self;
            loop {
                let mut ready = ready!(socket.readable.poll_read_ready(context))?;
                match read(ready.get_inner(), buffer) {
                    Ok(length) => {
                        // The socket is empty, so that the next read would fail; new data makes it ready again.
                        if 0 < length && buffer.remaining() > 0 {
                            ready.clear_ready();
                        }
                        return Poll::Ready(Ok(()));
                    }
                    Err(Errno::WOULDBLOCK) => ready.clear_ready(),
                    Err(Errno::INTR) => {}
                    Err(error) => return Poll::Ready(Err(error.into())),
                }
            }
        }
    }

    /// Reads once. The buffer is not cleared first, which would cost more than a short read.
    #[expect(unsafe_code, reason = "reads into memory that is not initialized")]
    fn read(stream: &UnixStream, buffer: &mut ReadBuf<'_>) -> Result<usize, Errno> {
        // SAFETY: nothing is read from the unfilled part, and nothing is uninitialized that was not before.
        let unfilled = unsafe { buffer.unfilled_mut() };
        let length = rustix::io::read(stream, unfilled)?.0.len();
        // SAFETY: the system has written so many bytes.
        unsafe { buffer.assume_init(length) };
        buffer.advance(length);
        Ok(length)
    }

    impl AsyncWrite for &Socket {
        fn poll_write(
            self: Pin<&mut Self>,
            context: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            let mut stream = self.readable.get_ref();
            let mut writable = self.writable.borrow_mut();
            loop {
                match stream.write(bytes) {
                    Err(error) if error.kind() == ErrorKind::WouldBlock => {
                        let waiting = match &mut *writable {
                            Some(waiting) => waiting,
                            none => none.insert(register(stream.try_clone()?, Interest::WRITABLE)?),
                        };
                        ready!(waiting.poll_write_ready(context))?.clear_ready();
                    }
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    written => {
                        // Kept while a long message is being written: its rest is likely to wait, too.
                        if !matches!(written, Ok(length) if length < bytes.len()) {
                            *writable = None;
                        }
                        return Poll::Ready(written);
                    }
                }
            }
        }

        fn poll_flush(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _context: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(self.readable.get_ref().shutdown(Shutdown::Write))
        }
    }

    #[cfg(test)]
    mod tests {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};

        use super::*;

        fn pair() -> (Socket, tokio::net::UnixStream) {
            let (ours, theirs) = UnixStream::pair().unwrap();
            ours.set_nonblocking(true).unwrap();
            theirs.set_nonblocking(true).unwrap();
            let readable = register(ours, Interest::READABLE).unwrap();
            let socket = Socket { readable, writable: RefCell::default() };
            (socket, tokio::net::UnixStream::from_std(theirs).unwrap())
        }

        #[tokio::test]
        async fn more_than_fits_is_written_as_the_peer_reads() {
            let (socket, mut peer) = pair();
            let bytes: Vec<u8> = (0..=255).cycle().take(5_000_000).collect();
            let mut received = Vec::new();
            let write = async {
                (&socket).write_all(&bytes).await.unwrap();
                (&socket).shutdown().await.unwrap();
            };
            let (length, ()) = tokio::join!(peer.read_to_end(&mut received), write);
            assert!(length.unwrap() == bytes.len() && received == bytes);
            assert!(socket.writable.borrow().is_none());
        }

        #[tokio::test]
        async fn reads_everything_in_pieces_and_then_the_end() {
            let (socket, mut peer) = pair();
            let bytes = vec![7; 3_000_000];
            let expected = bytes.clone();
            let write = tokio::spawn(async move {
                for piece in bytes.chunks(100_001) {
                    peer.write_all(piece).await.unwrap();
                }
            });
            let mut received = Vec::new();
            (&socket).read_to_end(&mut received).await.unwrap();
            write.await.unwrap();
            assert!(received == expected);
        }
    }
}

//! The queue of frames for one editor.
//!
//! Messages about running requests are few, since requests are bounded, and a cancel must not be lost to a full queue. What
//! an editor learns of besides is without end: an editor that doesn't read it is dropped.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::BytesMut;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::frames::{put_message, stream_of};
use super::protocol::ToEditor;
use crate::failure::Failure;

/// Unread bytes of messages about the connection (status, log lines, requests for the panel) past which an editor is
/// dropped: far more than it gets in the minutes that an extension host may be halted.
pub(super) const MAX_NOTIFICATIONS: usize = 16 * 1024 * 1024;

/// Unread bytes of messages about requests past which an editor gets no more requests. A request has 16 MiB at most.
const MAX_REQUESTS: usize = 256 * 1024 * 1024;

/// Bytes that are joined to one write, so that a long queue is not copied as a whole.
const WRITE: usize = 256 * 1024;

/// Sender of frames to one editor; cheap to clone.
#[derive(Clone)]
pub(super) struct Outbox {
    queue: UnboundedSender<BytesMut>,
    unread: Arc<Unread>,
}

/// Bytes that were queued and not written yet.
#[derive(Default)]
struct Unread {
    notifications: AtomicUsize,
    requests: AtomicUsize,
    overflow: Notify,
}

/// The end of the queue that is written to the connection.
pub(super) struct Queue {
    receiver: UnboundedReceiver<BytesMut>,
    unread: Arc<Unread>,
}

/// Reasons for which no more is written.
#[derive(Debug, thiserror::Error)]
pub(super) enum WriteError {
    /// The connection failed.
    #[error("the connection failed: {0}")]
    Io(#[from] std::io::Error),
    /// More is unread than may be.
    #[error("it does not read what it is sent: {} MiB are unread", MAX_NOTIFICATIONS / 1024 / 1024)]
    Overflow,
}

impl Unread {
    fn counter(&self, stream: u32) -> &AtomicUsize {
        if stream == 0 { &self.notifications } else { &self.requests }
    }
}

impl Outbox {
    /// Makes the queue.
    pub(super) fn new() -> (Outbox, Queue) {
        let (queue, receiver) = unbounded_channel();
        let unread: Arc<Unread> = Arc::default();
        (Outbox { queue, unread: unread.clone() }, Queue { receiver, unread })
    }

    /// Queues a new request; fails when the editor is gone or has too much to read already.
    pub(super) fn request(&self, stream: u32, message: &ToEditor) -> Result<(), Failure> {
        let mut bytes = BytesMut::new();
        put_message(stream, message, &mut bytes).map_err(Failure::internal)?;
        self.request_frames(stream, bytes)
    }

    /// Queues the frames of a new request; fails when the editor is gone or has too much to read already.
    pub(super) fn request_frames(&self, stream: u32, bytes: BytesMut) -> Result<(), Failure> {
        if self.unread.requests.load(Ordering::Relaxed) > MAX_REQUESTS {
            return Err(Failure::EditorGone);
        }
        self.queue(stream, bytes)
    }

    /// Queues a message; does nothing if the editor is gone.
    pub(super) fn notify(&self, stream: u32, message: &ToEditor) {
        if stream == 0 && self.unread.notifications.load(Ordering::Relaxed) > MAX_NOTIFICATIONS {
            self.unread.overflow.notify_one();
            return;
        }
        let _ = self.send(stream, message);
    }

    fn send(&self, stream: u32, message: &ToEditor) -> Result<(), Failure> {
        let mut bytes = BytesMut::new();
        put_message(stream, message, &mut bytes).map_err(Failure::internal)?;
        self.queue(stream, bytes)
    }

    fn queue(&self, stream: u32, bytes: BytesMut) -> Result<(), Failure> {
        self.unread.counter(stream).fetch_add(bytes.len(), Ordering::Relaxed);
        self.queue.send(bytes).map_err(|_| Failure::EditorGone)
    }
}

impl Queue {
    /// Writes the queued frames, those that are ready together, until the connection fails, too much is unread, or every
    /// outbox is dropped.
    pub(super) async fn write(self, connection: impl AsyncWrite + Unpin) -> Result<(), WriteError> {
        let Queue { receiver, unread } = self;
        tokio::select! {
            written = write(receiver, &unread, connection) => Ok(written?),
            () = unread.overflow.notified() => Err(WriteError::Overflow),
        }
    }

    /// The frames that are queued, for tests.
    #[cfg(test)]
    pub(super) fn into_receiver(self) -> UnboundedReceiver<BytesMut> {
        self.receiver
    }
}

async fn write(
    mut receiver: UnboundedReceiver<BytesMut>,
    unread: &Unread,
    mut connection: impl AsyncWrite + Unpin,
) -> std::io::Result<()> {
    while let Some(mut bytes) = receiver.recv().await {
        let mut written = [(stream_of(&bytes), bytes.len())].to_vec();
        while bytes.len() < WRITE
            && let Ok(more) = receiver.try_recv()
        {
            written.push((stream_of(&more), more.len()));
            bytes.unsplit(more);
        }
        connection.write_all(&bytes).await?;
        connection.flush().await?;
        for (stream, length) in written {
            unread.counter(stream).fetch_sub(length, Ordering::Relaxed);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    #[tokio::test]
    async fn editor_that_reads_nothing_is_dropped_and_memory_stays_bounded() {
        let (outbox, queue) = Outbox::new();
        let (connection, _unread) = tokio::io::duplex(1024);
        let status = ToEditor::Log(crate::bridge::protocol::LogLine {
            level: crate::bridge::protocol::LogLevel::Info,
            time: 0,
            text: "x".repeat(4096),
        });
        for _ in 0..10_000 {
            outbox.notify(0, &status);
        }
        assert!(outbox.unread.notifications.load(Ordering::Relaxed) < MAX_NOTIFICATIONS + 5000);
        let error = queue.write(connection).await.unwrap_err();
        assert_eq!(error.to_string(), "it does not read what it is sent: 16 MiB are unread");
    }

    #[tokio::test]
    async fn cancel_is_queued_however_much_is_unread_and_requests_are_not() {
        let (outbox, queue) = Outbox::new();
        outbox.unread.requests.store(MAX_REQUESTS + 1, Ordering::Relaxed);
        assert_eq!(outbox.request(1, &ToEditor::ListTools), Err(Failure::EditorGone));
        outbox.notify(1, &ToEditor::Cancel);
        assert_eq!(queue.into_receiver().len(), 1);
    }

    #[tokio::test]
    async fn bytes_that_were_written_count_no_longer() {
        let (outbox, queue) = Outbox::new();
        let (mut editor, connection) = tokio::io::duplex(1024);
        outbox.notify(0, &ToEditor::Ping);
        outbox.request(7, &ToEditor::ListTools).unwrap();
        let unread = outbox.unread.clone();
        drop(outbox);
        queue.write(connection).await.unwrap();
        let mut bytes = Vec::new();
        editor.read_to_end(&mut bytes).await.unwrap();
        let counters =
            [&unread.notifications, &unread.requests].map(|counter| counter.load(Ordering::Relaxed));
        assert_eq!((counters, bytes.is_empty()), ([0, 0], false));
    }
}

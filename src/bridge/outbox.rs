//! The queue of frames for one editor. It is unbounded while requests are bounded, so that a cancel is never lost to
//! a full queue.

use bytes::BytesMut;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::frames::put_message;
use super::protocol::ToEditor;
use crate::failure::Failure;

/// Sender of frames to one editor; cheap to clone.
#[derive(Clone)]
pub(super) struct Outbox {
    queue: UnboundedSender<BytesMut>,
}

impl Outbox {
    /// Makes the queue; its receiver is for [`write()`].
    pub(super) fn new() -> (Outbox, UnboundedReceiver<BytesMut>) {
        let (queue, queued) = unbounded_channel();
        (Outbox { queue }, queued)
    }

    /// Queues a message; fails when the editor is gone.
    pub(super) fn send(&self, stream: u32, message: &ToEditor) -> Result<(), Failure> {
        let mut bytes = BytesMut::new();
        put_message(stream, message, &mut bytes).map_err(Failure::internal)?;
        self.queue.send(bytes).map_err(|_| Failure::EditorGone)
    }

    /// Queues a message; does nothing if the editor is gone.
    pub(super) fn notify(&self, stream: u32, message: &ToEditor) {
        let _ = self.send(stream, message);
    }
}

/// Writes the queued frames, all that are ready at once, until the connection fails or every outbox is dropped.
pub(super) async fn write(
    mut queue: UnboundedReceiver<BytesMut>,
    mut connection: impl AsyncWrite + Unpin,
) -> std::io::Result<()> {
    while let Some(mut bytes) = queue.recv().await {
        while let Ok(more) = queue.try_recv() {
            bytes.unsplit(more);
        }
        connection.write_all(&bytes).await?;
        connection.flush().await?;
    }
    Ok(())
}

//! The queue of frames for one editor. It is unbounded while requests are bounded, so that a cancel is never lost to
//! a full queue.

use bytes::BytesMut;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::frames::put_message;
use super::protocol::ToEditor;
use crate::failure::Failure;

/// The way to an editor's writer.
#[derive(Clone)]
pub(super) struct Outbox {
    queue: UnboundedSender<BytesMut>,
}

impl Outbox {
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

    /// Queues a message that an editor which has just gone need not hear.
    pub(super) fn notify(&self, stream: u32, message: &ToEditor) {
        let _ = self.send(stream, message);
    }
}

/// Writes what is queued, all that is ready in one go, until the editor or all its outboxes are gone.
pub(super) async fn write(
    mut queued: UnboundedReceiver<BytesMut>,
    mut to: impl AsyncWrite + Unpin,
) -> std::io::Result<()> {
    while let Some(mut bytes) = queued.recv().await {
        while let Ok(more) = queued.try_recv() {
            bytes.unsplit(more);
        }
        to.write_all(&bytes).await?;
        to.flush().await?;
    }
    Ok(())
}

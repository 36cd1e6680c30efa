//! Frames that wait to be written to the server, bounded in bytes, taken in batches by the one writer.
//!
//! A long response waits for `room` first, so that megabytes are not made before the server has read them.

use bytes::BytesMut;
use parking_lot::Mutex;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::Notify;

use crate::bridge::frames::{Kind, put_message, put_text};
use crate::bridge::protocol::{FromEditor, ResponsePart, ThinkingId};
use crate::conversation::Part;

/// Enough for a few thousand small parts, so that a burst costs few writes. In bytes.
const ROOM: usize = 64 * 1024;

/// Frames on their way out.
#[derive(Debug, Default)]
pub struct FrameQueue {
    waiting: Mutex<BytesMut>,
    filled: Notify,
    taken: Notify,
}

impl FrameQueue {
    /// Returns when the writer has taken enough of what was waiting.
    pub async fn room(&self) {
        loop {
            let taken = self.taken.notified();
            if self.waiting.lock().len() < ROOM {
                return;
            }
            taken.await;
        }
    }

    /// Adds a message.
    pub fn message(&self, stream: u32, message: &FromEditor) {
        if let Err(error) = put_message(stream, message, &mut self.waiting.lock()) {
            log::error!("simulated editor: a message could not be written as JSON: {error}");
        }
        self.filled.notify_one();
    }

    /// Adds a part of a response: text and thinking as text frames, everything else as a message.
    pub fn part(&self, stream: u32, part: Part) {
        match part {
            Part::Text { text } => put_text(Kind::Text, stream, &text, &mut self.waiting.lock()),
            Part::Thinking(thinking) if thinking.metadata.is_none() => {
                if let Some(id) = thinking.id {
                    self.message(stream, &FromEditor::ThinkingId(ThinkingId { id }));
                }
                put_text(Kind::Thinking, stream, &thinking.text, &mut self.waiting.lock());
            }
            part => self.message(stream, &FromEditor::Part(ResponsePart { part })),
        }
        self.filled.notify_one();
    }

    /// Writes queued frames; returns only when writing fails.
    pub async fn write_to(&self, to: impl AsyncWrite) -> std::io::Error {
        let mut to = std::pin::pin!(to);
        loop {
            let batch = self.waiting.lock().split();
            if batch.is_empty() {
                self.filled.notified().await;
                continue;
            }
            self.taken.notify_waiters();
            if let Err(error) = to.write_all(&batch).await {
                return error;
            }
            if let Err(error) = to.flush().await {
                return error;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::io::AsyncReadExt;

    use super::*;
    use crate::bridge::frames::{FrameReader, Incoming};
    use crate::conversation::{Data, Thinking};

    #[tokio::test]
    async fn parts_are_encoded_in_order() {
        let data = Part::Data(Data { mime: "usage".into(), base64: "e30=".into() });
        let outbox = FrameQueue::default();
        outbox.part(1, Part::text("a"));
        outbox.part(1, Part::text("b"));
        outbox.part(2, Part::Thinking(Thinking { id: Some("t".into()), ..Thinking::text("hm") }));
        outbox.part(1, data.clone());
        outbox.message(1, &FromEditor::End);
        let bytes = outbox.waiting.lock().split();
        let mut reader = FrameReader::<_, FromEditor>::new(bytes.as_ref());
        let mut collected = Vec::new();
        while let Some(next) = reader.next().await.unwrap() {
            collected.push(next);
        }
        assert_eq!(
            collected,
            [
                (1, Incoming::Text("a".into())),
                (1, Incoming::Text("b".into())),
                (2, Incoming::Message(FromEditor::ThinkingId(ThinkingId { id: "t".into() }))),
                (2, Incoming::Thinking("hm".into())),
                (1, Incoming::Message(FromEditor::Part(ResponsePart { part: data }))),
                (1, Incoming::Message(FromEditor::End)),
            ]
        );
    }

    #[tokio::test]
    async fn full_outbox_accepts_parts_after_the_writer_has_drained_it() {
        let (here, mut there) = tokio::io::duplex(16);
        let outbox = Arc::new(FrameQueue::default());
        let writer = outbox.clone();
        let writing = tokio::spawn(async move { writer.write_to(here).await });
        let long = "x".repeat(ROOM);
        let mut put = 0;
        // One text with the writer, one waiting: no room for a third until the first has been read.
        while tokio::select! { biased; () = outbox.room() => true, () = settled() => false } {
            outbox.part(1, Part::text(&long));
            settled().await;
            put += 1;
        }
        assert_eq!(put, 2);
        there.read_exact(&mut vec![0; 2 * ROOM]).await.unwrap();
        outbox.room().await;
        drop(there);
        assert_eq!(writing.await.unwrap().kind(), std::io::ErrorKind::BrokenPipe);
    }

    /// Lets every other task go as far as it can.
    async fn settled() {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }
}

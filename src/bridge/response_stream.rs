//! The handles on a response: a stream of parts or a single message. Dropping one cancels its request.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_util::Stream;

use super::error::BridgeError;
use super::pending_requests::{PendingRequests, ResponseReceiver};
use super::protocol::{Chat, FromEditor, ToEditor};
use crate::conversation::Part;
use crate::failure::Failure;

/// A response of a model, part by part. Ends after the last part or with the reason why no more come.
pub struct ResponseStream {
    pending: Arc<PendingRequests>,
    stream: u32,
}

impl ResponseStream {
    /// Sends a request to a model.
    pub(super) fn open(pending: &Arc<PendingRequests>, chat: &Arc<Chat>) -> Result<ResponseStream, Failure> {
        let stream = pending.open_stream(chat.clone())?;
        let response = ResponseStream { pending: pending.clone(), stream };
        pending.send_chat(stream, chat)?;
        Ok(response)
    }
}

impl Stream for ResponseStream {
    type Item = Result<Part, BridgeError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.pending.poll_next(self.stream, context)
    }
}

impl Drop for ResponseStream {
    fn drop(&mut self) {
        self.pending.abandon(self.stream);
    }
}

/// A response that is a single message.
pub struct PendingResponse {
    pending: Arc<PendingRequests>,
    stream: u32,
    receiver: ResponseReceiver,
}

impl PendingResponse {
    /// Sends a request that is answered with one message.
    pub(super) fn open(
        pending: &Arc<PendingRequests>,
        request: &ToEditor,
    ) -> Result<PendingResponse, Failure> {
        let (stream, receiver) = pending.open_single()?;
        let response = PendingResponse { pending: pending.clone(), stream, receiver };
        pending.send(stream, request)?;
        Ok(response)
    }

    /// Waits for the response.
    pub async fn get(mut self) -> Result<FromEditor, BridgeError> {
        (&mut self.receiver).await.unwrap_or(Err(BridgeError::Failed(Failure::EditorGone)))
    }
}

impl Drop for PendingResponse {
    fn drop(&mut self) {
        self.pending.abandon(self.stream);
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use futures_util::{FutureExt, StreamExt};
    use tokio::sync::mpsc::UnboundedReceiver;

    use super::*;
    use crate::bridge::frames::{FrameReader, Incoming};
    use crate::bridge::outbox::Outbox;
    use crate::bridge::stream_buffer::{FAIL_AT, PAUSE_AT};

    fn open() -> (Arc<PendingRequests>, ResponseStream, UnboundedReceiver<BytesMut>) {
        let (outbox, queue) = Outbox::new();
        let pending = PendingRequests::new(outbox);
        let response = ResponseStream::open(&pending, &Arc::default()).unwrap();
        (pending, response, queue.into_receiver())
    }

    fn chat() -> ToEditor {
        ToEditor::Chat(Arc::default())
    }

    /// Decodes everything that was sent to the editor.
    async fn decode(mut sent: UnboundedReceiver<BytesMut>) -> Vec<ToEditor> {
        let mut messages = Vec::new();
        while let Ok(bytes) = sent.try_recv() {
            let mut reader: FrameReader<&[u8], ToEditor> = FrameReader::new(&bytes);
            while let Ok(Some((1, Incoming::Message(message)))) = reader.next().await {
                messages.push(message);
            }
        }
        messages
    }

    #[tokio::test]
    async fn unread_texts_are_joined_but_a_lone_blank_stays_alone() {
        let (pending, response, _sent) = open();
        for text in ["a", "b", " ", "c", "d"] {
            pending.receive(1, Incoming::Text(text.into()));
        }
        pending.receive(1, Incoming::Message(FromEditor::End));
        let parts: Vec<_> = response.map(Result::unwrap).collect().await;
        assert_eq!(parts, [Part::text("ab"), Part::text(" "), Part::text("cd")]);
    }

    #[tokio::test]
    async fn dropping_a_stream_cancels_unless_the_response_has_ended() {
        let (_pending, response, sent) = open();
        drop(response);
        assert_eq!(decode(sent).await, [chat(), ToEditor::Cancel]);

        let (pending, response, sent) = open();
        pending.receive(1, Incoming::Message(FromEditor::End));
        drop(response);
        assert_eq!(decode(sent).await, [chat()]);
    }

    #[tokio::test]
    async fn unread_response_is_paused_and_resumed_as_it_is_read() {
        let (pending, mut response, sent) = open();
        pending.receive(1, Incoming::Text("x".repeat(PAUSE_AT + 1)));
        pending.receive(1, Incoming::Text(" ".into()));
        assert!(response.next().now_or_never().is_some());
        assert_eq!(decode(sent).await, [chat(), ToEditor::Pause, ToEditor::Resume]);
    }

    #[tokio::test]
    async fn response_past_its_byte_budget_fails_alone() {
        let (pending, response, sent) = open();
        pending.receive(1, Incoming::Text("x".repeat(FAIL_AT + 1)));
        let parts: Vec<_> = response.collect().await;
        assert_eq!(parts.get(1), Some(&Err(BridgeError::Failed(Failure::ClientTooSlow))));
        assert_eq!(decode(sent).await, [chat(), ToEditor::Cancel]);
    }

    #[tokio::test]
    async fn detached_editor_fails_its_requests_and_all_later_ones() {
        let (pending, mut response, _sent) = open();
        let single = PendingResponse::open(&pending, &ToEditor::ListTools).unwrap();
        pending.fail_all(&Failure::EditorGone, true);
        assert_eq!(response.next().await, Some(Err(BridgeError::Failed(Failure::EditorGone))));
        assert_eq!(single.get().await, Err(BridgeError::Failed(Failure::EditorGone)));
        let later = PendingResponse::open(&pending, &ToEditor::ListTools);
        assert_eq!(later.err(), Some(Failure::EditorGone));
    }
}

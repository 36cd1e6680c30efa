//! Frames of the bridge: any bytes are read or refused, the same however they arrive.

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt};

use crate::bridge::frames::{FrameReader, Incoming, Kind, put_message, put_text};
use crate::bridge::protocol::FromEditor;

/// Reads an editor's bytes at once and in two pieces, then what it understood once more from its own frames.
pub fn frames(data: &[u8]) {
    let Some((cut, bytes)) = data.split_first() else { return };
    let (one, other) = bytes.split_at(usize::from(*cut).min(bytes.len()));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let (whole, end) = read(bytes).await;
        let (in_pieces, other_end) = read(one.chain(other)).await;
        assert_eq!((&in_pieces, other_end), (&whole, end), "the outcome depends on how the bytes arrive");

        let mut encoded = BytesMut::new();
        for (stream, incoming) in &whole {
            match incoming {
                Incoming::Message(message) => put_message(*stream, message, &mut encoded).unwrap(),
                Incoming::Text(text) => put_text(Kind::Text, *stream, text, &mut encoded),
                Incoming::IncompleteHistory => {}
                Incoming::Thinking(text) => put_text(Kind::Thinking, *stream, text, &mut encoded),
            }
        }
        let (again, end) = read(&encoded[..]).await;
        assert_eq!(end, None);
        assert_eq!(again, whole, "a message changes when it is written and read");
    });
}

/// The messages, and the error after them.
async fn read(source: impl AsyncRead + Unpin) -> (Vec<(u32, Incoming<FromEditor>)>, Option<String>) {
    let mut reader = FrameReader::new(source);
    let mut messages = Vec::new();
    loop {
        match reader.next().await {
            Ok(Some(message)) => messages.push(message),
            Ok(None) => return (messages, None),
            Err(error) => return (messages, Some(error.to_string())),
        }
    }
}

//! Length-prefixed frames over any byte stream, and the messages that they carry. Knows no sockets.
//!
//! A frame is a u32 length of what follows, a u8 kind, a u32 stream (all little-endian), then the payload. Text
//! and thinking are raw UTF-8; the messages of a long request are items of its `history`; all other messages are JSON. JSON
//! and items longer than `PIECE` are split: all pieces but the last are `Piece` frames, the last is the `Json` or `Item`
//! frame that completes it.

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::history::{HeldItems, InvalidItem, PendingItems};
use super::protocol::{FromEditor, ToEditor};
use crate::conversation::{Message, Tool};

/// Maximum size of a payload, in bytes; checked before memory is allocated for it.
pub const MAX_PAYLOAD: usize = 1024 * 1024;

/// Size of the pieces of longer messages, in bytes; small, so that a cancel never waits behind megabytes.
pub const PIECE: usize = 256 * 1024;

/// Maximum size of a message joined from its pieces, in bytes: a body of 10 MiB and what JSON adds to it.
pub const MAX_MESSAGE: usize = 16 * 1024 * 1024;

/// Memory that a piece of an unfinished message takes besides its bytes, roughly; counted, so that the table of
/// unfinished messages is bounded, too.
const PIECE_OVERHEAD: usize = 64;

/// Bytes after which a reader lets other tasks run: decoding them takes a fraction of a millisecond.
const BYTES_PER_TURN: usize = 64 * 1024;

/// Time that decoding a frame takes at least, as the number of bytes that take as long.
const FRAME_OVERHEAD: usize = 256;

/// Size of the length field, in bytes.
pub const LENGTH: usize = 4;

/// Size of the kind and the stream, in bytes; the length field counts them.
pub const HEAD: usize = 5;

/// Kind of a payload; the byte on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A JSON message, or the last piece of one.
    Json = 0,
    /// Text of a response, UTF-8.
    Text = 1,
    /// Thinking of a response, UTF-8.
    Thinking = 2,
    /// A piece of a long JSON message or item, not the last.
    Piece = 3,
    /// A message or the tools of a request, or the last piece of one.
    Item = 4,
    /// Keys of items of a request that the editor holds.
    Known = 5,
    /// Keys of items that the editor is to forget; none = all.
    Forget = 6,
}

impl TryFrom<u8> for Kind {
    type Error = FrameError;

    fn try_from(kind: u8) -> Result<Kind, FrameError> {
        match kind {
            0 => Ok(Kind::Json),
            1 => Ok(Kind::Text),
            2 => Ok(Kind::Thinking),
            3 => Ok(Kind::Piece),
            4 => Ok(Kind::Item),
            5 => Ok(Kind::Known),
            6 => Ok(Kind::Forget),
            kind => Err(FrameError::Kind { kind }),
        }
    }
}

/// A frame with its payload, not decoded yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Kind of `payload`.
    pub kind: Kind,
    /// The request it belongs to; 0 = the connection.
    pub stream: u32,
    /// At most `MAX_PAYLOAD` bytes.
    pub payload: Bytes,
}

/// Errors in received frames. The connection can't be used after one.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The length field is above the maximum, or too short for a frame.
    #[error("a frame of {length} bytes, expected {HEAD} to {} bytes", HEAD + MAX_PAYLOAD)]
    Length {
        /// Value of the length field.
        length: usize,
    },
    /// The kind is unknown.
    #[error("a frame of kind {kind}, expected 0 to 6")]
    Kind {
        /// Value of the kind field.
        kind: u8,
    },
    /// Pieces of unfinished messages are longer than one message may be.
    #[error("a message longer than {limit} bytes")]
    MessageTooLong {
        /// The limit in bytes.
        limit: usize,
    },
    /// A piece without content.
    #[error("an empty piece of a message")]
    EmptyPiece,
    /// A payload of text is not UTF-8.
    #[error("text that is not UTF-8")]
    NotText,
    /// A JSON payload is not a message of the protocol.
    #[error("not a message of this protocol: {0}")]
    NotMessage(#[from] serde_path_to_error::Error<serde_json::Error>),
    /// A frame of an item that is not one, or that this end doesn't take.
    #[error(transparent)]
    InvalidItem(#[from] InvalidItem),
    /// The connection ended before a frame was complete.
    #[error("the connection ended inside a frame")]
    HalfFrame,
    /// Reading from the connection failed.
    #[error("the connection failed: {0}")]
    Io(#[from] std::io::Error),
}

/// Appends a frame. The payload must not be longer than `MAX_PAYLOAD`; `put_message` and `put_text` split theirs.
fn put_frame(kind: Kind, stream: u32, payload: &[u8], out: &mut BytesMut) {
    out.reserve(LENGTH + HEAD + payload.len());
    out.put_u32_le(u32::try_from(HEAD + payload.len()).unwrap_or(u32::MAX));
    out.put_u8(kind as u8);
    out.put_u32_le(stream);
    out.put_slice(payload);
}

/// Appends the head of a frame whose payload follows; returns its place for `end_frame`.
pub(super) fn begin_frame(kind: Kind, stream: u32, out: &mut BytesMut) -> usize {
    let start = out.len();
    put_frame(kind, stream, &[], out);
    start
}

/// Completes the frame that begins at `start` and ends with `out`. One longer than `PIECE` is split.
pub(super) fn end_frame(start: usize, out: &mut BytesMut) {
    const HEADER: usize = LENGTH + HEAD;
    let length = out.len().saturating_sub(start + HEADER);
    if length <= PIECE {
        let length = u32::try_from(HEAD + length).unwrap_or(u32::MAX);
        if let Some(place) = out.get_mut(start..start + LENGTH) {
            place.copy_from_slice(&length.to_le_bytes());
        }
        return;
    }
    let payload = out.split_off(start + HEADER);
    let stream = stream_of(out.get(start..).unwrap_or_default());
    let kind = out.get(start + LENGTH).and_then(|kind| Kind::try_from(*kind).ok()).unwrap_or(Kind::Item);
    out.truncate(start);
    put_split(kind, stream, &payload, out);
}

/// Appends a payload, split into pieces if it is longer than `PIECE`.
fn put_split(kind: Kind, stream: u32, payload: &[u8], out: &mut BytesMut) {
    let mut rest = payload;
    while let Some((piece, after)) = rest.split_at_checked(PIECE)
        && !after.is_empty()
    {
        put_frame(Kind::Piece, stream, piece, out);
        rest = after;
    }
    put_frame(kind, stream, rest, out);
}

/// Appends a message, split into pieces if it is longer than `PIECE`.
pub fn put_message(
    stream: u32,
    message: &impl Serialize,
    out: &mut BytesMut,
) -> Result<(), serde_json::Error> {
    let json = serde_json::to_vec(message)?;
    put_split(Kind::Json, stream, &json, out);
    Ok(())
}

/// Appends text, split at character boundaries if it is longer than `PIECE`.
pub fn put_text(kind: Kind, stream: u32, text: &str, out: &mut BytesMut) {
    let mut rest = text;
    while rest.len() > PIECE {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(PIECE));
        put_frame(kind, stream, piece.as_bytes(), out);
        rest = after;
    }
    put_frame(kind, stream, rest.as_bytes(), out);
}

/// Takes the next frame off the buffer, if it is complete.
pub fn take_frame(buffer: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
    let Some(length) = buffer.first_chunk::<LENGTH>() else { return Ok(None) };
    let length = u32::from_le_bytes(*length) as usize;
    if !(HEAD..=HEAD + MAX_PAYLOAD).contains(&length) {
        return Err(FrameError::Length { length });
    }
    if buffer.len() < LENGTH + length {
        return Ok(None);
    }
    buffer.advance(LENGTH);
    let mut frame = buffer.split_to(length);
    let kind = Kind::try_from(frame.get_u8())?;
    let stream = frame.get_u32_le();
    Ok(Some(Frame { kind, stream, payload: frame.freeze() }))
}

/// The stream of an encoded frame.
pub fn stream_of(frame: &[u8]) -> u32 {
    frame
        .get(LENGTH + 1..)
        .and_then(|rest| rest.first_chunk())
        .map_or(0, |stream| u32::from_le_bytes(*stream))
}

/// A decoded frame.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming<M> {
    /// A JSON message.
    Message(M),
    /// Text of a response.
    Text(String),
    /// Thinking of a response.
    Thinking(String),
    /// A request with items that this editor doesn't hold; it is sent again in answer to `HistoryMissing`.
    IncompleteHistory,
}

/// A message that frames carry.
pub trait BridgeMessage: DeserializeOwned {
    /// Whether items may come before it: in the frames for editors.
    const HAS_ITEMS: bool;

    /// The message with its items.
    #[must_use]
    fn with_items(self, messages: Vec<Message>, tools: Option<Vec<Tool>>) -> Self;
}

impl BridgeMessage for FromEditor {
    const HAS_ITEMS: bool = false;

    fn with_items(self, _messages: Vec<Message>, _tools: Option<Vec<Tool>>) -> FromEditor {
        self
    }
}

impl BridgeMessage for ToEditor {
    const HAS_ITEMS: bool = true;

    fn with_items(mut self, mut messages: Vec<Message>, tools: Option<Vec<Tool>>) -> ToEditor {
        if let ToEditor::Chat(chat) = &mut self {
            let chat = Arc::make_mut(chat);
            messages.append(&mut chat.messages);
            chat.messages = messages;
            chat.tools.extend(tools.into_iter().flatten());
        }
        self
    }
}

/// Reads frames and decodes them; `M` is the type of the messages.
pub struct FrameReader<R, M> {
    source: R,
    buffer: BytesMut,
    /// Pieces of unfinished messages, by stream.
    pieces: HashMap<u32, Vec<u8>>,
    /// Size of `pieces`, with `PIECE_OVERHEAD` for each stream.
    held: usize,
    /// Items of requests, for editors.
    items: HeldItems,
    /// Maximum of `held`.
    max_message: usize,
    /// Length of the last message or text, in bytes.
    last_length: usize,
    /// Bytes decoded since other tasks could run.
    decoded: usize,
    messages: PhantomData<fn() -> M>,
}

impl<R: AsyncRead + Unpin, M: BridgeMessage> FrameReader<R, M> {
    /// A reader that has read nothing from `source` yet.
    pub fn new(source: R) -> FrameReader<R, M> {
        FrameReader {
            source,
            buffer: BytesMut::new(),
            pieces: HashMap::new(),
            held: 0,
            items: HeldItems::default(),
            max_message: MAX_MESSAGE,
            last_length: 0,
            decoded: 0,
            messages: PhantomData,
        }
    }

    /// Sets the maximum size of a message joined from its pieces, in bytes.
    pub fn set_max_message(&mut self, bytes: usize) {
        self.max_message = bytes;
    }

    /// Forgets the items of earlier requests, as an editor may at any time.
    pub fn forget_items(&mut self) {
        self.items.clear();
    }

    /// Length of the message or text that was read last, in bytes.
    pub fn last_length(&self) -> usize {
        self.last_length
    }

    /// Reads the next text or message and its stream; `None` if the connection was closed between two frames. Lets
    /// other tasks run now and then, even if the sender never pauses. Cancel-safe.
    pub async fn next(&mut self) -> Result<Option<(u32, Incoming<M>)>, FrameError> {
        loop {
            loop {
                if self.decoded >= BYTES_PER_TURN {
                    self.decoded = 0;
                    tokio::task::yield_now().await;
                }
                let Some(frame) = take_frame(&mut self.buffer)? else { break };
                self.decoded += FRAME_OVERHEAD + frame.payload.len();
                let stream = frame.stream;
                if let Some(incoming) = self.decode(&frame)? {
                    return Ok(Some((stream, incoming)));
                }
            }
            self.buffer.reserve(64 * 1024);
            if self.source.read_buf(&mut self.buffer).await? == 0 {
                return if self.buffer.is_empty() { Ok(None) } else { Err(FrameError::HalfFrame) };
            }
        }
    }

    /// Decodes a frame; `None` for a piece of a message that is not complete yet.
    fn decode(&mut self, frame: &Frame) -> Result<Option<Incoming<M>>, FrameError> {
        self.last_length = frame.payload.len();
        match frame.kind {
            Kind::Text => Ok(Some(Incoming::Text(text(&frame.payload)?))),
            Kind::Thinking => Ok(Some(Incoming::Thinking(text(&frame.payload)?))),
            Kind::Piece => {
                if frame.payload.is_empty() {
                    return Err(FrameError::EmptyPiece);
                }
                let overhead = if self.pieces.contains_key(&frame.stream) { 0 } else { PIECE_OVERHEAD };
                self.held += overhead + frame.payload.len();
                if self.held > self.max_message {
                    return Err(FrameError::MessageTooLong { limit: self.max_message });
                }
                self.pieces.entry(frame.stream).or_default().extend_from_slice(&frame.payload);
                Ok(None)
            }
            Kind::Json => {
                let joined = self.joined(frame);
                let message = message(joined.as_deref().unwrap_or(&frame.payload))?;
                Ok(Some(self.with_items(frame.stream, message)))
            }
            Kind::Item | Kind::Known | Kind::Forget if !M::HAS_ITEMS => Err(InvalidItem.into()),
            Kind::Item => {
                let joined = self.joined(frame);
                self.items.add_item(frame.stream, joined.as_deref().unwrap_or(&frame.payload))?;
                Ok(None)
            }
            Kind::Known => {
                self.items.add_known(frame.stream, &frame.payload)?;
                Ok(None)
            }
            Kind::Forget => {
                self.items.forget(&frame.payload)?;
                Ok(None)
            }
        }
    }

    /// Joins the last piece of a payload with those before it, if there were any.
    fn joined(&mut self, last: &Frame) -> Option<Vec<u8>> {
        let mut payload = self.pieces.remove(&last.stream)?;
        self.held -= PIECE_OVERHEAD + payload.len();
        payload.extend_from_slice(&last.payload);
        self.last_length = payload.len();
        Some(payload)
    }

    /// Adds its items to a request.
    fn with_items(&mut self, stream: u32, message: M) -> Incoming<M> {
        match self.items.take(stream) {
            None => Incoming::Message(message),
            Some(PendingItems { is_incomplete: true, .. }) => Incoming::IncompleteHistory,
            Some(PendingItems { messages, tools, .. }) => {
                Incoming::Message(message.with_items(messages, tools))
            }
        }
    }
}

fn text(payload: &Bytes) -> Result<String, FrameError> {
    String::from_utf8(payload.to_vec()).map_err(|_| FrameError::NotText)
}

fn message<M: DeserializeOwned>(json: &[u8]) -> Result<M, FrameError> {
    let mut json = serde_json::Deserializer::from_slice(json);
    Ok(serde_path_to_error::deserialize(&mut json)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::protocol::{Folder, FromEditor, Window};

    fn reader(bytes: &[u8]) -> FrameReader<&[u8], FromEditor> {
        FrameReader::new(bytes)
    }

    fn window(name: &str) -> FromEditor {
        FromEditor::Window(Window {
            focused: true,
            folders: vec![Folder { name: name.into(), path: "/".into() }],
        })
    }

    #[tokio::test]
    async fn messages_text_and_thinking_are_decoded_in_order() {
        let mut out = BytesMut::new();
        put_text(Kind::Text, 7, "héllo", &mut out);
        put_message(0, &window("a"), &mut out).unwrap();
        put_text(Kind::Thinking, 8, "", &mut out);
        let mut reader = reader(&out);
        assert_eq!(reader.next().await.unwrap(), Some((7, Incoming::Text("héllo".into()))));
        assert_eq!(reader.next().await.unwrap(), Some((0, Incoming::Message(window("a")))));
        assert_eq!(reader.next().await.unwrap(), Some((8, Incoming::Thinking(String::new()))));
        assert_eq!(reader.next().await.unwrap(), None);
    }

    #[test]
    fn frame_is_taken_with_its_last_byte() {
        let mut whole = BytesMut::new();
        put_text(Kind::Text, 0x0403_0201, "word", &mut whole);
        assert_eq!(stream_of(&whole), 0x0403_0201);
        assert_eq!(stream_of(&whole[..LENGTH + 2]), 0);
        let last = whole.len() - 1;
        let mut buffer = BytesMut::from(&whole[..last]);
        assert_eq!(take_frame(&mut buffer).unwrap(), None);
        buffer.put_u8(whole[last]);
        let frame = take_frame(&mut buffer).unwrap().unwrap();
        assert_eq!((frame.stream, &*frame.payload), (0x0403_0201, &b"word"[..]));
        assert!(buffer.is_empty());
    }

    #[test]
    fn no_frame_of_a_long_text_is_longer_than_a_piece() {
        let text = "é".repeat(PIECE);
        let mut out = BytesMut::new();
        put_text(Kind::Text, 1, &text, &mut out);
        let mut joined = Vec::new();
        while let Some(frame) = take_frame(&mut out).unwrap() {
            assert!(frame.payload.len() <= PIECE && std::str::from_utf8(&frame.payload).is_ok());
            joined.extend_from_slice(&frame.payload);
        }
        assert_eq!(joined, text.as_bytes());
    }

    #[tokio::test]
    async fn long_message_is_split_and_other_frames_may_come_between() {
        let long = window(&"é".repeat(PIECE));
        let mut cut = BytesMut::new();
        put_message(3, &long, &mut cut).unwrap();
        let mut out = BytesMut::new();
        let mut frames = 0;
        while let Some(frame) = take_frame(&mut cut).unwrap() {
            assert!(frame.payload.len() <= PIECE);
            frames += 1;
            put_frame(frame.kind, frame.stream, &frame.payload, &mut out);
            put_text(Kind::Text, 4, "between", &mut out);
        }
        assert_eq!(frames, 3);
        let mut reader = reader(&out);
        for _ in 0..2 {
            assert_eq!(reader.next().await.unwrap(), Some((4, Incoming::Text("between".into()))));
        }
        assert_eq!(reader.next().await.unwrap(), Some((3, Incoming::Message(long))));
    }

    #[tokio::test]
    async fn long_text_is_split_between_characters() {
        let mut out = BytesMut::new();
        put_text(Kind::Text, 1, &"é".repeat(PIECE), &mut out);
        let (mut reader, mut joined) = (reader(&out), String::new());
        while let Some((1, Incoming::Text(text))) = reader.next().await.unwrap() {
            joined.push_str(&text);
        }
        assert!(joined == "é".repeat(PIECE));
    }

    #[tokio::test]
    async fn invalid_frame_is_an_error_before_memory_is_allocated() {
        let error = |bytes: &'static [u8]| async move { reader(bytes).next().await.unwrap_err().to_string() };
        assert_eq!(error(b"GET / HTTP/1.1").await, "a frame of 542393671 bytes, expected 5 to 1048581 bytes");
        assert_eq!(error(&[4, 0, 0, 0]).await, "a frame of 4 bytes, expected 5 to 1048581 bytes");
        assert_eq!(error(&[5, 0, 0, 0, 9, 0, 0, 0, 0]).await, "a frame of kind 9, expected 0 to 6");
        assert_eq!(error(&[6, 0, 0, 0, 1, 0, 0, 0, 0, 0xff]).await, "text that is not UTF-8");
        assert_eq!(error(&[5, 0, 0, 0, 1, 0]).await, "the connection ended inside a frame");
        let unknown = error(b"\x0f\0\0\0\0\0\0\0\0{\"type\":1}").await;
        assert!(unknown.starts_with("not a message of this protocol: "), "{unknown}");
    }

    #[tokio::test]
    async fn pieces_above_the_message_limit_are_an_error() {
        let mut out = BytesMut::new();
        for stream in 0..17 {
            put_frame(Kind::Piece, stream, &vec![b' '; MAX_PAYLOAD], &mut out);
        }
        assert!(matches!(reader(&out).next().await, Err(FrameError::MessageTooLong { .. })));
    }

    #[tokio::test]
    async fn size_of_unfinished_messages_is_bounded_and_freed_when_they_are_complete() {
        let mut out = BytesMut::new();
        let message = window(&"a".repeat(PIECE));
        for stream in 0..200 {
            put_message(stream, &message, &mut out).unwrap();
        }
        let mut reader = reader(&out);
        for stream in 0..200 {
            assert_eq!(reader.next().await.unwrap(), Some((stream, Incoming::Message(message.clone()))));
            assert!(reader.last_length() > PIECE);
        }
        assert_eq!(reader.held, 0);
    }

    #[tokio::test]
    async fn pieces_that_never_become_messages_are_an_error() {
        let mut empty = BytesMut::new();
        put_frame(Kind::Piece, 1, b"", &mut empty);
        assert!(matches!(reader(&empty).next().await, Err(FrameError::EmptyPiece)));

        let mut short = BytesMut::new();
        for stream in 0..10_000 {
            put_frame(Kind::Piece, stream, b"[", &mut short);
        }
        let mut reader = reader(&short);
        reader.set_max_message(PIECE);
        assert!(matches!(reader.next().await, Err(FrameError::MessageTooLong { limit: PIECE })));
        assert!(reader.pieces.len() <= PIECE / PIECE_OVERHEAD);
    }

    #[tokio::test]
    async fn reader_lets_other_tasks_run_while_input_never_pauses() {
        let mut out = BytesMut::new();
        for _ in 0..100_000 {
            put_frame(Kind::Text, 1, b"a", &mut out);
        }
        let mut reader = reader(&out);
        let mut turns = 0;
        let read = async { while reader.next().await.unwrap().is_some() {} };
        let others = async {
            loop {
                turns += 1;
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            () = read => {}
            () = others => {}
        }
        assert!(turns > 100, "{turns}");
    }
}

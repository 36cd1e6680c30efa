//! The handshake of a connection: its first message must be a hello with this server's token and protocol.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use subtle::ConstantTimeEq;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::timeout;

use super::events::{BridgeEvent, EventSender, QueuedEvent};
use super::frames::{FrameReader, Incoming, MAX_MESSAGE, PIECE, put_message};
use super::protocol::{FromEditor, Hello, PROTOCOL, Refused, RefusedReason, ToEditor};
use super::socket::Socket;

/// Settings of all connections, also of those to a later socket of the same server.
#[derive(Clone)]
pub struct ConnectionConfig {
    /// Version of the server.
    pub version: Arc<str>,
    /// Time limit for a connection to send its hello.
    pub handshake_timeout: Duration,
    /// Interval between pings.
    pub heartbeat: Duration,
    /// Receiver of the bridge's events.
    pub events: UnboundedSender<QueuedEvent>,
    /// Id of the next editor.
    pub next_id: Arc<AtomicU32>,
}

/// Settings of every handshake and of the connections that follow.
#[derive(Clone)]
pub(super) struct HandshakeConfig {
    /// Token that a hello must carry.
    pub token: Arc<str>,
    /// Settings of all connections.
    pub connection: ConnectionConfig,
}

/// Waits for a valid hello; refuses any other first message and returns `None`.
pub(super) async fn handshake(
    stream: &Socket,
    reader: &mut FrameReader<&Socket, FromEditor>,
    config: &HandshakeConfig,
) -> Option<Hello> {
    reader.set_max_message(PIECE);
    let hello = match timeout(config.connection.handshake_timeout, reader.next()).await {
        Ok(Ok(Some((0, Incoming::Message(FromEditor::Hello(hello)))))) => hello,
        Ok(Ok(Some(_))) => {
            refuse(stream, RefusedReason::NotHello, "the first message must be a hello").await;
            return None;
        }
        Ok(Ok(None)) => return None,
        Ok(Err(error)) => {
            log::warn!("connection dropped before its hello error={:?}", error.to_string());
            return None;
        }
        Err(_) => {
            log::warn!(
                "connection dropped, no hello in time limit={:?}",
                config.connection.handshake_timeout
            );
            return None;
        }
    };
    if let Err((reason, message)) = authorize(&hello, config) {
        log::warn!("editor refused pid={} reason={message:?}", hello.pid);
        if reason == RefusedReason::ServerTooOld {
            EventSender::new(config.connection.events.clone()).send_now(BridgeEvent::Handover);
        }
        refuse(stream, reason, &message).await;
        return None;
    }
    reader.set_max_message(MAX_MESSAGE);
    Some(hello)
}

/// Checks a hello. The token comes first, so that other programs learn nothing else.
fn authorize(hello: &Hello, config: &HandshakeConfig) -> Result<(), (RefusedReason, String)> {
    if !bool::from(hello.token.as_bytes().ct_eq(config.token.as_bytes())) {
        return Err((RefusedReason::Token, "the token is not this server's".into()));
    }
    match hello.protocol.cmp(&PROTOCOL) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => Err((
            RefusedReason::EditorTooOld,
            format!(
                "Copilot Proxy {} is running, this window still has {}: reload the window",
                config.connection.version, hello.version
            ),
        )),
        std::cmp::Ordering::Greater => Err((
            RefusedReason::ServerTooOld,
            format!(
                "this server is {}, older than the extension {}: it hands over",
                config.connection.version, hello.version
            ),
        )),
    }
}

/// Sends the reason for which the connection will be closed.
async fn refuse(stream: &Socket, reason: RefusedReason, message: &str) {
    let mut bytes = bytes::BytesMut::new();
    let refused = ToEditor::Refused(Refused { reason, message: message.into() });
    if put_message(0, &refused, &mut bytes).is_ok() {
        // Fails if the editor has closed the connection already.
        let _ = tokio::io::AsyncWriteExt::write_all(&mut &*stream, &bytes).await;
    }
}

//! The handshake of a connection: its first message must be a hello with this server's token and protocol.

use std::cmp::Ordering;
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use subtle::ConstantTimeEq;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::timeout;

use super::events::{BridgeEvent, EventSender, QueuedEvent};
use super::frames::{FrameReader, Incoming, MAX_MESSAGE, PIECE, put_message};
use super::protocol::{FromEditor, Hello, PROTOCOL, ReadLog, Refused, RefusedReason, Run, ToEditor};
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

/// The other end of a connection, by its first message.
pub(super) enum Peer {
    /// A window.
    Editor(Hello),
    /// `copilot-proxy run`.
    Program(Run),
    /// `copilot-proxy logs`.
    LogReader(ReadLog),
}

/// Waits for a valid hello; refuses any other first message and returns `None`.
pub(super) async fn handshake(
    stream: &Socket,
    reader: &mut FrameReader<&Socket, FromEditor>,
    config: &HandshakeConfig,
) -> Option<Peer> {
    reader.set_max_message(PIECE);
    let peer = match timeout(config.connection.handshake_timeout, reader.next()).await {
        Ok(Ok(Some((0, Incoming::Message(FromEditor::Hello(hello)))))) => Peer::Editor(hello),
        Ok(Ok(Some((0, Incoming::Message(FromEditor::Run(run)))))) => Peer::Program(run),
        Ok(Ok(Some((0, Incoming::Message(FromEditor::ReadLog(read)))))) => Peer::LogReader(read),
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
    if let Err((reason, message)) = peer.authorize(config) {
        log::warn!("{} refused pid={} reason={message:?}", peer.kind(), peer.pid());
        if reason == RefusedReason::ServerTooOld && matches!(peer, Peer::Editor(_)) {
            EventSender::new(config.connection.events.clone()).send_now(BridgeEvent::Handover);
        }
        refuse(stream, reason, &message).await;
        return None;
    }
    reader.set_max_message(MAX_MESSAGE);
    Some(peer)
}

impl Peer {
    fn kind(&self) -> &'static str {
        match self {
            Peer::Editor(_) => "editor",
            Peer::Program(_) => "program",
            Peer::LogReader(_) => "log reader",
        }
    }

    fn pid(&self) -> u32 {
        match self {
            Peer::Editor(hello) => hello.pid,
            Peer::Program(run) => run.pid,
            Peer::LogReader(read) => read.pid,
        }
    }

    /// Checks token and protocol. The token comes first, so that other programs learn nothing else.
    fn authorize(&self, config: &HandshakeConfig) -> Result<(), (RefusedReason, String)> {
        let (token, protocol, version) = match self {
            Peer::Editor(hello) => (&hello.token, hello.protocol, &hello.version),
            Peer::Program(run) => (&run.token, run.protocol, &run.version),
            Peer::LogReader(read) => (&read.token, read.protocol, &read.version),
        };
        if !bool::from(token.as_bytes().ct_eq(config.token.as_bytes())) {
            return Err((RefusedReason::Token, "the token is not this server's".into()));
        }
        let own = &config.connection.version;
        match (protocol.cmp(&PROTOCOL), self) {
            (Ordering::Equal, _) => Ok(()),
            (Ordering::Less, Peer::Editor(_)) => Err((
                RefusedReason::EditorTooOld,
                format!("Copilot Proxy {own} is running, this window still has {version}: reload the window"),
            )),
            (Ordering::Greater, Peer::Editor(_)) => Err((
                RefusedReason::ServerTooOld,
                format!("this server is {own}, older than the extension {version}: it hands over"),
            )),
            (Ordering::Less, Peer::Program(_) | Peer::LogReader(_)) => Err((
                RefusedReason::EditorTooOld,
                format!("Copilot Proxy {own} is running, this program is {version}: update it"),
            )),
            (Ordering::Greater, Peer::Program(_) | Peer::LogReader(_)) => Err((
                RefusedReason::ServerTooOld,
                format!("this server is {own}, older than the program {version}: reload VS Code's windows"),
            )),
        }
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

//! The connection of `copilot-proxy logs`: it gets the lines that the server keeps, and new ones if it wants to.

use bytes::BytesMut;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::{Receiver, channel};

use super::events::{BridgeEvent, EventSender};
use super::frames::{FrameReader, put_message};
use super::handshake::ConnectionConfig;
use super::protocol::{FromEditor, LogLine, ReadLog, ToEditor};
use super::socket::Socket;

/// Lines that a reader may leave unread, more than the server keeps; a slower one is dropped.
const MAX_UNREAD: usize = 4096;

/// Serves the connection until its lines end or it does. Its first message was valid; more are not expected and end it.
pub(super) async fn serve(
    stream: &Socket,
    reader: &mut FrameReader<&Socket, FromEditor>,
    read: ReadLog,
    config: ConnectionConfig,
) {
    let (sender, lines) = channel(MAX_UNREAD);
    EventSender::new(config.events).send_now(BridgeEvent::ReadLog(read, sender));
    tokio::select! {
        // Fails if the reader has ended.
        _ = write(stream, lines) => {}
        _ = reader.next() => {}
    }
}

async fn write(mut stream: &Socket, mut lines: Receiver<LogLine>) -> std::io::Result<()> {
    while let Some(line) = lines.recv().await {
        let mut bytes = BytesMut::new();
        put_message(0, &ToEditor::Log(line), &mut bytes)?;
        while let Ok(line) = lines.try_recv() {
            put_message(0, &ToEditor::Log(line), &mut bytes)?;
        }
        stream.write_all(&bytes).await?;
    }
    Ok(())
}

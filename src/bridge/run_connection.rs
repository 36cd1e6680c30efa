//! The connection of `copilot-proxy run`: it gets a key for the program that it starts, valid until the connection ends.

use std::sync::atomic::Ordering;

use bytes::BytesMut;
use tokio::io::AsyncWriteExt;
use tokio::sync::oneshot;

use super::events::{BridgeEvent, EventSender, ProgramId};
use super::frames::{FrameReader, put_message};
use super::handshake::ConnectionConfig;
use super::protocol::{FromEditor, Run, ToEditor};
use super::socket::Socket;

/// Serves the connection until it ends. Its first message was valid; more are not expected and end it.
pub(super) async fn serve(
    stream: &Socket,
    reader: &mut FrameReader<&Socket, FromEditor>,
    run: Run,
    config: ConnectionConfig,
) {
    let id = ProgramId(config.next_id.fetch_add(1, Ordering::Relaxed));
    let events = EventSender::new(config.events);
    let (reply, key) = oneshot::channel();
    events.send_now(BridgeEvent::ProgramAttached(id, run, reply));
    if let Ok(key) = key.await {
        let mut bytes = BytesMut::new();
        let written = put_message(0, &ToEditor::RunKey(key), &mut bytes);
        if written.is_ok() && (&mut &*stream).write_all(&bytes).await.is_ok() {
            // Ends when the program does.
            let _ = reader.next().await;
        }
    }
    events.send_now(BridgeEvent::ProgramDetached(id));
}

//! The connection of one editor: after the handshake, reader, writer and heartbeat run until one of them ends.

use std::sync::atomic::Ordering;
use std::time::Duration;

use interprocess::local_socket::tokio::Stream;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{MissedTickBehavior, interval};

use super::editor::Editor;
use super::events::BridgeEvent;
use super::frames::{FrameError, FrameReader, Incoming};
use super::handshake::{HandshakeConfig, handshake};
use super::outbox::{self, Outbox};
use super::protocol::{FromEditor, ToEditor, Welcome};
use crate::failure::Failure;

/// Serves one connection until it ends. Invalid input closes this connection and affects no other.
pub(super) async fn serve_connection(stream: Stream, config: HandshakeConfig) {
    let mut reader = FrameReader::new(&stream);
    let Some(hello) = handshake(&stream, &mut reader, &config).await else { return };

    let (outbox, queued) = Outbox::new();
    let editor = Editor::new(config.next_id.fetch_add(1, Ordering::Relaxed), outbox);
    let id = editor.id();
    editor
        .notify(&ToEditor::Welcome(Welcome { version: config.version.to_string(), pid: std::process::id() }));
    log::info!("editor attached editor={id} pid={} version={:?}", hello.pid, hello.version);
    // Fails only while the server is ending.
    let _ = config.events.send(BridgeEvent::Attached(editor.clone(), hello.window));

    let reason = tokio::select! {
        read = read_loop(&mut reader, &editor, &config.events) => match read {
            Ok(()) => "disconnected".to_owned(),
            Err(error) => error.to_string(),
        },
        written = outbox::write(queued, &stream) => match written {
            Ok(()) => "dropped by the server".to_owned(),
            Err(error) => error.to_string(),
        },
        never = heartbeat(&editor, config.heartbeat) => match never {},
    };
    log::info!("editor detached editor={id} reason={reason:?}");
    editor.pending.fail_all(&Failure::EditorGone, true);
    let _ = config.events.send(BridgeEvent::Detached(id));
}

/// Passes on everything that an editor sends, until it closes the connection. Never waits for anything but its input.
async fn read_loop(
    reader: &mut FrameReader<&Stream, FromEditor>,
    editor: &Editor,
    events: &UnboundedSender<BridgeEvent>,
) -> Result<(), FrameError> {
    while let Some((stream, incoming)) = reader.next().await? {
        let event = match (stream, incoming) {
            (stream, Incoming::Text(text)) => {
                editor.pending.text(stream, text);
                continue;
            }
            (stream, Incoming::Thinking(text)) => {
                editor.pending.thinking(stream, text);
                continue;
            }
            (0, Incoming::Message(FromEditor::Pong)) => {
                editor.unanswered_pings.store(0, Ordering::Relaxed);
                continue;
            }
            (0, Incoming::Message(FromEditor::Models(models))) => {
                BridgeEvent::Models(editor.id(), models.models)
            }
            (0, Incoming::Message(FromEditor::Window(window))) => BridgeEvent::Window(editor.id(), window),
            (0, Incoming::Message(FromEditor::UserSettings(user_settings))) => {
                BridgeEvent::UserSettings(user_settings)
            }
            (0, Incoming::Message(FromEditor::Watch(watch))) => {
                BridgeEvent::Watch(editor.id(), watch.enabled)
            }
            (0, Incoming::Message(FromEditor::GetExchange(get))) => {
                BridgeEvent::GetExchange(editor.id(), get.id)
            }
            (0, Incoming::Message(FromEditor::StopRequest(stop))) => BridgeEvent::StopRequest(stop.id),
            (0, Incoming::Message(FromEditor::Start)) => BridgeEvent::Start,
            (0, Incoming::Message(FromEditor::Stop)) => BridgeEvent::Stop,
            (0, Incoming::Message(FromEditor::Handover)) => BridgeEvent::Handover,
            (stream, Incoming::Message(message)) => {
                editor.pending.message(stream, message);
                continue;
            }
        };
        let _ = events.send(event);
    }
    Ok(())
}

/// Sends a ping at each interval and counts those without a pong.
async fn heartbeat(editor: &Editor, every: Duration) -> std::convert::Infallible {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        editor.unanswered_pings.fetch_add(1, Ordering::Relaxed);
        editor.notify(&ToEditor::Ping);
    }
}

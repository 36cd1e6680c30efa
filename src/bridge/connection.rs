//! The connection of one editor: after the handshake, reader, writer and heartbeat run until one of them ends.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};

use super::editor::Editor;
use super::events::{BridgeEvent, EventSender};
use super::flood_limit::{Flood, FloodLimit, MAX_MODELS};
use super::frames::{FrameError, FrameReader, Incoming};
use super::handshake::{HandshakeConfig, Peer, handshake};
use super::log_connection;
use super::outbox::Outbox;
use super::protocol::{FromEditor, ToEditor, Welcome};
use super::run_connection;
use super::socket::Socket;
use crate::failure::Failure;

/// Serves one connection until it ends. Invalid input closes this connection and affects no other.
pub(super) async fn serve_connection(stream: Socket, config: HandshakeConfig) {
    let mut reader = FrameReader::new(&stream);
    let hello = match handshake(&stream, &mut reader, &config).await {
        Some(Peer::Editor(hello)) => hello,
        Some(Peer::Program(run)) => {
            return run_connection::serve(&stream, &mut reader, run, config.connection).await;
        }
        Some(Peer::LogReader(read)) => {
            return log_connection::serve(&stream, &mut reader, read, config.connection).await;
        }
        None => return,
    };

    let (outbox, queue) = Outbox::new();
    let editor = Editor::new(config.connection.next_id.fetch_add(1, Ordering::Relaxed), outbox);
    let id = editor.id();
    editor.notify(&ToEditor::Welcome(Welcome {
        version: config.connection.version.to_string(),
        pid: std::process::id(),
    }));
    log::info!("editor attached editor={id} pid={} version={:?}", hello.pid, hello.version);
    let events = EventSender::new(config.connection.events);
    events.send_now(BridgeEvent::Attached(editor.clone(), hello.window));

    let ended = tokio::select! {
        read = read_loop(&mut reader, &editor, &events) => read.map_err(|error| error.to_string()),
        written = queue.write(&stream) => match written {
            Ok(()) => Err("dropped by the server".to_owned()),
            Err(error) => Err(error.to_string()),
        },
        never = heartbeat(&editor, config.connection.heartbeat) => match never {},
    };
    match ended {
        Ok(()) => log::info!("editor detached editor={id}"),
        Err(reason) => log::warn!("editor dropped editor={id} pid={} reason={reason:?}", hello.pid),
    }
    editor.pending.fail_all(&Failure::EditorGone, true);
    events.send_now(BridgeEvent::Detached(id));
}

/// Reasons for which a connection is no longer read.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    Flood(#[from] Flood),
}

/// Passes on everything that an editor sends, until it closes the connection. Waits for nothing but its input, and for the
/// server to handle the events that it has queued.
async fn read_loop(
    reader: &mut FrameReader<&Socket, FromEditor>,
    editor: &Editor,
    events: &EventSender,
) -> Result<(), ReadError> {
    let mut limit = FloodLimit::new(Instant::now());
    while let Some((stream, incoming)) = reader.next().await? {
        let length = reader.last_length();
        let message = match (stream, incoming) {
            (0, Incoming::Message(message)) => message,
            (stream, incoming) => {
                if !editor.pending.receive(stream, incoming) {
                    limit.late(length, Instant::now())?;
                }
                continue;
            }
        };
        limit.message(length, Instant::now())?;
        let event = match message {
            FromEditor::Pong => {
                editor.unanswered_pings.send_replace(0);
                continue;
            }
            FromEditor::Models(models) if models.models.len() > MAX_MODELS => {
                return Err(Flood::Models { models: models.models.len() }.into());
            }
            FromEditor::Models(models) => BridgeEvent::Models(editor.id(), models.models),
            FromEditor::Window(window) => BridgeEvent::Window(editor.id(), window),
            FromEditor::UserSettings(user_settings) => BridgeEvent::UserSettings(user_settings),
            FromEditor::Keys(keys) => BridgeEvent::Keys(keys.keys),
            FromEditor::Watch(watch) => BridgeEvent::Watch(editor.id(), watch.enabled),
            FromEditor::GetExchange(get) => BridgeEvent::GetExchange(editor.id(), get.id),
            FromEditor::GetUsage(get) => BridgeEvent::GetUsage(editor.id(), get),
            FromEditor::StopRequest(stop) => BridgeEvent::StopRequest(stop.id),
            FromEditor::ChangeBudget(change) => BridgeEvent::ChangeBudget(change),
            FromEditor::Start => BridgeEvent::Start,
            FromEditor::Stop => BridgeEvent::Stop,
            FromEditor::Handover => BridgeEvent::Handover,
            // Messages about a request have its number.
            FromEditor::Hello(_)
            | FromEditor::Run(_)
            | FromEditor::ReadLog(_)
            | FromEditor::ThinkingId(_)
            | FromEditor::Part(_)
            | FromEditor::HistoryMissing
            | FromEditor::End
            | FromEditor::Failed(_)
            | FromEditor::Tools(_)
            | FromEditor::ToolOutput(_)
            | FromEditor::OriginAnswer(_) => continue,
        };
        events.send(event).await;
    }
    Ok(())
}

/// Sends a ping at each interval and counts those without a pong.
async fn heartbeat(editor: &Editor, every: Duration) -> std::convert::Infallible {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        editor.unanswered_pings.send_modify(|missed| *missed = missed.saturating_add(1));
        editor.notify(&ToEditor::Ping);
    }
}

//! One attached editor: its handshake, its reader and writer, its hang-up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use interprocess::local_socket::tokio::Stream;
use subtle::ConstantTimeEq;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::frames::{FrameError, FrameReader, Incoming, put_message};
use super::outbox::{self, Outbox};
use super::pending_requests::{PendingRequests, PendingResponse, ResponseStream};
use super::protocol::{
    Chat, FromEditor, Hello, InvokeTool, ModelInfo, PROTOCOL, Refused, RefusedReason, ToEditor, UserSettings,
    Welcome, Window,
};
use crate::failure::Failure;

/// Pings in a row that may go unanswered before an editor counts as unresponsive. Ticks are counted, not time:
/// after a suspend all clocks jump, but no tick was missed.
const MISSED_PINGS: u32 = 3;

/// Events of the bridge for the rest of the server.
pub enum BridgeEvent {
    /// An editor has attached.
    Attached(Editor, Window),
    /// An editor's models, all of them.
    Models(EditorId, Vec<ModelInfo>),
    /// An editor's window changed.
    Window(EditorId, Window),
    /// The user changed a setting.
    UserSettings(UserSettings),
    /// Open the port.
    Start,
    /// Close the port.
    Stop,
    /// A newer editor asks this server to make room.
    Handover,
    /// The panel of an editor was opened or closed.
    Watch(EditorId, bool),
    /// An editor wants to show the bodies of this request.
    GetExchange(EditorId, String),
    /// The user wants to stop this request.
    StopRequest(String),
    /// An editor has detached.
    Detached(EditorId),
}

/// Id of an attached editor; counted up since the server started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EditorId(u32);

/// Settings of every handshake.
#[derive(Clone)]
pub(super) struct HandshakeConfig {
    pub token: Arc<str>,
    pub version: Arc<str>,
    pub handshake_timeout: Duration,
    pub heartbeat: Duration,
    pub events: UnboundedSender<BridgeEvent>,
    pub counter: Arc<AtomicU32>,
}

/// A handle on an attached editor.
#[derive(Clone)]
pub struct Editor {
    id: EditorId,
    lines: Arc<PendingRequests>,
    outbox: Outbox,
    unanswered_pings: Arc<AtomicU32>,
}

impl Editor {
    /// Its id.
    pub fn id(&self) -> EditorId {
        self.id
    }

    /// Asks a model.
    pub fn chat(&self, chat: Arc<Chat>) -> Result<ResponseStream, Failure> {
        self.lines.ask(&ToEditor::Chat(chat))
    }

    /// Asks for the tools there are just now.
    pub fn list_tools(&self) -> Result<PendingResponse, Failure> {
        self.lines.request(&ToEditor::ListTools)
    }

    /// Runs a tool.
    pub fn invoke_tool(&self, name: String, input: serde_json::Value) -> Result<PendingResponse, Failure> {
        self.lines.request(&ToEditor::InvokeTool(InvokeTool { name, input }))
    }

    /// Sends a message about the connection as a whole, unless the editor has gone.
    pub fn notify(&self, message: &ToEditor) {
        self.outbox.notify(0, message);
    }

    /// Fails all that it is answering just now.
    pub fn fail_all(&self, failure: &Failure) {
        self.lines.fail_all(failure, false);
    }

    /// Number of its running requests.
    pub fn open_requests(&self) -> usize {
        self.lines.count()
    }

    /// Answers its pings. An editor halted in a debugger does not, and is better left alone.
    pub fn is_responsive(&self) -> bool {
        self.unanswered_pings.load(Ordering::Relaxed) < MISSED_PINGS
    }
}

/// Serves one connection until it ends. Whatever the other end sends, only this connection is dropped.
pub(super) async fn serve_connection(stream: Stream, config: HandshakeConfig) {
    let mut reader = FrameReader::new(&stream);
    let hello = match timeout(config.handshake_timeout, reader.next()).await {
        Ok(Ok(Some((0, Incoming::Message(FromEditor::Hello(hello)))))) => hello,
        Ok(Ok(Some(_))) => {
            return refuse(&stream, RefusedReason::NotHello, "the first message must be a hello").await;
        }
        Ok(Ok(None)) => return,
        Ok(Err(error)) => return log::warn!("bridge: dropped a connection before its hello: {error}"),
        Err(_) => return log::warn!("bridge: dropped a connection that said no hello in time"),
    };
    if let Err((reason, message)) = authorize(&hello, &config) {
        log::warn!("bridge: refused an editor (pid {}): {message}", hello.pid);
        if reason == RefusedReason::ServerTooOld {
            let _ = config.events.send(BridgeEvent::Handover);
        }
        return refuse(&stream, reason, &message).await;
    }

    let (outbox, queued) = Outbox::new();
    let host = Editor {
        id: EditorId(config.counter.fetch_add(1, Ordering::Relaxed)),
        lines: PendingRequests::new(outbox.clone()),
        outbox,
        unanswered_pings: Arc::default(),
    };
    let welcome = Welcome { version: config.version.to_string(), pid: std::process::id() };
    host.notify(&ToEditor::Welcome(welcome));
    log::info!("editor {}: attached (pid {}, version {})", host.id.0, hello.pid, hello.version);
    // The events ends only with the server.
    let _ = config.events.send(BridgeEvent::Attached(host.clone(), hello.window));

    let why = tokio::select! {
        read = read_loop(&mut reader, &host, &config.events) => match read {
            Ok(()) => "it hung up".to_owned(),
            Err(error) => error.to_string(),
        },
        written = outbox::write(queued, &stream) => match written {
            Ok(()) => "the server let go".to_owned(),
            Err(error) => error.to_string(),
        },
        never = heartbeat(&host, config.heartbeat) => match never {},
    };
    log::info!("editor {}: gone ({why})", host.id.0);
    host.lines.fail_all(&Failure::EditorGone, true);
    let _ = config.events.send(BridgeEvent::Detached(host.id));
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
                config.version, hello.version
            ),
        )),
        std::cmp::Ordering::Greater => Err((
            RefusedReason::ServerTooOld,
            format!(
                "this server is {}, older than the extension {}: it makes room",
                config.version, hello.version
            ),
        )),
    }
}

async fn refuse(stream: &Stream, reason: RefusedReason, message: &str) {
    let mut bytes = bytes::BytesMut::new();
    let refused = ToEditor::Refused(Refused { reason, message: message.into() });
    if put_message(0, &refused, &mut bytes).is_ok() {
        // Whoever was refused may have gone already.
        let _ = tokio::io::AsyncWriteExt::write_all(&mut &*stream, &bytes).await;
    }
}

/// The one reader of an editor. It waits for the editor only.
async fn read_loop(
    reader: &mut FrameReader<&Stream, FromEditor>,
    host: &Editor,
    events: &UnboundedSender<BridgeEvent>,
) -> Result<(), FrameError> {
    while let Some((stream, said)) = reader.next().await? {
        let fresh = match (stream, said) {
            (stream, Incoming::Text(text)) => {
                host.lines.text(stream, text);
                continue;
            }
            (stream, Incoming::Thinking(text)) => {
                host.lines.thinking(stream, text);
                continue;
            }
            (0, Incoming::Message(FromEditor::Pong)) => {
                host.unanswered_pings.store(0, Ordering::Relaxed);
                continue;
            }
            (0, Incoming::Message(FromEditor::Models(models))) => BridgeEvent::Models(host.id, models.models),
            (0, Incoming::Message(FromEditor::Window(window))) => BridgeEvent::Window(host.id, window),
            (0, Incoming::Message(FromEditor::UserSettings(preferences))) => {
                BridgeEvent::UserSettings(preferences)
            }
            (0, Incoming::Message(FromEditor::Watch(watch))) => BridgeEvent::Watch(host.id, watch.enabled),
            (0, Incoming::Message(FromEditor::GetExchange(look))) => {
                BridgeEvent::GetExchange(host.id, look.id)
            }
            (0, Incoming::Message(FromEditor::StopRequest(stop))) => BridgeEvent::StopRequest(stop.id),
            (0, Incoming::Message(FromEditor::Start)) => BridgeEvent::Start,
            (0, Incoming::Message(FromEditor::Stop)) => BridgeEvent::Stop,
            (0, Incoming::Message(FromEditor::Handover)) => BridgeEvent::Handover,
            (stream, Incoming::Message(message)) => {
                host.lines.message(stream, message);
                continue;
            }
        };
        let _ = events.send(fresh);
    }
    Ok(())
}

async fn heartbeat(host: &Editor, every: Duration) -> std::convert::Infallible {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        host.unanswered_pings.fetch_add(1, Ordering::Relaxed);
        host.notify(&ToEditor::Ping);
    }
}

//! One attached editor: its handshake, its reader and writer, its hang-up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use interprocess::local_socket::tokio::Stream;
use subtle::ConstantTimeEq;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::frames::{FrameError, Reader, Said, put_message};
use super::lines::{Line, Lines, Reply};
use super::outbox::{self, Outbox};
use super::protocol::{
    Chat, FromHost, Hello, InvokeTool, ModelInfo, PROTOCOL, Preferences, Refused, RefusedReason, ToHost,
    Welcome, Window,
};
use crate::failure::Failure;

/// Pings in a row that may go unanswered before an editor counts as unresponsive. Ticks are counted, not time:
/// after a suspend all clocks jump, but no tick was missed.
const MISSED_PINGS: u32 = 3;

/// What the bridge tells the rest of the server.
pub enum News {
    /// An editor has attached.
    Attached(Host, Window),
    /// An editor's models, all of them.
    Models(HostId, Vec<ModelInfo>),
    /// An editor's window changed.
    Window(HostId, Window),
    /// The person changed a setting.
    Preferences(Preferences),
    /// Open the port.
    Start,
    /// Close the port.
    Stop,
    /// A newer editor wants to replace this server.
    Handover,
    /// Somebody looks at the requests in this editor, or no longer does.
    Watch(HostId, bool),
    /// What was said in this request is to be shown in this editor.
    Look(HostId, String),
    /// An editor has gone.
    Gone(HostId),
}

/// Tells attached editors apart; counted up since the server started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HostId(u32);

/// What every handshake needs to know.
#[derive(Clone)]
pub(super) struct Reception {
    pub token: Arc<str>,
    pub version: Arc<str>,
    pub handshake_timeout: Duration,
    pub heartbeat: Duration,
    pub news: UnboundedSender<News>,
    pub counter: Arc<AtomicU32>,
}

/// A handle on an attached editor.
#[derive(Clone)]
pub struct Host {
    id: HostId,
    lines: Arc<Lines>,
    outbox: Outbox,
    unanswered_pings: Arc<AtomicU32>,
}

impl Host {
    /// Which editor.
    pub fn id(&self) -> HostId {
        self.id
    }

    /// Asks a model.
    pub fn chat(&self, chat: Arc<Chat>) -> Result<Line, Failure> {
        self.lines.ask(&ToHost::Chat(chat))
    }

    /// Asks for the tools there are just now.
    pub fn list_tools(&self) -> Result<Reply, Failure> {
        self.lines.request(&ToHost::ListTools)
    }

    /// Runs a tool.
    pub fn invoke_tool(&self, name: String, input: serde_json::Value) -> Result<Reply, Failure> {
        self.lines.request(&ToHost::InvokeTool(InvokeTool { name, input }))
    }

    /// Says something about the connection as a whole.
    pub fn tell(&self, message: &ToHost) {
        self.outbox.tell(0, message);
    }

    /// Fails all that it is answering just now.
    pub fn fail_all(&self, failure: &Failure) {
        self.lines.fail_all(failure, false);
    }

    /// How many requests it is answering.
    pub fn open_requests(&self) -> usize {
        self.lines.count()
    }

    /// Answers its pings. An editor halted in a debugger does not, and is better left alone.
    pub fn is_responsive(&self) -> bool {
        self.unanswered_pings.load(Ordering::Relaxed) < MISSED_PINGS
    }
}

/// Attends to one connection until it ends. Never fails: a stranger's connection is dropped, nothing else.
pub(super) async fn attend(stream: Stream, reception: Reception) {
    let mut reader = Reader::new(&stream);
    let hello = match timeout(reception.handshake_timeout, reader.next()).await {
        Ok(Ok(Some((0, Said::Message(FromHost::Hello(hello)))))) => hello,
        Ok(Ok(Some(_))) => {
            return refuse(&stream, RefusedReason::NotHello, "the first message must be a hello").await;
        }
        Ok(Ok(None)) => return,
        Ok(Err(error)) => return log::warn!("bridge: dropped a connection before its hello: {error}"),
        Err(_) => return log::warn!("bridge: dropped a connection that said no hello in time"),
    };
    if let Err((reason, message)) = examine(&hello, &reception) {
        log::warn!("bridge: refused an editor (pid {}): {message}", hello.pid);
        if reason == RefusedReason::ServerTooOld {
            let _ = reception.news.send(News::Handover);
        }
        return refuse(&stream, reason, &message).await;
    }

    let (outbox, queued) = Outbox::new();
    let host = Host {
        id: HostId(reception.counter.fetch_add(1, Ordering::Relaxed)),
        lines: Lines::new(outbox.clone()),
        outbox,
        unanswered_pings: Arc::default(),
    };
    let welcome = Welcome { version: reception.version.to_string(), pid: std::process::id() };
    host.tell(&ToHost::Welcome(welcome));
    log::info!("editor {}: attached (pid {}, version {})", host.id.0, hello.pid, hello.version);
    // The news ends only with the server.
    let _ = reception.news.send(News::Attached(host.clone(), hello.window));

    let why = tokio::select! {
        read = listen(&mut reader, &host, &reception.news) => match read {
            Ok(()) => "it hung up".to_owned(),
            Err(error) => error.to_string(),
        },
        written = outbox::write(queued, &stream) => match written {
            Ok(()) => "the server let go".to_owned(),
            Err(error) => error.to_string(),
        },
        never = beat(&host, reception.heartbeat) => match never {},
    };
    log::info!("editor {}: gone ({why})", host.id.0);
    host.lines.fail_all(&Failure::EditorGone, true);
    let _ = reception.news.send(News::Gone(host.id));
}

/// May this editor attach? The token first, so that a stranger learns nothing else.
fn examine(hello: &Hello, reception: &Reception) -> Result<(), (RefusedReason, String)> {
    if !bool::from(hello.token.as_bytes().ct_eq(reception.token.as_bytes())) {
        return Err((RefusedReason::Token, "the token is not this server's".into()));
    }
    match hello.protocol.cmp(&PROTOCOL) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => Err((
            RefusedReason::EditorTooOld,
            format!(
                "Copilot Proxy {} is running, this window still has {}: reload the window",
                reception.version, hello.version
            ),
        )),
        std::cmp::Ordering::Greater => Err((
            RefusedReason::ServerTooOld,
            format!(
                "this server is {}, older than the extension {}: it makes room",
                reception.version, hello.version
            ),
        )),
    }
}

async fn refuse(stream: &Stream, reason: RefusedReason, message: &str) {
    let mut bytes = bytes::BytesMut::new();
    let refused = ToHost::Refused(Refused { reason, message: message.into() });
    if put_message(0, &refused, &mut bytes).is_ok() {
        // Whoever was refused may have gone already.
        let _ = tokio::io::AsyncWriteExt::write_all(&mut &*stream, &bytes).await;
    }
}

/// The one reader of an editor. It waits for the editor only.
async fn listen(
    reader: &mut Reader<&Stream, FromHost>,
    host: &Host,
    news: &UnboundedSender<News>,
) -> Result<(), FrameError> {
    while let Some((stream, said)) = reader.next().await? {
        let fresh = match (stream, said) {
            (stream, Said::Text(text)) => {
                host.lines.text(stream, text);
                continue;
            }
            (stream, Said::Thinking(text)) => {
                host.lines.thinking(stream, text);
                continue;
            }
            (0, Said::Message(FromHost::Pong)) => {
                host.unanswered_pings.store(0, Ordering::Relaxed);
                continue;
            }
            (0, Said::Message(FromHost::Models(models))) => News::Models(host.id, models.models),
            (0, Said::Message(FromHost::Window(window))) => News::Window(host.id, window),
            (0, Said::Message(FromHost::Preferences(preferences))) => News::Preferences(preferences),
            (0, Said::Message(FromHost::Watch(watch))) => News::Watch(host.id, watch.on),
            (0, Said::Message(FromHost::Look(look))) => News::Look(host.id, look.id),
            (0, Said::Message(FromHost::Start)) => News::Start,
            (0, Said::Message(FromHost::Stop)) => News::Stop,
            (0, Said::Message(FromHost::Handover)) => News::Handover,
            (stream, Said::Message(message)) => {
                host.lines.message(stream, message);
                continue;
            }
        };
        let _ = news.send(fresh);
    }
    Ok(())
}

async fn beat(host: &Host, every: Duration) -> std::convert::Infallible {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        host.unanswered_pings.fetch_add(1, Ordering::Relaxed);
        host.tell(&ToHost::Ping);
    }
}

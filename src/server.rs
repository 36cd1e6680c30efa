//! The server as a whole: opens the bridge and the port, wires the bridge's news to the actors, tells the
//! editors how things stand, and knows when to end.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr};
use parking_lot::RwLock;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::bridge::directory::{Directory, DirectoryError, Lock, ProtocolRange, ServerFile};
use crate::bridge::listener::BridgeListener;
use crate::bridge::protocol::{HttpState, LogLine, PROTOCOL, Status, ToEditor, UserSettings};
use crate::bridge::{BridgeEvent, Editor};
use crate::completion::admission::Admission;
use crate::completion::{CompletionService, RateLimitBackoff};
use crate::failure::Failure;
use crate::http::AppState;
use crate::http::listeners::Ports;
use crate::log::{follow, kept, now};
use crate::models::ModelRegistry;
use crate::models::registry::{Attach, Detach, GetSnapshot, SetModels, SetWindow, Snapshot, StopWaiting};
use crate::options::ServerOptions;
use crate::request_log::RequestLog;
use crate::tools::ToolExecutor;
use crate::tools::executor::EditorDetached;

mod subscribers;

use subscribers::Subscribers;

/// How long news of requests waits for more of it: ten times a second is often enough for a person to see things move,
/// and four messages for each request cost an editor more than its answer. What an editor says itself is told at once.
const TOLD_WITHIN: Duration = Duration::from_millis(100);

/// Why a server can't run.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Its directory is of no use, or another server's.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The local socket can't be opened.
    #[error("the local socket can't be opened: {0}")]
    Socket(io::Error),
    /// The port can't be opened, and nobody wants to wait for it.
    #[error("port {port} can't be opened: {error}; `--port 0` takes a free one")]
    Port {
        /// The port.
        port: u16,
        /// The system's words.
        error: io::Error,
    },
    /// An actor has died: nothing can be trusted any more, the editors start a new server.
    #[error("a part of the server has died")]
    Broken,
}

/// Who is told how things stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// The editors: they show that the port is taken, and the server waits until it is free.
    Editors,
    /// A person at a terminal: a port that is taken is an error, and one that is open can be asked at once.
    Terminal,
}

/// A server that has its directory and its socket, and is about to open its port.
pub struct Server {
    state: AppState,
    registry: Addr<ModelRegistry>,
    directory: Directory,
    file: ServerFile,
    news: UnboundedReceiver<BridgeEvent>,
    log: UnboundedReceiver<LogLine>,
    editors: Vec<Editor>,
    subscribers: Subscribers,
    http: Http,
    /// Ports that are closed and whose connections have some time to end.
    draining: JoinSet<()>,
    /// The port is to be open: nobody has stopped it.
    wanted: bool,
    /// The port to open: the command line's until an editor says otherwise.
    port: u16,
    told: Option<Status>,
    /// Log lines that were taken from `log` and not passed on yet.
    lines: Vec<LogLine>,
    /// When to tell what has changed; none while nothing has.
    tell_at: Option<Instant>,
    /// Held to the end.
    _lock: Lock,
}

/// The port's state.
enum Http {
    Off,
    Open(Ports),
    Taken { port: u16, retry: Instant },
    Failed { port: u16, message: String, retry: Instant },
}

/// Whether to go on.
#[derive(PartialEq, Eq)]
enum Then {
    GoOn,
    End,
}

impl Server {
    /// Takes the directory and opens the bridge. Must run inside an actix system and a `LocalSet`.
    pub fn new(settings: ServerOptions, directory: Directory) -> Result<Server, ServerError> {
        let lock = directory.lock()?;
        let listener = BridgeListener::open(&directory).map_err(ServerError::Socket)?;
        let (said, news) = unbounded_channel();
        let (registry, availability) = ModelRegistry::new(settings.window_wait);
        let registry = registry.start();
        let user_settings =
            UserSettings { port: settings.port, ipv6: settings.ipv6, ..UserSettings::default() };
        let started = now();
        let completions = CompletionService {
            registry: registry.clone(),
            availability: availability.clone(),
            user_settings: Arc::new(RwLock::new(user_settings)),
            admission: Admission::new(settings.max_running, settings.max_waiting),
            calibration: Arc::default(),
            back_off: RateLimitBackoff::default(),
            model_timeout: settings.model_timeout,
        };
        let executor = ToolExecutor::new(registry.clone(), availability).start();
        let state = AppState::new(completions, executor, settings, started);
        let file = ServerFile {
            pid: std::process::id(),
            version: state.settings.version.to_string(),
            protocol: ProtocolRange { min: PROTOCOL, max: PROTOCOL },
            endpoint: listener.endpoint.clone(),
            token: listener.token.to_string(),
            port: None,
            started_at: started,
            instance: Some(state.instance.to_string()),
        };
        directory.publish(&file)?;
        let ServerOptions { handshake_timeout, heartbeat, port, .. } = *state.settings;
        let version = Arc::clone(&state.settings.version);
        tokio::task::spawn_local(listener.accept_loop(version, handshake_timeout, heartbeat, said));
        Ok(Server {
            state,
            registry,
            directory,
            file,
            news,
            log: follow(),
            editors: Vec::new(),
            subscribers: Subscribers::default(),
            http: Http::Off,
            draining: JoinSet::new(),
            wanted: true,
            port,
            told: None,
            lines: Vec::new(),
            tell_at: None,
            _lock: lock,
        })
    }

    /// Opens the port and serves until there is a reason to end: the last editor has been gone for the grace
    /// time, a newer server wants to take over, or a signal.
    pub async fn run(mut self, audience: Audience) -> Result<(), ServerError> {
        // Before anybody is told that it is ready: from then on it may be asked to end.
        let mut signals = Signals::new();
        match audience {
            Audience::Editors => self.open_port(),
            Audience::Terminal => self.open_port_with_models().await?,
        }
        let mut alone_since = self.editors.is_empty().then(Instant::now);
        let ended = loop {
            let alone_until = alone_since.map(|since| since + self.state.settings.grace);
            let retry = match &self.http {
                Http::Taken { retry, .. } | Http::Failed { retry, .. } => Some(*retry),
                Http::Off | Http::Open(_) => None,
            };
            let request_log: Arc<RequestLog> = self.state.request_log.clone();
            let is_quiet = self.tell_at.is_none();
            let then = tokio::select! {
                Some(news) = self.news.recv() => self.heed(news).await?,
                Some(line) = self.log.recv(), if is_quiet => { self.lines.push(line); self.tell_soon(); continue }
                () = at(self.subscribers.due()) => { self.subscribers.tell(&request_log); continue }
                () = request_log.changed.notified(), if is_quiet => { self.tell_soon(); continue }
                () = at(self.tell_at) => Then::GoOn,
                Some(_) = self.draining.join_next() => continue,
                () = at(retry) => { self.open_port(); Then::GoOn }
                () = at(alone_until) => { log::info!("no editor for {:?}: ending", self.state.settings.grace); Then::End }
                () = signals.next() => { log::info!("asked to end"); Then::End }
            };
            if then == Then::End {
                break Ok(());
            }
            self.tell_status().await?;
            alone_since =
                if self.editors.is_empty() { alone_since.or_else(|| Some(Instant::now())) } else { None };
        };
        self.pass_on();
        self.directory.retract();
        self.close_port(&Failure::Stopping).await;
        while self.draining.join_next().await.is_some() {}
        ended
    }

    async fn open_port_with_models(&mut self) -> Result<(), ServerError> {
        while let Some(news) = self.news.recv().await {
            let models = matches!(news, BridgeEvent::Models(..));
            self.wanted = false;
            self.heed(news).await?;
            if models {
                break;
            }
        }
        self.wanted = true;
        let open = self.ports();
        let open = open.map_err(|error| ServerError::Port { port: self.port, error })?;
        self.opened(open);
        Ok(())
    }

    async fn heed(&mut self, news: BridgeEvent) -> Result<Then, ServerError> {
        match news {
            BridgeEvent::Attached(host, window) => {
                self.tell_registry(Attach(host.clone(), window)).await?;
                // PendingRequests that are still on their way to the others are among those kept.
                self.pass_on();
                for line in kept() {
                    host.tell(&ToEditor::Log(line));
                }
                if let Some(status) = &self.told {
                    host.tell(&ToEditor::Status(status.clone()));
                }
                self.editors.push(host);
                if self.wanted && matches!(self.http, Http::Off) {
                    self.open_port();
                }
            }
            BridgeEvent::Models(id, models) => self.tell_registry(SetModels(id, models)).await?,
            BridgeEvent::Window(id, window) => self.tell_registry(SetWindow(id, window)).await?,
            BridgeEvent::UserSettings(user_settings) => self.prefer(user_settings).await,
            BridgeEvent::Start => {
                self.wanted = true;
                if !matches!(self.http, Http::Open(_)) {
                    self.open_port();
                }
            }
            BridgeEvent::Stop => {
                log::info!("stopped by a person");
                self.wanted = false;
                self.close_port(&Failure::Stopping).await;
            }
            BridgeEvent::Handover => {
                log::info!("a newer server takes over: finishing what is running");
                self.directory.retract();
                for editor in &self.editors {
                    editor.tell(&ToEditor::Superseded);
                }
                // The editors' writers have their turn, even if nothing else is left to be waited for.
                tokio::task::yield_now().await;
                self.drain(self.state.settings.handover).await;
                while self.draining.join_next().await.is_some() {}
                return Ok(Then::End);
            }
            BridgeEvent::Watch(id, on) => {
                let host = self.editors.iter().find(|host| on && host.id() == id);
                self.subscribers.watch(id, host, &self.state.request_log);
            }
            BridgeEvent::GetExchange(id, request) => {
                let exchange = ToEditor::Exchange(self.state.request_log.exchange(&request));
                self.editors.iter().filter(|host| host.id() == id).for_each(|host| host.tell(&exchange));
            }
            BridgeEvent::Gone(id) => {
                self.editors.retain(|host| host.id() != id);
                self.subscribers.watch(id, None, &self.state.request_log);
                self.tell_registry(Detach(id)).await?;
                self.state.executor.do_send(EditorDetached(id));
                if self.editors.is_empty() {
                    // A stop is forgotten when everybody has left.
                    self.wanted = true;
                }
            }
        }
        Ok(Then::GoOn)
    }

    async fn tell_registry<M>(&self, message: M) -> Result<(), ServerError>
    where
        M: actix::Message<Result = ()> + Send + 'static,
        ModelRegistry: actix::Handler<M>,
    {
        self.registry.send(message).await.map_err(|_| ServerError::Broken)
    }

    async fn prefer(&mut self, user_settings: UserSettings) {
        let UserSettings { port, ipv6, .. } = user_settings;
        if !user_settings.log_requests_to_ui {
            self.state.request_log.discard_captures();
        }
        *self.state.completions.user_settings.write() = user_settings;
        let is_open = matches!(&self.http, Http::Open(open) if open.number() == port);
        if port != self.port && !is_open {
            log::info!("the port is now {port}");
            if !matches!(self.http, Http::Off) {
                self.close_port(&Failure::Stopping).await;
                self.port = port;
                self.open_port();
            }
        }
        self.port = port;
        if let Http::Open(ports) = &mut self.http
            && let Some(connections) = ports.with_ipv6(ipv6, &self.state).await
        {
            self.draining.spawn_local(connections.ended(self.state.settings.handover));
        }
    }

    fn ports(&self) -> io::Result<Ports> {
        let ipv6 = self.state.completions.user_settings.read().ipv6;
        Ports::open(self.port, ipv6, &self.state)
    }

    fn open_port(&mut self) {
        let retry = Instant::now() + self.state.settings.port_retry;
        let port = self.port;
        self.http = match self.ports() {
            Ok(open) => return self.opened(open),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                if !matches!(self.http, Http::Taken { .. }) {
                    log::warn!("port {port} belongs to another program: waiting until it is free");
                }
                Http::Taken { port, retry }
            }
            Err(error) => {
                if !matches!(self.http, Http::Failed { .. }) {
                    log::error!("port {port} can't be opened: {error}");
                }
                Http::Failed { port, message: error.to_string(), retry }
            }
        };
        self.publish();
    }

    fn opened(&mut self, ports: Ports) {
        let number = ports.number();
        log::info!("listening on http://127.0.0.1:{number}");
        self.http = Http::Open(ports);
        self.publish();
        // Last, when all is as it says. Nobody may be reading: the extension starts the server without pipes.
        let _ = writeln!(io::stdout(), "listening on http://127.0.0.1:{number}");
        let _ = io::stdout().flush();
    }

    /// Ends the running answers and closes the port. Its connections get some time to end, for which nobody waits.
    async fn close_port(&mut self, why: &Failure) {
        if matches!(self.http, Http::Open(_)) {
            for editor in &self.editors {
                editor.fail_all(why);
            }
        }
        self.registry.do_send(StopWaiting);
        self.drain(self.state.settings.drain).await;
        if self.wanted {
            return;
        }
        self.publish();
    }

    /// Closes the port; its connections get this long to end.
    async fn drain(&mut self, within: Duration) {
        if let Http::Open(ports) = std::mem::replace(&mut self.http, Http::Off) {
            for connections in ports.close().await {
                self.draining.spawn_local(connections.ended(within));
            }
            log::info!("the port is closed");
        }
    }

    fn publish(&mut self) {
        self.file.port = match &self.http {
            Http::Open(ports) => Some(ports.number()),
            Http::Off | Http::Taken { .. } | Http::Failed { .. } => None,
        };
        if let Err(error) = self.directory.publish(&self.file) {
            log::error!("{error}");
        }
    }

    fn tell_soon(&mut self) {
        self.tell_at = Some(Instant::now() + TOLD_WITHIN);
    }

    /// Tells every editor how things stand, if that has changed.
    async fn tell_status(&mut self) -> Result<(), ServerError> {
        self.tell_at = None;
        self.pass_on();
        let Snapshot { models, .. } =
            self.registry.send(GetSnapshot).await.map_err(|_| ServerError::Broken)?;
        let totals = self.state.request_log.totals();
        let status = Status {
            http: match &self.http {
                Http::Off => HttpState::Off,
                Http::Open(ports) => HttpState::Running { port: ports.number() },
                Http::Taken { port, .. } => HttpState::PortTaken { port: *port },
                Http::Failed { port, message, .. } => {
                    HttpState::Failed { port: *port, message: message.clone() }
                }
            },
            in_flight: totals.in_flight,
            editors: u32::try_from(self.editors.len()).unwrap_or(u32::MAX),
            models: u32::try_from(models.len()).unwrap_or(u32::MAX),
            consent_needed: totals.consent_needed,
            requests: totals.requests,
            tokens_in: totals.tokens_in,
            tokens_out: totals.tokens_out,
            started_at: self.state.started,
        };
        if self.told.as_ref() != Some(&status) {
            for editor in &self.editors {
                editor.tell(&ToEditor::Status(status.clone()));
            }
            self.told = Some(status);
        }
        self.subscribers.offer(models);
        Ok(())
    }

    /// Passes on all log lines that there are.
    fn pass_on(&mut self) {
        while let Ok(line) = self.log.try_recv() {
            self.lines.push(line);
        }
        for line in self.lines.drain(..).map(ToEditor::Log) {
            for editor in &self.editors {
                editor.tell(&line);
            }
        }
    }
}

/// Waits until then; for ever if there is no then.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// What the system says when it wants the server to end.
struct Signals {
    #[cfg(unix)]
    terminate: Option<tokio::signal::unix::Signal>,
}

impl Signals {
    fn new() -> Signals {
        Signals {
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()).ok(),
        }
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        let terminated = async {
            match &mut self.terminate {
                Some(terminate) => terminate.recv().await,
                None => std::future::pending().await,
            }
        };
        #[cfg(not(unix))]
        let terminated = std::future::pending::<Option<()>>();
        tokio::select! {
            _ = terminated => {}
            interrupted = tokio::signal::ctrl_c() => if interrupted.is_err() { std::future::pending().await },
        }
    }
}

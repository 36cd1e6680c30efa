//! The server as a whole: opens the bridge and the port, passes the bridge's events to the actors, keeps the editors
//! informed, and decides when to end.

use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix::{Actor, Addr};
use parking_lot::RwLock;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::allocator;
use crate::bridge::directory::{Directory, DirectoryError};
use crate::bridge::protocol::{
    BudgetNotice, GetUsage, PersonKey, Status, ToEditor, UsageResponse, UserSettings,
};
use crate::bridge::{BridgeEvent, EditorId, QueuedEvent};
use crate::completion::admission::Admission;
use crate::completion::routed_models::RoutedModels;
use crate::completion::standard_context::StandardContexts;
use crate::completion::{BlockedVendors, CompletionContext, CompletionService, RateLimitBackoff};
use crate::failure::{Failure, cut};
use crate::http::{AppState, usage_report};
use crate::keys::{Key, KeyKind, KeyLimits, KeyRing};
use crate::log::now;
use crate::models::ModelRegistry;
use crate::models::registry::{Attach, Detach, FindWindows, GetModels, SetModels, SetWindow, StopWaiting};
use crate::options::ServerOptions;
use crate::prompt_prefix::PrefixStore;
use crate::tools::ToolExecutor;
use crate::tools::executor::EditorDetached;
use crate::usage_db::{self, UsageWriter};

mod discovery;
mod editor_updates;
mod http_port;
mod run_keys;
mod signals;

use discovery::{Discovery, Presence};
use editor_updates::EditorUpdates;
use http_port::HttpPort;
use run_keys::RunKeys;
use signals::Signals;

/// Time for the usage database to take its last rows when the server ends.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);

/// Time for reading the earlier usage before the port opens.
const READ_LIMIT: Duration = Duration::from_secs(2);

/// Interval at which the spending through a server that hands over is read: what it spends meanwhile may exceed a budget.
const READ_EVERY: Duration = Duration::from_secs(1);

/// Longest name of a key in bytes; longer ones are cut.
const MAX_KEY_NAME: usize = 100;

/// Reasons for which a server can't run.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The directory can't be used, or another server uses it.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The local socket can't be opened.
    #[error("the local socket can't be opened: {0}")]
    Socket(io::Error),
    /// The port can't be opened, and a terminal doesn't wait for it.
    #[error("port {port} can't be opened: {error}; `--port 0` takes a free one")]
    Port {
        /// The port that was wanted.
        port: u16,
        /// The system's error.
        error: io::Error,
    },
    /// An actor has died: nothing can be trusted any more, the editors start a new server.
    #[error("internal error: an actor has stopped; please report it")]
    ActorStopped,
}

/// The party that shows the server's state to the user.
#[derive(Clone, Copy, Debug)]
pub enum Audience {
    /// Editors: they show that the port is taken, and the server waits until it is free.
    Editors,
    /// A terminal: a port that is taken is an error, models are there as soon as the port is open, and the text of the
    /// function follows on standard output.
    Terminal(fn(u16) -> String),
}

/// A server that has its directory and its socket, and is about to open its port.
pub struct Server {
    state: AppState,
    registry: Addr<ModelRegistry>,
    executor: Addr<ToolExecutor>,
    discovery: Discovery,
    events: UnboundedReceiver<QueuedEvent>,
    editor_updates: EditorUpdates,
    port: HttpPort,
    run_keys: RunKeys,
}

/// The main loop's next step after an event.
#[derive(PartialEq, Eq)]
enum Next {
    Continue,
    Exit,
}

impl Server {
    /// Takes the directory and opens the bridge. The history of usage is kept in `history`, if there is one. Must run
    /// inside an actix system and a `LocalSet`.
    pub fn new(
        options: ServerOptions,
        directory: Directory,
        history: Option<PathBuf>,
    ) -> Result<Server, ServerError> {
        let lock = directory.lock()?;
        let (sender, events) = unbounded_channel();
        let (registry, availability) = ModelRegistry::new(options.window_wait);
        let registry = registry.start();
        let user_settings = UserSettings {
            port: options.port,
            ipv6: options.ipv6,
            allowed_origins: options.allow_origins.clone(),
            ..UserSettings::default()
        };
        let started = now();
        let context = CompletionContext {
            registry: registry.clone(),
            availability: availability.clone(),
            user_settings: Arc::new(RwLock::new(Arc::new(user_settings))),
            admission: Admission::new(options.max_running, options.max_waiting),
            calibration: Arc::default(),
            back_off: RateLimitBackoff::default(),
            blocked_vendors: BlockedVendors::default(),
            routed_models: RoutedModels::default(),
            prefixes: PrefixStore::default(),
            standard_contexts: StandardContexts::default(),
            model_timeout: options.model_timeout,
        };
        let completions = CompletionService::new(context);
        let executor = ToolExecutor::new(registry.clone(), availability, options.list_tools_timeout).start();
        let keys = KeyRing::new(history.clone(), options.window_wait);
        let usage = history.map(|directory| UsageWriter::start(usage_db::path_in(&directory)));
        let state = AppState::new(completions, executor.clone(), options, started, usage, keys);
        let discovery = Discovery::new(directory, lock, &state, sender)?;
        let port = state.options.port;
        Ok(Server {
            editor_updates: EditorUpdates::new(state.request_log.clone()),
            run_keys: RunKeys::new(state.keys.clone()),
            state,
            registry,
            executor,
            discovery,
            events,
            port: HttpPort::new(port),
        })
    }

    /// Opens the port and serves until there is a reason to end: no editor for the grace period, a newer server that
    /// takes over, or a signal.
    pub async fn run(mut self, audience: Audience) -> Result<(), ServerError> {
        // Before the server says that it is ready: from then on it may be asked to end.
        let mut signals = Signals::new();
        tokio::task::spawn_local(allocator::return_memory());
        let budgets = self.state.budgets.clone();
        self.read_spending().await;
        match audience {
            Audience::Editors => self.open_port(),
            Audience::Terminal(suggestions) => {
                self.open_port_with_models().await?;
                let port = self.port.open_number().unwrap_or_default();
                let _ = io::stdout().write_all(suggestions(port).as_bytes());
            }
        }
        let mut alone_since = self.editor_updates.editors().is_empty().then(Instant::now);
        let mut next_check = Instant::now() + self.state.options.directory_check;
        loop {
            let grace = self.state.options.grace;
            let next = tokio::select! {
                Some(queued) = self.events.recv() => self.handle_event(queued.event).await?,
                () = self.editor_updates.next() => Next::Continue,
                notice = budgets.next_notice() => {
                    self.show(notice).await?;
                    Next::Continue
                }
                () = self.port.wait_for_retry() => {
                    self.open_port();
                    Next::Continue
                }
                () = at(alone_since.map(|since| since + grace)) => {
                    log::info!("shutting down (no editor for {grace:?})");
                    Next::Exit
                }
                () = at(Some(next_check)) => {
                    next_check = Instant::now() + self.state.options.directory_check;
                    match self.discovery.check() {
                        Presence::Ours => Next::Continue,
                        Presence::Replaced => {
                            log::warn!("handover: another server was started in this directory");
                            self.hand_over().await;
                            self.close_history();
                            return Ok(());
                        }
                    }
                }
                () = signals.next() => {
                    log::info!("shutting down (signal)");
                    Next::Exit
                }
            };
            if next == Next::Exit {
                break;
            }
            self.inform_editors().await?;
            alone_since = if self.editor_updates.editors().is_empty() {
                alone_since.or_else(|| Some(Instant::now()))
            } else {
                None
            };
        }
        self.editor_updates.flush_lines();
        self.discovery.retract();
        self.close_port().await;
        self.port.drained().await;
        self.close_history();
        Ok(())
    }

    /// Reads what was spent through earlier servers, and continues to while one may hand over to this one.
    async fn read_spending(&self) {
        let budgets = self.state.budgets.clone();
        let (done, first) = oneshot::channel();
        let handover = self.state.options.handover + self.state.options.drain + CLOSE_LIMIT;
        tokio::task::spawn_local(async move {
            budgets.read_others().await;
            // Fails if the server no longer waits for it.
            let _ = done.send(());
            let until = Instant::now() + handover;
            while Instant::now() < until {
                sleep(READ_EVERY).await;
                budgets.read_others().await;
            }
            budgets.end_reading();
        });
        if timeout(READ_LIMIT, first).await.is_err() {
            log::warn!("the earlier usage is read late: budgets begin without it");
        }
    }

    /// Shows a notice about a budget in the window focused last.
    async fn show(&self, notice: BudgetNotice) -> Result<(), ServerError> {
        let find = FindWindows { workspace: None };
        let windows = self.registry.send(find).await.map_err(|_| ServerError::ActorStopped)?;
        if let Some(editor) = windows.ok().and_then(|windows| windows.into_iter().next()) {
            editor.notify(&ToEditor::BudgetNotice(notice));
        }
        Ok(())
    }

    /// Writes the last rows of the usage database and closes it.
    fn close_history(&self) {
        if let Some(usage) = &self.state.request_log.usage {
            usage.close(CLOSE_LIMIT);
        }
    }

    async fn open_port_with_models(&mut self) -> Result<(), ServerError> {
        self.port.want(false);
        while let Some(QueuedEvent { event, .. }) = self.events.recv().await {
            let has_models = matches!(event, BridgeEvent::Models(..));
            self.handle_event(event).await?;
            if has_models {
                break;
            }
        }
        self.port.want(true);
        let open = self.port.try_open(&self.state);
        open.map_err(|error| ServerError::Port { port: self.port.number(), error })?;
        self.announce_port();
        Ok(())
    }

    async fn handle_event(&mut self, event: BridgeEvent) -> Result<Next, ServerError> {
        match event {
            BridgeEvent::Attached(editor, window) => {
                self.state.keys.expect_person_keys(self.state.options.window_wait);
                self.send_registry(Attach(editor.clone(), window)).await?;
                self.editor_updates.attach(editor);
                if self.port.is_wanted() && self.port.is_off() {
                    self.open_port();
                }
            }
            BridgeEvent::Models(id, models) => {
                // Keys come before models, if the editor sends any.
                self.state.keys.person_keys_are_known();
                self.send_registry(SetModels(id, models)).await?;
            }
            BridgeEvent::Window(id, window) => self.send_registry(SetWindow(id, window)).await?,
            BridgeEvent::UserSettings(user_settings) => self.apply_user_settings(user_settings).await,
            BridgeEvent::Keys(keys) => {
                self.state.keys.set_person_keys(keys.into_iter().map(key_of).collect());
            }
            BridgeEvent::ProgramAttached(id, run, reply) => self.run_keys.attach(id, run, reply),
            BridgeEvent::ProgramDetached(id) => self.run_keys.detach(id),
            BridgeEvent::ReadLog(read, lines) => self.editor_updates.read_log(&read, lines),
            BridgeEvent::Start => {
                self.port.want(true);
                if self.port.open_number().is_none() {
                    self.open_port();
                }
            }
            BridgeEvent::Stop => {
                log::info!("stopped by the user");
                self.port.want(false);
                self.close_port().await;
                self.publish();
            }
            BridgeEvent::Handover => {
                log::info!("handover: a newer server takes over, running requests finish first");
                self.discovery.retract();
                self.hand_over().await;
                self.close_history();
                return Ok(Next::Exit);
            }
            BridgeEvent::Watch(id, enabled) => self.editor_updates.subscribe(id, enabled),
            BridgeEvent::GetExchange(id, request) => self.editor_updates.send_exchange(id, &request),
            BridgeEvent::GetUsage(id, query) => self.send_usage(id, query),
            BridgeEvent::StopRequest(request) => self.state.request_log.cancel(&request),
            BridgeEvent::ChangeBudget(change) => self.state.budgets.change(&change),
            BridgeEvent::Detached(id) => {
                self.editor_updates.detach(id);
                self.send_registry(Detach(id)).await?;
                self.executor.do_send(EditorDetached(id));
                if self.editor_updates.editors().is_empty() {
                    // A stop lasts until the last editor has detached.
                    self.port.want(true);
                }
            }
        }
        Ok(Next::Continue)
    }

    /// Sends an editor the sums of the usage, once they are read.
    fn send_usage(&self, id: EditorId, query: GetUsage) {
        let Some(editor) = self.editor_updates.editors().iter().find(|editor| editor.id() == id).cloned()
        else {
            return;
        };
        let state = self.state.clone();
        tokio::task::spawn_local(async move {
            let GetUsage { from, to, by } = query;
            let report = usage_report(Some(&from), Some(&to), Some(&by), &state).await;
            let (report, problem) = match report.map(serde_json::to_value) {
                Ok(Ok(report)) => (Some(report), None),
                Ok(Err(error)) => (None, Some(error.to_string())),
                Err(failure) => (None, Some(failure.to_string())),
            };
            editor.notify(&ToEditor::Usage(UsageResponse { from, to, by, report, problem }));
        });
    }

    /// Finishes the running requests and lets editors wait for the other server.
    async fn hand_over(&mut self) {
        self.editor_updates.notify_all(&ToEditor::Superseded);
        // Lets the editors' writers run, even if there is nothing else to wait for.
        tokio::task::yield_now().await;
        let options = self.state.options.clone();
        self.state.close_ui_streams();
        self.port.close(options.handover + options.drain).await;
        if timeout(options.handover, self.port.drained()).await.is_err() {
            log::warn!("handover: requests still running after {:?} are ended", options.handover);
            self.fail_running();
            self.port.drained().await;
        }
    }

    /// Ends the running responses with an error.
    fn fail_running(&self) {
        self.state.auto_mode.stop_all();
        for editor in self.editor_updates.editors() {
            editor.fail_all(&Failure::Stopping);
        }
        self.registry.do_send(StopWaiting);
    }

    async fn send_registry<M>(&self, message: M) -> Result<(), ServerError>
    where
        M: actix::Message<Result = ()> + Send + 'static,
        ModelRegistry: actix::Handler<M>,
    {
        self.registry.send(message).await.map_err(|_| ServerError::ActorStopped)
    }

    async fn apply_user_settings(&mut self, user_settings: UserSettings) {
        let UserSettings { port, ipv6, .. } = user_settings;
        if !user_settings.log_requests_to_ui {
            self.state.request_log.discard_captures();
        }
        let before = std::mem::replace(&mut *self.state.user_settings.write(), Arc::new(user_settings));
        self.state.budgets.set_budgets(*self.state.user_settings.read().budgets.clone());
        self.state.origin_questions.settings_changed(&before, &self.state.user_settings.read());
        if self.port.set_number(port) {
            log::info!("port changed port={port}");
            self.close_port().await;
            self.open_port();
        }
        self.port.set_ipv6(ipv6, &self.state).await;
    }

    fn open_port(&mut self) {
        if self.port.open(&self.state) {
            self.announce_port();
        } else {
            self.publish();
        }
    }

    /// Announces the open port: in the log, in `server.json` and, last, on standard output.
    fn announce_port(&mut self) {
        let number = self.port.open_number().unwrap_or_default();
        log::info!("listening on http://127.0.0.1:{number}");
        self.publish();
        // Standard output may be closed: the extension starts the server without pipes.
        let _ = writeln!(io::stdout(), "listening on http://127.0.0.1:{number}");
        let _ = io::stdout().flush();
    }

    /// Ends the running responses with an error and closes the port. Connections get a moment to end, in the background.
    async fn close_port(&mut self) {
        self.fail_running();
        self.state.close_ui_streams();
        self.port.close(self.state.options.drain).await;
    }

    fn publish(&mut self) {
        self.discovery.publish(self.port.open_number());
    }

    /// Sends the editors what has changed.
    async fn inform_editors(&mut self) -> Result<(), ServerError> {
        if self.editor_updates.has_subscribers() {
            for (request, status) in self.state.auto_mode.statuses().await {
                self.state.request_log.set_auto_mode(&request, status);
            }
        }
        let models = self.registry.send(GetModels).await.map_err(|_| ServerError::ActorStopped)?;
        let totals = self.state.request_log.totals();
        let status = Status {
            http: self.port.status(),
            in_flight: totals.in_flight,
            editors: u32::try_from(self.editor_updates.editors().len()).unwrap_or(u32::MAX),
            models: u32::try_from(models.len()).unwrap_or(u32::MAX),
            consent_needed: totals.consent_needed,
            requests: totals.requests,
            tokens_in: totals.tokens_in,
            tokens_out: totals.tokens_out,
            started_at: self.state.started,
        };
        self.editor_updates.flush(status, models);
        Ok(())
    }
}

/// A key of the user, as an editor sent it, and its text.
fn key_of(sent: PersonKey) -> (Key, String) {
    let PersonKey { mut name, key: text, models, tools, per_day, per_month, total } = sent;
    cut(&mut name, MAX_KEY_NAME);
    let limits = KeyLimits { max_credits: total, credits_per_day: per_day, credits_per_month: per_month };
    (Key { name, kind: KeyKind::Person, models, may_use_tools: tools, limits }, text)
}

/// Waits until `time`; for ever if there is none.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

//! State that all handlers share.

use std::sync::Arc;

use actix::Addr;
use actix_web::web::Data;
use parking_lot::RwLock;
use tokio::sync::{Semaphore, watch};

use super::origin_questions::OriginQuestions;
use super::{connection_limit, provoked_panic};
use crate::auto_mode::AutoModeService;
use crate::bridge::protocol::UserSettings;
use crate::budgets::BudgetService;
use crate::completion::CompletionService;
use crate::completion::admission::Admission;
use crate::dialect::Dialect;
use crate::dialect::openai_responses::OpenAiResponses;
use crate::keys::KeyRing;
use crate::mcp::session::Sessions;
use crate::models::ModelRegistry;
use crate::models::availability::EditorAvailability;
use crate::options::ServerOptions;
use crate::request_log::RequestLog;
use crate::tools::ToolExecutor;
use crate::tools::changes::ToolChanges;
use crate::usage_db::UsageWriter;

/// Requests of foreign web pages that run at the same time, and that wait for others of them.
const MAX_PAGE_REQUESTS: usize = 4;

/// State of the server as handlers see it; cheap to clone.
#[derive(Clone)]
pub struct AppState {
    /// Runs models.
    pub completions: CompletionService,
    /// Knows the attached editors and their models.
    pub registry: Addr<ModelRegistry>,
    /// Waits for an editor that is about to attach.
    pub availability: EditorAvailability,
    /// Runs auto mode and lists the editor's tools.
    pub auto_mode: AutoModeService,
    /// Runs the editor's tools.
    pub executor: Addr<ToolExecutor>,
    /// Notices changes of the editor's tools.
    pub tool_changes: ToolChanges,
    /// Sessions of MCP clients.
    pub mcp_sessions: Arc<Sessions>,
    /// Stored responses of the Responses API.
    pub responses: Data<<OpenAiResponses as Dialect>::Memory>,
    /// Live and recent requests, totals and metrics.
    pub request_log: Arc<RequestLog>,
    /// Limits on what requests may cost.
    pub budgets: BudgetService,
    /// The user's settings in VS Code; an editor sends them.
    pub user_settings: Arc<RwLock<Arc<UserSettings>>>,
    /// The valid API keys.
    pub keys: Arc<KeyRing>,
    /// Options of the command line.
    pub options: Arc<ServerOptions>,
    /// Start of the server, in milliseconds since 1970.
    pub started: u64,
    /// Asks the user about web pages.
    pub origin_questions: Arc<OriginQuestions>,
    /// Permits of requests of foreign web pages: they must not keep programs waiting.
    pub page_requests: Admission,
    /// Permits of open connections, on all ports together.
    pub connections: Arc<Semaphore>,
    /// Makes the cookies of browsers that have logged in to `/ui`; new at each start.
    pub cookie_secret: Arc<str>,
    /// Notified when the port closes: the streams of `/ui` would keep it open.
    pub ui_streams: Arc<watch::Sender<()>>,
    /// Random id of this run; distinguishes this server from another one on the same port.
    pub instance: Arc<str>,
}

impl AppState {
    /// Whether the value of a cookie stands for a valid key.
    pub(super) fn is_valid_cookie(&self, value: &str) -> bool {
        self.keys.is_valid_cookie(&self.cookie_secret, value)
    }

    /// The state of a server that has served nothing yet.
    pub fn new(
        completions: CompletionService,
        executor: Addr<ToolExecutor>,
        options: ServerOptions,
        started: u64,
        usage: Option<UsageWriter>,
        keys: KeyRing,
    ) -> AppState {
        let context = completions.context();
        connection_limit::raise_open_files();
        provoked_panic::configure(&options);
        let questions = OriginQuestions::new(context.registry.clone(), options.permission_wait);
        AppState {
            registry: context.registry.clone(),
            availability: context.availability.clone(),
            user_settings: context.user_settings.clone(),
            auto_mode: AutoModeService::new(completions.clone(), executor.clone()),
            tool_changes: ToolChanges::new(executor.clone(), context.user_settings.clone()),
            executor,
            mcp_sessions: Arc::default(),
            completions,
            responses: Data::new(<OpenAiResponses as Dialect>::Memory::default()),
            budgets: BudgetService::new(usage.clone()),
            request_log: Arc::new(RequestLog::with_history(usage)),
            keys: Arc::new(keys),
            options: Arc::new(options),
            started,
            origin_questions: Arc::new(questions),
            page_requests: Admission::new(MAX_PAGE_REQUESTS, MAX_PAGE_REQUESTS),
            connections: Arc::new(Semaphore::new(connection_limit::most_connections())),
            cookie_secret: uuid::Uuid::new_v4().simple().to_string().into(),
            ui_streams: Arc::default(),
            instance: uuid::Uuid::new_v4().simple().to_string().into(),
        }
    }

    /// Whether clients must send a key.
    pub fn requires_key(&self) -> bool {
        self.keys.is_required()
    }

    /// Ends the streams of `/ui`; their pages connect again.
    pub fn close_ui_streams(&self) {
        self.ui_streams.send_replace(());
    }
}

/// Becomes true when a port takes no more connections: streams without an end of their own end then.
#[derive(Clone)]
pub(super) struct PortClosing(pub watch::Receiver<bool>);

impl PortClosing {
    /// Waits for it.
    pub async fn wait(&mut self) {
        // The sender is dropped with the listener, which closes the port, too.
        let _ = self.0.wait_for(|closing| *closing).await;
    }
}

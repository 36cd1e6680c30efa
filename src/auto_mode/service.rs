//! The interface of auto mode for the handlers: reads editor tools, starts and stops sessions.

use std::sync::Arc;

use actix::Addr;

use super::editor_tools::{self, AutoMode};
use super::session::{self, Sessions};
use super::tool_loop::LoopServices;
use super::web_session::{WebAccess, WebSession};
use crate::bridge::protocol::AutoModeStatus;
use crate::completion::{CompletionService, Events, StartedCompletion};
use crate::conversation::Conversation;
use crate::dialect::RequestExtensions;
use crate::failure::Failure;
use crate::tools::ToolExecutor;
use crate::tools::executor::{EditorTools, ListTools};

/// Runs auto mode and lists the editor's tools; cheap to clone.
#[derive(Clone)]
pub struct AutoModeService {
    services: LoopServices,
    sessions: Sessions,
}

impl AutoModeService {
    /// A service without running sessions.
    pub fn new(completions: CompletionService, executor: Addr<ToolExecutor>) -> AutoModeService {
        let services = LoopServices { completions, executor, rounds: Arc::default() };
        AutoModeService { services, sessions: Sessions::default() }
    }

    /// Reads the tools of the window that has the folder `workspace` open; of the window focused last if absent.
    pub async fn editor_tools(&self, workspace: Option<String>) -> Result<EditorTools, Failure> {
        self.services
            .executor
            .send(ListTools { workspace, is_poll: false })
            .await
            .map_err(Failure::internal)?
    }

    /// Whether a request needs the editor's tools, so that `attach` must be called.
    pub fn needs_editor_tools(extensions: RequestExtensions) -> bool {
        editor_tools::are_needed(extensions)
    }

    /// Adds the editor's tools to a conversation if they have been read. Returns the parameters of auto mode if it is on
    /// or if the request offers web tools.
    pub async fn attach(
        &self,
        conversation: &mut Conversation,
        extensions: RequestExtensions,
        tools: Option<EditorTools>,
        web: WebAccess,
    ) -> Result<Option<AutoMode>, Failure> {
        let merge = |tools| editor_tools::merge(conversation, extensions, tools, &web.auto_tools);
        let attached = tools.and_then(merge);
        if attached.is_none() && web.tools.is_empty() {
            return Ok(None);
        }
        let web = WebSession::new(web, self.services.executor.clone());
        editor_tools::prepare(conversation, extensions, attached, web, &self.services.rounds).await.map(Some)
    }

    /// Starts the session of a request and returns the events of its response. Dropping them cancels model and tools.
    pub fn start(&self, auto_mode: AutoMode, first: StartedCompletion, conversation: Conversation) -> Events {
        session::start(self.services.clone(), &self.sessions, auto_mode, first, conversation)
    }

    /// Reads the status of every running session, with the id of its request.
    pub async fn statuses(&self) -> Vec<(String, AutoModeStatus)> {
        let mut statuses = Vec::new();
        for (request_id, session) in self.sessions.all() {
            // Fails for a session that has just ended.
            if let Ok(status) = session.send(session::GetStatus).await {
                statuses.push((request_id, status));
            }
        }
        statuses
    }

    /// Stops all sessions.
    pub fn stop_all(&self) {
        for (_, session) in self.sessions.all() {
            session.do_send(session::Stop);
        }
    }
}

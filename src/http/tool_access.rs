//! Access to the editor's tools: checks that the client may use them and picks the window.

use actix_web::HttpRequest;

use super::access::ClientPermissions;
use super::state::AppState;
use crate::auto_mode::{AutoMode, AutoModeService};
use crate::conversation::Conversation;
use crate::dialect::RequestExtensions;
use crate::failure::Failure;
use crate::tools::executor::EditorTools;

/// Adds the editor's tools to a conversation if the request asks for them; returns auto mode if it is on.
pub(super) async fn attach(
    conversation: &mut Conversation,
    extensions: RequestExtensions,
    request: &HttpRequest,
    client: ClientPermissions,
    state: &AppState,
) -> Result<Option<AutoMode>, Failure> {
    if !AutoModeService::needs_editor_tools(extensions) {
        return Ok(None);
    }
    let tools = list(request, client, state).await?;
    let auto_tools = state.user_settings.read().auto_tools.clone();
    state.auto_mode.attach(conversation, extensions, tools, &auto_tools)
}

/// Lists the tools of the window that a request names; fails if its client may not use them.
pub(super) async fn list(
    request: &HttpRequest,
    client: ClientPermissions,
    state: &AppState,
) -> Result<EditorTools, Failure> {
    if !client.may_use_tools {
        return Err(Failure::Forbidden {
            code: "origin_not_allowed",
            message: "web pages may not use the editor's tools; add the page's origin to the setting \
                      `copilotProxy.toolOrigins` if it is yours"
                .into(),
        });
    }
    let workspace = request.headers().get("x-copilot-proxy-workspace");
    let workspace = workspace.and_then(|value| value.to_str().ok()).map(str::to_owned);
    state.auto_mode.editor_tools(workspace).await
}

//! Access to the editor's tools: checks that the client may use them and picks the window.

use actix_web::HttpRequest;
use actix_web::web::Query;
use serde::Deserialize;

use super::access::{ClientPermissions, identity_of};
use super::origin_questions::tools_refused;
use super::state::AppState;
use crate::auto_mode::{AutoMode, AutoModeService, WebAccess};
use crate::conversation::{Conversation, WebTools};
use crate::dialect::RequestExtensions;
use crate::failure::Failure;
use crate::tools::executor::EditorTools;

/// Adds the editor's tools to a conversation if the request asks for them; returns auto mode if it is on or if the
/// request offers web tools.
pub(super) async fn attach(
    conversation: &mut Conversation,
    extensions: RequestExtensions,
    web: WebTools,
    request: &HttpRequest,
    client: ClientPermissions,
    state: &AppState,
) -> Result<Option<AutoMode>, Failure> {
    let needs_tools = AutoModeService::needs_editor_tools(extensions);
    if !needs_tools && web.is_empty() {
        return Ok(None);
    }
    if identity_of(request).is_on_trial() {
        // A window lists its tools as soon as it has attached, which is before it sends the keys.
        state.keys.wait_for_person_keys().await;
        if state.keys.is_required() {
            return Err(Failure::Unauthorized);
        }
    }
    let tools = if needs_tools { Some(list(request, client, state).await?) } else { None };
    let access = {
        let settings = state.user_settings.read();
        WebAccess {
            tools: web,
            workspace: workspace_of(request),
            // Without the right to the tools a request that offers web tools is still good for the rest.
            refused: check(client).err(),
            auto_tools: settings.auto_tools.clone(),
            search_tool: settings.web_search_tool.clone(),
        }
    };
    state.auto_mode.attach(conversation, extensions, tools, access).await
}

/// Lists the tools of the window that a request names; fails if its client may not use them.
pub(super) async fn list(
    request: &HttpRequest,
    client: ClientPermissions,
    state: &AppState,
) -> Result<EditorTools, Failure> {
    list_of(workspace_of(request), client, state).await
}

/// Lists the tools of the window with a workspace; fails if the client may not use them.
pub(super) async fn list_of(
    workspace: Option<String>,
    client: ClientPermissions,
    state: &AppState,
) -> Result<EditorTools, Failure> {
    check(client)?;
    state.auto_mode.editor_tools(workspace).await
}

/// Fails if a client may not use the editor's tools.
pub(super) fn check(client: ClientPermissions) -> Result<(), Failure> {
    if client.key_forbids_tools {
        return Err(Failure::Forbidden {
            code: "tools_not_allowed",
            message: "this key may not use the editor's tools; `Copilot Proxy: Manage Keys...` in VS Code permits it".into(),
        });
    }
    if client.may_use_tools { Ok(()) } else { Err(tools_refused()) }
}

/// The workspace that a request names, in its header or its query.
pub(super) fn workspace_of(request: &HttpRequest) -> Option<String> {
    let header = request.headers().get("x-copilot-proxy-workspace");
    let header = header.and_then(|value| value.to_str().ok()).map(str::to_owned);
    header.or_else(|| Query::<Workspace>::from_query(request.query_string()).ok()?.into_inner().workspace)
}

/// The field of a query that names a workspace.
#[derive(Deserialize)]
struct Workspace {
    workspace: Option<String>,
}

//! `/mcp`: the editor's tools over MCP's streamable HTTP. `mcp` (the module of that name) has the protocol; this is its
//! transport: one message a `POST`, a stream for notifications by `GET`, the end of a session by `DELETE`.

mod call;
mod reply;
mod streams;

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::web::{Data, Payload, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use reply::{accepted, rejected, result};

use crate::blocking;
use crate::failure::Failure;
use crate::http::access::ClientPermissions;
use crate::http::error_response::respond;
use crate::http::state::{AppState, PortClosing};
use crate::http::{request_body, tool_access};
use crate::mcp::message::{self, InvalidMessage};
use crate::mcp::notification::{Subscription, cancelled};
use crate::mcp::session::{RunningRequest, Session};
use crate::mcp::version::MirroredHeaders;
use crate::mcp::{Era, Message, Notification, Request, RequestId, RpcError, server_info, tools};
use crate::tools::changes::hash_of;

/// Header by which a client that has one connection for all its messages names it: `copilot-proxy mcp`.
const CONNECTION_HEADER: &str = "x-copilot-proxy-connection";

/// Longest name of a connection, in bytes.
const MAX_CONNECTION: usize = 64;

/// Header with the id of a session.
const SESSION_HEADER: &str = "mcp-session-id";

/// The request and the state, for the handlers of all methods.
struct Context<'a> {
    request: &'a HttpRequest,
    client: ClientPermissions,
    state: &'a Data<AppState>,
    closing: &'a PortClosing,
}

/// Handles one message of a client.
pub(in crate::http) async fn post(
    request: HttpRequest,
    payload: Payload,
    client: ReqData<ClientPermissions>,
    state: Data<AppState>,
    closing: Data<PortClosing>,
) -> HttpResponse {
    let context = Context { request: &request, client: *client, state: &state, closing: &closing };
    match context.post(payload).await {
        Ok(response) => response,
        Err(failure) => respond(&request, &failure),
    }
}

/// Opens the stream of a session.
pub(in crate::http) async fn get(
    request: HttpRequest,
    client: ReqData<ClientPermissions>,
    state: Data<AppState>,
    closing: Data<PortClosing>,
) -> HttpResponse {
    let context = Context { request: &request, client: *client, state: &state, closing: &closing };
    let session = match context.check_client().map(|()| context.session_without_body("GET")) {
        Ok(Ok(session)) => session,
        Ok(Err(error)) => return rejected(&request, None, &error),
        Err(failure) => return respond(&request, &failure),
    };
    if request.method() == Method::HEAD {
        return reply::stream_head().finish();
    }
    streams::of_session(session, &context)
}

/// Ends a session.
pub(in crate::http) async fn delete(
    request: HttpRequest,
    client: ReqData<ClientPermissions>,
    state: Data<AppState>,
    closing: Data<PortClosing>,
) -> HttpResponse {
    let context = Context { request: &request, client: *client, state: &state, closing: &closing };
    match context.check_client().map(|()| context.session_without_body("DELETE")) {
        Ok(Ok(_)) => {
            state.mcp_sessions.end(context.header(SESSION_HEADER).unwrap_or_default());
            HttpResponse::NoContent().finish()
        }
        Ok(Err(error)) => rejected(&request, None, &error),
        Err(failure) => respond(&request, &failure),
    }
}

impl Context<'_> {
    async fn post(&self, payload: Payload) -> Result<HttpResponse, Failure> {
        self.check_client()?;
        let limit = self.state.options.receive_timeout;
        let body = request_body::read(self.request.headers(), payload.into_inner(), limit).await?;
        let read = {
            let body = body.clone();
            blocking::run(body.len(), move || Ok(message::read(&body))).await?
        };
        let message = match read {
            Ok(message) => message,
            Err(invalid) => {
                let InvalidMessage { id, error } = *invalid;
                return Ok(rejected(self.request, id.as_ref(), &error));
            }
        };
        let headers = MirroredHeaders {
            version: self.header("mcp-protocol-version"),
            method: self.header("mcp-method"),
            name: self.header("mcp-name"),
        };
        let era = match Era::of(&message, headers) {
            Ok(era) => era,
            Err(error) => {
                let id = match &message {
                    Message::Request(request) => Some(&request.id),
                    Message::Notification(_) | Message::Response => None,
                };
                return Ok(rejected(self.request, id, &error));
            }
        };
        Ok(match message {
            Message::Request(request) => {
                let id = request.id.clone();
                let handled = match era {
                    Era::Stateless => self.stateless(request, &body).await?,
                    Era::WithSessions => self.in_session(request, &body).await?,
                };
                handled.unwrap_or_else(|error| rejected(self.request, Some(&id), &error))
            }
            Message::Notification(notification) => self.notify(era, &notification),
            Message::Response => accepted(),
        })
    }

    /// Refuses clients that may not use tools before anything else is read of them.
    fn check_client(&self) -> Result<(), Failure> {
        tool_access::check(self.client)
    }

    /// Handles a request without a session.
    async fn stateless(
        &self,
        request: Request,
        body: &[u8],
    ) -> Result<Result<HttpResponse, RpcError>, Failure> {
        let era = Era::Stateless;
        Ok(match request.method.as_str() {
            "server/discover" => Ok(result(&request.id, &era.complete(server_info::discovered()))),
            "tools/list" => {
                self.list(&request, era, None).await?.map(|list| result(&request.id, &era.complete(list)))
            }
            "tools/call" => match self.start_in_connection(&request.id) {
                Ok(running) => call::run(request, body, era, running, self).await,
                Err(error) => Err(error),
            },
            "subscriptions/listen" => Subscription::read(&request).and_then(|subscription| {
                let running = self.start_in_connection(&request.id)?;
                Ok(streams::of_subscription(&request.id, subscription, running, self))
            }),
            other => Err(era.method_not_found(other)),
        })
    }

    /// Handles a request of a session, and the one that begins it.
    async fn in_session(
        &self,
        request: Request,
        body: &[u8],
    ) -> Result<Result<HttpResponse, RpcError>, Failure> {
        let era = Era::WithSessions;
        if request.method == "initialize" {
            return Ok(self.initialize(&request));
        }
        let session = match self.session() {
            Ok(session) => session,
            Err(error) => return Ok(Err(error)),
        };
        Ok(match request.method.as_str() {
            "ping" => Ok(result(&request.id, &json!({}))),
            "tools/list" => {
                self.list(&request, era, Some(&session)).await?.map(|list| result(&request.id, &list))
            }
            "tools/call" => match session.start(&request.id) {
                Some(running) => call::run(request, body, era, Some(running), self).await,
                None => Err(id_in_use()),
            },
            other => Err(era.method_not_found(other)),
        })
    }

    fn initialize(&self, request: &Request) -> Result<HttpResponse, RpcError> {
        let version = server_info::read_initialize(&request.params)?;
        let session = self.state.mcp_sessions.begin();
        let body = message::response(&request.id, &server_info::initialized(version));
        Ok(HttpResponse::Ok().insert_header((SESSION_HEADER, session)).json(body))
    }

    async fn list(
        &self,
        request: &Request,
        era: Era,
        session: Option<&Session>,
    ) -> Result<Result<Value, RpcError>, Failure> {
        if let Err(error) = tools::check_list(&request.params) {
            return Ok(Err(error));
        }
        let found = match tool_access::list_of(self.workspace(), self.client, self.state).await {
            Ok(found) => self.state.tool_changes.runnable(found),
            Err(failure @ Failure::Forbidden { .. }) => return Err(failure),
            Err(failure @ Failure::Invalid { .. }) => {
                return Ok(Err(RpcError::invalid_params(failure.to_string())));
            }
            Err(failure) => return Ok(Err(RpcError::internal(failure.to_string()))),
        };
        if let Some(session) = session {
            session.learn_tools(hash_of(&found));
        }
        Ok(Ok(tools::list(&found, era)))
    }

    fn notify(&self, era: Era, notification: &Notification) -> HttpResponse {
        let session = match (era, self.connection()) {
            (Era::Stateless, Some(connection)) => connection,
            // A request is cancelled by closing its response.
            (Era::Stateless, None) => return accepted(),
            (Era::WithSessions, _) => match self.session() {
                Ok(session) => session,
                Err(error) => return rejected(self.request, None, &error),
            },
        };
        if notification.method == "notifications/cancelled"
            && let Some(id) = cancelled(&notification.params)
        {
            session.cancel(&id);
        }
        accepted()
    }

    /// The connection that the request names, if it does.
    fn connection(&self) -> Option<Arc<Session>> {
        let name = self.header(CONNECTION_HEADER).filter(|name| name.len() <= MAX_CONNECTION)?;
        Some(self.state.mcp_sessions.of_connection(name))
    }

    /// Lets a request be cancelled in its connection, if it names one.
    fn start_in_connection(&self, id: &RequestId) -> Result<Option<RunningRequest>, RpcError> {
        match self.connection() {
            Some(connection) => connection.start(id).map(Some).ok_or_else(id_in_use),
            None => Ok(None),
        }
    }

    /// The session of a `GET` or `DELETE`, which only the older era has.
    fn session_without_body(&self, method: &str) -> Result<Arc<Session>, RpcError> {
        match Era::of_version(self.header("mcp-protocol-version"))? {
            Era::Stateless => Err(RpcError {
                status: 405,
                ..RpcError::refused(format!(
                    "{method} is for sessions, which this version doesn't have; use POST"
                ))
            }),
            Era::WithSessions => self.session(),
        }
    }

    /// The session that the request names.
    fn session(&self) -> Result<Arc<Session>, RpcError> {
        let Some(id) = self.header(SESSION_HEADER) else {
            let message = "the header Mcp-Session-Id is missing; begin a session with `initialize`, or send version \
                           2026-07-28 in `_meta` and in the header MCP-Protocol-Version";
            return Err(RpcError::refused(message));
        };
        self.state.mcp_sessions.get(id).ok_or_else(|| {
            let message = "the session has ended or never existed; begin a new one with `initialize`";
            RpcError { status: 404, ..RpcError::refused(message) }
        })
    }

    /// The workspace whose window is meant.
    fn workspace(&self) -> Option<String> {
        tool_access::workspace_of(self.request)
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.request.headers().get(name)?.to_str().ok()
    }
}

fn id_in_use() -> RpcError {
    RpcError::refused("id: another request with this id is running")
}

//! `tools/call`: runs a tool in the editor. The response is one JSON object if the tool ends soon, else a stream with
//! signs of life and, where the client asks for it, progress.

use std::convert::Infallible;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use actix_web::HttpResponse;
use async_stream::stream;
use serde_json::Value;
use tokio::time::timeout;

use super::Context;
use super::reply::{Accepts, event, keep_alive, stream_head};
use crate::conversation::ToolCall;
use crate::failure::Failure;
use crate::http::access::ClientPermissions;
use crate::http::completion::captured_headers;
use crate::http::error_response::request_info;
use crate::http::request_id::RequestId as HttpRequestId;
use crate::http::state::AppState;
use crate::http::tool_access;
use crate::mcp::message::response;
use crate::mcp::notification::ProgressToken;
use crate::mcp::session::RunningRequest;
use crate::mcp::{Era, Request, RequestId, RpcError, tools};
use crate::request_log::{MCP, Record, RequestInfo};
use crate::tools::executor::{EditorTools, StartCall};

/// Time between two notifications of progress.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// Longest name of a tool in the request log.
const MAX_NAME: usize = 128;

/// The end of a call: its response, or nothing if the client has cancelled it.
type Outcome = Pin<Box<dyn Future<Output = Option<Value>>>>;

/// Runs a call. `running` lets a client with a session cancel it.
pub(super) async fn run(
    request: Request,
    body: &[u8],
    era: Era,
    running: Option<RunningRequest>,
    context: &Context<'_>,
) -> Result<HttpResponse, RpcError> {
    let token = ProgressToken::of(&request);
    let id = request.id.clone();
    let http_id = HttpRequestId::of(context.request);
    let call = tools::read_call(request, http_id.to_string())?;
    let name = call.name.clone();
    let record = Rc::new(begin_record(&name, &http_id, context));
    record.record_request_body(captured_headers(context.request), body);
    let call = Call {
        id,
        tool: call,
        era,
        workspace: context.workspace(),
        client: context.client,
        state: context.state.as_ref().clone(),
        record: record.clone(),
    };
    let mut outcome: Outcome = Box::pin(call.end(running));
    let accepts = Accepts::of(context.request.headers());
    let options = &context.state.options;
    let wants_progress = token.is_some() && accepts.events;
    if accepts.json && !wants_progress {
        // A client that takes no stream waits as long as it takes.
        let limit = if accepts.events { options.open_after } else { Duration::MAX };
        match timeout(limit, &mut outcome).await {
            Ok(Some(message)) => {
                let response = HttpResponse::Ok().json(&message);
                record.record_response_body(message.to_string().as_bytes());
                return Ok(response);
            }
            Ok(None) => return Ok(stream_head().finish()),
            Err(_) => {}
        }
    }
    let token = token.filter(|_| wants_progress);
    Ok(streamed(outcome, token, name, record, options.ping_every))
}

/// Writes the response as a stream that ends with the call.
fn streamed(
    mut outcome: Outcome,
    token: Option<ProgressToken>,
    name: String,
    record: Rc<Record>,
    ping_every: Duration,
) -> HttpResponse {
    let interval = if token.is_some() { PROGRESS_INTERVAL } else { ping_every };
    let body = stream! {
        if let Some(token) = &token {
            yield Ok::<_, Infallible>(event(&token.notification(0, &format!("{name} has started"))));
        }
        let mut intervals = 0;
        loop {
            match timeout(interval, &mut outcome).await {
                Ok(Some(message)) => {
                    let bytes = event(&message);
                    record.record_response_body(&bytes);
                    yield Ok(bytes);
                    break;
                }
                Ok(None) => break,
                Err(_) => {
                    intervals += 1;
                    yield Ok(match &token {
                        Some(token) => {
                            let seconds = intervals * PROGRESS_INTERVAL.as_secs();
                            event(&token.notification(seconds, &format!("{name} has been running for {seconds} s")))
                        }
                        None => keep_alive(),
                    });
                }
            }
        }
    };
    stream_head().streaming(Box::pin(body))
}

/// A call and all that it needs.
struct Call {
    id: RequestId,
    tool: ToolCall,
    era: Era,
    workspace: Option<String>,
    client: ClientPermissions,
    state: AppState,
    record: Rc<Record>,
}

impl Call {
    /// Waits for the end of the call. Dropping the future cancels the tool.
    async fn end(self, running: Option<RunningRequest>) -> Option<Value> {
        let (id, record) = (self.id.clone(), self.record.clone());
        let result = match running {
            None => self.result().await,
            Some(mut running) => tokio::select! {
                result = self.result() => result,
                () = running.cancelled() => return None,
            },
        };
        Some(match result {
            Ok(result) => {
                let is_error = result.get("isError").and_then(Value::as_bool).unwrap_or(false);
                record.completed(if is_error { "tool_error" } else { "tool_result" });
                response(&id, &result)
            }
            Err(error) => {
                record.failed(&Failure::invalid("", error.message.clone()));
                error.response(Some(&id))
            }
        })
    }

    /// Finds the tool and runs it. A failure of the tool or of its window is a result, for the model.
    async fn result(self) -> Result<Value, RpcError> {
        let Call { tool: call, era, workspace, client, state, .. } = self;
        let found = match tool_access::list_of(workspace, client, &state).await {
            Ok(found) => found,
            Err(failure) => return Ok(era.complete(tools::failed(&failure.to_string()))),
        };
        let EditorTools { editor, .. } = found.clone();
        if !state.tool_changes.runnable(found).iter().any(|tool| tool.name == call.name) {
            return Err(tools::unknown_tool(&call.name));
        }
        let started = state.executor.send(StartCall { editor, call }).await;
        let running = started.map_err(|error| RpcError::internal(error.to_string()))?;
        Ok(era.complete(tools::called(running.result().await, era)))
    }
}

/// Opens the record of a call, which names its tool.
fn begin_record(name: &str, id: &HttpRequestId, context: &Context<'_>) -> Record {
    let (capture, raw_logging) = {
        let user_settings = context.state.user_settings.read();
        (user_settings.log_requests_to_ui, user_settings.raw_logging)
    };
    let name: String = name.chars().take(MAX_NAME).collect();
    let path = format!("/mcp tools/call {name}");
    let info = request_info(context.request, id, MCP);
    context.state.request_log.begin(RequestInfo { path: &path, capture, raw_logging, ..info })
}

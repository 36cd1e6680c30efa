//! The actor that runs the editor's tools.
//!
//! It owns the calls that run now: how many at once, for how long at most, and their cancellation. It also knows which
//! tools can't run for want of a chat invocation token, which only running them reveals.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, ResponseFuture, SpawnHandle,
    WrapFuture,
};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use crate::bridge::pending_requests::{BridgeError, PendingResponse};
use crate::bridge::protocol::{EditorTool, FromEditor};
use crate::bridge::{Editor, EditorId};
use crate::conversation::{Content, ToolCall, ToolResult};
use crate::failure::Failure;
use crate::models::ModelRegistry;
use crate::models::availability::EditorAvailability;
use crate::models::registry::FindWindow;

/// Calls that run at once, over all requests: more than a model makes in one turn, and few enough that a runaway
/// client doesn't fill the extension host.
const MAX_RUNNING: usize = 32;

/// Time limit of one call. Tests and builds take minutes, and a confirmation dialog waits for the user.
const TIME_LIMIT: Duration = Duration::from_mins(10);

/// Runs tools and owns the calls that are running.
pub struct ToolExecutor {
    registry: Addr<ModelRegistry>,
    availability: EditorAvailability,
    /// Tools that need a chat invocation token, as running them showed.
    unusable: HashSet<(EditorId, String)>,
    permits: Arc<Semaphore>,
    running: HashMap<u64, SpawnHandle>,
    next: u64,
}

impl ToolExecutor {
    /// An executor that finds windows through the registry and waits for one that is about to attach.
    pub fn new(registry: Addr<ModelRegistry>, availability: EditorAvailability) -> ToolExecutor {
        ToolExecutor {
            registry,
            availability,
            unusable: HashSet::new(),
            permits: Arc::new(Semaphore::new(MAX_RUNNING)),
            running: HashMap::new(),
            next: 0,
        }
    }
}

impl Actor for ToolExecutor {
    type Context = Context<Self>;
}

/// Reads the tools of a window. VS Code has no event for their changes, so they are read each time.
#[derive(Message)]
#[rtype(result = "Result<EditorTools, Failure>")]
pub struct ListTools {
    /// Path or name of a workspace folder; absent = the window focused last.
    pub workspace: Option<String>,
}

/// The tools of one window.
#[derive(Clone)]
pub struct EditorTools {
    /// The window's editor.
    pub editor: Editor,
    /// All its tools, in its order.
    pub tools: Vec<EditorTool>,
    /// Names of those that need a chat invocation token and so can't run from here.
    pub unusable: HashSet<String>,
}

/// Starts a tool call.
#[derive(Message)]
#[rtype(result = "RunningCall")]
pub struct StartCall {
    /// The editor that has the tool.
    pub editor: Editor,
    /// The call, as the model made it.
    pub call: ToolCall,
}

/// A tool call that is running. Dropping it cancels the call.
#[derive(actix::MessageResponse)]
pub struct RunningCall {
    number: u64,
    id: String,
    outcome: oneshot::Receiver<ToolResult>,
    executor: Addr<ToolExecutor>,
}

impl RunningCall {
    /// Waits for the call to end. A failure is a result too: the model learns of it.
    pub async fn result(mut self) -> ToolResult {
        match (&mut self.outcome).await {
            Ok(result) => result,
            Err(_) => failed(self.id.clone(), "the tool call was cancelled".into()),
        }
    }
}

impl Drop for RunningCall {
    fn drop(&mut self) {
        self.executor.do_send(CancelCall(self.number));
    }
}

/// Cancels a call, unless it has ended.
#[derive(Message)]
#[rtype(result = "()")]
struct CancelCall(u64);

/// An editor has detached.
#[derive(Message)]
#[rtype(result = "()")]
pub struct EditorDetached(pub EditorId);

impl Handler<ListTools> for ToolExecutor {
    type Result = ResponseFuture<Result<EditorTools, Failure>>;

    fn handle(&mut self, ListTools { workspace }: ListTools, _: &mut Context<Self>) -> Self::Result {
        let (registry, availability) = (self.registry.clone(), self.availability.clone());
        let unusable = self.unusable.clone();
        Box::pin(async move {
            let find = async || {
                let found = registry.send(FindWindow { workspace: workspace.clone() }).await;
                found.map_err(Failure::internal)?
            };
            let editor = availability.retry_until_available(find).await?;
            let tools = read_tools(editor.list_tools()?).await?;
            let of_window = |(window, name)| (window == editor.id()).then_some(name);
            let unusable = unusable.into_iter().filter_map(of_window).collect();
            Ok(EditorTools { editor, tools, unusable })
        })
    }
}

async fn read_tools(response: PendingResponse) -> Result<Vec<EditorTool>, Failure> {
    match response.get().await {
        Ok(FromEditor::Tools(tools)) => Ok(tools.tools),
        Ok(_) => Err(Failure::internal("the editor answered with something else than its tools")),
        Err(BridgeError::Failed(failure)) => Err(failure),
        Err(BridgeError::Editor(error)) => {
            Err(Failure::Provider { status: 502, code: None, message: error.message })
        }
    }
}

impl Handler<StartCall> for ToolExecutor {
    type Result = RunningCall;

    fn handle(&mut self, StartCall { editor, call }: StartCall, context: &mut Context<Self>) -> RunningCall {
        let number = self.next;
        self.next += 1;
        let (done, outcome) = oneshot::channel();
        let running = RunningCall { number, id: call.id.clone(), outcome, executor: context.address() };
        let tool = (editor.id(), call.name.clone());
        let ended = run(self.permits.clone(), editor, call).into_actor(self).map(
            move |(result, needs_token), executor, _| {
                executor.running.remove(&number);
                if needs_token && executor.unusable.insert(tool.clone()) {
                    log::info!("tool disabled, it needs a chat invocation token tool={}", tool.1);
                }
                // The request may have been dropped meanwhile.
                let _ = done.send(result);
            },
        );
        self.running.insert(number, context.spawn(ended));
        running
    }
}

impl Handler<CancelCall> for ToolExecutor {
    type Result = ();

    fn handle(&mut self, CancelCall(number): CancelCall, context: &mut Context<Self>) {
        if let Some(call) = self.running.remove(&number) {
            context.cancel_future(call);
        }
    }
}

impl Handler<EditorDetached> for ToolExecutor {
    type Result = ();

    fn handle(&mut self, EditorDetached(editor): EditorDetached, _: &mut Context<Self>) {
        self.unusable.retain(|(window, _)| *window != editor);
    }
}

/// Runs one call to its end; returns too whether the tool turned out to need a chat invocation token.
async fn run(permits: Arc<Semaphore>, editor: Editor, call: ToolCall) -> (ToolResult, bool) {
    let ToolCall { id, name, input } = call;
    // The semaphore is never closed.
    let _permit = permits.acquire_owned().await.ok();
    let response = match editor.invoke_tool(name, input) {
        Ok(response) => response,
        Err(failure) => return (failed(id, failure.to_string()), false),
    };
    let Ok(response) = timeout(TIME_LIMIT, response.get()).await else {
        let seconds = TIME_LIMIT.as_secs();
        return (failed(id, format!("the tool did not finish within {seconds} seconds")), false);
    };
    match response {
        Ok(FromEditor::ToolOutput(output)) => {
            let needs_token = is_only_a_token_error(&output.content);
            (ToolResult { id, content: output.content, is_error: needs_token }, needs_token)
        }
        Ok(_) => (failed(id, "the editor answered with something else than a result".into()), false),
        Err(BridgeError::Failed(failure)) => (failed(id, failure.to_string()), false),
        Err(BridgeError::Editor(error)) => {
            let needs_token = names_a_token(&error.message);
            (failed(id, error.message), needs_token)
        }
    }
}

fn failed(id: String, why: String) -> ToolResult {
    ToolResult { id, content: vec![Content::Text { text: why }], is_error: true }
}

/// Whether a result consists of a token error only: some tools return it as their output.
fn is_only_a_token_error(content: &[Content]) -> bool {
    matches!(content, [Content::Text { text }] if text.starts_with("Error: ") && names_a_token(text))
}

/// Whether an error is for want of the invocation token that only VS Code's own chat can give.
fn names_a_token(message: &str) -> bool {
    ["toolInvocationToken", "nvocation context", "session resource"].iter().any(|word| message.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_that_is_only_a_token_error_disables_its_tool() {
        let text = |text: &str| Content::Text { text: text.into() };
        assert!(is_only_a_token_error(&[text("Error: No session resource available")]));
        assert!(!is_only_a_token_error(&[text("notes.txt: 'No session resource available' was the error")]));
        assert!(!is_only_a_token_error(&[text("Error: no such file")]));
        assert!(!is_only_a_token_error(&[text("Error: No session resource available"), text("more")]));
        assert!(!is_only_a_token_error(&[]));
    }
}

//! The actor that runs the editor's tools.
//!
//! It owns the running calls: it limits their number and their time, and cancels them. It also records which tools
//! need a chat invocation token and so can't run, which shows only when they are run.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use actix::{
    Actor, ActorFutureExt, Addr, AsyncContext, Context, Handler, Message, ResponseFuture, SpawnHandle,
    WrapFuture,
};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use crate::bridge::protocol::{EditorTool, FromEditor};
use crate::bridge::{BridgeError, PendingResponse};
use crate::bridge::{Editor, EditorId};
use crate::conversation::{Content, ToolCall, ToolResult};
use crate::failure::Failure;
use crate::models::ModelRegistry;
use crate::models::availability::EditorAvailability;
use crate::models::registry::FindWindows;

/// Most calls that run at once, over all requests: more than a model makes in one response, and few enough not to
/// overload the extension host.
const MAX_RUNNING: usize = 32;

/// Time limit of one call. Tests and builds take minutes, and a confirmation dialog waits for the user.
const TIME_LIMIT: Duration = Duration::from_mins(10);

/// Runs editor tools and owns the running calls.
pub struct ToolExecutor {
    registry: Addr<ModelRegistry>,
    availability: EditorAvailability,
    /// Tools that failed for want of a chat invocation token.
    unusable: HashSet<(EditorId, String)>,
    permits: Arc<Semaphore>,
    /// Running and queued calls by their number.
    running: HashMap<u64, SpawnHandle>,
    next_number: u64,
    /// Time limit for an editor to list its tools.
    list_timeout: Duration,
}

impl ToolExecutor {
    /// An executor that finds windows through the registry and waits for one that is about to attach. A window has
    /// `list_timeout` to list its tools; then the next one is asked.
    pub fn new(
        registry: Addr<ModelRegistry>,
        availability: EditorAvailability,
        list_timeout: Duration,
    ) -> ToolExecutor {
        ToolExecutor {
            list_timeout,
            registry,
            availability,
            unusable: HashSet::new(),
            permits: Arc::new(Semaphore::new(MAX_RUNNING)),
            running: HashMap::new(),
            next_number: 0,
        }
    }
}

impl Actor for ToolExecutor {
    type Context = Context<Self>;
}

/// Reads the tools of a window. They are read each time, since VS Code has no event for their changes.
#[derive(Message)]
#[rtype(result = "Result<EditorTools, Failure>")]
pub struct ListTools {
    /// Path or name of a workspace folder; absent = the window focused last.
    pub workspace: Option<String>,
    /// Whether they are read again and again: MCP servers that the user has stopped must stay so.
    pub is_poll: bool,
}

/// Tools of one window.
#[derive(Clone)]
pub struct EditorTools {
    /// Editor at the other end of the bridge.
    pub editor: Editor,
    /// All tools of the window, in VS Code's order.
    pub tools: Vec<EditorTool>,
    /// Names of the tools that need a chat invocation token and so can't run.
    pub unusable: HashSet<String>,
}

/// Starts a tool call; beyond the limit it waits for another to end.
#[derive(Message)]
#[rtype(result = "RunningCall")]
pub struct StartCall {
    /// The editor that has the tool.
    pub editor: Editor,
    /// The call, as the model made it.
    pub call: ToolCall,
}

/// A running or queued tool call. Dropping it cancels the call.
#[derive(actix::MessageResponse)]
pub struct RunningCall {
    number: u64,
    id: String,
    outcome: oneshot::Receiver<ToolResult>,
    executor: Addr<ToolExecutor>,
}

impl RunningCall {
    /// Waits for the call to end; its content is as the tool returned it. A failure is returned as a result, for the
    /// model.
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

/// Cancels a call, unless it has ended already.
#[derive(Message)]
#[rtype(result = "()")]
struct CancelCall(u64);

/// Removes the records of an editor that has detached.
#[derive(Message)]
#[rtype(result = "()")]
pub struct EditorDetached(pub EditorId);

impl Handler<ListTools> for ToolExecutor {
    type Result = ResponseFuture<Result<EditorTools, Failure>>;

    fn handle(&mut self, ListTools { workspace, is_poll }: ListTools, _: &mut Context<Self>) -> Self::Result {
        let (registry, availability) = (self.registry.clone(), self.availability.clone());
        let (unusable, list_timeout) = (self.unusable.clone(), self.list_timeout);
        Box::pin(async move {
            let find = async || {
                let found = registry.send(FindWindows { workspace: workspace.clone() }).await;
                found.map_err(Failure::internal)?
            };
            let editors = availability.retry_until_available(find).await?;
            let (editor, tools) = first_tools(editors, list_timeout, is_poll).await?;
            let of_window = |(window, name)| (window == editor.id()).then_some(name);
            let unusable = unusable.into_iter().filter_map(of_window).collect();
            Ok(EditorTools { editor, tools, unusable })
        })
    }
}

/// Reads the tools of the first editor that sends them in time.
async fn first_tools(
    editors: Vec<Editor>,
    limit: Duration,
    is_poll: bool,
) -> Result<(Editor, Vec<EditorTool>), Failure> {
    let mut failure = Failure::EditorGone;
    for editor in editors {
        let read =
            async { read_tools(if is_poll { editor.poll_tools()? } else { editor.list_tools()? }).await };
        failure = match timeout(limit, read).await {
            Ok(Err(gone @ Failure::EditorGone)) => gone,
            Ok(tools) => return Ok((editor, tools?)),
            Err(_) => {
                log::warn!("tools not listed in time editor={} limit={limit:?}", editor.id());
                Failure::ToolsTimeout { within: limit }
            }
        };
    }
    Err(failure)
}

async fn read_tools(response: PendingResponse) -> Result<Vec<EditorTool>, Failure> {
    match response.get().await {
        Ok(FromEditor::Tools(tools)) => Ok(tools.tools),
        Ok(_) => Err(Failure::internal("the editor sent an unexpected message instead of its tools")),
        Err(BridgeError::Failed(failure)) => Err(failure),
        Err(BridgeError::Editor(error)) => {
            Err(Failure::Provider { status: 502, code: None, message: error.message })
        }
    }
}

impl Handler<StartCall> for ToolExecutor {
    type Result = RunningCall;

    fn handle(&mut self, StartCall { editor, call }: StartCall, context: &mut Context<Self>) -> RunningCall {
        let number = self.next_number;
        self.next_number += 1;
        let (done, outcome) = oneshot::channel();
        let running = RunningCall { number, id: call.id.clone(), outcome, executor: context.address() };
        let tool = (editor.id(), call.name.clone());
        let ended = run(self.permits.clone(), editor, call).into_actor(self).map(
            move |(result, needs_token), executor, _| {
                executor.running.remove(&number);
                if needs_token && executor.unusable.insert(tool.clone()) {
                    log::info!("tool disabled, it needs a chat invocation token tool={:?}", tool.1);
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

/// Runs one call to its end. Returns its result and whether the tool failed for want of a chat invocation token.
async fn run(permits: Arc<Semaphore>, editor: Editor, call: ToolCall) -> (ToolResult, bool) {
    let ToolCall { id, name, input } = call;
    // The semaphore is never closed.
    let _permit = permits.acquire_owned().await.ok();
    let response = match editor.invoke_tool(name.clone(), input) {
        Ok(response) => response,
        Err(failure) => return (failed(id, failure.to_string()), false),
    };
    let response = tokio::select! {
        response = timeout(TIME_LIMIT, response.get()) => response,
        () = editor.halted() => {
            log::warn!("tool call given up, the window does not respond editor={} tool={name:?}", editor.id());
            return (failed(id, "the VS Code window of the tool does not respond".into()), false);
        }
    };
    let Ok(response) = response else {
        let seconds = TIME_LIMIT.as_secs();
        return (failed(id, format!("the tool did not finish within {seconds} seconds")), false);
    };
    match response {
        Ok(FromEditor::ToolOutput(output)) => {
            let needs_token = is_only_a_token_error(&output.content);
            (ToolResult { id, content: output.content, is_error: needs_token }, needs_token)
        }
        Ok(_) => {
            (failed(id, "the editor sent an unexpected message instead of the tool's result".into()), false)
        }
        Err(BridgeError::Failed(failure)) => (failed(id, failure.to_string()), false),
        Err(BridgeError::Editor(error)) => {
            let needs_token = mentions_a_token(&error.message);
            (failed(id, error.message), needs_token)
        }
    }
}

/// Makes the result of a call that failed, for the model.
fn failed(id: String, error: String) -> ToolResult {
    ToolResult { id, content: vec![Content::Text { text: error }], is_error: true }
}

/// Whether a result consists of a token error only: some tools return it as their output.
fn is_only_a_token_error(content: &[Content]) -> bool {
    matches!(content, [Content::Text { text }] if text.starts_with("Error: ") && mentions_a_token(text))
}

/// Whether an error mentions the chat invocation token, which only VS Code's own chat has.
fn mentions_a_token(message: &str) -> bool {
    ["toolInvocationToken", "nvocation context", "session resource"]
        .iter()
        .any(|phrase| message.contains(phrase))
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use serde_json::json;
    use tokio::sync::mpsc::UnboundedReceiver;
    use tokio::time::Instant;

    use super::*;
    use crate::bridge::frames::{FrameReader, Incoming};
    use crate::bridge::protocol::{ToEditor, ToolOutput};

    /// An executor and an editor without a connection, whose frames a test reads.
    struct Setup {
        executor: Addr<ToolExecutor>,
        editor: Editor,
        sent: UnboundedReceiver<BytesMut>,
    }

    impl Setup {
        fn new() -> Setup {
            let (registry, availability) = ModelRegistry::new(Duration::ZERO);
            let executor = ToolExecutor::new(registry.start(), availability, Duration::from_secs(5)).start();
            let (editor, sent) = Editor::unconnected();
            Setup { executor, editor, sent }
        }

        async fn start_call(&self, id: u32) -> RunningCall {
            let call = ToolCall { id: id.to_string(), name: "read".into(), input: json!({}) };
            self.executor.send(StartCall { editor: self.editor.clone(), call }).await.unwrap()
        }

        /// The next message to the editor and the number of its request.
        async fn next_sent(&mut self) -> (u32, ToEditor) {
            let frame = timeout(Duration::from_secs(5), self.sent.recv()).await.expect("a message is sent");
            decoded(&frame.unwrap()).await
        }

        /// Whether the editor gets no more messages, once all that can run has run.
        async fn is_silent(&mut self) -> bool {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            self.sent.is_empty()
        }
    }

    async fn decoded(frame: &[u8]) -> (u32, ToEditor) {
        match FrameReader::new(frame).next().await.unwrap().unwrap() {
            (request, Incoming::Message(message)) => (request, message),
            other => panic!("{other:?}"),
        }
    }

    fn output(text: &str) -> FromEditor {
        FromEditor::ToolOutput(ToolOutput { content: vec![Content::Text { text: text.into() }] })
    }

    fn result(id: u32, text: &str, is_error: bool) -> ToolResult {
        ToolResult { id: id.to_string(), content: vec![Content::Text { text: text.into() }], is_error }
    }

    /// Starts as many calls as can run at once; all reach the editor.
    async fn start_max_running(setup: &mut Setup) -> Vec<RunningCall> {
        let mut calls = Vec::new();
        for number in 1..=u32::try_from(MAX_RUNNING).unwrap() {
            calls.push(setup.start_call(number).await);
            assert!(
                matches!(setup.next_sent().await, (request, ToEditor::InvokeTool(_)) if request == number)
            );
        }
        calls
    }

    #[actix::test]
    async fn call_over_the_limit_waits_until_another_ends() {
        let mut setup = Setup::new();
        let mut calls = start_max_running(&mut setup).await;
        let waiting = setup.start_call(33).await;
        assert!(setup.is_silent().await);

        setup.editor.receive(7, output("seven"));
        assert_eq!(calls.remove(6).result().await, result(7, "seven", false));
        assert!(matches!(setup.next_sent().await, (33, ToEditor::InvokeTool(_))));
        setup.editor.receive(33, output("last"));
        assert_eq!(waiting.result().await, result(33, "last", false));
    }

    #[actix::test]
    async fn call_over_the_time_limit_is_cancelled_and_fails() {
        tokio::time::pause();
        let mut setup = Setup::new();
        let call = setup.start_call(1).await;
        assert!(matches!(setup.next_sent().await, (1, ToEditor::InvokeTool(_))));
        let start = Instant::now();
        // The paused clock moves on by itself when nothing else can run.
        assert_eq!(call.result().await, result(1, "the tool did not finish within 600 seconds", true));
        assert_eq!(start.elapsed().as_secs(), TIME_LIMIT.as_secs());
        assert_eq!(setup.next_sent().await, (1, ToEditor::Cancel));
    }

    #[actix::test]
    async fn time_in_the_queue_does_not_count() {
        tokio::time::pause();
        let mut setup = Setup::new();
        let running = start_max_running(&mut setup).await;
        let waiting = setup.start_call(33).await;
        let start = Instant::now();
        assert!(waiting.result().await.is_error);
        assert_eq!(start.elapsed().as_secs(), 2 * TIME_LIMIT.as_secs());
        drop(running);
    }

    #[actix::test]
    async fn dropping_a_call_cancels_it() {
        let mut setup = Setup::new();
        let mut calls = start_max_running(&mut setup).await;
        let waiting = setup.start_call(33).await;
        let _next = setup.start_call(34).await;
        // A queued call never reaches the editor; a running one is cancelled there and makes room.
        drop(waiting);
        assert!(setup.is_silent().await);
        drop(calls.pop());
        let messages = [setup.next_sent().await, setup.next_sent().await];
        assert!(messages.contains(&(32, ToEditor::Cancel)), "{messages:?}");
        assert!(
            messages.iter().any(|message| matches!(message, (33, ToEditor::InvokeTool(_)))),
            "{messages:?}"
        );
    }

    #[test]
    fn result_that_is_only_a_token_error_disables_its_tool() {
        let text = |text: &str| Content::Text { text: text.into() };
        assert!(is_only_a_token_error(&[text("Error: No session resource available")]));
        assert!(!is_only_a_token_error(&[text("notes.txt: 'No session resource available' was the error")]));
        assert!(!is_only_a_token_error(&[text("Error: no such file")]));
        assert!(!is_only_a_token_error(&[text("Error: No session resource available"), text("more")]));
        assert!(!is_only_a_token_error(&[]));
    }
}

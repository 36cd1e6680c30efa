//! Whose tools there are, and which of them can't be run from here.

use std::collections::HashSet;

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message, ResponseFuture};

use crate::bridge::pending_requests::{BridgeError, PendingResponse};
use crate::bridge::protocol::{EditorTool, FromEditor};
use crate::bridge::{Editor, EditorId};
use crate::conversation::{Content, ToolCall, ToolResult};
use crate::failure::Failure;
use crate::models::availability::EditorAvailability;
use crate::models::registry::{FindWindow, ModelRegistry};

/// Knows what came of earlier runs. A run itself never passes through its mailbox.
pub struct ToolExecutor {
    registry: Addr<ModelRegistry>,
    arrivals: EditorAvailability,
    /// Tools that work within VS Code's own chat only, found out by running them.
    unusable: HashSet<(EditorId, String)>,
}

impl ToolExecutor {
    /// Finds windows with the help of the registry, and waits for one that is only coming.
    pub fn new(registry: Addr<ModelRegistry>, arrivals: EditorAvailability) -> ToolExecutor {
        ToolExecutor { registry, arrivals, unusable: HashSet::new() }
    }
}

/// Which tools are there just now? There is no event when they change, so they are read anew each time.
#[derive(Message)]
#[rtype(result = "Result<Offer, Failure>")]
pub struct ListTools {
    /// A folder's path or name; absent = the window focused last.
    pub workspace: Option<String>,
}

/// The tools of a window.
#[derive(Clone)]
pub struct Offer {
    /// The window.
    pub host: Editor,
    /// Its tools, in its order.
    pub tools: Vec<EditorTool>,
    /// Of these, the ones that can't be run from here.
    pub unusable: HashSet<String>,
}

/// A tool can't be run from here.
#[derive(Message)]
#[rtype(result = "()")]
struct Unusable(EditorId, String);

/// A window has gone.
#[derive(Message)]
#[rtype(result = "()")]
pub struct EditorDetached(pub EditorId);

/// Start running a tool.
#[derive(Message)]
#[rtype(result = "Run")]
pub struct StartTool {
    /// Where.
    pub host: Editor,
    /// What the model asked for.
    pub call: ToolCall,
}

/// A tool that is running. Dropping it cancels the tool.
#[derive(actix::MessageResponse)]
pub struct Run {
    host: EditorId,
    call: ToolCall,
    reply: Result<PendingResponse, Failure>,
    executor: Addr<ToolExecutor>,
}

impl Run {
    /// What came of it. A failure is a result too: the model is to know.
    pub async fn result(self) -> ToolResult {
        let Run { host, call, reply, executor } = self;
        let came = match reply {
            Ok(reply) => reply.get().await,
            Err(failure) => Err(BridgeError::Failed(failure)),
        };
        let wrong = match came {
            Ok(FromEditor::ToolOutput(done)) => {
                let refused = refuses_to_work(&done.content);
                if refused {
                    executor.do_send(Unusable(host, call.name));
                }
                return ToolResult { id: call.id, content: done.content, is_error: refused };
            }
            Ok(_) => "the editor did not answer with a result".to_owned(),
            Err(BridgeError::Failed(failure)) => failure.to_string(),
            Err(BridgeError::Editor(error)) => {
                if wants_a_chat(&error.message) {
                    executor.do_send(Unusable(host, call.name));
                }
                error.message
            }
        };
        ToolResult { id: call.id, content: vec![Content::Text { text: wrong }], is_error: true }
    }
}

/// Some of them say so in a result.
fn refuses_to_work(content: &[Content]) -> bool {
    matches!(content, [Content::Text { text }] if text.starts_with("Error: ") && wants_a_chat(text))
}

/// Some tools ask for the invocation token that only VS Code's own chat can give.
fn wants_a_chat(message: &str) -> bool {
    ["toolInvocationToken", "nvocation context", "session resource"].iter().any(|word| message.contains(word))
}

impl Actor for ToolExecutor {
    type Context = Context<Self>;
}

impl Handler<ListTools> for ToolExecutor {
    type Result = ResponseFuture<Result<Offer, Failure>>;

    fn handle(&mut self, ListTools { workspace }: ListTools, _: &mut Context<Self>) -> Self::Result {
        let (registry, arrivals) = (self.registry.clone(), self.arrivals.clone());
        let unusable = self.unusable.clone();
        Box::pin(async move {
            let find = async || {
                let found = registry.send(FindWindow { workspace: workspace.clone() }).await;
                found.map_err(Failure::internal)?
            };
            let host = arrivals.retry_until_available(find).await?;
            let tools = match host.list_tools()?.get().await {
                Ok(FromEditor::Tools(tools)) => tools.tools,
                Ok(_) => {
                    return Err(Failure::Internal {
                        message: "the editor did not answer with its tools".into(),
                    });
                }
                Err(BridgeError::Failed(failure)) => return Err(failure),
                Err(BridgeError::Editor(error)) => {
                    return Err(Failure::Provider { status: 502, code: None, message: error.message });
                }
            };
            let here = |(window, name)| (window == host.id()).then_some(name);
            let unusable = unusable.into_iter().filter_map(here).collect();
            Ok(Offer { host, tools, unusable })
        })
    }
}

impl Handler<StartTool> for ToolExecutor {
    type Result = Run;

    fn handle(&mut self, StartTool { host, call }: StartTool, context: &mut Context<Self>) -> Run {
        let reply = host.invoke_tool(call.name.clone(), call.input.clone());
        Run { host: host.id(), call, reply, executor: context.address() }
    }
}

impl Handler<Unusable> for ToolExecutor {
    type Result = ();

    fn handle(&mut self, Unusable(host, name): Unusable, _: &mut Context<Self>) {
        log::info!("tool {name}: works within VS Code's own chat only, left out from here on");
        self.unusable.insert((host, name));
    }
}

impl Handler<EditorDetached> for ToolExecutor {
    type Result = ();

    fn handle(&mut self, EditorDetached(host): EditorDetached, _: &mut Context<Self>) {
        self.unusable.retain(|(window, _)| *window != host);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_that_is_only_a_refusal_tells_that_a_tool_is_of_no_use_here() {
        let text = |text: &str| Content::Text { text: text.into() };
        assert!(refuses_to_work(&[text("Error: No session resource available")]));
        assert!(!refuses_to_work(&[text("notes.txt: 'No session resource available' was the error")]));
        assert!(!refuses_to_work(&[text("Error: no such file")]));
        assert!(!refuses_to_work(&[text("Error: No session resource available"), text("more")]));
        assert!(!refuses_to_work(&[]));
    }
}

//! Runs one call of a tool in the editor and measures it.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use actix::Addr;

use crate::bridge::Editor;
use crate::conversation::{Content, RunTime, ToolCall, ToolResult};
use crate::tools::ToolExecutor;
use crate::tools::executor::StartCall;

/// Runs a call; a failure becomes a result for the model.
pub(super) async fn run_tool(
    executor: &Addr<ToolExecutor>,
    editor: &Editor,
    call: &ToolCall,
) -> (ToolResult, RunTime) {
    let (start, time) = (Instant::now(), not_run());
    let mut result = match executor.send(StartCall { editor: editor.clone(), call: call.clone() }).await {
        Ok(running) => running.result().await,
        Err(error) => ToolResult {
            id: call.id.clone(),
            content: vec![Content::Text { text: error.to_string() }],
            is_error: true,
        },
    };
    result.content = result.content.into_iter().map(Content::showable).collect();
    (result, RunTime { took: start.elapsed(), ..time })
}

/// The time of a call that is refused now.
pub(super) fn not_run() -> RunTime {
    let began = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    RunTime { began, took: Duration::ZERO }
}

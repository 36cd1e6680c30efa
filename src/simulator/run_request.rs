//! Runs one request: pauses as its script says, and sends parts as fast as the server reads them.

use std::future::pending;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::sleep;

use crate::bridge::protocol::{Chat, FromEditor, InvokeTool, ModelInfo, ProviderError, ToolOutput};
use crate::conversation::Part;
use crate::simulator::interpreter::{PreparedResponse, ResponseContext, Step};
use crate::simulator::models::Service;
use crate::simulator::outbox::FrameQueue;
use crate::simulator::select_phase::selected;
use crate::simulator::stats::{Entry, StatsCounter};
use crate::simulator::{auto_model, models, rules, service_rules, tools, trimming};

/// Writes one stream, unless it is paused.
#[derive(Debug)]
pub struct StreamWriter {
    /// Stream of the request.
    pub stream: u32,
    /// Queue of the connection.
    pub outbox: Arc<FrameQueue>,
    /// Whether the server asked to pause.
    pub paused: watch::Receiver<bool>,
}

impl StreamWriter {
    async fn part(&mut self, part: Part) {
        self.turn().await;
        self.outbox.part(self.stream, part);
    }

    async fn message(&mut self, message: &FromEditor) {
        self.turn().await;
        self.outbox.message(self.stream, message);
    }

    async fn turn(&mut self) {
        // Fails only if the sender is dropped; then this request is being dropped, too.
        let _ = self.paused.wait_for(|paused| !paused).await;
        self.outbox.room().await;
    }
}

/// A request that passes the rules: its steps, and its entry in the statistics.
pub fn prepare(
    chat: Chat,
    models: &[ModelInfo],
    counter: &StatsCounter,
) -> Result<(PreparedResponse, Entry), ProviderError> {
    let model = models.iter().find(|model| model.vendor == chat.vendor && model.id == chat.model);
    let model = model.ok_or_else(|| ProviderError {
        name: "LanguageModelError".into(),
        code: Some("NotFound".into()),
        message: format!("{}/{}", chat.vendor, chat.model),
    })?;
    let (chat, routed_model) = match pass_rules(chat, model, models) {
        Ok(passed) => passed,
        Err(refusal) => {
            counter.enter(true).failed();
            return Err(refusal);
        }
    };
    let selected = selected(&chat.messages, &models::idle(model));
    let context = ResponseContext { chat, routed_model, model: model.clone(), counter: counter.clone() };
    Ok((PreparedResponse::new(selected.phase, context), counter.enter(selected.counts)))
}

/// Applies the rules of Copilot and of the service behind the model: returns the request as the model gets it, and the
/// model that `auto` was routed to.
fn pass_rules(
    mut chat: Chat,
    model: &ModelInfo,
    models: &[ModelInfo],
) -> Result<(Chat, Option<&'static str>), ProviderError> {
    rules::check(&chat)?;
    let routed_model = auto_model::route(&chat)?;
    let answering = models.iter().find(|model| Some(model.id.as_str()) == routed_model);
    trimming::trim(&mut chat, answering.unwrap_or(model))?;
    rules::check_tools(&chat)?;
    let service = Service::of(routed_model.unwrap_or(&chat.model));
    service_rules::check(&chat, service)?;
    Ok((rules::as_read(chat, service), routed_model))
}

/// Answers a chat. Dropped before its end, it counts as cancelled.
pub async fn chat(prepared: PreparedResponse, entry: Entry, mut writer: StreamWriter) {
    for step in prepared {
        match step {
            Step::Say(part) => writer.part(part).await,
            Step::Wait(pause) => sleep(pause).await,
            Step::Hang => pending().await,
            Step::Fail(error) => {
                entry.failed();
                return writer.message(&FromEditor::Failed(error)).await;
            }
        }
    }
    // Before the end is sent, so that a later `stats:` includes this request.
    entry.completed();
    writer.message(&FromEditor::End).await;
}

/// Runs a tool.
pub async fn tool(asked: InvokeTool, mut writer: StreamWriter) {
    let result = match tools::invoke(&asked) {
        Ok(outcome) => {
            sleep(outcome.after).await;
            FromEditor::ToolOutput(ToolOutput { content: outcome.content })
        }
        Err(error) => FromEditor::Failed(error),
    };
    writer.message(&result).await;
}

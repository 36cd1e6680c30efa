//! One run of a prepared request: the editor's parts become events and pass the filters.

use std::ops::ControlFlow;
use std::sync::Arc;

use async_stream::stream;
use futures_util::StreamExt;

use super::context::CompletionContext;
use super::editor_request::EditorRequest;
use super::event_mapper::EventMapper;
use super::filter::Filter;
use super::filter_chain::FilterChain;
use super::provider_error::{self, Classification, Provider};
use super::required_output::RequiredOutput;
use super::{Events, failover};
use crate::bridge::Editor;
use crate::bridge::pending_requests::BridgeError;
use crate::bridge::protocol::{Chat, ModelInfo, ProviderError, ToEditor};
use crate::conversation::{Event, Finish, Options, ToolCall, UsageSource};
use crate::failure::Failure;
use crate::models::ModelEntry;
use crate::transcript::names::ToolNameMap;

/// A prepared request; cheap to clone, for each choice runs it once.
#[derive(Clone)]
pub(super) struct Dispatch {
    context: CompletionContext,
    request_id: Arc<str>,
    /// The model's id in the list.
    listed: Arc<str>,
    model: Arc<ModelInfo>,
    /// The editors that had the model when it was resolved, the preferred one first.
    editors: Vec<Editor>,
    pub chat: Arc<Chat>,
    pub required: RequiredOutput,
    /// Maps tool names that had to change back to the client's.
    names: Arc<ToolNameMap>,
    options: Options,
    /// Tokens of the input by the tokenizer alone, for the calibration.
    estimated_input: u64,
    /// Tokens of the input, calibrated.
    counted_input: u64,
}

impl Dispatch {
    pub fn new(
        context: CompletionContext,
        request_id: Arc<str>,
        model: &ModelEntry,
        editors: Vec<Editor>,
        request: EditorRequest,
        counted_input: u64,
    ) -> Dispatch {
        let EditorRequest { chat, names, required, options, count } = request;
        Dispatch {
            context,
            request_id,
            listed: model.id.as_str().into(),
            model: model.model.clone(),
            editors,
            chat: Arc::new(chat),
            required,
            names: Arc::new(names),
            options,
            estimated_input: count.estimated,
            counted_input,
        }
    }

    pub fn request_id(&self) -> &Arc<str> {
        &self.request_id
    }

    /// Runs `chat`, which is the prepared one or its retry.
    pub fn run(self, chat: Arc<Chat>) -> Events {
        Box::pin(stream! {
            let mut filters = self.filters();
            let mut mapper = EventMapper::new(self.model.reports_usage);
            let mut begun = false;
            let mut out = Vec::new();
            let parts = failover::parts(self.context.clone(), self.listed.clone(), &self.editors, chat);
            let mut parts = std::pin::pin!(parts);
            loop {
                let event = match parts.next().await {
                    None => {
                        self.context.back_off.reset();
                        mapper.end()
                    }
                    Some(Ok(part)) => match mapper.part(part) {
                        Some(Event::ToolCall(call)) => {
                            Event::ToolCall(ToolCall { name: self.names.to_client(call.name), ..call })
                        }
                        Some(event) => event,
                        None => continue,
                    },
                    Some(Err(error)) => match self.finish_of(error, begun) {
                        Ok(finish) => mapper.end_as(finish),
                        Err(failure) => {
                            let flow = filters.flush(&mut out);
                            for event in out.drain(..) {
                                yield Ok(event);
                            }
                            if flow.is_continue() {
                                yield Err(failure);
                            }
                            return;
                        }
                    },
                };
                begun = true;
                self.calibrate(&event);
                let last = matches!(event, Event::Finish(..));
                let flow = filters.event(event, &mut out);
                for event in out.drain(..) {
                    yield Ok(event);
                }
                if last || flow == ControlFlow::Break(()) {
                    return;
                }
            }
        })
    }

    fn filters(&self) -> FilterChain {
        let schema_tool = match &self.required {
            RequiredOutput::Json { tool, .. } => Some(tool.as_str()),
            RequiredOutput::Nothing | RequiredOutput::SomeCall => None,
        };
        FilterChain::of(&self.options, schema_tool, self.counted_input, self.model.reports_usage)
    }

    /// The finish of a response that ends with an error, or the failure that it is.
    fn finish_of(&self, error: BridgeError, begun: bool) -> Result<Finish, Failure> {
        match error {
            BridgeError::Failed(failure) => Err(failure),
            BridgeError::Editor(error) => match self.classify(&error) {
                Classification::Finished(finish) => Ok(finish),
                Classification::Cut { finish, .. } if begun => Ok(finish),
                Classification::Failed(failure) | Classification::Cut { otherwise: failure, .. } => {
                    Err(failure)
                }
            },
        }
    }

    fn classify(&self, error: &ProviderError) -> Classification {
        if provider_error::models_are_stale(error) {
            for editor in &self.editors {
                editor.notify(&ToEditor::RefreshModels);
            }
        }
        // Another extension may have the vendor too, but not what is known of Copilot's.
        let is_copilot = self.model.vendor == "copilot" && self.model.reports_usage;
        let provider = if is_copilot { Provider::Copilot } else { Provider::Other };
        self.context.back_off.classify(error, provider)
    }

    fn calibrate(&self, event: &Event) {
        if let Event::Finish(_, usage) = event
            && usage.source == UsageSource::Reported
        {
            self.context.calibration.lock().observe(&self.model.family, self.estimated_input, usage.input);
        }
    }
}

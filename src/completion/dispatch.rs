//! One run of a prepared request: maps the editor's parts to events and filters them.

use std::num::NonZeroU8;
use std::ops::ControlFlow;
use std::sync::Arc;

use async_stream::stream;
use futures_util::StreamExt;
use serde_json::Value;

use super::attempt_cost::MeteredFilters;
use super::auto_prompt;
use super::blocked_vendors;
use super::context::CompletionContext;
use super::dropped_calls::DroppedCalls;
use super::editor_request::EditorRequest;
use super::event_mapper::EventMapper;
use super::filter::Filter;
use super::filter_chain::FilterChain;
use super::first_part::Acceptance;
use super::price::Price;
use super::provider_error::{self, Classification, Provider};
use super::required_output::{ReceivedOutput, RequiredOutput, Violation};
use super::retry_messages::retry_messages;
use super::{Events, failover, thinking};
use crate::bridge::BridgeError;
use crate::bridge::Editor;
use crate::bridge::protocol::{Chat, ModelInfo, ProviderError, ToEditor};
use crate::budgets::{Estimate, Meter};
use crate::conversation::{Event, Finish, Options, Thinking, ToolCall, Usage, UsageSource};
use crate::failure::Failure;
use crate::log::quoted;
use crate::models::{ModelEntry, auto};
use crate::tokens::{self, Count};
use crate::transcript::names::ToolNameMap;

/// Tokens of output that a request is expected to have, before it has any.
const EXPECTED_OUTPUT: u64 = 1000;

/// A prepared request; cheap to clone, since each choice of the client is a run of its own.
#[derive(Clone)]
pub(super) struct Dispatch {
    context: Arc<CompletionContext>,
    request_id: Arc<str>,
    /// Id of the model as clients see it.
    model_id: Arc<str>,
    model: Arc<ModelInfo>,
    /// Editors that had the model when it was resolved, the preferred one first.
    editors: Vec<Editor>,
    /// The message for the editor.
    chat: Arc<Chat>,
    /// Requirement on the response.
    pub required: RequiredOutput,
    /// Maps the tool names sent to the editor back to the client's.
    names: Arc<ToolNameMap>,
    options: Options,
    /// Input tokens before calibration, by both measures.
    count: Count,
    /// Input tokens after calibration.
    counted_input: u64,
    /// Set at the model's first part.
    acceptance: Acceptance,
    /// Gets the cost of each run.
    meter: Meter,
}

impl Dispatch {
    pub fn new(
        context: Arc<CompletionContext>,
        request_id: Arc<str>,
        model: &ModelEntry,
        editors: Vec<Editor>,
        request: EditorRequest,
        counted_input: u64,
        meter: Meter,
    ) -> Dispatch {
        let EditorRequest { mut chat, names, required, options, count, .. } = request;
        chat.client = meter.client();
        Dispatch {
            context,
            request_id,
            model_id: model.id.as_str().into(),
            model: model.model.clone(),
            editors,
            chat: Arc::new(chat),
            required,
            names: Arc::new(names),
            options,
            count,
            counted_input,
            acceptance: Acceptance::default(),
            meter,
        }
    }

    pub fn request_id(&self) -> &Arc<str> {
        &self.request_id
    }

    pub fn acceptance(&self) -> &Acceptance {
        &self.acceptance
    }

    /// Number of responses that the client wants.
    pub fn choices(&self) -> u8 {
        self.options.choices.map_or(1, NonZeroU8::get)
    }

    /// Whether the client allows no output: `max_tokens` 0.
    pub fn generates_nothing(&self) -> bool {
        self.options.max_tokens == Some(0)
    }

    /// Expected cost of all choices, if the provider has this many tokens of the input in its cache.
    pub fn estimate(&self, cached: u64) -> Estimate {
        let output = self.options.max_tokens.unwrap_or(EXPECTED_OUTPUT).min(EXPECTED_OUTPUT);
        let usage = Usage { input: self.counted_input, cached, output, ..Usage::default() };
        let (tokens, choices) = (usage.input + usage.output, u64::from(self.choices()));
        match Price::of(&self.model) {
            Some(Price::Tokens(prices)) => Estimate::Credits(prices.estimate(&usage).nano * choices),
            Some(Price::Requests(_)) => Estimate::Premium(tokens * choices),
            None => Estimate::Unknown(tokens * choices),
        }
    }

    /// The request that asks the model to correct a response; `None` if it would not fit the model's input limit.
    pub fn for_retry(
        &self,
        response: &ReceivedOutput,
        dropped: Vec<ToolCall>,
        violation: &Violation,
    ) -> Option<Dispatch> {
        let messages = retry_messages(&self.required, response, dropped, violation, &self.names);
        let added = tokens::count_conversation(&messages, &[]);
        let count = Count {
            checked: self.count.checked + added.checked,
            estimated: self.count.estimated + added.estimated,
        };
        let mut chat = Arc::unwrap_or_clone(self.chat.clone());
        chat.messages.extend(messages);
        chat.digests.clear();
        if auto::is_auto(&self.model) {
            auto_prompt::add_words(&mut chat.messages);
        }
        let retry = Dispatch {
            chat: Arc::new(chat),
            count,
            counted_input: self.counted_input + added.estimated,
            ..self.clone()
        };
        (count.checked <= self.model.max_input_tokens).then_some(retry)
    }

    /// Runs the request. Calls that the client must not get are recorded in `dropped`.
    pub fn run(self, dropped: DroppedCalls) -> Events {
        Box::pin(stream! {
            if let Err(failure) = self.context.blocked_vendors.check(&self.model.vendor) {
                yield Err(failure);
                return;
            }
            let filters =
                FilterChain::new(&self.options, &self.required, &dropped, self.counted_input, &self.model);
            let price = Price::of(&self.model);
            let mut filters = MeteredFilters::new(filters, self.meter.clone(), self.counted_input, price);
            let sent = filters.sent().clone();
            let mut mapper = EventMapper::new(self.model.reports_usage);
            let mut has_output = false;
            let mut out = Vec::new();
            let run = |chat: &Arc<Chat>| {
                let (context, model_id) = (self.context.clone(), self.model_id.clone());
                failover::parts(context, model_id, &self.editors, chat.clone(), sent.clone())
            };
            let mut chat = self.chat.clone();
            let mut parts = Box::pin(run(&chat));
            loop {
                let part = parts.next().await;
                if matches!(part, Some(Ok(_))) {
                    self.acceptance.set();
                }
                let event = match part {
                    None => {
                        self.context.back_off.reset();
                        self.with_routed_model(mapper.finish(), &mapper)
                    }
                    Some(Ok(part)) => match mapper.event(part) {
                        Some(Event::ToolCall(call)) => Event::ToolCall(self.names.call_to_client(call)),
                        Some(Event::Thinking(thinking)) => {
                            Event::Thinking(Thinking { model: Some(self.model_id.clone()), ..thinking })
                        }
                        Some(event) => event,
                        None => {
                            if let Some(usage) = mapper.reported_usage() {
                                sent.reported(usage);
                            }
                            continue;
                        }
                    },
                    Some(Err(BridgeError::Editor(error)))
                        if !has_output && let Some(plain) = thinking::without_rejected(&error, &chat) =>
                    {
                        log::warn!("thinking rejected, sent without request={}", self.request_id);
                        sent.refused();
                        chat = Arc::new(plain);
                        parts = Box::pin(run(&chat));
                        continue;
                    }
                    Some(Err(error)) => match self.finish_of(error, has_output) {
                        Ok(finish) => self.with_routed_model(mapper.finish_with(finish), &mapper),
                        Err(failure) => {
                            let flow = filters.fail(&failure, has_output, &mut out);
                            for event in out.drain(..) {
                                yield Ok(self.with_dropped_calls(event, &dropped));
                            }
                            if flow.is_continue() {
                                yield Err(failure);
                            }
                            return;
                        }
                    },
                };
                has_output = true;
                self.calibrate(&event);
                let last = matches!(event, Event::Finish(..));
                let flow = filters.event(event, &mut out);
                for event in out.drain(..) {
                    yield Ok(self.with_dropped_calls(event, &dropped));
                }
                if last || flow == ControlFlow::Break(()) {
                    return;
                }
            }
        })
    }

    /// Adds the number of dropped calls to the usage of a finish, and logs them.
    fn with_dropped_calls(&self, event: Event, dropped: &DroppedCalls) -> Event {
        match event {
            Event::Finish(finish, usage) if dropped.count() > 0 => {
                for call in dropped.all() {
                    log::info!("tool call dropped request={} tool={}", self.request_id, quoted(&call.name));
                }
                Event::Finish(finish, Usage { dropped_calls: dropped.count(), ..usage })
            }
            event => event,
        }
    }

    /// Maps the error that ended a response to the finish of a complete response, or to a failure.
    fn finish_of(&self, error: BridgeError, has_output: bool) -> Result<Finish, Failure> {
        match error {
            BridgeError::Failed(failure) => Err(failure),
            BridgeError::Editor(error) => match self.classify(&error) {
                Classification::Finished(finish) => Ok(finish),
                Classification::Truncated { finish, .. } if has_output => Ok(finish),
                Classification::Failed(failure) | Classification::Truncated { if_empty: failure, .. } => {
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
        // Another extension may use the vendor's name, but only Copilot's provider reports usage and sends these
        // messages.
        let is_copilot = self.model.vendor == "copilot" && self.model.reports_usage;
        let provider = if is_copilot { Provider::Copilot } else { Provider::Other };
        match self.context.back_off.classify(error, provider) {
            Classification::Failed(Failure::Blocked { message, .. })
                if is_copilot || blocked_vendors::is_copilots(&message) =>
            {
                Classification::Failed(self.context.blocked_vendors.record(&self.model.vendor, message))
            }
            classification => classification,
        }
    }

    /// Adds and records the model that `auto` was routed to; every other model answers itself.
    fn with_routed_model(&self, event: Event, mapper: &EventMapper) -> Event {
        match event {
            Event::Finish(finish, usage) if auto::is_auto(&self.model) => {
                let routed_model = mapper.answering_model();
                if let Some(model) = routed_model {
                    let tier = self.chat.configuration.get("tier").and_then(Value::as_str);
                    self.context.routed_models.record(tier.unwrap_or_default(), model);
                }
                Event::Finish(finish, Usage { routed_model, ..usage })
            }
            event => event,
        }
    }

    /// Learns from a reported usage. A prompt for `auto` says nothing: another model's tokenizer counts it, and Copilot
    /// trims it to that model's limit.
    fn calibrate(&self, event: &Event) {
        if let Event::Finish(_, usage) = event
            && usage.source == UsageSource::Reported
            && !auto::is_auto(&self.model)
        {
            self.context.calibration.lock().observe(&self.model.family, self.count.estimated, usage.input);
        }
    }
}

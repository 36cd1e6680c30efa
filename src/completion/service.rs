//! Prepares model requests: resolves the model, builds the editor's request, checks its size and waits for a permit.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::ready;
use futures_util::{StreamExt, stream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::context::CompletionContext;
use super::dispatch::Dispatch;
use super::editor_request::EditorRequest;
use super::{Events, retry, timing};
use crate::blocking;
use crate::bridge::protocol::ContextSize;
use crate::conversation::{Conversation, Event, Finish, Usage};
use crate::failure::Failure;
use crate::keys::ClientIdentity;
use crate::log::quoted;
use crate::models::registry::{GetModels, ResolveModel, ResolvedModel};
use crate::models::{ModelEntry, auto};

/// Runs completions; cheap to clone.
#[derive(Clone)]
pub struct CompletionService {
    context: CompletionContext,
}

/// A model request as the client sent it, in any dialect.
#[derive(Clone)]
pub struct CompletionRequest {
    /// Id of the HTTP request, for the log.
    pub request_id: Arc<str>,
    /// Name of the model as the client wrote it; absent = the default model.
    pub model: Option<String>,
    /// Whether an unknown name resolves to the nearest model instead of failing.
    pub nearest_if_unknown: bool,
    /// The client that asks, as far as its key names it.
    pub client: ClientIdentity,
    /// The conversation so far.
    pub conversation: Conversation,
}

impl CompletionRequest {
    /// A later request of the same client and exchange, for the model that was resolved first.
    pub fn same_model(
        request_id: Arc<str>,
        model: String,
        client: ClientIdentity,
        conversation: Conversation,
    ) -> CompletionRequest {
        CompletionRequest { request_id, model: Some(model), nearest_if_unknown: false, client, conversation }
    }
}

/// A request that is ready to run, once for each choice of the client.
pub struct PreparedCompletion {
    /// The resolved model.
    pub model: ModelEntry,
    /// Tokens of the input, calibrated.
    pub counted_input: u64,
    /// The client that asks.
    pub client: ClientIdentity,
    dispatch: Dispatch,
    permit: Arc<OwnedSemaphorePermit>,
    /// Time from the call of `prepare` to the permit.
    ready: Duration,
}

impl CompletionService {
    /// A service with this shared state.
    pub fn new(context: CompletionContext) -> CompletionService {
        CompletionService { context }
    }

    /// The state that it shares with the rest of the server.
    pub fn context(&self) -> &CompletionContext {
        &self.context
    }

    /// Resolves the model, builds its request and waits for a permit.
    pub async fn prepare(&self, request: CompletionRequest) -> Result<PreparedCompletion, Failure> {
        let start = Instant::now();
        let ResolvedModel { model, editors } = self.resolve(&request).await?;
        self.context.blocked_vendors.check(&model.model.vendor)?;
        let CompletionRequest { request_id, model: requested, client, conversation, .. } = request;
        log::info!(
            "model resolved request={request_id} requested={} model={}",
            quoted(requested.as_deref().unwrap_or_default()),
            quoted(&model.id)
        );
        let (size, info) = (conversation.size(), model.model.clone());
        let (tier, context_size) = self.provider_settings(&model);
        let maximum = self.input_limit(&model, tier).await?;
        let editor_request =
            blocking::run(size, move || EditorRequest::build_checked(conversation, &info, tier, maximum))
                .await?;
        let tokens = editor_request.count.checked;
        if context_size == ContextSize::Standard
            && let Some(maximum) =
                self.context.standard_contexts.exceeded_by(tokens, &model.model, &editors).await
        {
            return Err(Failure::TooLongForSetting { tokens, maximum });
        }
        let counted_input = self.calibrated(&model, editor_request.count.estimated);
        let permit = Arc::new(self.context.admission.acquire().await?);
        let dispatch =
            Dispatch::new(self.context.clone(), request_id, &model, editors, editor_request, counted_input);
        Ok(PreparedCompletion { model, counted_input, client, dispatch, permit, ready: start.elapsed() })
    }

    /// Resolves the model of a request without running it.
    pub async fn model(&self, request: &CompletionRequest) -> Result<ModelEntry, Failure> {
        self.resolve(request).await.map(|resolved| resolved.model)
    }

    /// Counts the tokens of a request's input without running it.
    pub async fn count(&self, request: CompletionRequest) -> Result<u64, Failure> {
        let model = self.model(&request).await?;
        let (size, info) = (request.conversation.size(), model.model.clone());
        let count = move || Ok(EditorRequest::build(request.conversation, &info, None).count);
        let count = blocking::run(size, count).await?;
        Ok(self.calibrated(&model, count.estimated))
    }

    async fn resolve(&self, request: &CompletionRequest) -> Result<ResolvedModel, Failure> {
        let resolve = async || {
            let message = ResolveModel {
                requested: request.model.clone(),
                default_model: self.context.user_settings.read().default_model.clone(),
                nearest_if_unknown: request.nearest_if_unknown,
            };
            self.context.registry.send(message).await.map_err(Failure::internal)?
        };
        match resolve().await {
            Err(Failure::NoModels { .. }) => {
                let _slot = self.context.admission.enqueue()?;
                self.context.availability.retry_until_available(resolve).await
            }
            result => result,
        }
    }

    /// The tier of model `auto`, from its name or from the user's settings, and the context size that the user wants.
    fn provider_settings(&self, model: &ModelEntry) -> (Option<&'static str>, ContextSize) {
        let settings = self.context.user_settings.read();
        let named = auto::split_tier(&model.id).map(|(_, tier)| tier);
        let tier = named.or_else(|| auto::tier(&settings.auto_tier)).filter(|_| auto::is_auto(&model.model));
        (tier, settings.context_size)
    }

    /// The input limit of a model; for `auto` also that of the model that it was routed to last, if that is known.
    async fn input_limit(&self, model: &ModelEntry, tier: Option<&str>) -> Result<u64, Failure> {
        let own = model.model.max_input_tokens;
        let routed = self.context.routed_models.latest(tier.unwrap_or_default());
        let Some(routed) = routed.filter(|_| auto::is_auto(&model.model)) else { return Ok(own) };
        let models = self.context.registry.send(GetModels).await.map_err(Failure::internal)?;
        let found = models
            .iter()
            .find(|entry| entry.model.id == routed.as_str() && entry.model.vendor == model.model.vendor);
        Ok(found.map_or(own, |entry| entry.model.max_input_tokens.min(own)))
    }

    fn calibrated(&self, model: &ModelEntry, estimated: u64) -> u64 {
        self.context.calibration.lock().calibrated(&model.model.family, estimated)
    }
}

impl PreparedCompletion {
    /// Id of the HTTP request, for the log.
    pub fn request_id(&self) -> &Arc<str> {
        self.dispatch.request_id()
    }

    /// Runs the request once.
    pub fn events(&self) -> Events {
        let permit = self.permit.clone();
        let events =
            if self.dispatch.generates_nothing() { self.empty() } else { retry::run(self.dispatch.clone()) };
        let events = timing::timed(events, self.ready);
        // The permit lasts as long as the response.
        Box::pin(events.inspect(move |_| {
            let _ = &permit;
        }))
    }

    /// The response to a request for no output at all: its input is counted, and no model runs.
    fn empty(&self) -> Events {
        let usage = Usage { input: self.counted_input, ..Usage::default() };
        Box::pin(stream::once(ready(Ok(Event::Finish(Finish::Length, usage)))))
    }
}

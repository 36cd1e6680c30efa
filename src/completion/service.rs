//! Prepares model requests: resolves the model, builds the editor's request, checks its size and waits for a permit.

use std::iter::once;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::ready;
use futures_util::{StreamExt, stream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use super::context::CompletionContext;
use super::dispatch::Dispatch;
use super::editor_request::EditorRequest;
use super::first_part::Acceptance;
use super::model_chain::{ModelChain, RequestedModel};
use super::tracked_prefix::{PrefixReport, TrackedPrefix};
use super::{Events, latency, retry};
use crate::blocking;
use crate::bridge::protocol::ContextSize;
use crate::budgets::{Meter, Reservation};
use crate::conversation::{Conversation, Event, Finish, Usage};
use crate::failure::Failure;
use crate::keys::ClientIdentity;
use crate::log::quoted;
use crate::models::registry::{GetModels, ResolveModel, ResolvedModel};
use crate::models::{ModelEntry, auto};
use crate::prompt_prefix::SentRequest;

/// Runs completions; cheap to clone.
#[derive(Clone)]
pub struct CompletionService {
    context: Arc<CompletionContext>,
}

/// A model request as the client sent it, in any dialect.
#[derive(Clone)]
pub struct CompletionRequest {
    /// Id of the HTTP request, for the log.
    pub request_id: Arc<str>,
    /// The requested models.
    pub models: ModelChain,
    /// The client that asks, as far as its key names it.
    pub client: ClientIdentity,
    /// Session of the client, where it names one.
    pub session: Option<Arc<str>>,
    /// Gets the cost of all attempts.
    pub meter: Meter,
    /// The conversation so far.
    pub conversation: Conversation,
}

impl CompletionRequest {
    /// A later request of the same client and exchange, for the model that was resolved first.
    pub fn same_model(
        request_id: Arc<str>,
        model: String,
        client: ClientIdentity,
        session: Option<Arc<str>>,
        meter: Meter,
        conversation: Conversation,
    ) -> CompletionRequest {
        CompletionRequest {
            request_id,
            models: ModelChain::only(Some(model), false),
            client,
            session,
            meter,
            conversation,
        }
    }
}

/// A request to one model of its chain.
pub(super) struct Attempt<'a> {
    pub request_id: &'a Arc<str>,
    pub client: &'a ClientIdentity,
    pub session: Option<&'a Arc<str>>,
    pub meter: &'a Meter,
    /// The model as the client named it.
    pub requested: &'a RequestedModel,
    /// That model, and the editors that have it.
    pub resolved: ResolvedModel,
    pub conversation: Conversation,
    /// Arrival of the request.
    pub began: Instant,
}

/// A request that is ready to run, once for each choice of the client.
pub(super) struct PreparedCompletion {
    model: ModelEntry,
    counted_input: u64,
    client: ClientIdentity,
    session: Option<Arc<str>>,
    meter: Meter,
    /// Comparison with the request before; absent for an enormous request.
    prefix: Option<TrackedPrefix>,
    dispatch: Dispatch,
    permit: Arc<OwnedSemaphorePermit>,
    /// The estimate that is reserved in the budgets of the client; none if no budget applies.
    reservation: Arc<Option<Reservation>>,
    /// Time from the arrival of the request to the permit.
    ready: Duration,
}

/// A request that runs.
pub struct StartedCompletion {
    /// Id of the HTTP request, for the log.
    pub request_id: Arc<str>,
    /// The model that responds.
    pub model: ModelEntry,
    /// Tokens of the input, calibrated.
    pub counted_input: u64,
    /// The client that asks.
    pub client: ClientIdentity,
    /// Session of the client, where it names one.
    pub session: Option<Arc<str>>,
    /// Gets the cost of all attempts.
    pub meter: Meter,
    /// Comparison with the request before it in its conversation; absent for the first one.
    pub prefix: Option<PrefixReport>,
    /// Events of the first choice, or of the only one.
    pub events: Events,
    /// Events of the other choices.
    pub other_choices: Vec<Events>,
}

impl CompletionService {
    /// A service with this shared state.
    pub fn new(context: CompletionContext) -> CompletionService {
        CompletionService { context: Arc::new(context) }
    }

    /// The state that it shares with the rest of the server.
    pub fn context(&self) -> &CompletionContext {
        &self.context
    }

    /// Builds the request of an attempt and waits for a permit.
    pub(super) async fn prepare(&self, attempt: Attempt<'_>) -> Result<PreparedCompletion, Failure> {
        let Attempt { request_id, client, session, meter, requested, resolved, conversation, began } =
            attempt;
        let ResolvedModel { model, editors } = resolved;
        self.context.blocked_vendors.check(&model.model.vendor)?;
        log::info!(
            "model resolved request={request_id} requested={} model={}",
            quoted(requested.name.as_deref().unwrap_or_default()),
            quoted(&model.id)
        );
        let (size, info) = (conversation.size(), model.model.clone());
        let (tier, context_size) = self.provider_settings(&model);
        let maximum = self.input_limit(&model, tier).await?;
        let prefixes = self.context.prefixes.clone();
        let build = move || {
            let request = EditorRequest::build_checked(conversation, &info, tier, maximum)?;
            let fingerprint = request.fingerprint(&prefixes);
            Ok((request, fingerprint))
        };
        let (editor_request, fingerprint) = blocking::run(size, build).await?;
        let tokens = editor_request.count.checked;
        if context_size == ContextSize::Standard
            && let Some(maximum) =
                self.context.standard_contexts.exceeded_by(tokens, &model.model, &editors).await
        {
            return Err(Failure::TooLongForSetting { tokens, maximum });
        }
        let counted_input = self.calibrated(&model, editor_request.count.estimated);
        let permit = Arc::new(self.context.admission.acquire().await?);
        let prefix = fingerprint.map(|fingerprint| {
            let (session, model) = (session.cloned(), model.id.clone());
            let request =
                SentRequest { session, model, tokens: counted_input, fingerprint, time: Instant::now() };
            TrackedPrefix::new(&self.context.prefixes, request)
        });
        let dispatch = Dispatch::new(
            self.context.clone(),
            request_id.clone(),
            &model,
            editors,
            editor_request,
            counted_input,
            meter.clone(),
        );
        let (client, session, ready) = (client.clone(), session.cloned(), began.elapsed());
        let meter = meter.clone();
        let cached = prefix.as_ref().and_then(TrackedPrefix::cached_tokens).unwrap_or(0);
        let reservation =
            if dispatch.generates_nothing() { None } else { meter.reserve(dispatch.estimate(cached))? };
        let reservation = Arc::new(reservation);
        Ok(PreparedCompletion {
            model,
            counted_input,
            client,
            session,
            meter,
            prefix,
            dispatch,
            permit,
            reservation,
            ready,
        })
    }

    /// Resolves the first model of a request that exists, without running it.
    pub async fn model(&self, request: &CompletionRequest) -> Result<ModelEntry, Failure> {
        let mut first_failure = None;
        for requested in request.models.iter() {
            match self.resolve(requested, &request.client).await {
                Ok(resolved) => return Ok(resolved.model),
                Err(failure @ (Failure::UnknownModel { .. } | Failure::ModelNotAllowed { .. })) => {
                    first_failure.get_or_insert(failure);
                }
                Err(failure) => return Err(failure),
            }
        }
        Err(first_failure.unwrap_or_else(|| Failure::internal("a request without a model")))
    }

    /// Counts the tokens of a request's input without running it.
    pub async fn count(&self, request: CompletionRequest) -> Result<u64, Failure> {
        let model = self.model(&request).await?;
        let (size, info) = (request.conversation.size(), model.model.clone());
        let count = move || Ok(EditorRequest::build(request.conversation, &info, None).count);
        let count = blocking::run(size, count).await?;
        Ok(self.calibrated(&model, count.estimated))
    }

    pub(super) async fn resolve(
        &self,
        model: &RequestedModel,
        client: &ClientIdentity,
    ) -> Result<ResolvedModel, Failure> {
        let resolve = async || {
            let message = ResolveModel {
                requested: model.name.clone(),
                default_model: self.context.user_settings.read().default_model.clone(),
                nearest_if_unknown: model.nearest_if_unknown,
                client: client.clone(),
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
    /// Set when the model's first part arrives.
    pub fn acceptance(&self) -> Acceptance {
        self.dispatch.acceptance().clone()
    }

    /// Runs the request, once for each choice.
    pub fn start(self) -> StartedCompletion {
        let choices = self.dispatch.choices();
        StartedCompletion {
            request_id: self.dispatch.request_id().clone(),
            events: self.events(),
            other_choices: (1..choices).map(|_| self.events()).collect(),
            counted_input: self.counted_input,
            prefix: self.report(),
            client: self.client,
            session: self.session,
            meter: self.meter,
            model: self.model,
        }
    }

    /// Tokens of the input that the provider's cache is likely to have.
    pub fn cached_tokens(&self) -> Option<u64> {
        self.prefix.as_ref()?.cached_tokens()
    }

    fn report(&self) -> Option<PrefixReport> {
        let report = self.prefix.as_ref()?.report(&self.model.model)?;
        report.log(self.dispatch.request_id());
        Some(report)
    }

    fn events(&self) -> Events {
        let (permit, prefix, reservation) =
            (self.permit.clone(), self.prefix.clone(), self.reservation.clone());
        let events =
            if self.dispatch.generates_nothing() { self.empty() } else { retry::run(self.dispatch.clone()) };
        let events = latency::timed(events, self.ready);
        // Permit and reservation last as long as the response.
        Box::pin(events.inspect(move |event| {
            let _ = (&permit, &reservation);
            if let (Ok(_), Some(prefix)) = (event, &prefix) {
                prefix.accepted();
            }
        }))
    }

    /// The response to a request for no output at all: its input is counted, and no model runs.
    fn empty(&self) -> Events {
        let usage = Usage { input: self.counted_input, ..Usage::default() };
        Box::pin(stream::once(ready(Ok(Event::Finish(Finish::Length, usage)))))
    }
}

impl StartedCompletion {
    /// Events of all choices; never empty.
    pub fn choices_mut(&mut self) -> impl Iterator<Item = &mut Events> {
        once(&mut self.events).chain(&mut self.other_choices)
    }

    /// Puts an event back that was read from a choice.
    pub(super) fn put_back(&mut self, choice: usize, event: Result<Event, Failure>) {
        if let Some(events) = self.choices_mut().nth(choice) {
            let rest = std::mem::replace(events, Box::pin(stream::empty()));
            *events = Box::pin(stream::once(ready(event)).chain(rest));
        }
    }
}

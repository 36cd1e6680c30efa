//! One question to a model: choice, legal transcript, size check, send; then the filters over its events.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use futures_util::{Stream, StreamExt};
use parking_lot::{Mutex, RwLock};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

use crate::blocking;
use crate::bridge::protocol::{Chat, ModelInfo, UserSettings};
use crate::conversation::{Conversation, Event, Options};
use crate::failure::Failure;
use crate::models::Listed;
use crate::models::ModelRegistry;
use crate::models::availability::EditorAvailability;
use crate::models::registry::{ResolveModel, ResolvedModel};
use crate::tokens::{self, Calibration, Count};
use crate::tools;
use crate::transcript::{self, names::Names};
use admission::Admission;
use dispatch::{Counted, Dispatch};
use required_output::RequiredOutput;

pub mod admission;
pub mod blank;
mod dispatch;
pub mod editor_request;
pub mod event_mapper;
pub mod filter;
pub mod filter_chain;
pub mod json_output;
pub mod max_tokens;
pub mod provider_error;
pub mod required_output;
pub mod single_tool_call;
pub mod stop_sequences;
mod timing;
pub mod usage_counter;

pub use dispatch::RateLimitBackoff;

/// What it takes to ask.
#[derive(Clone)]
pub struct CompletionService {
    /// Who can answer.
    pub registry: Addr<ModelRegistry>,
    /// Who is only coming.
    pub availability: EditorAvailability,
    /// What the person set.
    pub user_settings: Arc<RwLock<UserSettings>>,
    /// How many may be asked at once.
    pub admission: Admission,
    /// How counts differ from what providers report.
    pub calibration: Arc<Mutex<Calibration>>,
    /// Rate limits in a row.
    pub back_off: RateLimitBackoff,
    /// A model silent for longer is given up; the person's preference if absent.
    pub model_timeout: Option<Duration>,
}

/// What is asked, of whom.
#[derive(Clone)]
pub struct CompletionRequest {
    /// The model's name as the client says it; absent = the default model.
    pub model: Option<String>,
    /// An unknown name means the nearest kind rather than an error.
    pub leniently: bool,
    /// The conversation so far.
    pub conversation: Conversation,
}

/// A question that is ready to be sent, as often as the client wants answers.
pub struct PreparedCompletion {
    /// The model that answers.
    pub model: Listed,
    /// What the input counts.
    pub counted_input: u64,
    chat: Arc<Chat>,
    sending: Dispatch,
    turn: Arc<OwnedSemaphorePermit>,
    /// How long it took to be ready.
    ready: Duration,
}

/// What happens in an answer. Dropping it cancels the model.
pub type Events = Pin<Box<dyn Stream<Item = Result<Event, Failure>>>>;

impl CompletionService {
    /// Finds the model, makes the question fit for it and waits for a turn.
    pub async fn ask(&self, question: CompletionRequest) -> Result<PreparedCompletion, Failure> {
        let began = Instant::now();
        let asked_for = question.model.clone();
        let ResolvedModel { model, editors } = self.choose(&question).await?;
        log::info!("model {}: answers for {}", model.id, asked_for.as_deref().unwrap_or("no name"));

        let info = model.model.clone();
        let size = question.conversation.size();
        let compose = move || EditorRequest::fit_for(question.conversation, &info);
        let EditorRequest { chat, names, required, options, count } = blocking::run(size, compose).await?;
        let counted = self.calibrated(&model, count.estimated);
        let sending = Dispatch {
            registry: self.registry.clone(),
            availability: self.availability.clone(),
            editors,
            listed: model.id.clone(),
            model: model.model.clone(),
            names: names.into(),
            required,
            options,
            counted,
            timeout_after: self.timeout_after(),
            back_off: self.back_off.clone(),
            calibration: self.calibration.clone(),
        };
        let turn = Arc::new(self.admission.wait().await?);
        let chat = Arc::new(chat);
        Ok(PreparedCompletion {
            model,
            counted_input: counted.calibrated,
            chat,
            sending,
            turn,
            ready: began.elapsed(),
        })
    }

    /// The model that would answer.
    pub async fn model(&self, question: &CompletionRequest) -> Result<Listed, Failure> {
        self.choose(question).await.map(|chosen| chosen.model)
    }

    /// What a question would cost, without asking it.
    pub async fn count(&self, question: CompletionRequest) -> Result<u64, Failure> {
        let model = self.model(&question).await?;
        let info = model.model.clone();
        let size = question.conversation.size();
        let count = move || Ok(EditorRequest::of(question.conversation, &info).count);
        let count = blocking::run(size, count).await?;
        Ok(self.calibrated(&model, count.estimated).calibrated)
    }

    async fn choose(&self, question: &CompletionRequest) -> Result<ResolvedModel, Failure> {
        let choose = async || {
            let choose = ResolveModel {
                asked: question.model.clone(),
                default_model: self.user_settings.read().default_model.clone(),
                leniently: question.leniently,
            };
            let chosen = self.registry.send(choose).await;
            chosen.map_err(Failure::internal)?
        };
        match choose().await {
            Err(Failure::NoModels { .. }) => {
                let _place = self.admission.queue()?;
                self.availability.retry_until_available(choose).await
            }
            settled => settled,
        }
    }

    fn calibrated(&self, model: &Listed, estimated: u64) -> Counted {
        Counted { estimated, calibrated: self.calibration.lock().calibrated(&model.model.family, estimated) }
    }

    fn timeout_after(&self) -> Duration {
        self.model_timeout
            .unwrap_or_else(|| Duration::from_secs(self.user_settings.read().model_timeout.into()))
    }
}

/// A question as the editor is to hear it.
struct EditorRequest {
    chat: Chat,
    names: Names,
    required: RequiredOutput,
    options: Options,
    count: Count,
}

impl EditorRequest {
    /// Makes a conversation legal, puts its demands into words and counts it. Pure, and slow for a large one.
    fn of(conversation: Conversation, model: &ModelInfo) -> EditorRequest {
        let (conversation, required) = RequiredOutput::of(conversation);
        let (conversation, names) = transcript::legal(conversation);
        let options = conversation.options.clone();
        let chat = editor_request::chat(conversation, model);
        let count = tokens::count_conversation(&chat.messages, &chat.tools);
        EditorRequest { chat, names, required, options, count }
    }

    /// The same, if the model takes it.
    fn fit_for(conversation: Conversation, model: &ModelInfo) -> Result<EditorRequest, Failure> {
        let composed = EditorRequest::of(conversation, model);
        tools::check_number(&composed.chat.tools)?;
        // Copilot would drop the oldest messages without a word, a system text first of all.
        let (tokens, maximum) = (composed.count.checked, model.max_input_tokens);
        if tokens > maximum { Err(Failure::TooLong { tokens, maximum }) } else { Ok(composed) }
    }
}

impl PreparedCompletion {
    /// One answer.
    pub fn answer(&self) -> Events {
        let turn = self.turn.clone();
        let events = timing::timed(self.sending.clone().answer(self.chat.clone()), self.ready);
        // The turn lasts as long as the answer.
        Box::pin(events.inspect(move |_| {
            let _ = &turn;
        }))
    }
}

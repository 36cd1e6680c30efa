//! One question to a model: choice, legal transcript, size check, send; then the filters over its events.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use futures_util::{Stream, StreamExt};
use parking_lot::{Mutex, RwLock};
use tokio::sync::OwnedSemaphorePermit;

use crate::actors::ModelRegistry;
use crate::actors::model_registry::{Choose, Chosen};
use crate::bridge::protocol::{Chat, Preferences};
use crate::conversation::{Conversation, Event};
use crate::failure::Failure;
use crate::models::Listed;
use crate::tokens::{self, Calibration};
use crate::tools;
use crate::transcript;
use admission::Admission;
use demand::Demand;
use sending::{Counted, Sending};

pub mod admission;
pub mod blanks;
pub mod chain;
pub mod compose;
pub mod demand;
pub mod events;
pub mod filter;
pub mod host_error;
pub mod json;
pub mod limit;
pub mod one_call;
mod sending;
pub mod stop;
pub mod usage;

pub use sending::Trouble;

/// What it takes to ask.
#[derive(Clone)]
pub struct Asking {
    /// Who can answer.
    pub registry: Addr<ModelRegistry>,
    /// What the person set.
    pub preferences: Arc<RwLock<Preferences>>,
    /// How many may be asked at once.
    pub admission: Admission,
    /// How counts differ from what providers report.
    pub calibration: Arc<Mutex<Calibration>>,
    /// Rate limits in a row.
    pub trouble: Trouble,
    /// A model silent for longer is given up; the person's preference if absent.
    pub model_timeout: Option<Duration>,
}

/// What is asked, of whom.
#[derive(Clone)]
pub struct Question {
    /// The model's name as the client says it; absent = the default model.
    pub model: Option<String>,
    /// An unknown name means the nearest kind rather than an error.
    pub leniently: bool,
    /// The conversation so far.
    pub conversation: Conversation,
}

/// A question that is ready to be sent, as often as the client wants answers.
pub struct Asked {
    /// The model that answers.
    pub model: Listed,
    /// What the input counts.
    pub counted_input: u64,
    chat: Arc<Chat>,
    sending: Sending,
    turn: Arc<OwnedSemaphorePermit>,
}

/// What happens in an answer. Dropping it cancels the model.
pub type Events = Pin<Box<dyn Stream<Item = Result<Event, Failure>>>>;

impl Asking {
    /// Finds the model, makes the question fit for it and waits for a turn.
    pub async fn ask(&self, question: Question) -> Result<Asked, Failure> {
        let asked_for = question.model.clone();
        let Chosen { model, hosts } = self.choose(&question).await?;
        log::info!("model {}: answers for {}", model.id, asked_for.as_deref().unwrap_or("no name"));

        let (conversation, demand) = Demand::of(question.conversation);
        tools::check_number(&conversation.tools)?;
        let (conversation, names) = transcript::legal(conversation);
        let options = conversation.options.clone();
        let chat = compose::chat(conversation, &model.model);

        let count = tokens::count_conversation(&chat.messages, &chat.tools);
        // Copilot would drop the oldest messages without a word, a system text first of all.
        let maximum = model.model.max_input_tokens;
        if count.checked > maximum {
            return Err(Failure::TooLong { tokens: count.checked, maximum });
        }
        let counted = self.calibrated(&model, count.estimated);
        let sending = Sending {
            registry: self.registry.clone(),
            hosts,
            listed: model.id.clone(),
            model: model.model.clone(),
            names: names.into(),
            demand,
            options,
            counted,
            patience: self.patience(),
            trouble: self.trouble.clone(),
            calibration: self.calibration.clone(),
        };
        let turn = Arc::new(self.admission.wait().await?);
        Ok(Asked { model, counted_input: counted.calibrated, chat: Arc::new(chat), sending, turn })
    }

    /// What a question would cost, without asking it.
    pub async fn count(&self, question: Question) -> Result<u64, Failure> {
        let Chosen { model, .. } = self.choose(&question).await?;
        let (conversation, _) = Demand::of(question.conversation);
        let (conversation, _) = transcript::legal(conversation);
        let chat = compose::chat(conversation, &model.model);
        let count = tokens::count_conversation(&chat.messages, &chat.tools);
        Ok(self.calibrated(&model, count.estimated).calibrated)
    }

    async fn choose(&self, question: &Question) -> Result<Chosen, Failure> {
        let choose = Choose {
            asked: question.model.clone(),
            default_model: self.preferences.read().default_model.clone(),
            leniently: question.leniently,
        };
        let chosen = self.registry.send(choose).await;
        chosen.map_err(|error| Failure::Internal { message: error.to_string() })?
    }

    fn calibrated(&self, model: &Listed, estimated: u64) -> Counted {
        Counted { estimated, calibrated: self.calibration.lock().calibrated(&model.model.family, estimated) }
    }

    fn patience(&self) -> Duration {
        self.model_timeout
            .unwrap_or_else(|| Duration::from_secs(self.preferences.read().model_timeout.into()))
    }
}

impl Asked {
    /// One answer.
    pub fn answer(&self) -> Events {
        let turn = self.turn.clone();
        let events = self.sending.clone().answer(self.chat.clone());
        // The turn lasts as long as the answer.
        Box::pin(events.inspect(move |_| {
            let _ = &turn;
        }))
    }
}

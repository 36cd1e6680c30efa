//! One question to a model: choice, legal transcript, size check, send; then the filters over its events.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use actix::Addr;
use async_stream::stream;
use futures_util::{Stream, StreamExt};
use parking_lot::{Mutex, RwLock};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use crate::actors::ModelRegistry;
use crate::actors::model_registry::{Choose, Chosen};
use crate::asking::host_error::Verdict;
use crate::bridge::Host;
use crate::bridge::lines::Broken;
use crate::bridge::protocol::{Chat, HostError, Preferences};
use crate::conversation::{Conversation, Event, Finish, Part, ToolCall, Usage};
use crate::failure::Failure;
use crate::models::Listed;
use crate::tokens::{self, Calibration};
use crate::transcript::{self, names::Names};
use admission::Admission;

pub mod admission;
pub mod blanks;
pub mod chain;
pub mod compose;
pub mod events;
pub mod filter;
pub mod host_error;
pub mod json;
pub mod limit;
pub mod one_call;
pub mod stop;
pub mod usage;

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
    names: Arc<Names>,
    trouble: Trouble,
    hosts: Vec<Host>,
    model_timeout: Duration,
    turn: Arc<OwnedSemaphorePermit>,
}

/// What happens in an answer. Dropping it cancels the model.
pub type Events = Pin<Box<dyn Stream<Item = Result<Event, Failure>>>>;

impl Asking {
    /// Finds the model and makes the question fit for it.
    pub async fn ask(&self, question: Question) -> Result<Asked, Failure> {
        let (default_model, model_timeout) = {
            let preferences = self.preferences.read();
            let preferred = Duration::from_secs(preferences.model_timeout.into());
            (preferences.default_model.clone(), self.model_timeout.unwrap_or(preferred))
        };
        let choose = Choose { asked: question.model.clone(), default_model, leniently: question.leniently };
        let Chosen { model, hosts } = self
            .registry
            .send(choose)
            .await
            .map_err(|error| Failure::Internal { message: error.to_string() })??;
        log::info!("model {}: answers for {}", model.id, question.model.as_deref().unwrap_or("no name"));
        let (conversation, names) = transcript::legal(question.conversation);
        let chat = Arc::new(compose::chat(conversation, &model.model));
        let counted = tokens::count_conversation(&chat.messages, &chat.tools);
        // Copilot would drop the oldest messages without a word, a system text first of all.
        let maximum = model.model.max_input_tokens;
        if counted.checked > maximum {
            return Err(Failure::TooLong { tokens: counted.checked, maximum });
        }
        let counted_input = self.calibration.lock().calibrated(&model.model.family, counted.estimated);
        let turn = Arc::new(self.admission.wait().await?);
        let trouble = self.trouble.clone();
        Ok(Asked { model, counted_input, chat, names: names.into(), hosts, model_timeout, trouble, turn })
    }
}

impl Asked {
    /// One answer.
    pub fn answer(&self) -> Events {
        let parts = parts(self.hosts.clone(), self.chat.clone(), self.model_timeout);
        let (names, trouble, turn) = (self.names.clone(), self.trouble.clone(), self.turn.clone());
        Box::pin(stream! {
            let _turn = turn;
            let mut begun = false;
            let mut calls = false;
            for await part in parts {
                let event = match part {
                    Ok(Part::Text { text }) => Event::Text(text),
                    Ok(Part::Thinking(thinking)) => Event::Thinking(thinking),
                    Ok(Part::ToolCall(call)) => {
                        calls = true;
                        Event::ToolCall(ToolCall { name: names.to_client(call.name), ..call })
                    }
                    Ok(Part::Data(_) | Part::ToolResult(_)) => continue,
                    Err(Broken::Failed(failure)) => {
                        yield Err(failure);
                        return;
                    }
                    Err(Broken::Editor(error)) => {
                        yield match trouble.verdict(&error) {
                            Verdict::Failed(failure) => Err(failure),
                            Verdict::Finished(finish) => Ok(Event::Finish(finish, Usage::default())),
                            Verdict::Cut { finish, .. } if begun => Ok(Event::Finish(finish, Usage::default())),
                            Verdict::Cut { otherwise, .. } => Err(otherwise),
                        };
                        return;
                    }
                };
                begun = true;
                yield Ok(event);
            }
            trouble.is_over();
            let finish = if calls { Finish::ToolCalls } else { Finish::Stop };
            yield Ok(Event::Finish(finish, Usage::default()));
        })
    }
}

/// How many rate limits came in a row: the provider never says when to try again.
#[derive(Clone, Default)]
pub struct Trouble(Arc<AtomicU32>);

impl Trouble {
    fn verdict(&self, error: &HostError) -> Verdict {
        let in_a_row = self.0.load(Ordering::Relaxed).saturating_add(1);
        let verdict = host_error::verdict(error, in_a_row);
        if matches!(verdict, Verdict::Failed(Failure::RateLimited { .. })) {
            self.0.store(in_a_row, Ordering::Relaxed);
        }
        verdict
    }

    fn is_over(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// The parts of an answer. A question that nobody has answered a part of goes to the next editor when its own
/// is gone.
fn parts(hosts: Vec<Host>, chat: Arc<Chat>, patience: Duration) -> impl Stream<Item = Result<Part, Broken>> {
    stream! {
        let mut begun = false;
        'editors: for host in hosts {
            let mut line = match host.chat(chat.clone()) {
                Ok(line) => line,
                Err(Failure::EditorGone) => continue,
                Err(failure) => {
                    yield Err(Broken::Failed(failure));
                    return;
                }
            };
            loop {
                match timeout(patience, line.next()).await {
                    Err(_) => {
                        yield Err(Broken::Failed(Failure::ModelTimeout { after: patience }));
                        return;
                    }
                    Ok(None) => return,
                    Ok(Some(Err(Broken::Failed(Failure::EditorGone)))) if !begun => continue 'editors,
                    Ok(Some(part)) => {
                        begun = true;
                        yield part;
                    }
                }
            }
        }
        yield Err(Broken::Failed(Failure::EditorGone));
    }
}

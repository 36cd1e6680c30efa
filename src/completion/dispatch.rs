//! A question on its way: to an editor that answers it, through the filters over its events, and once more if the
//! answer is not what was demanded.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use actix::Addr;
use async_stream::stream;
use futures_util::{Stream, StreamExt};
use parking_lot::Mutex;
use tokio::time::timeout;

use super::Events;
use super::event_mapper;
use super::filter_chain::FilterChain;
use super::required_output::RequiredOutput;
use std::ops::ControlFlow;

use super::filter::Filter;
use super::provider_error::{self, Provider, Verdict};
use crate::bridge::pending_requests::BridgeError;
use crate::bridge::protocol::{Chat, ModelInfo, ProviderError, ToEditor};
use crate::bridge::{Editor, EditorId};
use crate::conversation::{Event, Finish, Options, Part, ToolCall, Usage, UsageSource};
use crate::failure::Failure;
use crate::models::ModelRegistry;
use crate::models::availability::EditorAvailability;
use crate::models::registry::ResolveModel;
use crate::tokens::Calibration;
use crate::transcript::names::Names;

/// What it takes to send a question.
#[derive(Clone)]
pub(super) struct Dispatch {
    /// Finds those who have the model.
    pub registry: Addr<ModelRegistry>,
    /// Who is only coming.
    pub availability: EditorAvailability,
    /// Those who had it when the question was made ready, the one to ask first in front.
    pub editors: Vec<Editor>,
    /// The id under which the model is listed.
    pub listed: String,
    /// The model.
    pub model: ModelInfo,
    /// The way back for names that had to change.
    pub names: Arc<Names>,
    /// What the answer must be.
    pub required: RequiredOutput,
    /// What the client wishes: the server does itself what the provider can't.
    pub options: Options,
    /// What the input counts.
    pub counted: Counted,
    /// A model silent for longer is given up.
    pub timeout_after: Duration,
    /// Rate limits in a row.
    pub back_off: RateLimitBackoff,
    /// Learns from what providers report.
    pub calibration: Arc<Mutex<Calibration>>,
}

/// What the input counts.
#[derive(Clone, Copy)]
pub(super) struct Counted {
    /// Before calibration.
    pub estimated: u64,
    /// As it is told.
    pub calibrated: u64,
}

/// How many rate limits came in a row: the provider never says when to try again.
#[derive(Clone, Default)]
pub struct RateLimitBackoff(Arc<AtomicU32>);

impl Dispatch {
    /// One answer, and a second one if the first is not what was demanded.
    pub(super) fn answer(self, chat: Arc<Chat>) -> Events {
        match self.required {
            RequiredOutput::Nothing => self.once(chat),
            RequiredOutput::SomeCall | RequiredOutput::Json { .. } => Box::pin(self.twice_at_most(chat)),
        }
    }

    /// Words are held back until it is clear that they belong to what was demanded.
    fn twice_at_most(self, chat: Arc<Chat>) -> impl Stream<Item = Result<Event, Failure>> {
        stream! {
            let mut chat = chat;
            let mut spent: Option<Usage> = None;
            for try_number in 1.. {
                let mut held = Vec::new();
                let mut good = false;
                let mut answer = self.clone().once(chat.clone());
                while let Some(event) = answer.next().await {
                    let event = match (event, spent) {
                        (Err(failure), _) => {
                            yield Err(failure);
                            return;
                        }
                        (Ok(Event::Finish(finish, usage)), Some(spent)) => Event::Finish(finish, spent.and(usage)),
                        (Ok(event), _) => event,
                    };
                    good = good || matches!(event, Event::ToolCall(_));
                    held.push(event);
                    if good {
                        for event in held.drain(..) {
                            yield Ok(event);
                        }
                    }
                }
                if good {
                    return;
                }
                let Some(objection) = self.required.objection(&held) else {
                    for event in held {
                        yield Ok(event);
                    }
                    return;
                };
                if try_number == 2 {
                    yield Err(Failure::BadAnswer { message: objection });
                    return;
                }
                log::info!("model {}: asked once more, its answer was not what was demanded", self.model.id);
                spent = held.iter().find_map(|event| match event {
                    Event::Finish(_, usage) => Some(*usage),
                    _ => None,
                });
                let mut again = Arc::unwrap_or_clone(chat);
                again.messages.extend(self.required.again(&held, &objection));
                chat = Arc::new(again);
            }
        }
    }

    /// One answer, through the filters.
    fn once(self, chat: Arc<Chat>) -> Events {
        Box::pin(stream! {
            let mut filters = self.filters();
            let mut reader = event_mapper::EventMapper::new(self.model.reports_usage);
            let mut begun = false;
            let mut out = Vec::new();
            let parts = self.parts(&chat);
            let mut parts = std::pin::pin!(parts);
            loop {
                let event = match parts.next().await {
                    None => {
                        self.back_off.is_over();
                        reader.end()
                    }
                    Some(Ok(part)) => match reader.part(part) {
                        Some(Event::ToolCall(call)) => {
                            Event::ToolCall(ToolCall { name: self.names.to_client(call.name), ..call })
                        }
                        Some(event) => event,
                        None => continue,
                    },
                    Some(Err(broken)) => match self.ending(broken, begun) {
                        Ok(finish) => reader.end_as(finish),
                        Err(failure) => {
                            let flow = filters.cut(&mut out);
                            for event in out.drain(..) {
                                yield Ok(event);
                            }
                            if flow == ControlFlow::Continue(()) {
                                yield Err(failure);
                            }
                            return;
                        }
                    },
                };
                begun = true;
                self.learn(&event);
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

    /// The parts of an answer. A question that nobody has answered a part of goes to the next editor when its own
    /// is gone; if there is none, one that is just coming back from a reload is waited for.
    fn parts(&self, chat: &Arc<Chat>) -> impl Stream<Item = Result<Part, BridgeError>> {
        stream! {
            let mut begun = false;
            let mut editors = VecDeque::from(self.editors.clone());
            let mut tried = HashSet::new();
            'editors: loop {
                let Some(host) = editors.pop_front() else {
                    let Ok(others) = self.others(&tried).await else { break };
                    editors = others;
                    continue;
                };
                tried.insert(host.id());
                let mut line = match host.chat(chat.clone()) {
                    Ok(line) => line,
                    Err(Failure::EditorGone) => continue,
                    Err(failure) => {
                        yield Err(BridgeError::Failed(failure));
                        return;
                    }
                };
                loop {
                    match timeout(self.timeout_after, line.next()).await {
                        Err(_) => {
                            yield Err(BridgeError::Failed(Failure::ModelTimeout { after: self.timeout_after }));
                            return;
                        }
                        Ok(None) => return,
                        Ok(Some(Err(BridgeError::Failed(Failure::EditorGone)))) if !begun => continue 'editors,
                        Ok(Some(part)) => {
                            begun = true;
                            yield part;
                        }
                    }
                }
            }
            yield Err(BridgeError::Failed(Failure::EditorGone));
        }
    }

    /// Editors that have the model now and were not asked yet.
    async fn others(&self, tried: &HashSet<EditorId>) -> Result<VecDeque<Editor>, Failure> {
        let choose = async || {
            let choose = ResolveModel {
                asked: Some(self.listed.clone()),
                default_model: String::new(),
                leniently: false,
            };
            let editors = match self.registry.send(choose).await {
                Ok(Ok(chosen)) => chosen.editors,
                _ => Vec::new(),
            };
            let others: VecDeque<Editor> =
                editors.into_iter().filter(|host| !tried.contains(&host.id())).collect();
            if others.is_empty() { Err(Failure::EditorGone) } else { Ok(others) }
        };
        self.availability.retry_until_available(choose).await
    }

    fn filters(&self) -> FilterChain {
        let schema_tool = match &self.required {
            RequiredOutput::Json { tool, .. } => Some(tool.as_str()),
            RequiredOutput::Nothing | RequiredOutput::SomeCall => None,
        };
        FilterChain::of(&self.options, schema_tool, self.counted.calibrated, self.model.reports_usage)
    }

    /// How an answer ends that breaks off.
    fn ending(&self, broken: BridgeError, begun: bool) -> Result<Finish, Failure> {
        match broken {
            BridgeError::Failed(failure) => Err(failure),
            BridgeError::Editor(error) => match self.verdict(&error) {
                Verdict::Finished(finish) => Ok(finish),
                Verdict::Cut { finish, .. } if begun => Ok(finish),
                Verdict::Failed(failure) | Verdict::Cut { otherwise: failure, .. } => Err(failure),
            },
        }
    }

    fn verdict(&self, error: &ProviderError) -> Verdict {
        if provider_error::models_are_stale(error) {
            for host in &self.editors {
                host.tell(&ToEditor::RefreshModels);
            }
        }
        // Another's may have that vendor too, but not what is known of Copilot's.
        let is_copilot = self.model.vendor == "copilot" && self.model.reports_usage;
        self.back_off.verdict(error, if is_copilot { Provider::Copilot } else { Provider::Other })
    }

    fn learn(&self, event: &Event) {
        if let Event::Finish(_, usage) = event
            && usage.source == UsageSource::Reported
        {
            self.calibration.lock().observe(&self.model.family, self.counted.estimated, usage.input);
        }
    }
}

impl RateLimitBackoff {
    fn verdict(&self, error: &ProviderError, provider: Provider) -> Verdict {
        let in_a_row = self.0.load(Ordering::Relaxed).saturating_add(1);
        let verdict = provider_error::verdict(error, provider, in_a_row);
        if matches!(verdict, Verdict::Failed(Failure::RateLimited { .. })) {
            self.0.store(in_a_row, Ordering::Relaxed);
        }
        verdict
    }

    fn is_over(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

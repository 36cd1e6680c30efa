//! One request's account: opened when it comes, closed when its answer has ended.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::captured_body::Said;
use super::{RequestLog, client};
use crate::bridge::protocol::{Exchange, Outcome, RequestRecord, Tokens};
use crate::conversation::{Event, Finish, Usage, UsageSource};
use crate::failure::Failure;
use crate::log::now;

/// Longer names of models, and of endpoints that there are not, are cut, in bytes.
const MAX_ASKED: usize = 200;

/// Longer messages of failures are cut, in bytes.
const MAX_MESSAGE: usize = 4096;

/// What is known of a request when it comes.
pub struct RequestInfo<'a> {
    /// As its answer's `x-request-id` says it.
    pub id: String,
    /// The API it speaks; empty where it came to no door that asks models.
    pub dialect: &'static str,
    /// `POST`.
    pub method: &'a str,
    /// The endpoint.
    pub path: &'a str,
    /// The client's word for itself.
    pub user_agent: &'a str,
    /// The person wants to see what is said in it.
    pub keep_words: bool,
    /// The person wants log lines to hold words of it.
    pub log_words: bool,
}

/// One request's account, from its arrival until its answer has ended. Dropped before that it says that the
/// client has gone.
pub struct Record {
    ledger: Arc<RequestLog>,
    page: SharedState,
    log_words: bool,
}

/// A page of the ledger.
pub(super) type SharedState = Arc<Mutex<State>>;

/// What is written on it.
pub(super) struct State {
    pub record: RequestRecord,
    /// The ledger's when this was last written to.
    pub revision: u64,
    pub said: Option<Said>,
    began: Instant,
    ending: Option<Ending>,
}

enum Ending {
    Finished(Finish, Usage),
    Failed(Failure),
}

impl State {
    pub fn is_running(&self) -> bool {
        self.record.outcome == Outcome::Running
    }

    /// What was said, as far as it is kept.
    pub fn exchange(&self) -> Exchange {
        Exchange {
            id: self.record.id.clone(),
            headers: self.said.as_ref().map(|said| said.headers.clone()).unwrap_or_default(),
            request: self.said.as_ref().map(|said| said.request.words()),
            response: self.said.as_ref().map(|said| said.reply.words()),
        }
    }

    /// What was said is to be kept no longer.
    pub fn forget(&mut self) {
        self.said = None;
        self.record.has_exchange = false;
    }
}

impl Record {
    pub(super) fn open(
        ledger: Arc<RequestLog>,
        number: u64,
        opening: RequestInfo<'_>,
    ) -> (Record, SharedState) {
        let RequestInfo { id, dialect, method, path, user_agent, keep_words, log_words } = opening;
        let record = RequestRecord {
            number,
            id,
            time: now(),
            client: client::named(user_agent),
            dialect: dialect.to_owned(),
            method: method.to_owned(),
            path: cut(path, MAX_ASKED),
            stream: false,
            requested_model: None,
            model: None,
            characters: 0,
            first_ms: None,
            duration_ms: None,
            tokens: None,
            outcome: Outcome::Running,
            rejected: false,
            has_exchange: keep_words,
        };
        let said = keep_words.then(Said::default);
        let page = Arc::new(Mutex::new(State {
            record,
            revision: ledger.stir(),
            said,
            began: Instant::now(),
            ending: None,
        }));
        (Record { ledger, page: page.clone(), log_words }, page)
    }

    /// What the client asks for.
    pub fn asked(&self, model: Option<&str>, stream: bool) {
        self.write(|story| {
            story.record.requested_model = model.map(|model| cut(model, MAX_ASKED));
            story.record.stream = stream;
        });
    }

    /// This model answers.
    pub fn answered_by(&self, model: &str) {
        self.write(|story| story.record.model = Some(model.to_owned()));
    }

    /// Something happened in the answer. Of several choices the input counts once.
    pub fn heard(&self, event: &Event) {
        self.write(|story| {
            if story.record.first_ms.is_none() {
                story.record.first_ms = Some(milliseconds(story.began.elapsed()));
            }
            match event {
                Event::Text(text) => story.record.characters += length(text),
                Event::Thinking(thought) => story.record.characters += length(&thought.text),
                Event::ToolCall(_) | Event::ToolRan(_) => {}
                Event::Finish(finish, usage) => {
                    let mut total = *usage;
                    if let Some(Ending::Finished(_, before)) = &story.ending {
                        total.output += before.output;
                    }
                    story.ending = Some(Ending::Finished(finish.clone(), total));
                }
            }
        });
    }

    /// The answer ended badly.
    pub fn failed(&self, failure: &Failure) {
        self.page.lock().ending = Some(Ending::Failed(failure.clone()));
    }

    /// It is not even read.
    pub(super) fn rejected(self, failure: &Failure) {
        self.write(|story| story.record.rejected = true);
        self.failed(failure);
    }

    /// What is said in this request is kept.
    pub fn keeps_words(&self) -> bool {
        self.page.lock().said.is_some()
    }

    /// The request's body, and those of its headers that a person is to see: never a key.
    pub fn came(&self, headers: impl Iterator<Item = (String, String)>, bytes: &[u8]) {
        if let Some(said) = &mut self.page.lock().said {
            said.headers.extend(headers);
            said.request.add(bytes);
        }
    }

    /// More of the answer's body.
    pub fn went(&self, bytes: &[u8]) {
        if let Some(said) = &mut self.page.lock().said {
            said.reply.add(bytes);
        }
    }

    fn write(&self, change: impl FnOnce(&mut State)) {
        let mut story = self.page.lock();
        change(&mut story);
        story.revision = self.ledger.stir();
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let mut story = self.page.lock();
        let State { record, began, ending, .. } = &mut *story;
        let elapsed = began.elapsed();
        record.duration_ms = Some(milliseconds(elapsed));
        record.outcome = match &ending {
            Some(Ending::Finished(finish, usage)) => {
                record.tokens = Some(tokens(*usage));
                Outcome::Finished { reason: finish.as_str().to_owned() }
            }
            Some(Ending::Failed(failure)) => Outcome::Failed {
                kind: failure.kind().to_owned(),
                message: cut(&failure.to_string(), MAX_MESSAGE),
                hint: failure.advice().to_owned(),
            },
            None => Outcome::Disconnected,
        };
        let RequestRecord { id, dialect, method, model, first_ms, rejected, .. } = &*record;
        let model = model.as_deref().unwrap_or("no model");
        match ending {
            Some(Ending::Finished(finish, usage)) => log::info!(
                "request {id}: {dialect} {model} {finish:?} in {elapsed:.1?}, first after {} ms, {} tokens in, {} out",
                first_ms.unwrap_or_default(),
                usage.input,
                usage.output
            ),
            Some(Ending::Failed(failure)) if *rejected => {
                // Neither path nor message: a stranger has written both.
                log::warn!("request {id}: {method} turned away: {}", failure.kind());
            }
            Some(Ending::Failed(failure)) => {
                let why = if self.log_words { failure.to_string() } else { failure.redacted() };
                log::warn!("request {id}: {dialect} {model} failed after {elapsed:.1?}: {why}");
            }
            None => log::info!("request {id}: {dialect} {model} left by its client after {elapsed:.1?}"),
        }
        let lacks_consent = matches!(ending, Some(Ending::Failed(Failure::ConsentMissing { .. })));
        story.revision = self.ledger.stir();
        let record = story.record.clone();
        drop(story);
        self.ledger.close(&record, lacks_consent);
    }
}

fn tokens(usage: Usage) -> Tokens {
    Tokens {
        input: usage.input,
        output: usage.output,
        cached: usage.cached,
        reported: usage.source == UsageSource::Reported,
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn cut(text: &str, limit: usize) -> String {
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text).to_owned()
}

/// In characters.
fn length(text: &str) -> u64 {
    text.chars().count() as u64
}

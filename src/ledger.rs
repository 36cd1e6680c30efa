//! What is being answered, and what has been since the server started. The status bar and the panel show it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::conversation::{Event, Finish, Usage};
use crate::failure::Failure;

/// The accounts of a server.
#[derive(Default)]
pub struct Ledger {
    totals: Mutex<Totals>,
    /// Woken by every change.
    pub changed: Notify,
}

/// Sums since the server started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Requests being answered.
    pub in_flight: u32,
    /// Requests answered, well or badly.
    pub requests: u64,
    /// Tokens in.
    pub tokens_in: u64,
    /// Tokens out.
    pub tokens_out: u64,
    /// A request failed for want of consent, and none has succeeded since.
    pub consent_needed: bool,
}

/// One request's account, from its arrival until its answer has ended. Dropped before that it says that the
/// client has gone.
pub struct Entry {
    ledger: Arc<Ledger>,
    id: String,
    dialect: &'static str,
    began: Instant,
    story: Mutex<Story>,
}

#[derive(Default)]
struct Story {
    model: Option<String>,
    first_event: Option<Duration>,
    outcome: Option<Outcome>,
}

enum Outcome {
    Finished(Finish, Usage),
    Failed(Failure),
}

impl Ledger {
    /// The sums just now.
    pub fn totals(&self) -> Totals {
        *self.totals.lock()
    }

    /// Opens an account.
    pub fn begin(self: &Arc<Ledger>, id: String, dialect: &'static str) -> Entry {
        self.totals.lock().in_flight += 1;
        self.changed.notify_one();
        Entry { ledger: self.clone(), id, dialect, began: Instant::now(), story: Mutex::default() }
    }
}

impl Entry {
    /// This model answers.
    pub fn answered_by(&self, model: &str) {
        self.story.lock().model = Some(model.to_owned());
    }

    /// Something happened in the answer. Of several choices the input counts once.
    pub fn heard(&self, event: &Event) {
        let mut story = self.story.lock();
        story.first_event.get_or_insert_with(|| self.began.elapsed());
        if let Event::Finish(finish, usage) = event {
            let mut total = *usage;
            if let Some(Outcome::Finished(_, before)) = &story.outcome {
                total.output += before.output;
            }
            story.outcome = Some(Outcome::Finished(finish.clone(), total));
        }
    }

    /// The answer ended badly.
    pub fn failed(&self, failure: &Failure) {
        self.story.lock().outcome = Some(Outcome::Failed(failure.clone()));
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let Entry { ledger, id, dialect, began, story } = self;
        let Story { model, first_event, outcome } = story.get_mut();
        let model = model.as_deref().unwrap_or("no model");
        let elapsed = began.elapsed();
        let first = first_event.unwrap_or(elapsed);
        let mut totals = ledger.totals.lock();
        totals.in_flight = totals.in_flight.saturating_sub(1);
        totals.requests += 1;
        match outcome {
            Some(Outcome::Finished(finish, usage)) => {
                totals.tokens_in += usage.input;
                totals.tokens_out += usage.output;
                totals.consent_needed = false;
                log::info!(
                    "request {id}: {dialect} {model} {finish:?} in {elapsed:.1?}, first after {first:.1?}, {} tokens in, {} out",
                    usage.input,
                    usage.output
                );
            }
            Some(Outcome::Failed(failure)) => {
                totals.consent_needed |= matches!(failure, Failure::ConsentMissing { .. });
                log::warn!("request {id}: {dialect} {model} failed after {elapsed:.1?}: {failure}");
            }
            None => log::info!("request {id}: {dialect} {model} left by its client after {elapsed:.1?}"),
        }
        drop(totals);
        ledger.changed.notify_one();
    }
}

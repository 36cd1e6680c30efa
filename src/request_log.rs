//! What is being answered, and what has been since the server started. The status bar and the panel show it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::bridge::protocol::{Activity, Exchange, Outcome, RequestRecord};
use crate::failure::Failure;
use crate::log::now;

mod captured_body;
mod client;
pub mod metrics;
mod record;
mod totals;

pub use record::{Record, RequestInfo};

use metrics::Metrics;
use record::{SharedState, State};
use totals::PeriodTotals;

/// Requests kept that have ended: what a person may still want to look up.
const KEPT: usize = 100;

/// Of those that were turned away: enough to see what goes wrong. A program that keeps knocking at a wrong door
/// must not drive out the others.
const KEPT_TURNED_AWAY: usize = 20;

/// The accounts of a server.
#[derive(Default)]
pub struct RequestLog {
    book: Mutex<Book>,
    /// The same for machines that watch.
    pub metrics: Metrics,
    /// Raised by everything that is written.
    revision: AtomicU64,
    /// Woken when a request comes or ends.
    pub changed: Notify,
}

#[derive(Default)]
struct Book {
    totals: Totals,
    sums: PeriodTotals,
    /// Oldest first.
    pages: VecDeque<SharedState>,
    /// How many of them have ended.
    ended: usize,
    /// How many of them were turned away.
    rejected: usize,
    opened: u64,
}

/// PeriodTotals since the server started.
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

impl RequestLog {
    /// The sums just now.
    pub fn totals(&self) -> Totals {
        self.book.lock().totals
    }

    /// Opens an account.
    pub fn begin(self: &Arc<RequestLog>, opening: RequestInfo<'_>) -> Record {
        let mut book = self.book.lock();
        book.totals.in_flight += 1;
        book.opened += 1;
        let (entry, page) = Record::open(self.clone(), book.opened, opening);
        book.pages.push_back(page);
        drop(book);
        self.changed.notify_one();
        entry
    }

    /// Notes a request that nobody reads.
    pub fn reject(self: &Arc<RequestLog>, opening: RequestInfo<'_>, failure: &Failure) {
        self.begin(opening).rejected(failure);
    }

    /// Raised by everything that is written: what is equal has not changed.
    pub fn revision(&self) -> u64 {
        self.revision.load(Ordering::Relaxed)
    }

    /// What was written after this revision; all that is kept if there is none.
    pub fn activity(&self, after: Option<u64>) -> Activity {
        let book = self.book.lock();
        let fresh = |story: &State| after.is_none_or(|after| story.revision > after);
        let record = |page: &SharedState| {
            let story = page.lock();
            fresh(&story).then(|| story.record.clone())
        };
        Activity {
            reset: after.is_none(),
            requests: book.pages.iter().filter_map(record).collect(),
            models: book.sums.models(),
            minutes: book.sums.minutes(),
        }
    }

    /// What was said in a request, as far as it is kept.
    pub fn exchange(&self, id: &str) -> Exchange {
        let book = self.book.lock();
        let story = book.pages.iter().map(|page| page.lock()).find(|story| story.record.id == id);
        story.map_or_else(
            || Exchange { id: id.to_owned(), headers: Vec::new(), request: None, response: None },
            |story| story.exchange(),
        )
    }

    /// The person no longer wants to see what is said: nothing of it stays.
    pub fn forget_words(&self) {
        for page in &self.book.lock().pages {
            let mut story = page.lock();
            if story.said.is_some() {
                story.forget();
                story.revision = self.stir();
            }
        }
    }

    fn stir(&self) -> u64 {
        self.revision.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn close(&self, record: &RequestRecord, lacks_consent: bool) {
        let mut book = self.book.lock();
        let totals = &mut book.totals;
        totals.in_flight = totals.in_flight.saturating_sub(1);
        totals.requests += 1;
        totals.consent_needed |= lacks_consent;
        if let Some(tokens) = record.tokens {
            totals.tokens_in += tokens.input;
            totals.tokens_out += tokens.output;
        }
        if matches!(record.outcome, Outcome::Finished { .. }) {
            totals.consent_needed = false;
        }
        book.sums.add(record, now());
        self.metrics.add(record);
        book.turn_pages(record.rejected);
        drop(book);
        self.changed.notify_one();
    }
}

impl Book {
    /// One more has ended, or has been turned away: the oldest of its kind may have to go.
    fn turn_pages(&mut self, rejected: bool) {
        let (ended, kept) =
            if rejected { (&mut self.rejected, KEPT_TURNED_AWAY) } else { (&mut self.ended, KEPT) };
        *ended += 1;
        if *ended <= kept {
            return;
        }
        let may_go = |page: &SharedState| {
            let story = page.lock();
            !story.is_running() && story.record.rejected == rejected
        };
        if let Some(oldest) = self.pages.iter().position(may_go) {
            self.pages.remove(oldest);
            *ended -= 1;
        }
    }
}

#[cfg(test)]
mod tests;

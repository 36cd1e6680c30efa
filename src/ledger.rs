//! What is being answered, and what has been since the server started. The status bar and the panel show it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::bridge::protocol::{Activity, Exchange, Outcome, RequestRecord};
use crate::failure::Failure;
use crate::log::now;

mod client;
mod entry;
pub mod metrics;
mod sums;
mod words;

pub use entry::{Entry, Opening};

use entry::{Page, Story};
use metrics::Metrics;
use sums::Sums;

/// Requests kept that have ended: what a person may still want to look up.
const KEPT: usize = 100;

/// Of those that were turned away: enough to see what goes wrong. A program that keeps knocking at a wrong door
/// must not drive out the others.
const KEPT_TURNED_AWAY: usize = 20;

/// The accounts of a server.
#[derive(Default)]
pub struct Ledger {
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
    sums: Sums,
    /// Oldest first.
    pages: VecDeque<Page>,
    /// How many of them have ended.
    ended: usize,
    /// How many of them were turned away.
    turned_away: usize,
    opened: u64,
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

impl Ledger {
    /// The sums just now.
    pub fn totals(&self) -> Totals {
        self.book.lock().totals
    }

    /// Opens an account.
    pub fn begin(self: &Arc<Ledger>, opening: Opening<'_>) -> Entry {
        let mut book = self.book.lock();
        book.totals.in_flight += 1;
        book.opened += 1;
        let (entry, page) = Entry::open(self.clone(), book.opened, opening);
        book.pages.push_back(page);
        drop(book);
        self.changed.notify_one();
        entry
    }

    /// Notes a request that nobody reads.
    pub fn turn_away(self: &Arc<Ledger>, opening: Opening<'_>, failure: &Failure) {
        self.begin(opening).turned_away(failure);
    }

    /// Raised by everything that is written: what is equal has not changed.
    pub fn revision(&self) -> u64 {
        self.revision.load(Ordering::Relaxed)
    }

    /// What was written after this revision; all that is kept if there is none.
    pub fn activity(&self, after: Option<u64>) -> Activity {
        let book = self.book.lock();
        let fresh = |story: &Story| after.is_none_or(|after| story.revision > after);
        let record = |page: &Page| {
            let story = page.lock();
            fresh(&story).then(|| story.record.clone())
        };
        Activity {
            anew: after.is_none(),
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
            || Exchange { id: id.to_owned(), headers: Vec::new(), request: None, reply: None },
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
        book.turn_pages(record.turned_away);
        drop(book);
        self.changed.notify_one();
    }
}

impl Book {
    /// One more has ended, or has been turned away: the oldest of its kind may have to go.
    fn turn_pages(&mut self, turned_away: bool) {
        let (ended, kept) =
            if turned_away { (&mut self.turned_away, KEPT_TURNED_AWAY) } else { (&mut self.ended, KEPT) };
        *ended += 1;
        if *ended <= kept {
            return;
        }
        let may_go = |page: &Page| {
            let story = page.lock();
            !story.is_running() && story.record.turned_away == turned_away
        };
        if let Some(oldest) = self.pages.iter().position(may_go) {
            self.pages.remove(oldest);
            *ended -= 1;
        }
    }
}

#[cfg(test)]
mod tests;

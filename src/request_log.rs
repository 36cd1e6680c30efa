//! Running and recent requests and their totals; the status bar and the panel show them.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::bridge::protocol::{Activity, AutoModeStatus, Exchange, Outcome};
use crate::failure::Failure;
use crate::log::now;
use crate::usage_db::UsageWriter;

mod captured_body;
mod client;
pub mod metrics;
mod record;
mod totals;

pub use record::{Record, RequestInfo};

use captured_body::MAX_CAPTURED;
use metrics::Metrics;
use record::{RecordState, SharedRecord};
use totals::PeriodTotals;

/// The "dialect" of tool calls over MCP, which run no model.
pub const MCP: &str = "mcp";

/// Number of finished requests that are kept.
const KEPT: usize = 100;

/// Number of rejected requests that are kept: enough for a diagnosis. A client that repeats a wrong request must not
/// displace the others.
const KEPT_TURNED_AWAY: usize = 20;

/// Live and recent requests of the server, with totals and metrics.
#[derive(Default)]
pub struct RequestLog {
    state: Mutex<State>,
    /// Counters for Prometheus.
    pub metrics: Metrics,
    /// Number of changes so far.
    revision: AtomicU64,
    /// Notified when a request arrives or ends.
    pub changed: Notify,
    /// Writes the history of usage, if one is kept.
    pub usage: Option<UsageWriter>,
}

#[derive(Default)]
struct State {
    totals: Totals,
    sums: PeriodTotals,
    /// Oldest first.
    records: VecDeque<SharedRecord>,
    /// Number of finished requests among them.
    ended: usize,
    /// Number of rejected requests among them.
    rejected: usize,
    opened: u64,
}

/// Totals since the server started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Requests that are running.
    pub in_flight: u32,
    /// Requests that have ended, successful or failed.
    pub requests: u64,
    /// Input tokens.
    pub tokens_in: u64,
    /// Output tokens.
    pub tokens_out: u64,
    /// Whether a request failed without the user's consent and none has succeeded since.
    pub consent_needed: bool,
}

impl RequestLog {
    /// A log that also writes to a usage database.
    pub fn with_history(usage: Option<UsageWriter>) -> RequestLog {
        RequestLog { usage, ..RequestLog::default() }
    }

    /// Reads the current totals.
    pub fn totals(&self) -> Totals {
        self.state.lock().totals
    }

    /// Opens the record of a request.
    pub fn begin(self: &Arc<RequestLog>, info: RequestInfo<'_>) -> Record {
        let mut log_state = self.state.lock();
        log_state.totals.in_flight += 1;
        log_state.opened += 1;
        let (record, shared) = Record::open(self.clone(), log_state.opened, info);
        log_state.records.push_back(shared);
        drop(log_state);
        self.changed.notify_one();
        record
    }

    /// Records a request whose body is not read.
    pub fn reject(self: &Arc<RequestLog>, info: RequestInfo<'_>, failure: &Failure) {
        self.begin(info).rejected(failure);
    }

    /// Number of changes so far: equal numbers mean that nothing has changed.
    pub fn revision(&self) -> u64 {
        self.revision.load(Ordering::Relaxed)
    }

    /// Reads the records that changed after a revision, or all if it is absent.
    pub fn activity(&self, after: Option<u64>) -> Activity {
        let log_state = self.state.lock();
        let fresh = |state: &RecordState| after.is_none_or(|after| state.revision > after);
        let record = |shared: &SharedRecord| {
            let state = shared.lock();
            fresh(&state).then(|| state.record.clone())
        };
        Activity {
            reset: after.is_none(),
            requests: log_state.records.iter().filter_map(record).collect(),
            models: log_state.sums.models(),
            minutes: log_state.sums.minutes(),
        }
    }

    /// Reads the captured bodies of a request.
    pub fn exchange(&self, id: &str) -> Exchange {
        let log_state = self.state.lock();
        let state = log_state.records.iter().map(|shared| shared.lock()).find(|state| state.record.id == id);
        state.map_or_else(
            || Exchange { id: id.to_owned(), headers: Vec::new(), request: None, response: None },
            |state| state.exchange(),
        )
    }

    /// Cancels a running request: its model and tools are cancelled, its client gets an error.
    pub fn cancel(&self, id: &str) {
        let log_state = self.state.lock();
        let found = log_state.records.iter().map(|shared| shared.lock()).find(|state| state.record.id == id);
        if let Some(state) = found {
            state.cancel();
        }
    }

    /// Discards all captured bodies: the user no longer wants them.
    pub fn discard_captures(&self) {
        for shared in &self.state.lock().records {
            let mut state = shared.lock();
            if state.captured.is_some() {
                state.forget();
                state.revision = self.bump_revision();
            }
        }
    }

    /// Sets the progress of a request in auto mode.
    pub fn set_auto_mode(&self, id: &str, status: AutoModeStatus) {
        let log_state = self.state.lock();
        let found = log_state.records.iter().map(|shared| shared.lock()).find(|state| state.record.id == id);
        if let Some(mut state) = found
            && state.record.auto_mode.as_ref() != Some(&status)
        {
            state.record.auto_mode = Some(status);
            state.revision = self.bump_revision();
        }
    }

    fn bump_revision(&self) -> u64 {
        self.revision.fetch_add(1, Ordering::Relaxed) + 1
    }

    fn close(&self, shared: &SharedRecord, lacks_consent: bool) {
        let mut log_state = self.state.lock();
        let state = shared.lock();
        let record = &state.record;
        let totals = &mut log_state.totals;
        totals.in_flight = totals.in_flight.saturating_sub(1);
        totals.requests += 1;
        totals.consent_needed |= lacks_consent;
        if let Some(tokens) = record.tokens {
            totals.tokens_in += tokens.input;
            totals.tokens_out += tokens.output;
        }
        if record.model.is_some() && matches!(record.outcome, Outcome::Finished { .. }) {
            totals.consent_needed = false;
        }
        log_state.sums.add(record, now());
        self.metrics.add(record);
        let (rejected, captured) = (record.rejected, record.has_exchange);
        drop(state);
        log_state.evict_oldest(rejected);
        if captured {
            log_state.evict_captures(|| self.bump_revision());
        }
        drop(log_state);
        self.changed.notify_one();
    }
}

impl State {
    /// Discards the oldest captured bodies where all together take too much memory.
    fn evict_captures(&self, bump_revision: impl Fn() -> u64) {
        let mut memory = 0;
        for shared in self.records.iter().rev() {
            let mut state = shared.lock();
            memory += state.captured_memory();
            if memory > MAX_CAPTURED && state.captured_memory() > 0 && !state.is_running() {
                state.forget();
                state.revision = bump_revision();
            }
        }
    }

    /// Removes the oldest finished or rejected record when there are too many of its kind.
    fn evict_oldest(&mut self, rejected: bool) {
        let (ended, kept) =
            if rejected { (&mut self.rejected, KEPT_TURNED_AWAY) } else { (&mut self.ended, KEPT) };
        *ended += 1;
        if *ended <= kept {
            return;
        }
        let may_go = |shared: &SharedRecord| {
            let state = shared.lock();
            !state.is_running() && state.record.rejected == rejected
        };
        if let Some(oldest) = self.records.iter().position(may_go) {
            self.records.remove(oldest);
            *ended -= 1;
        }
    }
}

#[cfg(test)]
mod tests;

//! How the requests of one simulated editor have come out: what `stats:` says.

use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;

/// The counts since the editor started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Asked.
    pub started: u64,
    /// Answered to the end.
    pub completed: u64,
    /// Ended with an error.
    pub failed: u64,
    /// Given up by who asked.
    pub cancelled: u64,
    /// Being answered.
    pub active: u64,
}

/// The book that all requests of an editor are entered in.
#[derive(Clone, Debug, Default)]
pub struct Ledger(Arc<Mutex<Stats>>);

impl Ledger {
    /// The counts, just now.
    pub fn stats(&self) -> Stats {
        *self.0.lock()
    }

    /// Enters a request. One that does not count is held by an entry of no book.
    pub fn enter(&self, counts: bool) -> Entry {
        let ledger = if counts { self.clone() } else { Ledger::default() };
        {
            let mut stats = ledger.0.lock();
            stats.started += 1;
            stats.active += 1;
        }
        Entry { ledger, outcome: Outcome::Cancelled }
    }
}

/// A running request. It ends when this is dropped: as cancelled, unless it had come out before.
#[derive(Debug)]
pub struct Entry {
    ledger: Ledger,
    outcome: Outcome,
}

#[derive(Clone, Copy, Debug)]
enum Outcome {
    Completed,
    Failed,
    Cancelled,
}

impl Entry {
    /// The answer is complete.
    pub fn completed(mut self) {
        self.outcome = Outcome::Completed;
    }

    /// The request failed.
    pub fn failed(mut self) {
        self.outcome = Outcome::Failed;
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut stats = self.ledger.0.lock();
        stats.active -= 1;
        match self.outcome {
            Outcome::Completed => stats.completed += 1,
            Outcome::Failed => stats.failed += 1,
            Outcome::Cancelled => stats.cancelled += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_ends_once_and_dropping_is_cancelling() {
        let ledger = Ledger::default();
        ledger.enter(true).completed();
        ledger.enter(true).failed();
        drop(ledger.enter(true));
        let _active = ledger.enter(true);
        let _unseen = ledger.enter(false);
        assert_eq!(ledger.stats(), Stats { started: 4, completed: 1, failed: 1, cancelled: 1, active: 1 });
    }

    #[test]
    fn stats_are_told_in_a_fixed_order() {
        assert_eq!(
            serde_json::to_string(&Stats::default()).unwrap(),
            r#"{"started":0,"completed":0,"failed":0,"cancelled":0,"active":0}"#
        );
    }
}

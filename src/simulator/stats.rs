//! Counters of the requests of one simulated editor, which `stats:` streams.

use std::sync::Arc;

use parking_lot::Mutex;
use serde::Serialize;

/// The counts since the editor started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Stats {
    /// Requests that began.
    pub started: u64,
    /// Answered to the end.
    pub completed: u64,
    /// Ended with an error.
    pub failed: u64,
    /// Requests that the server cancelled.
    pub cancelled: u64,
    /// Requests that run.
    pub active: u64,
}

/// The list that all requests of an editor are entered in.
#[derive(Clone, Debug, Default)]
pub struct StatsCounter(Arc<Mutex<Stats>>);

impl StatsCounter {
    /// The counts, just now.
    pub fn stats(&self) -> Stats {
        *self.0.lock()
    }

    /// Enters a request. One that does not count is held by an entry of no list.
    pub fn enter(&self, counts: bool) -> Entry {
        let counter = if counts { self.clone() } else { StatsCounter::default() };
        {
            let mut stats = counter.0.lock();
            stats.started += 1;
            stats.active += 1;
        }
        Entry { counter, outcome: Outcome::Cancelled }
    }
}

/// A running request. It ends when this is dropped: as cancelled, unless it had come out before.
#[derive(Debug)]
pub struct Entry {
    counter: StatsCounter,
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
        let mut stats = self.counter.0.lock();
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
    fn every_request_ends_once_and_dropping_cancels() {
        let counter = StatsCounter::default();
        counter.enter(true).completed();
        counter.enter(true).failed();
        drop(counter.enter(true));
        let _active = counter.enter(true);
        let _unseen = counter.enter(false);
        assert_eq!(counter.stats(), Stats { started: 4, completed: 1, failed: 1, cancelled: 1, active: 1 });
    }

    #[test]
    fn stats_have_a_fixed_order() {
        assert_eq!(
            serde_json::to_string(&Stats::default()).unwrap(),
            r#"{"started":0,"completed":0,"failed":0,"cancelled":0,"active":0}"#
        );
    }
}

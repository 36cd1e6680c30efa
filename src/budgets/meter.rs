//! The cost of all attempts of a request: retries, fallbacks, other windows and the rounds of auto mode.

use std::sync::Arc;

use parking_lot::Mutex;

use super::ledger::Estimate;
use super::payer::Payer;
use super::service::{BudgetService, Reservation};
use crate::conversation::{Credits, PremiumRequests, Usage};
use crate::failure::Failure;

/// Sums the usage of the attempts of one request; clones share it.
#[derive(Clone, Default)]
pub struct Meter(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    /// All attempts together; absent until one has ended.
    total: Option<Usage>,
    /// Number of attempts that have ended.
    attempts: u32,
    /// The part of their cost that no finish has reported yet.
    unreported_credits: Option<Credits>,
    unreported_requests: Option<PremiumRequests>,
    /// Cost since the last lap.
    lap_credits: Option<Credits>,
    lap_requests: Option<PremiumRequests>,
    /// Runs whose attempts may still be added.
    running: usize,
    /// The budgets that the attempts count to; none for a request that is only counted.
    payment: Option<(BudgetService, Payer)>,
    /// Called when the last of them has ended.
    when_settled: Option<Box<dyn FnOnce() + Send>>,
}

impl Meter {
    /// Lets all attempts count to the budgets of this payer.
    pub fn set_payer(&self, budgets: BudgetService, payer: Payer) {
        self.0.lock().payment = Some((budgets, payer));
    }

    /// Reserves the estimate of an attempt in the budgets of the payer; fails if one of them is used up.
    pub fn reserve(&self, estimate: Estimate) -> Result<Option<Reservation>, Failure> {
        let payment = self.0.lock().payment.clone();
        payment.map(|(budgets, payer)| budgets.reserve(&payer, estimate)).transpose()
    }

    /// Adds an attempt that has ended.
    pub fn add(&self, usage: Usage) {
        let mut state = self.0.lock();
        if let Some((budgets, payer)) = &state.payment {
            budgets.spend(payer, &usage);
        }
        let (credits, requests) = (usage.credits, usage.premium_requests);
        state.attempts = state.attempts.saturating_add(1);
        state.unreported_credits = Credits::sum(state.unreported_credits, credits);
        state.unreported_requests = PremiumRequests::sum(state.unreported_requests, requests);
        state.lap_credits = Credits::sum(state.lap_credits, credits);
        state.lap_requests = PremiumRequests::sum(state.lap_requests, requests);
        let before = state.total.take();
        state.total = Some(match before {
            Some(total) => total.and(usage),
            None => usage,
        });
    }

    /// Begins a run, of one attempt or more.
    pub fn begin(&self) {
        self.0.lock().running += 1;
    }

    /// Ends a run: all of its attempts have been added.
    pub fn end(&self) {
        let mut state = self.0.lock();
        state.running = state.running.saturating_sub(1);
        let then = if state.running == 0 { state.when_settled.take() } else { None };
        drop(state);
        if let Some(then) = then {
            then();
        }
    }

    /// Calls `then` as soon as no run can add anything: at once, or a moment later after a cancellation, which ends the
    /// runs of auto mode from outside.
    pub fn when_settled(&self, then: impl FnOnce() + Send + 'static) {
        let mut state = self.0.lock();
        if state.running > 0 {
            state.when_settled = Some(Box::new(then));
            return;
        }
        drop(state);
        then();
    }

    /// All attempts that have ended so far; absent if no provider was asked.
    pub fn total(&self) -> Option<Usage> {
        self.0.lock().total.clone()
    }

    /// Number of attempts that have ended so far.
    pub fn attempts(&self) -> u32 {
        self.0.lock().attempts
    }

    /// Ends a lap, such as a round of auto mode: returns the cost since the one before.
    pub fn lap(&self) -> (Option<Credits>, Option<PremiumRequests>) {
        let mut state = self.0.lock();
        (state.lap_credits.take(), state.lap_requests.take())
    }

    /// Completes the usage in the finish of a choice with the cost of all attempts that no finish has reported yet.
    pub fn take_cost(&self, usage: Usage) -> Usage {
        let mut state = self.0.lock();
        Usage {
            credits: state.unreported_credits.take(),
            premium_requests: state.unreported_requests.take(),
            ..usage
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::CreditsSource;

    fn usage(input: u64, nano: Option<u64>, source: CreditsSource) -> Usage {
        Usage { input, credits: nano.map(|nano| Credits { nano, source }), ..Usage::default() }
    }

    #[test]
    fn settled_after_the_last_run() {
        let settled = Arc::new(Mutex::new(0));
        let count = || {
            let settled = settled.clone();
            move || *settled.lock() += 1
        };
        let meter = Meter::default();
        meter.when_settled(count());
        assert_eq!(*settled.lock(), 1);
        meter.begin();
        meter.begin();
        meter.when_settled(count());
        meter.end();
        assert_eq!(*settled.lock(), 1);
        meter.end();
        assert_eq!(*settled.lock(), 2);
    }

    #[test]
    fn each_attempt_is_reported_once_and_the_total_stays() {
        let meter = Meter::default();
        assert_eq!(meter.total(), None);
        meter.add(usage(1, Some(5), CreditsSource::Estimated));
        meter.add(usage(2, Some(7), CreditsSource::Reported));
        let finished = meter.take_cost(Usage { output: 9, ..Usage::default() });
        let credits = Some(Credits { nano: 12, source: CreditsSource::Estimated });
        assert_eq!(finished, Usage { output: 9, credits, ..Usage::default() });
        assert_eq!(meter.lap(), (credits, None));
        meter.add(usage(4, None, CreditsSource::Reported));
        assert_eq!(meter.take_cost(Usage::default()).credits, None);
        assert_eq!(meter.attempts(), 3);
        assert_eq!(meter.total().map(|total| (total.input, total.credits)), Some((7, credits)));
    }
}

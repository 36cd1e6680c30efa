//! The cost of all attempts of a request: retries, fallbacks, other windows and the rounds of auto mode.

use std::sync::Arc;

use parking_lot::{Mutex, MutexGuard};

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
    /// Attempts that run, with their usage as far as it is known: that of the input, then what the provider reports.
    running_attempts: Vec<(AttemptId, Usage)>,
    /// Number of attempts that have begun.
    begun: u32,
    /// The budgets that the attempts count to; none for a request that is only counted.
    payment: Option<(BudgetService, Payer)>,
    /// Called when the last of them has ended.
    when_settled: Option<Box<dyn FnOnce() + Send>>,
    /// Called when `so_far` has changed.
    when_changed: Option<Arc<dyn Fn() + Send + Sync>>,
}

/// Number of an attempt in its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptId(u32);

impl Meter {
    /// Lets all attempts count to the budgets of this payer.
    pub fn set_payer(&self, budgets: BudgetService, payer: Payer) {
        self.0.lock().payment = Some((budgets, payer));
    }

    /// Product and version of the client, if it names them.
    pub fn client(&self) -> Option<String> {
        let state = self.0.lock();
        let (_, payer) = state.payment.as_ref()?;
        (!payer.client.is_empty()).then(|| payer.client.clone())
    }

    /// Reserves the estimate of an attempt in the budgets of the payer; fails if one of them is used up.
    pub fn reserve(&self, estimate: Estimate) -> Result<Option<Reservation>, Failure> {
        let payment = self.0.lock().payment.clone();
        payment.map(|(budgets, payer)| budgets.reserve(&payer, estimate)).transpose()
    }

    /// Begins an attempt: a provider has got it, and its input has this usage.
    pub fn begin_attempt(&self, input: Usage) -> AttemptId {
        let mut state = self.0.lock();
        let id = AttemptId(state.begun);
        state.begun = state.begun.wrapping_add(1);
        // Nearly always the only one, of as many streams as are open.
        state.running_attempts.reserve_exact(1);
        state.running_attempts.push((id, input));
        notify(state);
        id
    }

    /// Replaces the usage of an attempt that runs by the one that the provider has reported.
    pub fn update_attempt(&self, id: AttemptId, reported: Usage) {
        let mut state = self.0.lock();
        if let Some((_, usage)) = state.running_attempts.iter_mut().find(|(running, _)| *running == id) {
            *usage = reported;
        }
        notify(state);
    }

    /// Ends an attempt; without a usage it costs nothing.
    pub fn end_attempt(&self, id: AttemptId, usage: Option<Usage>) {
        let mut state = self.0.lock();
        state.running_attempts.retain(|(running, _)| *running != id);
        if let Some(usage) = usage {
            state.add(usage);
        }
        notify(state);
    }

    /// Calls `then` after each change of `so_far`.
    pub fn when_changed(&self, then: impl Fn() + Send + Sync + 'static) {
        self.0.lock().when_changed = Some(Arc::new(then));
    }

    /// All attempts that have ended, and those that run as far as their usage is known; absent if no provider was asked.
    pub fn so_far(&self) -> Option<Usage> {
        let state = self.0.lock();
        let running = state.running_attempts.iter().map(|(_, usage)| usage.clone());
        state.total.clone().into_iter().chain(running).reduce(Usage::and)
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

    /// Number of attempts so far: those that have ended at a cost, and those that run.
    pub fn attempts(&self) -> u32 {
        let state = self.0.lock();
        let running = u32::try_from(state.running_attempts.len()).unwrap_or(u32::MAX);
        state.attempts.saturating_add(running)
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

impl State {
    fn add(&mut self, usage: Usage) {
        if let Some((budgets, payer)) = &self.payment {
            budgets.spend(payer, &usage);
        }
        let (credits, requests) = (usage.credits, usage.premium_requests);
        self.attempts = self.attempts.saturating_add(1);
        self.unreported_credits = Credits::sum(self.unreported_credits, credits);
        self.unreported_requests = PremiumRequests::sum(self.unreported_requests, requests);
        self.lap_credits = Credits::sum(self.lap_credits, credits);
        self.lap_requests = PremiumRequests::sum(self.lap_requests, requests);
        let before = self.total.take();
        self.total = Some(match before {
            Some(total) => total.and(usage),
            None => usage,
        });
    }
}

/// Calls `when_changed` after a change, without the lock: the callee reads the meter under a lock of its own.
fn notify(state: MutexGuard<'_, State>) {
    let then = state.when_changed.clone();
    drop(state);
    if let Some(then) = then {
        then();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::CreditsSource;

    fn usage(input: u64, nano: Option<u64>, source: CreditsSource) -> Usage {
        Usage { input, credits: nano.map(|nano| Credits { nano, source }), ..Usage::default() }
    }

    fn add(meter: &Meter, usage: Usage) {
        let id = meter.begin_attempt(Usage::default());
        meter.end_attempt(id, Some(usage));
    }

    #[test]
    fn running_attempts_count_as_far_as_they_are_known() {
        let meter = Meter::default();
        let changes = Arc::new(Mutex::new(Vec::new()));
        let (seen, read) = (changes.clone(), Arc::downgrade(&meter.0));
        meter.when_changed(move || {
            let meter = Meter(read.upgrade().unwrap());
            let nano = |usage: Usage| usage.credits.map_or(0, |credits| credits.nano);
            seen.lock().push(meter.so_far().map_or(0, nano));
        });
        let estimated = |nano| usage(1, Some(nano), CreditsSource::Estimated);
        let first = meter.begin_attempt(estimated(5));
        let second = meter.begin_attempt(estimated(20));
        meter.update_attempt(first, usage(1, Some(7), CreditsSource::Reported));
        meter.end_attempt(second, None);
        meter.end_attempt(first, Some(usage(1, Some(7), CreditsSource::Reported)));
        assert_eq!(*changes.lock(), [5, 25, 27, 7, 7]);
        assert_eq!((meter.total(), meter.attempts()), (meter.so_far(), 1));
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
        add(&meter, usage(1, Some(5), CreditsSource::Estimated));
        add(&meter, usage(2, Some(7), CreditsSource::Reported));
        let finished = meter.take_cost(Usage { output: 9, ..Usage::default() });
        let credits = Some(Credits { nano: 12, source: CreditsSource::Estimated });
        assert_eq!(finished, Usage { output: 9, credits, ..Usage::default() });
        assert_eq!(meter.lap(), (credits, None));
        add(&meter, usage(4, None, CreditsSource::Reported));
        assert_eq!(meter.take_cost(Usage::default()).credits, None);
        assert_eq!(meter.attempts(), 3);
        assert_eq!(meter.total().map(|total| (total.input, total.credits)), Some((7, credits)));
    }
}

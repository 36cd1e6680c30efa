//! Totals over all requests: per model, and per minute of the last hour. Pure.

use std::collections::{BTreeMap, VecDeque};

use crate::bridge::protocol::{Minute, ModelTotals, Outcome, RequestRecord};

/// One minute in milliseconds.
const MINUTE: u64 = 60_000;

/// Minutes that are kept.
const KEPT: u64 = 60;

#[derive(Default)]
pub(super) struct PeriodTotals {
    models: BTreeMap<String, ModelTotals>,
    minutes: VecDeque<Minute>,
}

impl PeriodTotals {
    /// A request has ended at this time, in milliseconds since 1970.
    pub fn add(&mut self, record: &RequestRecord, now: u64) {
        let failed = matches!(record.outcome, Outcome::Failed { .. });
        let time = now - now % MINUTE;
        match self.minutes.back_mut() {
            // A clock that was put back goes on in the minute it had reached.
            Some(minute) if minute.time >= time => minute.count(failed),
            _ => {
                let mut minute = Minute { time, ..Minute::default() };
                minute.count(failed);
                self.minutes.push_back(minute);
            }
        }
        while self.minutes.front().is_some_and(|first| first.time + KEPT * MINUTE <= time) {
            self.minutes.pop_front();
        }
        if let Some(model) = &record.model {
            let sum = self.models.entry(model.clone()).or_default();
            sum.model.clone_from(model);
            sum.requests += 1;
            sum.failed += u64::from(failed);
            if let Some(tokens) = record.tokens {
                sum.tokens_in += tokens.input;
                sum.cached += tokens.cached;
                sum.tokens_out += tokens.output;
            }
        }
    }

    pub fn models(&self) -> Vec<ModelTotals> {
        self.models.values().cloned().collect()
    }

    pub fn minutes(&self) -> Vec<Minute> {
        self.minutes.iter().copied().collect()
    }
}

impl Minute {
    fn count(&mut self, failed: bool) {
        self.requests += 1;
        self.failed += u32::from(failed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::protocol::Tokens;

    fn ended(model: Option<&str>, outcome: Outcome, tokens: Option<Tokens>) -> RequestRecord {
        RequestRecord {
            number: 1,
            id: "req_1".into(),
            time: 0,
            client: String::new(),
            key: None,
            session: None,
            origin: None,
            dialect: "openai-chat".into(),
            method: "POST".into(),
            path: "/v1/chat/completions".into(),
            stream: false,
            requested_model: None,
            model: model.map(str::to_owned),
            failed_models: Vec::new(),
            routed_model: None,
            characters: 0,
            status: None,
            queued_ms: None,
            first_ms: None,
            duration_ms: Some(1),
            tokens,
            credits: None,
            premium_requests: None,
            prefix_kept: None,
            prefix_break: None,
            prefix_loss: None,
            tool_runs: Vec::new(),
            auto_mode: None,
            outcome,
            rejected: false,
            has_exchange: false,
        }
    }

    fn well(model: &str) -> RequestRecord {
        let tokens = Tokens { input: 100, output: 10, cached: 40, reported: true };
        ended(Some(model), Outcome::Finished { reason: "stop".into() }, Some(tokens))
    }

    fn badly() -> Outcome {
        Outcome::Failed { kind: "no_models".into(), message: "none".into(), hint: String::new() }
    }

    #[test]
    fn each_model_has_its_totals() {
        let mut sums = PeriodTotals::default();
        for record in
            [well("b"), well("a"), well("b"), ended(Some("b"), badly(), None), ended(None, badly(), None)]
        {
            sums.add(&record, 0);
        }
        let sum = |model: &str, requests, failed, answered: u64| ModelTotals {
            model: model.into(),
            requests,
            failed,
            tokens_in: 100 * answered,
            cached: 40 * answered,
            tokens_out: 10 * answered,
        };
        assert_eq!(sums.models(), [sum("a", 1, 0, 1), sum("b", 3, 1, 2)]);
    }

    #[test]
    fn minutes_older_than_an_hour_are_removed() {
        let mut sums = PeriodTotals::default();
        for time in [0, 59_999, 60_000, 59_000, 59 * MINUTE] {
            sums.add(&well("a"), time);
        }
        let minute = |time: u64, requests| Minute { time: time * MINUTE, requests, failed: 0 };
        assert_eq!(sums.minutes(), [minute(0, 2), minute(1, 2), minute(59, 1)]);
        sums.add(&ended(None, badly(), None), 60 * MINUTE + 1);
        let last = Minute { failed: 1, ..minute(60, 1) };
        assert_eq!(sums.minutes(), [minute(1, 2), minute(59, 1), last]);
    }
}

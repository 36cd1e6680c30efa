//! The state of all budgets: spent and reserved amounts, changes of the user and notices given. Pure; time is an input.
//!
//! A request may run while less than the limit is spent and reserved. It reserves an estimate at its start, so that
//! requests that run at the same time exceed a budget by no more than they use themselves.

use std::collections::HashMap;

use jiff::civil::Date;

use super::budget::{Account, BudgetId, Limit, Origin, Unit, Window};
use super::moment::Moment;
use super::payer::Payer;
use crate::bridge::protocol::{BudgetChange, BudgetNotice, Budgets};

/// An amount in both units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Billionths of a credit.
    pub nano: u64,
    /// Tokens of requests whose cost is unknown.
    pub tokens: u64,
}

impl Amount {
    fn of(self, unit: Unit) -> u64 {
        match unit {
            Unit::Credits => self.nano,
            Unit::Tokens => self.tokens,
        }
    }

    fn add(&mut self, other: Amount) {
        self.nano = self.nano.saturating_add(other.nano);
        self.tokens = self.tokens.saturating_add(other.tokens);
    }

    fn subtract(&mut self, other: Amount) {
        self.nano = self.nano.saturating_sub(other.nano);
        self.tokens = self.tokens.saturating_sub(other.tokens);
    }
}

/// Expected cost of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Estimate {
    /// By the model's price, in billionths of a credit.
    Credits(u64),
    /// In tokens, of a model that is billed by the request: it costs no credits.
    Premium(u64),
    /// In tokens, of a model without a price: it may cost credits.
    Unknown(u64),
}

impl Estimate {
    fn amount(self) -> Amount {
        match self {
            Estimate::Credits(nano) => Amount { nano, tokens: 0 },
            Estimate::Premium(tokens) | Estimate::Unknown(tokens) => Amount { nano: 0, tokens },
        }
    }

    /// Whether budgets of this unit apply.
    fn is_limited_in(self, unit: Unit) -> bool {
        match self {
            Estimate::Credits(_) => unit == Unit::Credits,
            Estimate::Premium(_) => unit == Unit::Tokens,
            Estimate::Unknown(_) => true,
        }
    }
}

/// Amounts that an account has spent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    day: Option<(Date, Amount)>,
    month: Option<(Date, Amount)>,
    total: Amount,
}

impl Spent {
    /// Amounts of the periods that `now` is in.
    pub fn new(now: Moment, day: Amount, month: Amount, total: Amount) -> Spent {
        Spent { day: Some((now.day, day)), month: Some((now.month, month)), total }
    }

    fn of(&self, window: Window, now: Moment) -> Amount {
        let current = |period: Option<(Date, Amount)>, wanted| match period {
            Some((date, amount)) if date == wanted => amount,
            Some(_) | None => Amount::default(),
        };
        match window {
            Window::Day => current(self.day, now.day),
            Window::Month => current(self.month, now.month),
            Window::Total => self.total,
        }
    }

    fn add(&mut self, amount: Amount, now: Moment) {
        for (slot, date) in [(&mut self.day, now.day), (&mut self.month, now.month)] {
            match slot {
                Some((of, spent)) if *of == date => spent.add(amount),
                Some(_) | None => *slot = Some((date, amount)),
            }
        }
        self.total.add(amount);
    }

    /// Adds the amounts of another account in the same periods.
    pub fn merge(&mut self, other: &Spent, now: Moment) {
        let (mut day, mut month) = (self.of(Window::Day, now), self.of(Window::Month, now));
        day.add(other.of(Window::Day, now));
        month.add(other.of(Window::Month, now));
        self.total.add(other.total);
        (self.day, self.month) = (Some((now.day, day)), Some((now.month, month)));
    }
}

/// The user's changes of a budget in one of its periods.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Changed {
    period: String,
    added: u64,
    /// The day on which the budget doesn't apply.
    lifted_on: Option<Date>,
}

/// A notice that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Given {
    period: String,
    /// The limit that it was about: a raised one has notices of its own.
    limit: u64,
    is_used_up: bool,
    time: u64,
}

/// Time after which the notice about a budget that is used up is given again when it refuses a request, in milliseconds:
/// the user may have closed the first one.
const REPEAT: u64 = 10 * 60 * 1000;

/// The state of all budgets.
#[derive(Default)]
pub struct Ledger {
    budgets: Budgets,
    /// Spent through this server.
    own: HashMap<Account, Spent>,
    /// Spent through earlier servers, and through one that is handing over.
    others: HashMap<Account, Spent>,
    reserved: HashMap<Account, Amount>,
    changed: HashMap<BudgetId, Changed>,
    /// Number of changes that the user has made through this server.
    changes: u64,
    given: HashMap<BudgetId, Given>,
}

/// A request that a budget refuses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    /// Sentences for the user of the client.
    pub message: String,
    /// Notice for VS Code, if it is time for one.
    pub notice: Option<BudgetNotice>,
}

impl Ledger {
    /// Replaces the user's budgets.
    pub fn set_budgets(&mut self, budgets: Budgets) {
        self.budgets = budgets;
    }

    /// Replaces what was spent through other servers.
    pub fn set_others(&mut self, others: HashMap<Account, Spent>) {
        self.others = others;
    }

    /// Reserves the estimate of a request, or refuses the request.
    pub fn reserve(&mut self, payer: &Payer, estimate: Estimate, now: Moment) -> Result<(), Refused> {
        for limit in payer.limits(&self.budgets) {
            let Some(effective) = self.effective(&limit, now) else { continue };
            if !estimate.is_limited_in(limit.id.unit) {
                continue;
            }
            let spent = self.spent(&limit.id, now);
            let reserved =
                self.reserved.get(&limit.id.account).copied().unwrap_or_default().of(limit.id.unit);
            if spent.saturating_add(reserved) >= effective {
                return Err(self.refused(&limit, effective, spent, now));
            }
        }
        for account in payer.accounts() {
            self.reserved.entry(account).or_default().add(estimate.amount());
        }
        Ok(())
    }

    /// Ends the reservation of a request.
    pub fn release(&mut self, payer: &Payer, estimate: Estimate) {
        for account in payer.accounts() {
            if let Some(reserved) = self.reserved.get_mut(&account) {
                reserved.subtract(estimate.amount());
                if *reserved == Amount::default() {
                    self.reserved.remove(&account);
                }
            }
        }
    }

    /// Adds the cost of an attempt; returns the notices that are due.
    pub fn spend(&mut self, payer: &Payer, amount: Amount, now: Moment) -> Vec<BudgetNotice> {
        for account in payer.accounts() {
            self.own.entry(account).or_default().add(amount, now);
        }
        let limits = payer.limits(&self.budgets);
        limits.iter().filter_map(|limit| self.notice(limit, now)).collect()
    }

    /// Changes a budget for its current period. Returns the amount to store.
    pub fn change(&mut self, id: &BudgetId, change: BudgetChange, now: Moment) -> Change {
        let stored = match change {
            BudgetChange::Add => Change::Added(id.unit.added()),
            BudgetChange::LiftToday => Change::LiftedOn(now.day),
        };
        self.apply(id, &id.period(now), stored);
        self.changes += 1;
        stored
    }

    /// Number of changes that the user has made through this server.
    pub fn changes(&self) -> u64 {
        self.changes
    }

    fn apply(&mut self, id: &BudgetId, period: &str, change: Change) {
        let changed = self.changed.entry(id.clone()).or_default();
        if changed.period != period {
            *changed = Changed { period: period.to_owned(), ..Changed::default() };
        }
        match change {
            Change::Added(amount) => changed.added = changed.added.saturating_add(amount),
            Change::LiftedOn(day) => changed.lifted_on = Some(day),
        }
    }

    /// Replaces all changes by stored ones, in the order in which they were made.
    pub fn set_changes<'a>(&mut self, stored: impl Iterator<Item = (BudgetId, &'a str, Change)>) {
        self.changed.clear();
        for (id, period, change) in stored {
            self.apply(&id, period, change);
        }
    }

    /// The limit with the user's additions; `None` while it is lifted.
    fn effective(&self, limit: &Limit, now: Moment) -> Option<u64> {
        let Some(changed) = self.changed.get(&limit.id) else { return Some(limit.amount) };
        if changed.lifted_on == Some(now.day) {
            return None;
        }
        let added = if changed.period == limit.id.period(now) { changed.added } else { 0 };
        // A header's limit is the client's own: additions to another limit of the same account don't raise it.
        let added = if limit.origin == Origin::Header { 0 } else { added };
        Some(limit.amount.saturating_add(added))
    }

    fn spent(&self, id: &BudgetId, now: Moment) -> u64 {
        amount_of(&self.own, id, now).saturating_add(amount_of(&self.others, id, now))
    }

    fn refused(&mut self, limit: &Limit, effective: u64, spent: u64, now: Moment) -> Refused {
        let (unit, words) = (limit.id.unit, limit.words(effective));
        let state = if spent >= effective {
            format!("Copilot Proxy: {words} is used up ({} used).", unit.words(spent))
        } else {
            format!(
                "Copilot Proxy: {words} is used up by the requests that run now ({} used so far).",
                unit.words(spent)
            )
        };
        let sentences = [state, limit.reset(now), limit.advice()];
        let message =
            sentences.into_iter().filter(|sentence| !sentence.is_empty()).collect::<Vec<_>>().join(" ");
        let is_due = spent >= effective && self.is_due(limit, effective, true, now);
        let notice = is_due.then(|| Ledger::used_up(limit, effective, spent, now));
        Refused { message, notice }
    }

    /// The notice that is due after a cost was added.
    fn notice(&mut self, limit: &Limit, now: Moment) -> Option<BudgetNotice> {
        let effective = self.effective(limit, now)?;
        let spent = self.spent(&limit.id, now);
        if spent >= effective {
            // A later refusal repeats it, so that here the first one is enough.
            let is_first = self.given.get(&limit.id).is_none_or(|given| {
                !given.is_used_up || given.limit != effective || given.period != limit.id.period(now)
            });
            return (is_first && self.is_due(limit, effective, true, now))
                .then(|| Ledger::used_up(limit, effective, spent, now));
        }
        // 80 %. If other servers have spent so much, one of them has given the notice.
        let is_near = |spent| u128::from(spent) * 5 >= u128::from(effective) * 4;
        let is_near = is_near(spent) && !is_near(amount_of(&self.others, &limit.id, now));
        (is_near && self.is_due(limit, effective, false, now)).then(|| {
            let (words, unit) = (limit.words(effective), limit.id.unit);
            let share = u128::from(spent) * 100 / u128::from(effective.max(1));
            let message =
                format!("{share} % of {words} is used ({}). {}", unit.words(spent), limit.reset(now));
            BudgetNotice { budget: limit.id.to_string(), message: message.trim_end().to_owned(), add: None }
        })
    }

    fn used_up(limit: &Limit, effective: u64, spent: u64, now: Moment) -> BudgetNotice {
        let (words, unit) = (limit.words(effective), limit.id.unit);
        let mut words = words.chars();
        let words: String = words.next().into_iter().flat_map(char::to_uppercase).chain(words).collect();
        let message = format!(
            "{words} is used up ({} used). Copilot Proxy refuses further requests. {}",
            unit.words(spent),
            limit.reset(now)
        );
        BudgetNotice {
            budget: limit.id.to_string(),
            message: message.trim_end().to_owned(),
            add: Some(unit.add_label().to_owned()),
        }
    }

    /// Whether a notice is due, which counts as given then. Limits of headers have none: their client knows them.
    fn is_due(&mut self, limit: &Limit, effective: u64, is_used_up: bool, now: Moment) -> bool {
        if limit.origin == Origin::Header {
            return false;
        }
        let period = limit.id.period(now);
        let is_known = self.given.get(&limit.id).is_some_and(|given| {
            let is_same = given.period == period && given.limit == effective;
            let is_recent = now.time.saturating_sub(given.time) < REPEAT;
            is_same && given.is_used_up >= is_used_up && (is_recent || !is_used_up)
        });
        if !is_known {
            let given = Given { period, limit: effective, is_used_up, time: now.time };
            self.given.insert(limit.id.clone(), given);
        }
        !is_known
    }
}

fn amount_of(accounts: &HashMap<Account, Spent>, id: &BudgetId, now: Moment) -> u64 {
    accounts.get(&id.account).map_or(0, |spent| spent.of(id.window, now).of(id.unit))
}

/// A change of a budget, as it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// This much more in its period.
    Added(u64),
    /// It doesn't apply on this day.
    LiftedOn(Date),
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;
    use crate::bridge::protocol::BudgetLimits;

    const CREDIT: u64 = 1_000_000_000;
    const DAY: u64 = 24 * 60 * 60 * 1000;
    /// 2026-11-27T12:00:00Z
    const NOON: u64 = 1_795_780_800_000;

    fn at(time: u64) -> Moment {
        Moment::within(time, TimeZone::UTC)
    }

    fn ledger(all: BudgetLimits) -> Ledger {
        let mut ledger = Ledger::default();
        ledger.set_budgets(Budgets { all, ..Budgets::default() });
        ledger
    }

    fn ten_a_day() -> Ledger {
        ledger(BudgetLimits { per_day: Some(10.0), ..BudgetLimits::default() })
    }

    fn payer() -> Payer {
        Payer { client: "codex/1".into(), ..Payer::default() }
    }

    fn credits(credits: u64) -> Amount {
        Amount { nano: credits * CREDIT, tokens: 0 }
    }

    fn reserve(ledger: &mut Ledger, credits: u64, time: u64) -> Result<(), Refused> {
        ledger.reserve(&payer(), Estimate::Credits(credits * CREDIT), at(time))
    }

    #[test]
    fn concurrent_requests_reserve_their_estimates() {
        let mut ledger = ten_a_day();
        let admitted = (0..64).filter(|_| reserve(&mut ledger, 3, NOON).is_ok()).count();
        assert_eq!(admitted, 4);
        let refused = reserve(&mut ledger, 3, NOON).unwrap_err();
        assert_eq!(
            refused.message,
            "Copilot Proxy: the budget of 10 credits a day is used up by the requests that run now (0 credits used so \
             far). It starts again at midnight. To go on now, in VS Code choose Add 50 or Lift for Today in the \
             notification, or change the setting copilotProxy.budgets."
        );
        assert_eq!(refused.notice, None);
        for _ in 0..4 {
            ledger.release(&payer(), Estimate::Credits(3 * CREDIT));
        }
        assert_eq!(ledger.reserved, HashMap::new());
        assert_eq!(reserve(&mut ledger, 100, NOON), Ok(()));
    }

    #[test]
    fn notices_come_once_at_80_and_at_100_percent() {
        let mut ledger = ten_a_day();
        let mut spend = |credits_: u64, time| -> Vec<(bool, String)> {
            let notices = ledger.spend(&payer(), credits(credits_), at(time));
            notices.into_iter().map(|notice| (notice.add.is_some(), notice.message)).collect()
        };
        assert_eq!(spend(7, NOON), []);
        let near = "80 % of the budget of 10 credits a day is used (8 credits). It starts again at midnight.";
        assert_eq!(spend(1, NOON), [(false, near.to_owned())]);
        assert_eq!(spend(1, NOON), []);
        let used_up = "The budget of 10 credits a day is used up (11 credits used). Copilot Proxy refuses further requests. \
                       It starts again at midnight.";
        assert_eq!(spend(2, NOON), [(true, used_up.to_owned())]);
        assert_eq!(spend(2, NOON), []);
        let refused = |ledger: &mut Ledger, time| reserve(ledger, 1, time).unwrap_err().notice.is_some();
        assert!(!refused(&mut ledger, NOON + REPEAT - 1));
        assert!(refused(&mut ledger, NOON + REPEAT));
        assert!(!refused(&mut ledger, NOON + REPEAT + 1));
        assert_eq!(reserve(&mut ledger, 1, NOON + DAY), Ok(()));
        assert_eq!(ledger.spend(&payer(), credits(9), at(NOON + DAY)).len(), 1);
    }

    #[test]
    fn addition_holds_for_the_period_and_lifting_for_the_day() {
        let id: BudgetId = "all/day/credits".parse().unwrap();
        let mut ledger = ten_a_day();
        ledger.spend(&payer(), credits(10), at(NOON));
        assert!(reserve(&mut ledger, 1, NOON).is_err());
        assert_eq!(ledger.change(&id, BudgetChange::Add, at(NOON)), Change::Added(50 * CREDIT));
        assert_eq!(reserve(&mut ledger, 1, NOON), Ok(()));
        assert_eq!(ledger.spend(&payer(), credits(38), at(NOON)).len(), 1, "80 % of 60");
        ledger.spend(&payer(), credits(12), at(NOON));
        assert!(reserve(&mut ledger, 1, NOON).is_err());
        ledger.change(&id, BudgetChange::LiftToday, at(NOON));
        assert_eq!(reserve(&mut ledger, 1, NOON), Ok(()));
        ledger.spend(&payer(), credits(10), at(NOON + DAY));
        assert!(reserve(&mut ledger, 1, NOON + DAY).is_err());
    }

    #[test]
    fn month_budget_outlives_the_day_and_other_servers_count() {
        let mut ledger = ledger(BudgetLimits { per_month: Some(10.0), ..BudgetLimits::default() });
        let others = Spent::new(at(NOON), credits(1), credits(6), credits(6));
        ledger.set_others([(Account::All, others)].into());
        ledger.spend(&payer(), credits(3), at(NOON));
        assert_eq!(reserve(&mut ledger, 1, NOON + DAY), Ok(()));
        ledger.spend(&payer(), credits(1), at(NOON + DAY));
        let refused = reserve(&mut ledger, 1, NOON + DAY).unwrap_err();
        assert!(refused.message.contains(
            "10 credits a month is used up (10 credits used). It starts again on 1 December (UTC)."
        ));
        assert_eq!(reserve(&mut ledger, 1, NOON + 5 * DAY), Ok(()));
    }

    #[test]
    fn tokens_limit_models_of_unknown_cost_only() {
        let limits =
            BudgetLimits { tokens_per_day: Some(100.0), per_day: Some(10.0), ..BudgetLimits::default() };
        let mut ledger = ledger(limits);
        ledger.spend(&payer(), Amount { nano: 0, tokens: 100 }, at(NOON));
        assert_eq!(reserve(&mut ledger, 1, NOON), Ok(()));
        let unknown = ledger.reserve(&payer(), Estimate::Unknown(1), at(NOON)).unwrap_err();
        assert!(unknown.message.contains("100 tokens a day"), "{}", unknown.message);
        assert!(ledger.reserve(&payer(), Estimate::Premium(1), at(NOON)).is_err());
        let mut other = ten_a_day();
        other.spend(&payer(), credits(10), at(NOON));
        assert_eq!(other.reserve(&payer(), Estimate::Premium(1), at(NOON)), Ok(()));
        assert!(other.reserve(&payer(), Estimate::Unknown(1), at(NOON)).is_err());
    }

    #[test]
    fn header_limits_its_session_without_notices() {
        let mut ledger = Ledger::default();
        let session =
            |session: &str| Payer { session: Some(session.into()), max_credits: Some(2.0), ..payer() };
        assert_eq!(ledger.spend(&session("a"), credits(2), at(NOON)), []);
        let refused = ledger.reserve(&session("a"), Estimate::Credits(1), at(NOON)).unwrap_err();
        assert!(
            refused.message.contains("the budget of 2 credits for this session is used up"),
            "{}",
            refused.message
        );
        assert_eq!(refused.notice, None);
        assert_eq!(ledger.reserve(&session("b"), Estimate::Credits(1), at(NOON)), Ok(()));
        assert_eq!(ledger.reserve(&payer(), Estimate::Credits(1), at(NOON)), Ok(()));
    }
}

//! The owner of the ledger: reservations of running requests, stored changes, and notices for VS Code.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::budget::{Account, BudgetId};
use super::ledger::{Amount, Change, Estimate, Ledger, Spent};
use super::moment::Moment;
use super::payer::Payer;
use crate::bridge::protocol::{BudgetChange, BudgetNotice, Budgets, ChangeBudget};
use crate::conversation::Usage;
use crate::failure::{Failure, Quota};
use crate::log::now;
use crate::usage_db::{BudgetChangeRow, Rows, Spending, SpendingRow, UsageWriter, read_spending};

/// All budgets; clones share them.
#[derive(Clone, Default)]
pub struct BudgetService(Arc<Shared>);

#[derive(Default)]
struct Shared {
    ledger: Mutex<Ledger>,
    notices: Mutex<VecDeque<BudgetNotice>>,
    noticed: Notify,
    /// Stores the changes of the user.
    usage: Option<UsageWriter>,
    /// Spent by requests that had ended when this server began; absent until it was read.
    earlier: Mutex<Option<HashMap<Account, Spent>>>,
    /// Time from which on requests are no longer among them, in milliseconds since 1970.
    began: u64,
}

/// Time by which the row of a request may be older than its writing, in milliseconds.
const WRITE_DELAY: u64 = 10_000;

/// Time for the changes of the user to be written before they are read.
const FLUSH_LIMIT: Duration = Duration::from_secs(1);

/// The reserved estimate of a running request; dropping it ends the reservation.
pub struct Reservation {
    budgets: BudgetService,
    payer: Payer,
    estimate: Estimate,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.budgets.0.ledger.lock().release(&self.payer, self.estimate);
    }
}

impl BudgetService {
    /// Budgets that survive in the usage database, if there is one.
    pub fn new(usage: Option<UsageWriter>) -> BudgetService {
        let began = now().saturating_sub(WRITE_DELAY);
        BudgetService(Arc::new(Shared { usage, began, ..Shared::default() }))
    }

    /// Replaces the user's budgets.
    pub fn set_budgets(&self, budgets: Budgets) {
        self.0.ledger.lock().set_budgets(budgets);
    }

    /// Reserves the estimate of a request; fails if one of its budgets is used up.
    pub fn reserve(&self, payer: &Payer, estimate: Estimate) -> Result<Reservation, Failure> {
        let reserved = self.0.ledger.lock().reserve(payer, estimate, Moment::at(now()));
        match reserved {
            Ok(()) => Ok(Reservation { budgets: self.clone(), payer: payer.clone(), estimate }),
            Err(refused) => {
                self.give(refused.notice);
                Err(Failure::QuotaExceeded { quota: Quota::Budget, message: refused.message })
            }
        }
    }

    /// Adds the usage of an attempt. Tokens count where the cost is unknown.
    pub fn spend(&self, payer: &Payer, usage: &Usage) {
        let amount = match usage.credits {
            Some(credits) => Amount { nano: credits.nano, tokens: 0 },
            None => Amount { nano: 0, tokens: usage.input.saturating_add(usage.output) },
        };
        let notices = self.0.ledger.lock().spend(payer, amount, Moment::at(now()));
        self.give(notices);
    }

    /// Applies a change of the user at once, and stores it.
    pub fn change(&self, ChangeBudget { budget, change }: &ChangeBudget) {
        let Ok(id) = budget.parse::<BudgetId>() else {
            log::warn!("unknown budget in a change budget={budget:?}");
            return;
        };
        let moment = Moment::at(now());
        let stored = self.0.ledger.lock().change(&id, *change, moment);
        match change {
            BudgetChange::Add => {
                log::info!("budget raised budget={id} added={:?}", id.unit.words(id.unit.added()));
            }
            BudgetChange::LiftToday => log::info!("budget lifted for today budget={id}"),
        }
        if let Some(usage) = &self.0.usage {
            usage.insert_change(row(&id, stored, moment));
        }
    }

    /// Reads what was spent through other servers: those before this one, and the one that hands over to it. The usage
    /// before this server began is read once.
    pub async fn read_others(&self) {
        if self.0.earlier.lock().is_none() {
            let Some(spending) = self.read(Rows::EndedBefore(self.0.began)).await else { return };
            *self.0.earlier.lock() = Some(by_account(&spending.rows, Moment::at(now())));
        }
        let changes = self.0.ledger.lock().changes();
        if let Some(spending) = self.read(Rows::Others(self.0.began)).await {
            self.apply(&spending, changes);
        }
    }

    /// Ends the reading: what a server has not ended by now was interrupted with it.
    pub fn end_reading(&self) {
        if let Some(usage) = &self.0.usage {
            usage.mark_interrupted();
        }
    }

    async fn read(&self, part: Rows) -> Option<Spending> {
        let usage = self.0.usage.clone()?;
        let Moment { time, day, month } = Moment::at(now());
        let (day, month) = (day.to_string(), month.to_string());
        let read = move || {
            usage.flush(FLUSH_LIMIT);
            read_spending(usage.path(), usage.server(), &day, &month, time, part)
        };
        let spending = match tokio::task::spawn_blocking(read).await {
            Ok(spending) => spending.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        spending.inspect_err(|error| log::warn!("spending of other servers can't be read: {error}")).ok()
    }

    fn apply(&self, spending: &Spending, changes_before: u64) {
        let moment = Moment::at(now());
        let mut others = by_account(&spending.rows, moment);
        for (account, spent) in self.0.earlier.lock().iter().flatten() {
            others.entry(account.clone()).or_default().merge(spent, moment);
        }
        let mut ledger = self.0.ledger.lock();
        ledger.set_others(others);
        // The user may have made a change meanwhile, which the database didn't have when it was read.
        if ledger.changes() == changes_before {
            let stored = spending
                .changes
                .iter()
                .filter_map(|row| Some((row.budget.parse().ok()?, row, change_of(row)?)));
            ledger.set_changes(stored.map(|(id, row, change)| (id, row.period.as_str(), change)));
        }
    }

    /// Waits for the next notice.
    pub async fn next_notice(&self) -> BudgetNotice {
        loop {
            if let Some(notice) = self.0.notices.lock().pop_front() {
                return notice;
            }
            self.0.noticed.notified().await;
        }
    }

    fn give(&self, notices: impl IntoIterator<Item = BudgetNotice>) {
        for notice in notices {
            log::warn!("budget notice: {}", notice.message);
            self.0.notices.lock().push_back(notice);
            self.0.noticed.notify_one();
        }
    }
}

fn by_account(rows: &[SpendingRow], moment: Moment) -> HashMap<Account, Spent> {
    let mut accounts: HashMap<Account, Spent> = HashMap::new();
    for SpendingRow { client, key, session, day, month, total } in rows {
        let amount = |(nano, tokens): (u64, u64)| Amount { nano, tokens };
        let spent = Spent::new(moment, amount(*day), amount(*month), amount(*total));
        let payer = Payer {
            client: client.clone(),
            key: key.clone(),
            session: Some(session.clone()),
            ..Payer::default()
        };
        for account in payer.accounts() {
            accounts.entry(account).or_default().merge(&spent, moment);
        }
    }
    accounts
}

fn row(id: &BudgetId, change: Change, moment: Moment) -> BudgetChangeRow {
    let (added, lifted_on) = match change {
        Change::Added(amount) => (Some(amount), None),
        Change::LiftedOn(day) => (None, Some(day.to_string())),
    };
    BudgetChangeRow { time: moment.time, budget: id.to_string(), period: id.period(moment), added, lifted_on }
}

fn change_of(row: &BudgetChangeRow) -> Option<Change> {
    match (row.added, &row.lifted_on) {
        (Some(amount), _) => Some(Change::Added(amount)),
        (None, Some(day)) => Some(Change::LiftedOn(day.parse().ok()?)),
        (None, None) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budgets::budget::Unit;

    #[test]
    fn stored_change_is_read_as_it_was_made() {
        let id: BudgetId = "all/month/credits".parse().unwrap();
        let moment = Moment::at(now());
        for change in [Change::Added(Unit::Credits.added()), Change::LiftedOn(moment.day)] {
            assert_eq!(change_of(&row(&id, change, moment)), Some(change));
        }
    }

    #[test]
    fn rows_count_to_all_their_accounts() {
        let moment = Moment::at(now());
        let row = |client: &str, session: &str, nano| SpendingRow {
            client: client.into(),
            key: Some("ci".into()),
            session: session.into(),
            day: (nano, 1),
            month: (2 * nano, 2),
            total: (3 * nano, 3),
        };
        let accounts = by_account(&[row("Codex/1", "s", 10), row("Codex/2", "t", 5)], moment);
        let spent = |nano, tokens| {
            let amount = |times: u64| Amount { nano: times * nano, tokens: times * tokens };
            Spent::new(moment, amount(1), amount(2), amount(3))
        };
        let expected = [
            (Account::All, spent(15, 2)),
            (Account::Client("codex".into()), spent(15, 2)),
            (Account::Key("ci".into()), spent(15, 2)),
            (Account::Session("s".into()), spent(10, 1)),
            (Account::Session("t".into()), spent(5, 1)),
        ];
        assert_eq!(accounts, expected.into());
    }
}

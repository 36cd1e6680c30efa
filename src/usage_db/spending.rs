//! Reads what clients have spent, and stores the user's changes of budgets.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, Row, params};

use super::schema;

/// Sums of the requests of one client with one key in one session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpendingRow {
    /// Product and version of the client.
    pub client: String,
    /// Name of the key.
    pub key: Option<String>,
    /// The session; the client where it names none.
    pub session: String,
    /// Billionths of a credit and tokens of unknown cost in the day.
    pub day: (u64, u64),
    /// The same for the month.
    pub month: (u64, u64),
    /// The same for all time.
    pub total: (u64, u64),
}

/// A change of a budget by the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BudgetChangeRow {
    /// Time of the change, in milliseconds since 1970.
    pub time: u64,
    /// The budget.
    pub budget: String,
    /// Its period.
    pub period: String,
    /// Amount that was added, in the budget's unit; absent where the budget was lifted.
    pub added: Option<u64>,
    /// Day for which it was lifted.
    pub lifted_on: Option<String>,
}

/// The amounts spent through other servers, and the changes of budgets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spending {
    /// Spent amounts.
    pub rows: Vec<SpendingRow>,
    /// Changes of the last month, oldest first.
    pub changes: Vec<BudgetChangeRow>,
}

/// The rows to read: `?4` is the time that divides them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Those of requests that ended before this time, in milliseconds since 1970. They don't change.
    EndedBefore(u64),
    /// All others: they are few, and indexes find them.
    Others(u64),
}

impl Rows {
    fn source(self) -> &'static str {
        match self {
            Rows::EndedBefore(_) => "(SELECT * FROM requests WHERE time < ?4 AND outcome <> 'running')",
            Rows::Others(_) => {
                "(SELECT * FROM requests WHERE time >= ?4
                  UNION ALL SELECT * FROM requests WHERE outcome = 'running' AND time < ?4)"
            }
        }
    }

    fn time(self) -> u64 {
        match self {
            Rows::EndedBefore(time) | Rows::Others(time) => time,
        }
    }
}

/// Unknown cost is that of requests without credits: their tokens count.
const SUMS: &str = "
    SELECT client, key, session,
        sum(CASE WHEN date(time / 1000, 'unixepoch', 'localtime') = ?2 THEN credits END),
        sum(CASE WHEN date(time / 1000, 'unixepoch', 'localtime') = ?2 AND credits IS NULL
            THEN input_tokens + output_tokens END),
        sum(CASE WHEN date(time / 1000, 'unixepoch') >= ?3 THEN credits END),
        sum(CASE WHEN date(time / 1000, 'unixepoch') >= ?3 AND credits IS NULL THEN input_tokens + output_tokens END),
        sum(credits),
        sum(CASE WHEN credits IS NULL THEN input_tokens + output_tokens END)";

/// Days for which changes of budgets matter: the longest month.
const CHANGES_KEPT: u64 = 32 * 24 * 60 * 60 * 1000;

/// Reads the spending of all servers but this one: `day` is today in local time, `month` the first day of the month in
/// UTC. Nothing was spent where there is no database. Requests that run count as far as their cost is known.
pub fn read_spending(
    path: &Path,
    server: &str,
    day: &str,
    month: &str,
    now: u64,
    part: Rows,
) -> rusqlite::Result<Spending> {
    if !path.exists() {
        return Ok(Spending::default());
    }
    let connection = Connection::open_with_flags(
        path,
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
    )?;
    connection.busy_timeout(schema::BUSY_TIMEOUT)?;
    schema::migrate(&connection)?;
    let integer = |time: u64| i64::try_from(time).unwrap_or(i64::MAX);
    let source = part.source();
    let sums =
        format!("{SUMS} FROM {source} WHERE server IS NULL OR server <> ?1 GROUP BY client, key, session");
    let rows = connection
        .prepare(&sums)?
        .query_map(params![server, day, month, integer(part.time())], spending)?
        .collect::<rusqlite::Result<_>>()?;
    let oldest = integer(now.saturating_sub(CHANGES_KEPT));
    let changes = connection
        .prepare("SELECT time, budget, period, added, lifted_on FROM budget_changes WHERE time >= ?1 ORDER BY time")?
        .query_map([oldest], change)?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Spending { rows, changes })
}

fn spending(row: &Row<'_>) -> rusqlite::Result<SpendingRow> {
    let pair = |index: usize| -> rusqlite::Result<(u64, u64)> {
        let credits: Option<f64> = row.get(index)?;
        let tokens: Option<i64> = row.get(index + 1)?;
        // A cast of a float saturates.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturates")]
        let nano = (credits.unwrap_or_default() * 1e9).round() as u64;
        Ok((nano, u64::try_from(tokens.unwrap_or_default()).unwrap_or(0)))
    };
    Ok(SpendingRow {
        client: row.get(0)?,
        key: row.get(1)?,
        session: row.get(2)?,
        day: pair(3)?,
        month: pair(5)?,
        total: pair(7)?,
    })
}

fn change(row: &Row<'_>) -> rusqlite::Result<BudgetChangeRow> {
    let whole = |number: i64| u64::try_from(number).unwrap_or(0);
    Ok(BudgetChangeRow {
        time: row.get(0).map(whole)?,
        budget: row.get(1)?,
        period: row.get(2)?,
        added: row.get::<_, Option<i64>>(3)?.map(whole),
        lifted_on: row.get(4)?,
    })
}

/// Stores a change of a budget.
pub(super) fn insert_change(connection: &Connection, change: &BudgetChangeRow) -> rusqlite::Result<()> {
    const INSERT: &str =
        "INSERT INTO budget_changes (time, budget, period, added, lifted_on) VALUES (?1, ?2, ?3, ?4, ?5)";
    let integer = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    connection.prepare_cached(INSERT)?.execute(params![
        integer(change.time),
        change.budget,
        change.period,
        change.added.map(integer),
        change.lifted_on,
    ])?;
    Ok(())
}

//! Sums of the usage, by day, model, client, session or key.

use std::fmt;
use std::str::FromStr;

use rusqlite::{Connection, Row, params};
use serde::Serialize;

use super::cache_report::{self, CacheReport};
use super::schema::IN_PERIOD;

/// A question about the usage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsageQuery {
    /// Days that are summed.
    pub period: Period,
    /// Grouping of the rows.
    pub by: GroupBy,
}

/// First and last day, in local time; without them from the first row to today.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Period {
    /// First day, as `YYYY-MM-DD`.
    pub from: Option<Day>,
    /// Last day; it is included.
    pub to: Option<Day>,
}

/// A day of the calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(jiff::civil::Date);

impl Day {
    /// The first day of the same month.
    #[must_use]
    pub fn first_of_month(self) -> Day {
        Day(self.0.first_of_month())
    }
}

impl From<jiff::civil::Date> for Day {
    fn from(date: jiff::civil::Date) -> Day {
        Day(date)
    }
}

impl FromStr for Day {
    type Err = String;

    fn from_str(text: &str) -> Result<Day, String> {
        let wrong = || "expected a day as YYYY-MM-DD".to_owned();
        if text.len() != 10 {
            return Err(wrong());
        }
        text.parse().map(Day).map_err(|_| wrong())
    }
}

impl fmt::Display for Day {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

/// Grouping of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum GroupBy {
    /// Day, in local time.
    #[default]
    Day,
    /// Id of the model.
    Model,
    /// Client: product and version.
    Client,
    /// Session of a client.
    Session,
    /// Key that the requests carried.
    Key,
}

impl GroupBy {
    /// All groupings.
    pub const ALL: [GroupBy; 5] =
        [GroupBy::Day, GroupBy::Model, GroupBy::Client, GroupBy::Session, GroupBy::Key];

    /// Name of the grouping in queries.
    pub fn as_str(self) -> &'static str {
        match self {
            GroupBy::Day => "day",
            GroupBy::Model => "model",
            GroupBy::Client => "client",
            GroupBy::Session => "session",
            GroupBy::Key => "key",
        }
    }

    /// SQL expression of the group's name.
    fn expression(self) -> &'static str {
        match self {
            GroupBy::Day => "date(time / 1000, 'unixepoch', 'localtime')",
            GroupBy::Model => "coalesce(model, '')",
            GroupBy::Client => "client",
            GroupBy::Session => "session",
            GroupBy::Key => "coalesce(key, '')",
        }
    }
}

impl FromStr for GroupBy {
    type Err = String;

    fn from_str(text: &str) -> Result<GroupBy, String> {
        let found = GroupBy::ALL.into_iter().find(|by| by.as_str() == text);
        found.ok_or_else(|| format!("expected {}", GroupBy::ALL.map(GroupBy::as_str).join(", ")))
    }
}

/// The sums, as `GET /v1/usage` returns them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UsageReport {
    /// Always `list`.
    pub object: &'static str,
    /// First day; null from the first row on.
    pub from: Option<String>,
    /// Last day; null up to today.
    pub to: Option<String>,
    /// Grouping: `day`.
    pub by: &'static str,
    /// One entry for each group: days oldest first, the others with the highest cost first.
    pub data: Vec<UsageGroup>,
    /// All groups together.
    pub totals: UsageSums,
    /// Use of the provider's cache, all groups together.
    pub cache: CacheReport,
}

/// Sums of a group.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct UsageGroup {
    /// The day, model, client, session or key.
    pub key: String,
    /// Its sums.
    #[serde(flatten)]
    pub sums: UsageSums,
}

/// Sums of requests.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct UsageSums {
    /// Number of requests.
    pub requests: u64,
    /// Input tokens, cached ones included.
    pub input_tokens: u64,
    /// Of these: read from the provider's cache.
    pub cached_tokens: u64,
    /// Output tokens, reasoning included.
    pub output_tokens: u64,
    /// Of these: reasoning.
    pub reasoning_tokens: u64,
    /// Cost in credits, reported and estimated.
    pub credits: f64,
    /// Of these: estimated from the price list.
    pub estimated_credits: f64,
    /// Premium requests, of models that are billed by the request.
    pub premium_requests: f64,
    /// Requests that a provider got, and whose cost is unknown.
    pub unknown_requests: u64,
}

const SUMS: &str = "count(*), coalesce(sum(input_tokens), 0), coalesce(sum(cached_tokens), 0),
    coalesce(sum(output_tokens), 0), coalesce(sum(reasoning_tokens), 0), coalesce(sum(credits), 0.0),
    coalesce(sum(CASE WHEN credits_source = 'estimated' THEN credits END), 0.0), 
    count(*) FILTER (WHERE credits IS NULL AND premium_requests IS NULL AND coalesce(attempts, 1) > 0),
    coalesce(sum(premium_requests), 0.0)";

/// Reads a report. The requests that run on `server` are left out: their cost isn't known yet.
pub(super) fn run(
    connection: &Connection,
    query: &UsageQuery,
    server: Option<&str>,
) -> rusqlite::Result<UsageReport> {
    let UsageQuery { period, by } = query;
    let (from, to) = (period.from.map(|day| day.to_string()), period.to.map(|day| day.to_string()));
    let expression = by.expression();
    let order = match by {
        GroupBy::Day => "group_name",
        GroupBy::Model | GroupBy::Client | GroupBy::Session | GroupBy::Key => {
            "coalesce(sum(credits), 0.0) DESC, coalesce(sum(input_tokens), 0) DESC, group_name"
        }
    };
    let groups = format!(
        "SELECT {SUMS}, {expression} AS group_name FROM requests WHERE {IN_PERIOD} GROUP BY group_name ORDER BY {order}"
    );
    let mut statement = connection.prepare(&groups)?;
    let data = statement
        .query_map(params![from, to, server], |row| Ok(UsageGroup { sums: sums(row)?, key: row.get(9)? }))?
        .collect::<Result<Vec<_>, _>>()?;
    let totals = connection.query_row(
        &format!("SELECT {SUMS} FROM requests WHERE {IN_PERIOD}"),
        params![from, to, server],
        sums,
    )?;
    let cache = cache_report::run(connection, from.as_deref(), to.as_deref(), server)?;
    Ok(UsageReport { object: "list", from, to, by: by.as_str(), data, totals, cache })
}

fn sums(row: &Row<'_>) -> rusqlite::Result<UsageSums> {
    let count = |index| row.get::<_, i64>(index).map(|number| u64::try_from(number).unwrap_or(0));
    // Credits come in billionths: the rest is an error of binary fractions.
    let credits = |index| row.get::<_, f64>(index).map(|credits| (credits * 1e9).round() / 1e9);
    Ok(UsageSums {
        requests: count(0)?,
        input_tokens: count(1)?,
        cached_tokens: count(2)?,
        output_tokens: count(3)?,
        reasoning_tokens: count(4)?,
        credits: credits(5)?,
        estimated_credits: credits(6)?,
        premium_requests: credits(8)?,
        unknown_requests: count(7)?,
    })
}

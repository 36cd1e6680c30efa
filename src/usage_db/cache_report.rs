//! The provider's cache: the part of the input that came from it, and the changes that broke prefixes.

use rusqlite::{Connection, params};
use serde::Serialize;

use super::schema::IN_PERIOD;

/// Most changes that are listed, the most expensive ones.
const MAX_BREAKS: u32 = 20;

/// Use of the provider's cache in a period.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct CacheReport {
    /// Input tokens, cached ones included.
    pub input_tokens: u64,
    /// Of these: read from the provider's cache.
    pub cached_tokens: u64,
    /// Requests that continue a conversation, so that they were compared with the one before.
    pub compared_requests: u64,
    /// Part of the possible prefix that these kept, by tokens, from 0 to 1; null without such requests.
    pub prefix_kept: Option<f64>,
    /// Of these requests: those whose prefix broke.
    pub broken_requests: u64,
    /// Tokens that the provider read again because of that, about.
    pub lost_tokens: u64,
    /// The changes that broke prefixes, the most expensive one first.
    pub breaks: Vec<CacheBreak>,
}

/// One change that broke prefixes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CacheBreak {
    /// The change, as `kind: place`.
    pub prefix_break: String,
    /// Number of requests.
    pub requests: u64,
    /// Tokens that the provider read again because of it, about.
    pub lost_tokens: u64,
}

const LOST: &str = "CAST(round(coalesce(sum(CASE WHEN prefix_break IS NOT NULL THEN (1 - prefix_kept) * input_tokens END), 0)) AS INTEGER)";

/// Reads the report of a period.
pub(super) fn run(
    connection: &Connection,
    from: Option<&str>,
    to: Option<&str>,
    server: Option<&str>,
) -> rusqlite::Result<CacheReport> {
    let unsigned = |number: i64| u64::try_from(number).unwrap_or(0);
    let breaks = format!(
        "SELECT prefix_break, count(*), {LOST} AS lost FROM requests
         WHERE {IN_PERIOD} AND prefix_break IS NOT NULL AND prefix_kept IS NOT NULL
         GROUP BY prefix_break ORDER BY lost DESC, count(*) DESC, prefix_break LIMIT {MAX_BREAKS}"
    );
    let breaks = connection
        .prepare(&breaks)?
        .query_map(params![from, to, server], |row| {
            Ok(CacheBreak {
                prefix_break: row.get(0)?,
                requests: unsigned(row.get(1)?),
                lost_tokens: unsigned(row.get(2)?),
            })
        })?
        .collect::<Result<Vec<_>, _>>()?;
    let sums = format!(
        "SELECT coalesce(sum(input_tokens), 0), coalesce(sum(cached_tokens), 0), count(prefix_kept),
            sum(prefix_kept * input_tokens) / nullif(sum(CASE WHEN prefix_kept IS NOT NULL THEN input_tokens END), 0),
            count(prefix_break), {LOST}
         FROM requests WHERE {IN_PERIOD}"
    );
    connection.query_row(&sums, params![from, to, server], |row| {
        Ok(CacheReport {
            input_tokens: unsigned(row.get(0)?),
            cached_tokens: unsigned(row.get(1)?),
            compared_requests: unsigned(row.get(2)?),
            prefix_kept: row.get::<_, Option<f64>>(3)?.map(|kept| (kept * 1e4).round() / 1e4),
            broken_requests: unsigned(row.get(4)?),
            lost_tokens: unsigned(row.get(5)?),
            breaks,
        })
    })
}

//! The command `usage`: a summary in the terminal, or a report as JSON or CSV. It reads the database itself, so that it
//! works without a running server.

use std::io::{self, Write};

use super::terminal::{self, cut};
use crate::options::DirectoryOption;
use crate::usage_db::report::{Day, UsageGroup, UsageSums};
use crate::usage_db::{self, CacheReport, GroupBy, Period, UsageDbError, UsageQuery, UsageReport};

/// Options of `copilot-proxy usage`.
#[derive(Debug, clap::Args)]
pub struct UsageOptions {
    #[command(flatten)]
    directory: DirectoryOption,

    /// Group by day, model, client, session or key [default: a summary of today and this month]
    #[arg(long, value_enum)]
    by: Option<GroupBy>,

    /// First day, as YYYY-MM-DD
    #[arg(long, value_name = "DAY")]
    from: Option<Day>,

    /// Last day, as YYYY-MM-DD; it is included
    #[arg(long, value_name = "DAY")]
    to: Option<Day>,

    /// Show how much came from the provider's cache, and what broke its prefixes [default: of this month]
    #[arg(long, conflicts_with_all = ["by", "csv"])]
    cache: bool,

    /// Print the report as JSON, as `GET /v1/usage` returns it
    #[arg(long)]
    json: bool,

    /// Print the report as CSV
    #[arg(long, conflicts_with = "json")]
    csv: bool,
}

/// Reasons for which the usage can't be shown.
#[derive(Debug, thiserror::Error)]
pub enum UsageError {
    /// The environment names no home directory.
    #[error("no directory for the usage database: set HOME or XDG_STATE_HOME, or use --dir")]
    NoDirectory,
    /// The database can't be read.
    #[error(transparent)]
    Database(#[from] UsageDbError),
    /// The terminal can't be written to.
    #[error("{0}")]
    Output(#[from] io::Error),
}

/// Prints the usage.
pub fn usage(options: &UsageOptions) -> Result<(), UsageError> {
    terminal::print(|out| write_usage(options, out), as_io)
}

fn as_io(error: &UsageError) -> Option<&io::Error> {
    match error {
        UsageError::Output(error) => Some(error),
        UsageError::NoDirectory | UsageError::Database(_) => None,
    }
}

fn write_usage(options: &UsageOptions, out: &mut dyn Write) -> Result<(), UsageError> {
    let directory = options.directory.state_path().ok_or(UsageError::NoDirectory)?;
    let read = |by, period| usage_db::read(&directory, &UsageQuery { period, by }, None);
    let period = Period { from: options.from, to: options.to };
    let by = options.by.unwrap_or_default();
    if options.json {
        serde_json::to_writer_pretty(&mut *out, &read(by, period)?).map_err(io::Error::from)?;
        writeln!(out)?;
    } else if options.csv {
        write_csv(out, &read(by, period)?)?;
    } else if options.cache {
        let month = || Period { from: Some(today().first_of_month()), to: Some(today()) };
        let period = if period == Period::default() { month() } else { period };
        write_cache(out, &period, &read(by, period.clone())?.cache)?;
    } else if options.by.is_some() || period != Period::default() {
        write_table(out, &format!("Usage by {}", by.as_str()), &read(by, period)?)?;
    } else {
        let today = today();
        let of_today = Period { from: Some(today), to: Some(today) };
        let of_month = Period { from: Some(today.first_of_month()), to: Some(today) };
        write_totals(out, "Today", &read(GroupBy::Day, of_today)?.totals)?;
        write_totals(out, "This month", &read(GroupBy::Day, of_month.clone())?.totals)?;
        write_table(out, "\nThis month by client", &read(GroupBy::Client, of_month.clone())?)?;
        write_table(out, "\nThis month by model", &read(GroupBy::Model, of_month)?)?;
    }
    Ok(())
}

fn today() -> Day {
    Day::from(jiff::Zoned::now().date())
}

fn write_cache(out: &mut dyn Write, period: &Period, cache: &CacheReport) -> io::Result<()> {
    let day = |day: Option<Day>, other: &str| day.map_or_else(|| other.to_owned(), |day| day.to_string());
    writeln!(
        out,
        "Provider's cache from {} to {}",
        day(period.from, "the first request"),
        day(period.to, "today")
    )?;
    writeln!(
        out,
        "  {} of {} input tokens came from it ({} %)",
        cache.cached_tokens,
        cache.input_tokens,
        percent(cache.cached_tokens, cache.input_tokens)
    )?;
    let kept = cache.prefix_kept.map(|kept| format!(", which kept {:.1} % of their prefix", kept * 100.0));
    writeln!(
        out,
        "  {} requests continued a conversation{}",
        cache.compared_requests,
        kept.unwrap_or_default()
    )?;
    if cache.breaks.is_empty() {
        return writeln!(out, "  no prefix broke");
    }
    writeln!(
        out,
        "  {} of them broke it; about {} tokens were read again",
        cache.broken_requests, cache.lost_tokens
    )?;
    writeln!(out, "\n  {:<MAX_BREAK$} {:>9} {:>12}", "broken by", "requests", "read again")?;
    for one in &cache.breaks {
        let change = cut(&one.prefix_break, MAX_BREAK);
        writeln!(out, "  {change:<MAX_BREAK$} {:>9} {:>12}", one.requests, one.lost_tokens)?;
    }
    Ok(())
}

/// Longest change that is shown, in characters.
const MAX_BREAK: usize = 60;

fn write_totals(out: &mut dyn Write, title: &str, sums: &UsageSums) -> io::Result<()> {
    writeln!(
        out,
        "{title:<11} {} credits, {} requests{}, {} input tokens ({} % cached), {} output tokens",
        credits(sums),
        sums.requests,
        if sums.premium_requests > 0.0 {
            format!(" ({:.2} premium)", sums.premium_requests)
        } else {
            String::new()
        },
        sums.input_tokens,
        percent(sums.cached_tokens, sums.input_tokens),
        sums.output_tokens
    )
}

/// Longest name that is shown, in characters.
const MAX_NAME: usize = 36;

/// Length of the longest bar, in characters.
const BAR: usize = 20;

fn write_table(out: &mut dyn Write, title: &str, report: &UsageReport) -> io::Result<()> {
    writeln!(out, "{title}")?;
    if report.data.is_empty() {
        return writeln!(out, "  no requests");
    }
    let weight = |group: &UsageGroup| {
        // Without prices the bars show tokens instead of zeros.
        if report.totals.credits > 0.0 { group.sums.credits } else { tokens(&group.sums) }
    };
    let most = report.data.iter().map(weight).fold(0.0, f64::max);
    writeln!(
        out,
        "  {:<MAX_NAME$} {:>12} {:>9} {:>12} {:>7} {:>11}",
        "", "credits", "requests", "input", "cached", "output"
    )?;
    for group in &report.data {
        let sums = &group.sums;
        writeln!(
            out,
            "  {:<MAX_NAME$} {:>12} {:>9} {:>12} {:>5} % {:>11}  {}",
            name(&group.key),
            credits(sums),
            sums.requests,
            sums.input_tokens,
            percent(sums.cached_tokens, sums.input_tokens),
            sums.output_tokens,
            bar(weight(group), most)
        )?;
    }
    Ok(())
}

fn write_csv(out: &mut dyn Write, report: &UsageReport) -> io::Result<()> {
    writeln!(
        out,
        "{},requests,input_tokens,cached_tokens,output_tokens,reasoning_tokens,credits,estimated_credits,unknown_requests,\
         premium_requests",
        report.by
    )?;
    for UsageGroup { key, sums } in &report.data {
        writeln!(
            out,
            "{},{},{},{},{},{},{},{},{},{}",
            csv_field(key),
            sums.requests,
            sums.input_tokens,
            sums.cached_tokens,
            sums.output_tokens,
            sums.reasoning_tokens,
            sums.credits,
            sums.estimated_credits,
            sums.unknown_requests,
            sums.premium_requests
        )?;
    }
    Ok(())
}

/// Quotes a field that has a separator in it (RFC 4180). A beginning that spreadsheets take for a formula is defused:
/// the names come from clients.
fn csv_field(text: &str) -> String {
    let text = if text.starts_with(['=', '+', '-', '@']) { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text }
}

/// The cost, with a mark where a part is estimated (`~`) or unknown (`?`).
fn credits(sums: &UsageSums) -> String {
    let estimated = if sums.estimated_credits > 0.0 { "~" } else { "" };
    let unknown = if sums.unknown_requests > 0 { "?" } else { "" };
    format!("{estimated}{:.2}{unknown}", sums.credits)
}

#[expect(clippy::cast_precision_loss, reason = "a bar's length needs no more")]
fn tokens(sums: &UsageSums) -> f64 {
    (sums.input_tokens + sums.output_tokens) as f64
}

fn percent(part: u64, whole: u64) -> u64 {
    part.saturating_mul(100).checked_div(whole).unwrap_or(0)
}

/// A group's name without control characters, cut to the column.
fn name(key: &str) -> String {
    if key.is_empty() {
        return "(none)".into();
    }
    cut(key, MAX_NAME)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the bar's length")]
fn bar(weight: f64, most: f64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a small constant")]
    let length = if most > 0.0 { (weight / most * BAR as f64).round() as usize } else { 0 };
    "█".repeat(length.min(BAR))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(credits: f64, estimated: f64, unknown: u64) -> UsageSums {
        UsageSums {
            requests: 2,
            input_tokens: 1000,
            cached_tokens: 250,
            output_tokens: 40,
            credits,
            estimated_credits: estimated,
            unknown_requests: unknown,
            ..UsageSums::default()
        }
    }

    fn report(data: Vec<UsageGroup>) -> UsageReport {
        let totals = sums(data.iter().map(|group| group.sums.credits).sum(), 0.0, 0);
        UsageReport {
            object: "list",
            from: None,
            to: None,
            by: "client",
            data,
            totals,
            cache: CacheReport::default(),
        }
    }

    fn group(key: &str, sums: UsageSums) -> UsageGroup {
        UsageGroup { key: key.into(), sums }
    }

    fn written(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn table_has_bars_by_cost() {
        let report = report(vec![group("codex", sums(4.0, 0.0, 0)), group("curl/8.5.0", sums(1.0, 1.0, 1))]);
        let table = written(|out| write_table(out, "By client", &report));
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines.len(), 4);
        assert!(lines[2].starts_with("  codex ") && lines[2].contains(" 4.00 "), "{table}");
        assert!(lines[2].ends_with(&format!("  {}", "█".repeat(20))), "{table}");
        assert!(lines[3].contains(" ~1.00? ") && lines[3].contains(" 25 % "), "{table}");
        assert!(lines[3].ends_with(&format!("  {}", "█".repeat(5))), "{table}");
    }

    #[test]
    fn csv_quotes_separators_and_defuses_formulas() {
        let report = report(vec![group("a,\"b\"", sums(1.5, 0.0, 0)), group("=cmd()", sums(0.0, 0.0, 2))]);
        assert_eq!(
            written(|out| write_csv(out, &report)),
            "client,requests,input_tokens,cached_tokens,output_tokens,reasoning_tokens,credits,estimated_credits,\
             unknown_requests,premium_requests\n\"a,\"\"b\"\"\",2,1000,250,40,0,1.5,0,0,0\n\
             '=cmd(),2,1000,250,40,0,0,0,2,0\n"
        );
    }

    #[test]
    fn names_are_cut_and_never_empty() {
        assert_eq!(name(""), "(none)");
        assert_eq!(name(&"x".repeat(50)), format!("{}…", "x".repeat(35)));
    }
}

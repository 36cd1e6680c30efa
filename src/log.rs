//! The server's log: the last lines are kept in memory and pushed to the editors' output channels.
//!
//! There is no log file, so a full disk doesn't matter. Lines also go to stderr where `RUST_LOG` asks for them.
//! A line names an event and its fields as `key=value`; text that a client chose goes through [`quoted`].

use std::collections::VecDeque;
use std::fmt::{self, Write as _};
use std::sync::LazyLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use log::{Level, LevelFilter, Log, Metadata, Record};
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::bridge::protocol::{LogLevel, LogLine};

/// Number of lines kept for windows that open late.
const KEPT_LINES: usize = 2000;

/// Longest line in bytes; longer ones are cut, so that one bad request doesn't fill the ring with megabytes.
const MAX_LINE: usize = 4096;

static RING: LazyLock<Mutex<Ring>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Ring {
    lines: VecDeque<LogLine>,
    /// Number of lines so far, also those that are no longer kept.
    count: u64,
}

/// Notified of new lines; there is one subscriber.
static CHANGED: Notify = Notify::const_new();

struct Logger {
    terminal: env_logger::Logger,
}

/// Starts logging. The second call in a process does nothing.
pub fn start() {
    let terminal = env_logger::Builder::from_env(env_logger::Env::default().default_filter_or("off")).build();
    let level = terminal.filter().max(LevelFilter::Info);
    if log::set_boxed_logger(Box::new(Logger { terminal })).is_ok() {
        log::set_max_level(level);
    }
}

/// Waits for a new line.
pub async fn changed() {
    CHANGED.notified().await;
}

/// Lines kept in memory after the first `count`, oldest first, and the number of all lines so far. A subscriber that is
/// slower than the lines come misses the oldest of them.
pub fn after(count: u64) -> (Vec<LogLine>, u64) {
    let ring = RING.lock();
    let new = usize::try_from(ring.count.saturating_sub(count)).unwrap_or(usize::MAX);
    let known = ring.lines.len().saturating_sub(new);
    (ring.lines.iter().skip(known).cloned().collect(), ring.count)
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_ours(metadata) && metadata.level() <= Level::Info || self.terminal.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if is_ours(record.metadata()) && record.level() <= Level::Info {
            store(record);
        }
        self.terminal.log(record);
    }

    fn flush(&self) {
        self.terminal.flush();
    }
}

fn is_ours(metadata: &Metadata<'_>) -> bool {
    metadata.target().starts_with(env!("CARGO_CRATE_NAME"))
}

fn store(record: &Record<'_>) {
    let whole = record.args().to_string();
    let text = if whole.len() > MAX_LINE {
        // A copy: cutting in place would keep the memory of the whole line.
        whole.get(..whole.floor_char_boundary(MAX_LINE)).unwrap_or_default().to_owned()
    } else {
        whole
    };
    let line = LogLine { level: level(record.level()), time: now(), text };
    let mut ring = RING.lock();
    if ring.lines.len() == KEPT_LINES {
        ring.lines.pop_front();
    }
    ring.lines.push_back(line);
    ring.count += 1;
    drop(ring);
    CHANGED.notify_one();
}

fn level(level: Level) -> LogLevel {
    match level {
        Level::Error => LogLevel::Error,
        Level::Warn => LogLevel::Warn,
        Level::Info => LogLevel::Info,
        Level::Debug => LogLevel::Debug,
        Level::Trace => LogLevel::Trace,
    }
}

/// Milliseconds since 1970.
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A duration in whole milliseconds.
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Longest text of a client in a log line, in characters.
const MAX_QUOTED: usize = 100;

/// Text that a client or provider chose, for a log line: in quotes, escaped so that it can't begin a new line, and cut
/// to 100 characters.
pub fn quoted(text: &str) -> impl fmt::Display + '_ {
    Quoted(text)
}

struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_char('"')?;
        let mut characters = self.0.chars();
        for character in characters.by_ref().take(MAX_QUOTED) {
            fmt::Display::fmt(&character.escape_debug(), formatter)?;
        }
        formatter.write_str(if characters.next().is_some() { "...\"" } else { "\"" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_text_stays_on_its_line_and_is_cut() {
        assert_eq!(quoted("a\nb\u{1b}[31m\"c\"").to_string(), r#""a\nb\u{1b}[31m\"c\"""#);
        assert_eq!(quoted("").to_string(), "\"\"");
        assert_eq!(quoted(&"é".repeat(100)).to_string(), format!("\"{}\"", "é".repeat(100)));
        assert_eq!(quoted(&"é".repeat(101)).to_string(), format!("\"{}...\"", "é".repeat(100)));
    }
}

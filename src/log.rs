//! The server's log: the last lines are kept in memory and pushed to the editors' output channels.
//!
//! There is no log file, so a full disk hurts nobody. PendingRequests also go to stderr when somebody asks for them
//! with `RUST_LOG`; a closed stderr is nobody's fault.

use std::collections::VecDeque;
use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use log::{Level, LevelFilter, Log, Metadata, Record};
use parking_lot::Mutex;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::bridge::protocol::{LogLevel, LogLine};

/// PendingRequests kept for windows that open late.
const KEPT: usize = 2000;

/// Longer lines are cut, in bytes: one bad request must not fill the ring with megabytes.
const MAX_LINE: usize = 4096;

static RING: LazyLock<Mutex<Ring>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Ring {
    lines: VecDeque<LogLine>,
    follower: Option<UnboundedSender<LogLine>>,
}

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

/// All lines kept, and from here on each new one.
pub fn follow() -> UnboundedReceiver<LogLine> {
    let (follower, lines) = unbounded_channel();
    RING.lock().follower = Some(follower);
    lines
}

/// The lines kept, oldest first.
pub fn kept() -> Vec<LogLine> {
    RING.lock().lines.iter().cloned().collect()
}

impl Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        is_ours(metadata) && metadata.level() <= Level::Info || self.terminal.enabled(metadata)
    }

    fn log(&self, record: &Record<'_>) {
        if is_ours(record.metadata()) && record.level() <= Level::Info {
            keep(record);
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

fn keep(record: &Record<'_>) {
    let mut text = record.args().to_string();
    text.truncate(text.floor_char_boundary(MAX_LINE));
    let line = LogLine { level: level(record.level()), time: now(), text };
    let mut ring = RING.lock();
    if ring.lines.len() == KEPT {
        ring.lines.pop_front();
    }
    if let Some(follower) = &ring.follower {
        // Nobody follows any more when the server is ending.
        let _ = follower.send(line.clone());
    }
    ring.lines.push_back(line);
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

//! The database's tables and their versions.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

/// Wait for another process that writes, as during a handover.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Days for which rows are kept.
const KEPT_DAYS: u64 = 400;

/// Statements that raise the schema by one version each; `PRAGMA user_version` is the number of those that ran. Never
/// change one that was released: add another.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE requests (
        time INTEGER NOT NULL,
        request_id TEXT NOT NULL,
        dialect TEXT NOT NULL,
        client TEXT NOT NULL,
        session TEXT NOT NULL,
        agent TEXT,
        key TEXT,
        model TEXT,
        routed_model TEXT,
        input_tokens INTEGER NOT NULL,
        cached_tokens INTEGER NOT NULL,
        cache_write_tokens INTEGER NOT NULL,
        output_tokens INTEGER NOT NULL,
        reasoning_tokens INTEGER NOT NULL,
        credits REAL,
        credits_source TEXT,
        queued_ms INTEGER,
        first_ms INTEGER,
        total_ms INTEGER NOT NULL,
        outcome TEXT NOT NULL,
        prefix_kept REAL,
        prefix_break TEXT
    );
    CREATE INDEX requests_time ON requests (time);
",
    "
    ALTER TABLE requests ADD COLUMN premium_requests REAL;
    ALTER TABLE requests ADD COLUMN attempts INTEGER;
",
    "
    ALTER TABLE requests ADD COLUMN server TEXT;
    CREATE TABLE budget_changes (
        time INTEGER NOT NULL,
        budget TEXT NOT NULL,
        period TEXT NOT NULL,
        added INTEGER,
        lifted_on TEXT
    );
",
    "
    CREATE INDEX requests_running ON requests (request_id) WHERE outcome = 'running';
",
];

/// Condition on the rows of a period, from day `?1` to day `?2`, without the requests that run on server `?3`. A local day
/// is compared as the name that `date` gives it, so that days with 23 or 25 hours are whole.
pub(super) const IN_PERIOD: &str = "(?1 IS NULL OR date(time / 1000, 'unixepoch', 'localtime') >= ?1)
    AND (?2 IS NULL OR date(time / 1000, 'unixepoch', 'localtime') <= ?2)
    AND (outcome <> 'running' OR server IS NOT ?3)";

/// Opens the database for writing, creates or migrates it, and removes rows that are too old.
pub(super) fn open(path: &Path, now: u64) -> rusqlite::Result<Connection> {
    if let Some(directory) = path.parent() {
        // SQLite's own error names the path, if this one fails.
        let _ = create_private(directory);
    }
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // A crash of the machine may lose the last rows, never the database; the crash of a process loses nothing.
    connection.pragma_update(None, "synchronous", "normal")?;
    migrate(&connection)?;
    let oldest = now.saturating_sub(KEPT_DAYS * 24 * 60 * 60 * 1000);
    connection
        .execute("DELETE FROM requests WHERE time < ?1", [i64::try_from(oldest).unwrap_or(i64::MAX)])?;
    connection
        .execute("DELETE FROM budget_changes WHERE time < ?1", [i64::try_from(oldest).unwrap_or(i64::MAX)])?;
    Ok(connection)
}

/// Raises the schema to the newest version. A newer one, of a later release, stays as it is.
pub(super) fn migrate(connection: &Connection) -> rusqlite::Result<()> {
    let version =
        |connection: &Connection| connection.pragma_query_value(None, "user_version", |row| row.get(0));
    let current: u32 = version(connection)?;
    if steps(current) >= MIGRATIONS.len() {
        return Ok(());
    }
    let transaction = rusqlite::Transaction::new_unchecked(connection, TransactionBehavior::Immediate)?;
    // Another process may have migrated it while this one waited.
    let current: u32 = version(&transaction)?;
    for (version, statements) in (1_u32..).zip(MIGRATIONS).skip(steps(current)) {
        transaction.execute_batch(statements)?;
        transaction.pragma_update(None, "user_version", version)?;
    }
    transaction.commit()
}

/// Number of migrations that a version stands for.
fn steps(version: u32) -> usize {
    usize::try_from(version).unwrap_or(usize::MAX)
}

#[cfg(unix)]
fn create_private(directory: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

#[cfg(not(unix))]
fn create_private(directory: &Path) -> std::io::Result<()> {
    std::fs::create_dir_all(directory)
}

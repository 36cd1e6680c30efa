//! The usage database: one row for each request that ran a model, with numbers and names only, never text of a
//! conversation.
//!
//! SQLite in the user's state directory. A thread of its own writes in batches; a request never waits for it, and never
//! fails because of it. `writer` is that thread, `schema` the tables and their migrations, `report` and `spending` read.

use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

mod cache_report;
pub mod report;
mod row;
mod schema;
mod spending;
mod state_directory;
mod writer;

pub use cache_report::CacheReport;
pub use report::{GroupBy, Period, UsageQuery, UsageReport};
pub use row::{RUNNING, RunningRequest, UsageRow};
pub use spending::{BudgetChangeRow, Rows, Spending, SpendingRow, read_spending};
pub use state_directory::{state_directory, state_directory_by};
pub use writer::UsageWriter;

/// Name of the database in its directory.
const FILE: &str = "usage.db";

/// Reasons for which the usage can't be read.
#[derive(Debug, thiserror::Error)]
pub enum UsageDbError {
    /// Error of SQLite or of the file system below it.
    #[error("{}: {error}", path.display())]
    Database {
        /// The database.
        path: PathBuf,
        /// Error of SQLite.
        error: rusqlite::Error,
    },
    /// There is no database yet.
    #[error("{}: no usage has been recorded yet", path.display())]
    Missing {
        /// Path at which the database is looked for.
        path: PathBuf,
    },
}

/// Path of the database in a directory.
pub fn path_in(directory: &Path) -> PathBuf {
    directory.join(FILE)
}

/// Reads a report from the database of a directory, whether or not a server runs. A server leaves out the requests that run
/// on itself.
pub fn read(directory: &Path, query: &UsageQuery, server: Option<&str>) -> Result<UsageReport, UsageDbError> {
    let path = path_in(directory);
    if !path.exists() {
        return Err(UsageDbError::Missing { path });
    }
    let read = || {
        // Not read-only: a database in WAL mode that no process has open can't be read without its shared memory file.
        let connection = Connection::open_with_flags(
            &path,
            OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        connection.busy_timeout(schema::BUSY_TIMEOUT)?;
        schema::migrate(&connection)?;
        report::run(&connection, query, server)
    };
    read().map_err(|error| UsageDbError::Database { path: path.clone(), error })
}

#[cfg(test)]
mod tests;

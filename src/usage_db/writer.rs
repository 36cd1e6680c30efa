//! Writes rows on a thread of its own, in batches.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use rusqlite::{Connection, params};

use super::row::{INTERRUPTED, RunningRequest, UsageRow};
use super::schema;
use super::spending::{self, BudgetChangeRow};
use crate::conversation::{Credits, PremiumRequests};
use crate::log::now;

/// Time for which rows are collected: the most that is lost when the process is killed.
const BATCH: Duration = Duration::from_millis(100);

/// Wait before a failed write is tried again, as on a full disk.
const RETRY: Duration = Duration::from_secs(30);

/// Rows that wait for the database at most, about 4 MB; later ones are not recorded.
const MAX_WAITING: usize = 10_000;

/// Sends rows to the thread that writes them; clones share it.
#[derive(Clone)]
pub struct UsageWriter {
    sender: SyncSender<Command>,
    /// The writing thread, which sleeps while rows are collected; absent if it could not be started.
    thread: Option<Thread>,
    problem: Arc<Mutex<Option<String>>>,
    path: PathBuf,
    /// Random id of this server: its rows have it.
    server: Arc<str>,
}

enum Command {
    Insert(Entry),
    /// Write what waits, then answer.
    Flush(SyncSender<()>),
    /// Write what waits, close the database, then answer. Nothing is written after it.
    Close(SyncSender<()>),
}

/// An entry of the database.
enum Entry {
    Request(Box<UsageRow>),
    /// A request that runs. Its row is read when the batch is written, so that a short request costs one row only.
    Running(Arc<dyn RunningRequest>),
    BudgetChange(Box<BudgetChangeRow>),
    /// Mark the running requests of other servers as interrupted.
    Interrupt,
}

impl UsageWriter {
    /// Starts the thread; it opens the database, so that a slow disk doesn't delay the server.
    pub fn start(path: PathBuf) -> UsageWriter {
        let (sender, receiver) = sync_channel(MAX_WAITING);
        let problem = Arc::new(Mutex::new(None));
        let server: Arc<str> = uuid::Uuid::new_v4().simple().to_string().into();
        let (server_of_rows, path_of_rows) = (server.clone(), path.clone());
        let database = Database {
            path: path_of_rows,
            server: server_of_rows,
            connection: None,
            running: HashSet::new(),
            problem: problem.clone(),
        };
        let started = thread::Builder::new().name("usage-db".into()).spawn(move || database.run(&receiver));
        let thread = match started {
            Ok(handle) => Some(handle.thread().clone()),
            Err(error) => {
                *problem.lock() = Some(format!("no thread for the usage database: {error}"));
                None
            }
        };
        UsageWriter { sender, thread, problem, path, server }
    }

    /// Path of the database.
    pub fn path(&self) -> &std::path::Path {
        &self.path
    }

    /// Random id of this server.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// Records a change of a budget.
    pub fn insert_change(&self, change: BudgetChangeRow) {
        self.send(Entry::BudgetChange(Box::new(change)));
    }

    /// Records the cost of a request so far. Never waits.
    pub fn insert_running(&self, request: Arc<dyn RunningRequest>) {
        self.send(Entry::Running(request));
    }

    /// Marks the requests that other servers have not ended: their servers were killed.
    pub fn mark_interrupted(&self) {
        self.send(Entry::Interrupt);
    }

    /// Records a request that has ended. Never waits: a row for which there is no room is left out.
    pub fn insert(&self, row: UsageRow) {
        self.send(Entry::Request(Box::new(row)));
    }

    fn send(&self, entry: Entry) {
        if let Err(TrySendError::Full(_)) = self.sender.try_send(Command::Insert(entry)) {
            log::debug!("usage row left out, too many wait for the database");
        }
    }

    /// Writes all rows inserted so far; gives up after `limit`.
    pub fn flush(&self, limit: Duration) {
        self.wait_for(Command::Flush, limit);
    }

    /// Writes all rows inserted so far and closes the database; gives up after `limit`. Later rows are left out: the
    /// directory of a demo is removed next, and a late row would create it again.
    pub fn close(&self, limit: Duration) {
        self.wait_for(Command::Close, limit);
    }

    fn wait_for(&self, command: impl FnOnce(SyncSender<()>) -> Command, limit: Duration) {
        let (done, finished) = sync_channel(1);
        if self.sender.try_send(command(done)).is_ok() {
            self.thread.iter().for_each(Thread::unpark);
            // A thread that takes longer continues on its own.
            let _ = finished.recv_timeout(limit);
        }
    }

    /// The reason for which no history is kept, while that is so.
    pub fn problem(&self) -> Option<String> {
        self.problem.lock().clone()
    }
}

/// The writing side.
struct Database {
    path: PathBuf,
    server: Arc<str>,
    connection: Option<Connection>,
    /// Ids of the running requests that have a row.
    running: HashSet<String>,
    problem: Arc<Mutex<Option<String>>>,
}

impl Database {
    fn run(mut self, receiver: &Receiver<Command>) {
        let mut waiting = Vec::new();
        let mut retry_at = Instant::now();
        self.write(&mut waiting);
        while let Ok(first) = receiver.recv() {
            let end = collect(first, receiver, &mut waiting);
            if Instant::now() >= retry_at || !matches!(end, BatchEnd::Time) {
                self.write(&mut waiting);
                retry_at = Instant::now() + if waiting.is_empty() { Duration::ZERO } else { RETRY };
            }
            // The oldest are left out first: the newest say more about today.
            let excess = waiting.len().saturating_sub(MAX_WAITING);
            waiting.drain(..excess);
            match end {
                BatchEnd::Time => {}
                BatchEnd::Flush(done) => drop(done),
                BatchEnd::Close(done) => {
                    self.connection = None;
                    drop(done);
                    return;
                }
            }
        }
        self.write(&mut waiting);
    }

    /// Writes the rows; those that can't be written stay.
    fn write(&mut self, rows: &mut Vec<Entry>) {
        match self.try_write(rows) {
            Ok(()) => {
                rows.clear();
                if self.problem.lock().take().is_some() {
                    log::info!("usage history is kept again");
                }
            }
            Err(error) => {
                // Opened again at the next attempt: the file may have been removed or replaced.
                self.connection = None;
                let text = format!("{}: {error}", self.path.display());
                let before = self.problem.lock().replace(text.clone());
                if before.as_ref() != Some(&text) {
                    log::warn!("usage history is not kept: {text}");
                }
            }
        }
    }

    fn try_write(&mut self, rows: &[Entry]) -> rusqlite::Result<()> {
        // A removed file would be written to until the server ends.
        if self.connection.is_some() && !self.path.exists() {
            self.connection = None;
        }
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(schema::open(&self.path, now())?),
        };
        if rows.is_empty() {
            return Ok(());
        }
        let transaction = connection.transaction()?;
        for row in rows {
            match row {
                Entry::Request(row) => {
                    if self.running.contains(&row.request_id) {
                        remove_running(&transaction, &row.request_id, &self.server)?;
                    }
                    insert(&transaction, row, &self.server)?;
                }
                Entry::Running(request) => {
                    if let Some(row) = request.row() {
                        remove_running(&transaction, &row.request_id, &self.server)?;
                        insert(&transaction, &row, &self.server)?;
                        self.running.insert(row.request_id);
                    }
                }
                Entry::BudgetChange(change) => spending::insert_change(&transaction, change)?,
                Entry::Interrupt => mark_interrupted(&transaction, &self.server)?,
            }
        }
        transaction.commit()?;
        // Only now: the rows of a transaction that fails are written again.
        for row in rows {
            if let Entry::Request(row) = row {
                self.running.remove(&row.request_id);
            }
        }
        Ok(())
    }
}

/// Reason for which a batch ends. Dropping the sender tells the waiting thread that its command is done.
enum BatchEnd {
    Time,
    Flush(SyncSender<()>),
    Close(SyncSender<()>),
}

/// Takes the rows of one batch: until the batch's time is over or another command comes. Rows that come meanwhile don't wake
/// the thread, since that would cost more than the rest of recording them.
fn collect(first: Command, receiver: &Receiver<Command>, rows: &mut Vec<Entry>) -> BatchEnd {
    let end = Instant::now() + BATCH;
    let mut command = Ok(first);
    loop {
        match command {
            Ok(Command::Insert(row)) => rows.push(row),
            Ok(Command::Flush(done)) => return BatchEnd::Flush(done),
            Ok(Command::Close(done)) => return BatchEnd::Close(done),
            Err(TryRecvError::Empty) => match end.checked_duration_since(Instant::now()) {
                Some(rest) if !rest.is_zero() => thread::park_timeout(rest),
                Some(_) | None => return BatchEnd::Time,
            },
            Err(TryRecvError::Disconnected) => return BatchEnd::Time,
        }
        command = receiver.try_recv();
    }
}

fn remove_running(connection: &Connection, request: &str, server: &str) -> rusqlite::Result<()> {
    const DELETE: &str = "DELETE FROM requests WHERE outcome = 'running' AND request_id = ?1 AND server = ?2";
    connection.prepare_cached(DELETE)?.execute(params![request, server])?;
    Ok(())
}

fn mark_interrupted(connection: &Connection, server: &str) -> rusqlite::Result<()> {
    const UPDATE: &str =
        "UPDATE requests SET outcome = ?1 WHERE outcome = 'running' AND (server IS NULL OR server <> ?2)";
    connection.execute(UPDATE, params![INTERRUPTED, server])?;
    Ok(())
}

fn insert(connection: &Connection, row: &UsageRow, server: &str) -> rusqlite::Result<()> {
    const INSERT: &str = "
        INSERT INTO requests (
            time, request_id, dialect, client, session, agent, key, model, routed_model, input_tokens, cached_tokens,
            cache_write_tokens, output_tokens, reasoning_tokens, credits, credits_source, queued_ms, first_ms, total_ms,
            outcome, prefix_kept, prefix_break, premium_requests, attempts, server
        ) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20,
            ?21, ?22, ?23, ?24, ?25)";
    let integer = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    connection.prepare_cached(INSERT)?.execute(params![
        integer(row.time),
        row.request_id,
        row.dialect,
        row.client,
        row.session,
        row.agent,
        row.key,
        row.model,
        row.routed_model,
        integer(row.input_tokens),
        integer(row.cached_tokens),
        integer(row.cache_write_tokens),
        integer(row.output_tokens),
        integer(row.reasoning_tokens),
        row.credits.map(Credits::amount),
        row.credits.map(|credits| credits.source.as_str()),
        row.queued_ms.map(integer),
        row.first_ms.map(integer),
        integer(row.total_ms),
        row.outcome,
        row.prefix_kept,
        row.prefix_break,
        row.premium_requests.map(PremiumRequests::amount),
        row.attempts,
        server,
    ])?;
    Ok(())
}

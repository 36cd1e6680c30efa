//! Databases in temporary directories.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use super::*;
use crate::conversation::{Credits, CreditsSource, PremiumRequests};
use crate::log::now;

const SOON: Duration = Duration::from_mins(1);

fn directory() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

fn row(model: &str, client: &str, nano: Option<u64>) -> UsageRow {
    UsageRow {
        time: now(),
        request_id: "id".into(),
        dialect: "openai-chat".into(),
        client: client.into(),
        session: client.into(),
        model: Some(model.into()),
        input_tokens: 100,
        cached_tokens: 60,
        output_tokens: 20,
        reasoning_tokens: 5,
        credits: nano.map(|nano| Credits { nano, source: CreditsSource::Reported }),
        attempts: 1,
        total_ms: 12,
        outcome: "stop".into(),
        ..UsageRow::default()
    }
}

fn by(by: GroupBy) -> UsageQuery {
    UsageQuery { period: Period::default(), by }
}

fn read_all(directory: &Path, query: &UsageQuery) -> Result<UsageReport, UsageDbError> {
    read(directory, query, None)
}

/// Key, requests and credits of each group.
fn groups(report: &UsageReport) -> Vec<(&str, u64, f64)> {
    report.data.iter().map(|group| (group.key.as_str(), group.sums.requests, group.sums.credits)).collect()
}

#[test]
fn written_rows_are_summed_by_group() {
    let home = directory();
    let writer = UsageWriter::start(path_in(home.path()));
    let premium = |hundredths| UsageRow {
        premium_requests: Some(PremiumRequests { hundredths }),
        ..row("premium", "vim", None)
    };
    for row in [
        premium(100),
        premium(33),
        UsageRow { attempts: 0, ..row("refused", "vim", None) },
        row("gpt", "curl", Some(1_500_000_000)),
        row("gpt", "codex", Some(100_000_001)),
        row("claude", "codex", None),
        UsageRow {
            credits: Some(Credits { nano: 250_000_000, source: CreditsSource::Estimated }),
            ..row("claude", "codex", None)
        },
    ] {
        writer.insert(row);
    }
    writer.flush(SOON);
    let report = read_all(home.path(), &by(GroupBy::Model)).unwrap();
    assert_eq!(
        groups(&report),
        [("gpt", 2, 1.600_000_001), ("claude", 2, 0.25), ("premium", 2, 0.0), ("refused", 1, 0.0)]
    );
    assert_eq!(
        report.totals,
        report::UsageSums {
            requests: 7,
            input_tokens: 700,
            cached_tokens: 420,
            output_tokens: 140,
            reasoning_tokens: 35,
            credits: 1.850_000_001,
            estimated_credits: 0.25,
            premium_requests: 1.33,
            unknown_requests: 1,
        }
    );
    let report = read_all(home.path(), &by(GroupBy::Client)).unwrap();
    assert_eq!(groups(&report), [("curl", 1, 1.5), ("codex", 3, 0.350_000_001), ("vim", 3, 0.0)]);
    assert_eq!(read_all(home.path(), &by(GroupBy::Day)).unwrap().data.len(), 1);
}

#[test]
fn period_includes_its_last_day_and_nothing_after() {
    let home = directory();
    let writer = UsageWriter::start(path_in(home.path()));
    let day = 24 * 60 * 60 * 1000;
    for days in [0, 1, 2] {
        writer.insert(UsageRow { time: now() - days * day, ..row("gpt", "curl", Some(1)) });
    }
    writer.flush(SOON);
    let all = read_all(home.path(), &by(GroupBy::Day)).unwrap();
    assert_eq!(all.data.len(), 3);
    let day = |index: usize| all.data[index].key.parse::<report::Day>().unwrap();
    let period = Period { from: Some(day(0)), to: Some(day(1)) };
    let some = read_all(home.path(), &UsageQuery { period, by: GroupBy::Day }).unwrap();
    assert_eq!(some.data, all.data[..2]);
}

#[test]
fn rows_older_than_400_days_are_removed_at_the_next_start() {
    let home = directory();
    let writer = UsageWriter::start(path_in(home.path()));
    let days = |days: u64| now() - days * 24 * 60 * 60 * 1000;
    writer.insert(UsageRow { time: days(401), ..row("old", "curl", None) });
    writer.insert(UsageRow { time: days(399), ..row("kept", "curl", None) });
    writer.flush(SOON);
    drop(writer);
    UsageWriter::start(path_in(home.path())).flush(SOON);
    assert_eq!(groups(&read_all(home.path(), &by(GroupBy::Model)).unwrap()), [("kept", 1, 0.0)]);
}

/// A request that runs until its row is taken away.
struct Running(Mutex<Option<UsageRow>>);

impl RunningRequest for Running {
    fn row(&self) -> Option<UsageRow> {
        self.0.lock().clone()
    }
}

#[test]
fn request_has_one_row_while_it_runs_and_when_it_has_ended() {
    let home = directory();
    let writer = UsageWriter::start(path_in(home.path()));
    let running = |nano| UsageRow { outcome: RUNNING.into(), ..row("gpt", "curl", Some(nano)) };
    let request = Arc::new(Running(Mutex::new(Some(running(1)))));
    writer.insert_running(request.clone());
    writer.flush(SOON);
    *request.0.lock() = Some(running(2));
    writer.insert_running(request.clone());
    writer.flush(SOON);
    let sums = |server: Option<&str>| {
        let report = read(home.path(), &by(GroupBy::Day), server).unwrap();
        (report.totals.requests, report.totals.credits)
    };
    assert_eq!(sums(None), (1, 2e-9));
    assert_eq!(sums(Some(writer.server())), (0, 0.0));
    // It ends before the next batch.
    writer.insert_running(request.clone());
    *request.0.lock() = None;
    writer.insert(row("gpt", "curl", Some(4)));
    writer.flush(SOON);
    assert_eq!((sums(None), sums(Some(writer.server()))), ((1, 4e-9), (1, 4e-9)));
}

#[test]
fn requests_of_a_killed_server_are_interrupted_and_those_of_a_running_one_are_replaced() {
    let home = directory();
    let [killed, other] = [(); 2].map(|()| UsageWriter::start(path_in(home.path())));
    let running = UsageRow { outcome: RUNNING.into(), ..row("gpt", "curl", Some(1)) };
    killed.insert_running(Arc::new(Running(Mutex::new(Some(running.clone())))));
    killed.flush(SOON);
    other.insert_running(Arc::new(Running(Mutex::new(Some(running)))));
    other.mark_interrupted();
    other.insert(UsageRow { outcome: RUNNING.into(), ..row("gpt", "curl", Some(5)) });
    other.flush(SOON);
    let outcomes: Vec<(String, f64)> = Connection::open(path_in(home.path()))
        .unwrap()
        .prepare("SELECT outcome, credits FROM requests ORDER BY credits")
        .unwrap()
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(outcomes, [("interrupted".to_owned(), 1e-9), ("running".to_owned(), 5e-9)]);
}

#[test]
fn spending_is_read_in_two_parts_without_gap_or_overlap() {
    let home = directory();
    let [earlier, other, own] = [(); 3].map(|()| UsageWriter::start(path_in(home.path())));
    let at = |time: u64, nano| UsageRow { time, ..row("gpt", "curl", Some(nano)) };
    let began = now();
    earlier.insert(at(began - 1, 1));
    let running = UsageRow { outcome: RUNNING.into(), request_id: "old".into(), ..at(began - 1, 10) };
    other.insert_running(Arc::new(Running(Mutex::new(Some(running)))));
    other.insert(at(began, 100));
    own.insert(at(began, 1000));
    for writer in [&earlier, &other, &own] {
        writer.flush(SOON);
    }
    let spent = |rows| {
        let spending = read_spending(own.path(), own.server(), "", "2000-01-01", now(), rows).unwrap();
        spending.rows.iter().map(|row| row.total.0).sum::<u64>()
    };
    assert_eq!((spent(Rows::EndedBefore(began)), spent(Rows::Others(began))), (1, 110));
    other.insert(UsageRow { request_id: "old".into(), ..at(began + 1, 20) });
    other.flush(SOON);
    assert_eq!((spent(Rows::EndedBefore(began)), spent(Rows::Others(began))), (1, 120));
}

#[test]
fn two_servers_write_to_one_database() {
    let home = directory();
    let writers = [(); 2].map(|()| UsageWriter::start(path_in(home.path())));
    for _ in 0..50 {
        for writer in &writers {
            writer.insert(row("gpt", "curl", Some(1)));
        }
    }
    for writer in &writers {
        writer.flush(SOON);
    }
    assert_eq!(groups(&read_all(home.path(), &by(GroupBy::Model)).unwrap()), [("gpt", 100, 1e-7)]);
}

#[test]
fn directory_that_cannot_be_used_is_a_problem_and_rows_wait_for_it() {
    let home = directory();
    let blocked = home.path().join("state");
    std::fs::write(&blocked, "a file in the place of the directory").unwrap();
    let writer = UsageWriter::start(path_in(&blocked));
    writer.insert(row("gpt", "curl", Some(1)));
    writer.flush(SOON);
    assert!(writer.problem().unwrap().contains("usage.db"), "{:?}", writer.problem());
    std::fs::remove_file(&blocked).unwrap();
    writer.flush(SOON);
    assert_eq!(writer.problem(), None);
    assert_eq!(groups(&read_all(&blocked, &by(GroupBy::Model)).unwrap()), [("gpt", 1, 1e-9)]);
}

#[test]
fn closed_database_is_not_created_again() {
    let home = directory();
    let state = home.path().join("state");
    let writer = UsageWriter::start(path_in(&state));
    writer.insert(row("gpt", "curl", Some(1)));
    writer.close(SOON);
    assert_eq!(read_all(&state, &by(GroupBy::Model)).unwrap().totals.requests, 1);
    std::fs::remove_dir_all(&state).unwrap();
    writer.insert(row("late", "curl", None));
    writer.close(SOON);
    assert!(!state.exists());
}

#[test]
fn removed_database_is_created_again() {
    let home = directory();
    let writer = UsageWriter::start(path_in(home.path()));
    writer.flush(SOON);
    for name in ["usage.db", "usage.db-wal", "usage.db-shm"] {
        let _ = std::fs::remove_file(home.path().join(name));
    }
    writer.insert(row("gpt", "curl", None));
    writer.flush(SOON);
    assert_eq!(groups(&read_all(home.path(), &by(GroupBy::Model)).unwrap()), [("gpt", 1, 0.0)]);
}

#[test]
fn missing_database_says_so() {
    let home = directory();
    let error = read_all(home.path(), &by(GroupBy::Day)).unwrap_err();
    assert!(error.to_string().ends_with("usage.db: no usage has been recorded yet"), "{error}");
}

#[test]
fn days_and_groupings_are_checked() {
    for wrong in ["", "2026-13-01", "2026-1-1", "20261126", "today", "2026-11-26T00:00"] {
        assert!(wrong.parse::<report::Day>().is_err(), "{wrong}");
    }
    assert_eq!("2026-11-26".parse::<report::Day>().unwrap().to_string(), "2026-11-26");
    assert_eq!("models".parse::<GroupBy>().unwrap_err(), "expected day, model, client, session, key");
}

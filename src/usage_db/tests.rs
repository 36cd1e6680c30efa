//! Databases in temporary directories.

use std::time::Duration;

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
    let report = read(home.path(), &by(GroupBy::Model)).unwrap();
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
    let report = read(home.path(), &by(GroupBy::Client)).unwrap();
    assert_eq!(groups(&report), [("curl", 1, 1.5), ("codex", 3, 0.350_000_001), ("vim", 3, 0.0)]);
    assert_eq!(read(home.path(), &by(GroupBy::Day)).unwrap().data.len(), 1);
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
    let all = read(home.path(), &by(GroupBy::Day)).unwrap();
    assert_eq!(all.data.len(), 3);
    let day = |index: usize| all.data[index].key.parse::<report::Day>().unwrap();
    let period = Period { from: Some(day(0)), to: Some(day(1)) };
    let some = read(home.path(), &UsageQuery { period, by: GroupBy::Day }).unwrap();
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
    assert_eq!(groups(&read(home.path(), &by(GroupBy::Model)).unwrap()), [("kept", 1, 0.0)]);
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
    assert_eq!(groups(&read(home.path(), &by(GroupBy::Model)).unwrap()), [("gpt", 100, 1e-7)]);
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
    assert_eq!(groups(&read(&blocked, &by(GroupBy::Model)).unwrap()), [("gpt", 1, 1e-9)]);
}

#[test]
fn closed_database_is_not_created_again() {
    let home = directory();
    let state = home.path().join("state");
    let writer = UsageWriter::start(path_in(&state));
    writer.insert(row("gpt", "curl", Some(1)));
    writer.close(SOON);
    assert_eq!(read(&state, &by(GroupBy::Model)).unwrap().totals.requests, 1);
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
    assert_eq!(groups(&read(home.path(), &by(GroupBy::Model)).unwrap()), [("gpt", 1, 0.0)]);
}

#[test]
fn missing_database_says_so() {
    let home = directory();
    let error = read(home.path(), &by(GroupBy::Day)).unwrap_err();
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

//! Records of made-up requests.

use futures_util::FutureExt;

use super::*;
use crate::bridge::protocol::{CapturedBody, ModelTotals, RequestRecord, Tokens};
use crate::conversation::{Event, Finish, Usage, UsageSource};
use crate::failure::Failure;
use crate::keys::{ClientIdentity, Key, KeyKind, KeyLimits};

fn log() -> Arc<RequestLog> {
    Arc::default()
}

fn info(id: &str, capture: bool) -> RequestInfo<'static> {
    RequestInfo {
        id: id.into(),
        dialect: "openai-chat",
        method: "POST",
        path: "/v1/chat/completions",
        user_agent: "curl/8.5.0",
        origin: None,
        session: None,
        agent: None,
        client: ClientIdentity::default(),
        capture,
        raw_logging: false,
    }
}

fn finish(output: u64) -> Event {
    let source = UsageSource::Reported;
    Event::Finish(Finish::Stop, Usage { input: 100, output, cached: 30, source, ..Usage::default() })
}

/// Removes times.
fn timeless(activity: Activity) -> Vec<RequestRecord> {
    let still = |record: RequestRecord| RequestRecord {
        time: 0,
        first_ms: record.first_ms.map(|_| 0),
        duration_ms: record.duration_ms.map(|_| 0),
        ..record
    };
    activity.requests.into_iter().map(still).collect()
}

fn fresh(number: u64, id: &str) -> RequestRecord {
    RequestRecord {
        number,
        id: id.into(),
        time: 0,
        client: "curl/8.5.0".into(),
        key: None,
        session: None,
        origin: None,
        dialect: "openai-chat".into(),
        method: "POST".into(),
        path: "/v1/chat/completions".into(),
        stream: false,
        requested_model: None,
        model: None,
        failed_models: Vec::new(),
        routed_model: None,
        characters: 0,
        status: None,
        queued_ms: None,
        first_ms: None,
        duration_ms: None,
        tokens: None,
        credits: None,
        premium_requests: None,
        prefix_kept: None,
        prefix_break: None,
        prefix_loss: None,
        tool_runs: Vec::new(),
        auto_mode: None,
        outcome: Outcome::Running,
        rejected: false,
        has_exchange: false,
    }
}

#[test]
fn request_is_sent_from_arrival_to_end() {
    let log = log();
    let record = log.begin(info("a", false));
    assert_eq!(timeless(log.activity(None)), [fresh(1, "a")]);

    record.set_requested(Some("sonnet"), true);
    record.set_model("claude-sonnet-4.5");
    record.record_event(&Event::Text("Grüße".into()));
    let running = RequestRecord {
        stream: true,
        requested_model: Some("sonnet".into()),
        model: Some("claude-sonnet-4.5".into()),
        characters: 5,
        first_ms: Some(0),
        ..fresh(1, "a")
    };
    assert_eq!(timeless(log.activity(None)), std::slice::from_ref(&running));
    assert_eq!(log.totals().in_flight, 1);

    record.record_event(&finish(7));
    drop(record);
    let ended = RequestRecord {
        queued_ms: Some(0),
        duration_ms: Some(0),
        tokens: Some(Tokens { input: 100, output: 7, cached: 30, reported: true }),
        auto_mode: None,
        outcome: Outcome::Finished { reason: "stop".into() },
        ..running
    };
    assert_eq!(timeless(log.activity(None)), [ended]);
    let totals = Totals { in_flight: 0, requests: 1, tokens_in: 100, tokens_out: 7, consent_needed: false };
    assert_eq!(log.totals(), totals);
    let model = ModelTotals {
        model: "claude-sonnet-4.5".into(),
        requests: 1,
        failed: 0,
        tokens_in: 100,
        cached: 30,
        tokens_out: 7,
    };
    assert_eq!(log.activity(None).models, [model]);
}

#[test]
fn input_of_several_choices_counts_once() {
    let log = log();
    let record = log.begin(info("a", false));
    record.record_event(&finish(7));
    record.record_event(&finish(5));
    drop(record);
    assert_eq!((log.totals().tokens_in, log.totals().tokens_out), (100, 12));
}

#[test]
fn failure_has_a_hint_and_missing_consent_is_remembered() {
    let log = log();
    let failure = Failure::ConsentMissing { message: "click".into() };
    log.begin(info("a", false)).failed(&failure);
    let outcome = Outcome::Failed {
        kind: "consent_missing".into(),
        message: "Allow Copilot Proxy in VS Code: click".into(),
        hint: failure.hint().into(),
    };
    let failed = RequestRecord { duration_ms: Some(0), outcome, ..fresh(1, "a") };
    assert_eq!(timeless(log.activity(None)), [failed]);
    drop(log.begin(info("left", false)));
    assert!(log.totals().consent_needed);
    let record = log.begin(info("b", false));
    record.set_model("m");
    record.record_event(&finish(1));
    drop(record);
    assert!(!log.totals().consent_needed);
}

#[test]
fn disconnect_is_neither_success_nor_failure() {
    let log = log();
    drop(log.begin(info("a", false)));
    let left = RequestRecord { duration_ms: Some(0), outcome: Outcome::Disconnected, ..fresh(1, "a") };
    assert_eq!(timeless(log.activity(None)), [left]);
}

#[test]
fn only_changed_records_are_sent_again() {
    let log = log();
    let first = log.begin(info("a", false));
    let second = log.begin(info("b", false));
    let revision = log.revision();
    assert_eq!(timeless(log.activity(Some(revision))), []);
    second.set_requested(None, true);
    let changed = RequestRecord { stream: true, ..fresh(2, "b") };
    assert_eq!(timeless(log.activity(Some(revision))), [changed]);
    assert!(!log.activity(Some(revision)).reset);
    assert!(log.activity(None).reset);
    drop(first);
}

#[test]
fn last_hundred_and_all_running_requests_are_kept() {
    let log = log();
    let running = log.begin(info("running", false));
    for number in 0..KEPT + 20 {
        drop(log.begin(info(&number.to_string(), false)));
    }
    let kept: Vec<String> = log.activity(None).requests.into_iter().map(|record| record.id).collect();
    let wanted = (20..KEPT + 20).map(|number| number.to_string());
    assert_eq!(kept, ["running".to_owned()].into_iter().chain(wanted).collect::<Vec<_>>());
    drop(running);
    assert_eq!(log.activity(None).requests.first().map(|record| record.id.as_str()), Some("20"));
}

#[test]
fn rejected_requests_evict_no_others() {
    let log = log();
    drop(log.begin(info("asked", false)));
    let at_no_door =
        |id: &str| RequestInfo { dialect: "", path: "/favicon.ico", method: "GET", ..info(id, false) };
    for number in 0..=KEPT_TURNED_AWAY {
        log.reject(at_no_door(&number.to_string()), &Failure::Unauthorized);
    }
    let kept = timeless(log.activity(None));
    let ids: Vec<&str> = kept.iter().map(|record| record.id.as_str()).collect();
    let last: Vec<String> = (1..=KEPT_TURNED_AWAY).map(|number| number.to_string()).collect();
    assert_eq!(ids, ["asked"].into_iter().chain(last.iter().map(String::as_str)).collect::<Vec<_>>());
    let outcome = Outcome::Failed {
        kind: "unauthorized".into(),
        message: Failure::Unauthorized.to_string(),
        hint: Failure::Unauthorized.hint().into(),
    };
    let rejected = RequestRecord {
        dialect: String::new(),
        method: "GET".into(),
        path: "/favicon.ico".into(),
        duration_ms: Some(0),
        outcome,
        status: Some(401),
        rejected: true,
        ..fresh(KEPT_TURNED_AWAY as u64 + 2, &KEPT_TURNED_AWAY.to_string())
    };
    assert_eq!(kept.last(), Some(&rejected));
}

#[test]
fn bodies_are_captured_only_if_enabled() {
    let header = || ("anthropic-version".to_owned(), "2023-06-01".to_owned());
    let log = log();
    for (id, keep) in [("private", false), ("shown", true)] {
        let record = log.begin(info(id, keep));
        assert_eq!(record.captures(), keep);
        record.record_request_body([header()].into_iter(), b"question");
        record.record_response_body(b"ans");
        record.record_response_body(b"wer");
    }
    let nothing = |id: &str| Exchange { id: id.into(), headers: Vec::new(), request: None, response: None };
    let body = |text: &str, bytes| Some(CapturedBody { text: text.into(), bytes, truncated: false });
    let headers = vec![header()];
    let shown =
        Exchange { id: "shown".into(), headers, request: body("question", 8), response: body("answer", 6) };
    assert_eq!(log.exchange("private"), nothing("private"));
    assert_eq!(log.exchange("unknown"), nothing("unknown"));
    assert_eq!(log.exchange("shown"), shown);
    assert_eq!(
        log.activity(None).requests.iter().map(|record| record.has_exchange).collect::<Vec<_>>(),
        [false, true]
    );

    let revision = log.revision();
    log.discard_captures();
    assert_eq!(log.exchange("shown"), nothing("shown"));
    let changed = log.activity(Some(revision)).requests;
    assert_eq!(
        changed.iter().map(|record| (record.id.as_str(), record.has_exchange)).collect::<Vec<_>>(),
        [("shown", false)]
    );
}

#[test]
fn long_names_and_messages_are_cut() {
    let log = log();
    let record = log.begin(info("a", false));
    record.set_requested(Some(&"é".repeat(1_000_000)), false);
    record.failed(&Failure::invalid("", "é".repeat(1_000_000)));
    drop(record);
    let record = log.activity(None).requests.pop();
    let lengths = record.map(|record| match record.outcome {
        Outcome::Failed { message, .. } => (record.requested_model.map(|asked| asked.len()), message.len()),
        other => panic!("{other:?}"),
    });
    assert_eq!(lengths, Some((Some(200), 4096)));
}

#[test]
fn record_names_the_key_of_its_request() {
    let key = Key {
        name: "run-claude-1".into(),
        kind: KeyKind::Run,
        models: Vec::new(),
        may_use_tools: true,
        limits: KeyLimits::default(),
    };
    let log = log();
    let record = log.begin(RequestInfo { client: ClientIdentity::of(Arc::new(key)), ..info("a", false) });
    drop(record);
    assert_eq!(log.activity(None).requests[0].key.as_deref(), Some("run-claude-1"));
}

#[test]
fn oldest_captured_bodies_are_discarded_when_all_take_too_much_memory() {
    let log = log();
    let body = vec![b'x'; 512 * 1024];
    let ids: Vec<String> = (0..40).map(|number| format!("r{number}")).collect();
    for id in &ids {
        let record = log.begin(info(id, true));
        record.record_request_body(std::iter::empty(), &body);
        record.record_response_body(&body);
    }
    let kept: Vec<bool> = log.activity(None).requests.iter().map(|record| record.has_exchange).collect();
    assert_eq!(kept, [[false; 8].as_slice(), &[true; 32]].concat());
    assert_eq!(log.exchange("r7").request, None);
    assert!(log.exchange("r8").request.is_some());
}

#[tokio::test]
async fn only_a_running_request_is_cancelled() {
    let log = log();
    let (record, other) = (log.begin(info("a", false)), log.begin(info("b", false)));
    log.cancel("a");
    log.cancel("unknown");
    record.cancelled().await;
    assert!(other.cancelled().now_or_never().is_none());
}

//! The record of one request: opened when it arrives, closed when its response has ended.

use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::captured_body::CapturedExchange;
use super::{MCP, RequestLog, client};
use crate::bridge::protocol::{Exchange, FailedModel, Outcome, PrefixLoss, RequestRecord, Tokens, ToolRun};
use crate::budgets::{Meter, Payer};
use crate::conversation::{Event, Finish, ToolRan, Usage, UsageSource};
use crate::failure::Failure;
use crate::keys::{ClientIdentity, KeyLimits};
use crate::log::{milliseconds, now, quoted};
use crate::usage_db::{RUNNING, RunningRequest, UsageRow};

/// Longest requested model name or path that is kept, in bytes; longer ones are cut.
const MAX_REQUESTED: usize = 200;

/// Longest failure message that is kept, in bytes; longer ones are cut.
const MAX_MESSAGE: usize = 4096;

/// Facts about a request when it arrives.
pub struct RequestInfo<'a> {
    /// Id, as in its response's `x-request-id`.
    pub id: String,
    /// Dialect; empty for endpoints that run no model.
    pub dialect: &'static str,
    /// HTTP method.
    pub method: &'a str,
    /// Path of the endpoint.
    pub path: &'a str,
    /// The client's `User-Agent`.
    pub user_agent: &'a str,
    /// Origin of the web page that sent it; absent for programs.
    pub origin: Option<&'a str>,
    /// The client's session, where it names one.
    pub session: Option<&'a str>,
    /// The sub-agent in the session, where the client names one.
    pub agent: Option<&'a str>,
    /// The client, as far as its key names it.
    pub client: ClientIdentity,
    /// Whether to capture its bodies.
    pub capture: bool,
    /// Whether log lines may quote it.
    pub raw_logging: bool,
}

/// Writes the record of one request. Dropping it closes the record: with the result that was recorded, or as
/// disconnected if there is none.
pub struct Record {
    log: Arc<RequestLog>,
    shared: SharedRecord,
    raw_logging: bool,
    cancelled: Arc<Notify>,
}

/// State of a record, shared by its writer and the log.
pub(super) type SharedRecord = Arc<Mutex<RecordState>>;

/// State of a record.
pub(super) struct RecordState {
    pub record: RequestRecord,
    /// The log's revision at the last change of this record.
    pub revision: u64,
    pub captured: Option<CapturedExchange>,
    began: Instant,
    ending: Option<Ending>,
    meter: Meter,
    session: Option<String>,
    agent: Option<String>,
    /// Whether the usage database will read the row of this request when it writes its next batch.
    is_row_awaited: bool,
    /// Notified when the user cancels the request.
    cancelled: Arc<Notify>,
}

enum Ending {
    Finished(Finish, Usage),
    /// The request ran no model.
    Completed(&'static str),
    Failed(Failure),
}

impl RecordState {
    pub fn is_running(&self) -> bool {
        self.record.outcome == Outcome::Running
    }

    /// Cancels the request, if it runs.
    pub fn cancel(&self) {
        if self.is_running() {
            log::info!("request cancelled by the user request={}", self.record.id);
            self.cancelled.notify_one();
        }
    }

    /// The captured bodies.
    pub fn exchange(&self) -> Exchange {
        Exchange {
            id: self.record.id.clone(),
            headers: self.captured.as_ref().map(|captured| captured.headers.clone()).unwrap_or_default(),
            request: self.captured.as_ref().map(|captured| captured.request.to_protocol()),
            response: self.captured.as_ref().map(|captured| captured.response.to_protocol()),
        }
    }

    /// Memory of the captured bodies, in bytes.
    pub fn captured_memory(&self) -> usize {
        self.captured.as_ref().map_or(0, CapturedExchange::memory)
    }

    /// Discards the captured bodies.
    pub fn forget(&mut self) {
        self.captured = None;
        self.record.has_exchange = false;
    }
}

impl Record {
    pub(super) fn open(log: Arc<RequestLog>, number: u64, info: RequestInfo<'_>) -> (Record, SharedRecord) {
        let RequestInfo {
            id,
            dialect,
            method,
            path,
            user_agent,
            origin,
            session,
            agent,
            client,
            capture,
            raw_logging,
        } = info;
        let session = session.or(client.session()).map(|session| cut(session, MAX_REQUESTED));
        let record = RequestRecord {
            number,
            id,
            time: now(),
            client: client::named(user_agent),
            key: client.key_name().map(str::to_owned),
            session: session.clone(),
            origin: origin.map(|origin| cut(origin, MAX_REQUESTED)),
            dialect: dialect.to_owned(),
            method: method.to_owned(),
            path: cut(path, MAX_REQUESTED),
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
            has_exchange: capture,
        };
        let captured = capture.then(CapturedExchange::default);
        let cancelled = Arc::new(Notify::new());
        let shared = Arc::new(Mutex::new(RecordState {
            record,
            revision: log.bump_revision(),
            captured,
            began: Instant::now(),
            ending: None,
            meter: Meter::default(),
            session,
            agent: agent.map(|agent| cut(agent, MAX_REQUESTED)),
            is_row_awaited: false,
            cancelled: cancelled.clone(),
        }));
        if log.usage.is_some() {
            let (log, state) = (log.clone(), Arc::downgrade(&shared));
            shared.lock().meter.when_changed(move || await_row(&log, &state));
        }
        (Record { log, shared: shared.clone(), raw_logging, cancelled }, shared)
    }

    /// Records the requested model.
    pub fn set_requested(&self, model: Option<&str>, stream: bool) {
        self.write(|state| {
            state.record.requested_model = model.map(|model| cut(model, MAX_REQUESTED));
            state.record.stream = stream;
        });
    }

    /// Records the model that runs the request.
    pub fn set_model(&self, model: &str) {
        self.write(|state| state.record.model = Some(model.to_owned()));
    }

    /// Records the HTTP status of the response.
    pub fn set_status(&self, status: u16) {
        self.write(|state| state.record.status = Some(status));
    }

    /// Waits until the user cancels the request.
    pub async fn cancelled(&self) {
        self.cancelled.notified().await;
    }

    /// Records a model that could not respond, so that another one is asked.
    pub fn add_failed_model(&self, model: &str, failure: &Failure) {
        let failed = FailedModel { model: cut(model, MAX_REQUESTED), reason: failure.kind().to_owned() };
        self.write(|state| state.record.failed_models.push(failed));
    }

    /// Records the comparison of the request with the one before it in its conversation.
    pub fn set_prefix(&self, kept: f64, broken_by: Option<String>, loss: Option<PrefixLoss>) {
        self.write(|state| {
            state.record.prefix_kept = Some(kept);
            state.record.prefix_break = broken_by;
            state.record.prefix_loss = loss;
        });
    }

    /// Records an event of the response. The input of several choices counts once.
    pub fn record_event(&self, event: &Event) {
        self.write(|state| {
            if state.record.first_ms.is_none() {
                state.record.first_ms = Some(milliseconds(state.began.elapsed()));
            }
            match event {
                Event::Text(text) => state.record.characters += length(text),
                Event::Thinking(thought) => state.record.characters += length(&thought.text),
                Event::ToolRan(ran) => state.record.tool_runs.push(tool_run(ran)),
                Event::WebRan(runs) => {
                    state.record.tool_runs.extend(runs.iter().map(|web| tool_run(&web.ran)));
                }
                Event::ToolCall(_) | Event::Citation(_) | Event::Context(_) => {}
                Event::Finish(finish, usage) => {
                    let mut total = usage.clone();
                    if let Some(Ending::Finished(_, before)) = &state.ending {
                        total.output += before.output;
                    }
                    state.ending = Some(Ending::Finished(finish.clone(), total));
                }
            }
        });
    }

    /// Records the result of a request that ran no model.
    pub fn completed(&self, reason: &'static str) {
        self.shared.lock().ending = Some(Ending::Completed(reason));
    }

    /// Records a failure as the result.
    pub fn failed(&self, failure: &Failure) {
        self.shared.lock().ending = Some(Ending::Failed(failure.clone()));
    }

    /// Records that the request was rejected before its body was read.
    pub(super) fn rejected(self, failure: &Failure) {
        self.write(|state| {
            state.record.rejected = true;
            state.record.status = Some(failure.status());
        });
        self.failed(failure);
    }

    /// Gets the cost of all attempts; it is recorded when the record is closed.
    pub fn meter(&self) -> Meter {
        self.shared.lock().meter.clone()
    }

    /// The payer of the request, with the limits of its key and of the request itself.
    pub fn payer(&self, key_limits: KeyLimits, max_credits: Option<f64>) -> Payer {
        let state = self.shared.lock();
        Payer {
            client: state.record.client.clone(),
            key: state.record.key.clone(),
            session: state.session.clone(),
            key_limits,
            max_credits,
        }
    }

    /// Whether its bodies are captured.
    pub fn captures(&self) -> bool {
        self.shared.lock().captured.is_some()
    }

    /// Captures the request's body and those of its headers that are shown: never a key.
    pub fn record_request_body(&self, headers: impl Iterator<Item = (String, String)>, bytes: &[u8]) {
        if let Some(captured) = &mut self.shared.lock().captured {
            captured.headers.extend(headers);
            captured.request.add(bytes);
        }
    }

    /// Captures more of the response's body.
    pub fn record_response_body(&self, bytes: &[u8]) {
        if let Some(captured) = &mut self.shared.lock().captured {
            captured.response.add(bytes);
        }
    }

    fn write(&self, change: impl FnOnce(&mut RecordState)) {
        let mut state = self.shared.lock();
        change(&mut state);
        state.revision = self.log.bump_revision();
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        let (log, shared, raw_logging) = (self.log.clone(), self.shared.clone(), self.raw_logging);
        let elapsed = shared.lock().began.elapsed();
        self.meter().when_settled(move || close(&log, &shared, elapsed, raw_logging));
    }
}

/// Closes a record after this time, when all costs are known.
fn close(log: &RequestLog, shared: &SharedRecord, elapsed: Duration, raw_logging: bool) {
    let mut state = shared.lock();
    let RecordState { record, ending, meter, .. } = &mut *state;
    let cost = meter.total();
    record.tokens = cost.as_ref().map(tokens);
    record.credits = cost.as_ref().and_then(|cost| cost.credits);
    record.premium_requests = cost.as_ref().and_then(|cost| cost.premium_requests);
    record.duration_ms = Some(milliseconds(elapsed));
    record.outcome = match &ending {
        Some(Ending::Finished(finish, usage)) => {
            record.tokens = Some(tokens(usage));
            record.queued_ms = Some(milliseconds(usage.timing.ready));
            record.routed_model = usage.routed_model.map(|model| model.as_str().to_owned());
            Outcome::Finished { reason: finish.as_str().to_owned() }
        }
        Some(Ending::Completed(reason)) => Outcome::Finished { reason: (*reason).to_owned() },
        Some(Ending::Failed(failure)) => Outcome::Failed {
            kind: failure.kind().to_owned(),
            message: cut(&failure.to_string(), MAX_MESSAGE),
            hint: failure.hint().to_owned(),
        },
        None => Outcome::Disconnected,
    };
    let RequestRecord {
        id,
        key,
        dialect,
        method,
        model,
        failed_models,
        routed_model,
        first_ms,
        rejected,
        ..
    } = &*record;
    let model = quoted(model.as_deref().unwrap_or_default()).to_string() + &after(failed_models);
    let routed =
        routed_model.as_ref().map(|model| format!(" routed_model={}", quoted(model))).unwrap_or_default();
    let cost_of_unfinished = cost
        .as_ref()
        .map(|cost| format!(" tokens_in={} tokens_out={}{}", cost.input, cost.output, cost_fields(cost)));
    let cost_of_unfinished = cost_of_unfinished.unwrap_or_default();
    let cost = cost.as_ref().map(cost_fields).unwrap_or_default();
    let key = key.as_ref().map(|key| format!(" key={}", quoted(key))).unwrap_or_default();
    match ending {
        Some(Ending::Finished(finish, usage)) => log::info!(
            "request finished request={id}{key} dialect={dialect} model={model}{routed} reason={} total={elapsed:.1?} \
                 first_ms={} tokens_in={} tokens_out={}{cost}",
            finish.as_str(),
            first_ms.unwrap_or_default(),
            usage.input,
            usage.output,
        ),
        Some(Ending::Completed(reason)) => {
            log::info!(
                "request finished request={id}{key} dialect={dialect} reason={reason} total={elapsed:.1?}"
            );
        }
        Some(Ending::Failed(failure)) if *rejected => {
            // Neither path nor message: any program can have written both.
            log::warn!(
                "request rejected request={id}{key} method={} error={}",
                quoted(method),
                failure.kind()
            );
        }
        Some(Ending::Failed(failure)) => {
            let why = if raw_logging { failure.to_string() } else { failure.redacted() };
            log::warn!(
                "request failed request={id}{key} dialect={dialect} model={model} total={elapsed:.1?}{cost_of_unfinished} error={why:?}"
            );
        }
        None => log::info!(
            "request cancelled, client disconnected request={id}{key} dialect={dialect} model={model} total={elapsed:.1?}{cost_of_unfinished}"
        ),
    }
    let lacks_consent = matches!(ending, Some(Ending::Failed(Failure::ConsentMissing { .. })));
    state.revision = log.bump_revision();
    let row = log.usage.as_ref().and_then(|usage| Some((usage, usage_row(&state)?)));
    if let Some((usage, row)) = row {
        usage.insert(row);
    }
    drop(state);
    log.close(shared, lacks_consent);
}

/// Lets the usage database read the row of a request that runs, so that its cost so far survives a crash.
fn await_row(log: &RequestLog, state: &Weak<Mutex<RecordState>>) {
    let (Some(usage), Some(shared)) = (&log.usage, state.upgrade()) else { return };
    if !std::mem::replace(&mut shared.lock().is_row_awaited, true) {
        usage.insert_running(shared);
    }
}

impl RunningRequest for Mutex<RecordState> {
    fn row(&self) -> Option<UsageRow> {
        let mut state = self.lock();
        state.is_row_awaited = false;
        // The row of one that has ended comes by itself.
        if state.is_running() { usage_row(&state) } else { None }
    }
}

/// The row for the usage database; none for a request that ran no model.
fn usage_row(state: &RecordState) -> Option<UsageRow> {
    let RecordState { record, ending, meter, session, agent, .. } = state;
    if record.dialect.is_empty() || record.dialect == MCP || record.rejected {
        return None;
    }
    let cost = meter.so_far();
    let (credits, premium_requests) =
        cost.as_ref().map_or((None, None), |cost| (cost.credits, cost.premium_requests));
    let (usage, queued) = match ending {
        Some(Ending::Finished(_, usage)) => (usage.clone(), Some(usage.timing.ready)),
        Some(Ending::Completed(_) | Ending::Failed(_)) | None => (cost.unwrap_or_default(), None),
    };
    let outcome = match &record.outcome {
        Outcome::Finished { reason } => reason.as_str(),
        Outcome::Failed { kind, .. } => kind.as_str(),
        Outcome::Disconnected => "disconnected",
        Outcome::Running => RUNNING,
    };
    Some(UsageRow {
        time: now(),
        request_id: record.id.clone(),
        dialect: record.dialect.clone(),
        client: record.client.clone(),
        session: session.clone().unwrap_or_else(|| record.client.clone()),
        agent: agent.clone(),
        key: record.key.clone(),
        model: record.model.clone(),
        routed_model: record.routed_model.clone(),
        input_tokens: usage.input,
        cached_tokens: usage.cached,
        cache_write_tokens: usage.cache_written,
        output_tokens: usage.output,
        reasoning_tokens: usage.reasoning,
        credits,
        premium_requests,
        attempts: meter.attempts(),
        queued_ms: queued.map(milliseconds),
        first_ms: record.first_ms,
        total_ms: record.duration_ms.unwrap_or_else(|| milliseconds(state.began.elapsed())),
        outcome: outcome.to_owned(),
        prefix_kept: record.prefix_kept,
        prefix_break: record.prefix_break.clone(),
    })
}

/// The field of the log for models that could not respond; empty if there are none.
fn after(failed: &[FailedModel]) -> String {
    let shown: Vec<String> = failed.iter().map(|one| format!("{} ({})", one.model, one.reason)).collect();
    if shown.is_empty() { String::new() } else { format!(" failed_models={}", quoted(&shown.join(", "))) }
}

/// The fields of the log for the cost of a request; empty where it is unknown.
fn cost_fields(cost: &Usage) -> String {
    let credits = cost.credits.map(|credits| format!(" credits={}", credits.amount()));
    let requests = cost.premium_requests.map(|requests| format!(" premium_requests={requests}"));
    credits.unwrap_or_default() + &requests.unwrap_or_default()
}

fn tool_run(ran: &ToolRan) -> ToolRun {
    ToolRun {
        name: cut(&ran.call.name, MAX_REQUESTED),
        round: ran.round,
        time: milliseconds(ran.time.began),
        duration_ms: milliseconds(ran.time.took),
        failed: ran.result.is_error,
    }
}

fn tokens(usage: &Usage) -> Tokens {
    Tokens {
        input: usage.input,
        output: usage.output,
        cached: usage.cached,
        reported: usage.source == UsageSource::Reported,
    }
}

fn cut(text: &str, limit: usize) -> String {
    text.get(..text.floor_char_boundary(limit)).unwrap_or(text).to_owned()
}

/// Length in characters.
fn length(text: &str) -> u64 {
    text.chars().count() as u64
}

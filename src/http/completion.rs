//! The only code that runs a dialect: reads a request, starts its completion, and lets `response` write it.

use std::iter::once;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::http::header::HeaderValue;
use actix_web::web::{Data, Payload, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use futures_util::future::ready;
use futures_util::stream::{self, StreamExt, select_all};
use futures_util::{FutureExt, TryStreamExt};

use super::access::{ClientPermissions, identity_of};
use super::caught_panic::panicked;
use super::error_response::{client_agent, client_session, in_dialect, request_info};
use super::random_id::random_id;
use super::request_id::RequestId;
use super::response::{ChoiceEvents, ResponseWriter};
use super::state::AppState;
use super::{context_management, provoked_panic, request_body, request_key, tool_access};
use crate::auto_mode::AutoMode;
use crate::blocking;
use crate::budgets::Meter;
use crate::completion::{
    CompletionRequest, Events, ModelChain, ModelFailure, PrefixReport, StartedCompletion,
};
use crate::conversation::{Conversation, Event, Finish, Usage, WebTools};
use crate::dialect::{Dialect, RequestExtensions, RequestHead, ResponseMeta, UnknownModel};
use crate::failure::{Failure, shortened};
use crate::keys::ClientIdentity;
use crate::log::now;
use crate::models::ModelEntry;
use crate::request_log::{Record, RequestInfo};

/// Headers that change the meaning of a request: captured with it, so that it can be sent again. Never a key.
const CAPTURED_HEADERS: [&str; 3] = ["x-copilot-proxy-workspace", "anthropic-version", "anthropic-beta"];

/// Handler of every endpoint that runs a model in dialect `D`.
pub(super) async fn complete_with<D: Dialect>(
    request: HttpRequest,
    payload: Payload,
    id: ReqData<RequestId>,
    client: ReqData<ClientPermissions>,
    state: Data<AppState>,
    memory: Data<D::Memory>,
) -> HttpResponse {
    let (capture, raw_logging) = {
        let user_settings = state.user_settings.read();
        (user_settings.log_requests_to_ui, user_settings.raw_logging)
    };
    let info = RequestInfo { capture, raw_logging, ..request_info(&request, &id, D::NAME) };
    let record = Rc::new(state.request_log.begin(info));
    let identity = identity_of(&request);
    let attempt = attempt::<D>(&request, payload, *client, &state, memory, record.clone());
    let result = tokio::select! {
        // The key first: where it is missing nothing may be sent to a model any more.
        biased;
        () = identity.revoked() => Err(request_key::failure(&identity)),
        () = record.cancelled() => Err(Failure::Cancelled),
        result = AssertUnwindSafe(attempt).catch_unwind() => result.unwrap_or_else(|_| Err(panicked())),
    };
    let response = result.unwrap_or_else(|failure| {
        record.failed(&failure);
        in_dialect::<D>(&request, &failure)
    });
    record.set_status(response.status().as_u16());
    if record.captures() { record_body(response, &record) } else { response }
}

/// Picks the headers that are captured with a request.
pub(super) fn captured_headers(request: &HttpRequest) -> impl Iterator<Item = (String, String)> {
    CAPTURED_HEADERS.iter().filter_map(|name| {
        let value = request.headers().get(*name)?.to_str().ok()?;
        Some(((*name).to_owned(), value.to_owned()))
    })
}

/// Records the body of a whole response; a stream records its chunks as they are written.
fn record_body(response: HttpResponse, record: &Record) -> HttpResponse {
    let (head, body) = response.into_parts();
    match body.try_into_bytes() {
        Ok(bytes) => {
            record.record_response_body(&bytes);
            head.set_body(BoxBody::new(bytes))
        }
        Err(body) => head.set_body(body),
    }
}

/// Reads the request and starts its completion; the response of a stream is returned before it ends.
async fn attempt<D: Dialect>(
    request: &HttpRequest,
    payload: Payload,
    client: ClientPermissions,
    state: &AppState,
    memory: Data<D::Memory>,
    record: Rc<Record>,
) -> Result<HttpResponse, Failure> {
    let body =
        request_body::read(request.headers(), payload.into_inner(), state.options.receive_timeout).await?;
    record.record_request_body(captured_headers(request), &body);
    let (parsed, options) = {
        let (head, memory) = (head_of(request), memory.clone());
        blocking::run(body.len(), move || D::read(&head, &body, &memory)).await?
    };
    let models = {
        let user_settings = state.user_settings.read();
        let is_nearest = D::UNKNOWN_MODEL == UnknownModel::Nearest;
        ModelChain::new(parsed.model, parsed.models, &user_settings.fallbacks, is_nearest)
    };
    record.set_requested(models.first_name(), parsed.stream);
    let client_identity = identity_of(request);
    let payer = record.payer(client_identity.limits(), max_credits(request)?);
    record.meter().set_payer(state.budgets.clone(), payer);
    let choices = parsed.conversation.options.choices.map_or(1, |choices| usize::from(choices.get()));
    let completion_request = CompletionRequest {
        request_id: RequestId::of(request).text(),
        models,
        client: client_identity,
        session: session_of(request),
        meter: record.meter(),
        conversation: parsed.conversation,
    };
    let RunningCompletion { model, counted_input, prefix, events } = if parsed.only_model {
        model_only(state.completions.model(&completion_request).await?)
    } else {
        complete(completion_request, parsed.extensions, parsed.web, request, client, state, &record).await?
    };
    record.set_model(&model.id);
    if let Some(PrefixReport { kept, broken_by }) = prefix {
        let (broken_by, loss) = broken_by.unzip();
        record.set_prefix(kept, broken_by.map(|change| change.to_string()), loss);
    }
    let mut response = HttpResponse::Ok();
    // An editor may name its models as it likes; a header can't hold every name.
    if let Ok(id) = HeaderValue::from_str(&model.id) {
        response.insert_header(("x-copilot-proxy-model", id));
    }
    let meta =
        ResponseMeta { id: random_id().to_string(), created: now() / 1000, model: model.id, counted_input };
    let events = with_whole_cost(events, record.meter());
    let writer = ResponseWriter::<D>::new(meta, options, memory, record.clone(), choices);
    if parsed.stream {
        let events = until_revoked(until_cancelled(events, record), identity_of(request));
        writer.streamed(response, events, &state.options).await
    } else {
        writer.whole(response, events).await
    }
}

/// Completes the usage at the end of a response with the cost of all attempts, the failed ones too.
fn with_whole_cost(events: ChoiceEvents, meter: Meter) -> ChoiceEvents {
    let event = move |(choice, event)| match event {
        Ok(Event::Finish(finish, usage)) => (choice, Ok(Event::Finish(finish, meter.take_cost(usage)))),
        other => (choice, other),
    };
    events.map(event).boxed_local()
}

/// The limit in credits that a request carries in a header.
fn max_credits(request: &HttpRequest) -> Result<Option<f64>, Failure> {
    const NAME: &str = "x-copilot-proxy-max-credits";
    let Some(value) = request.headers().get(NAME) else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    match text.trim().parse::<f64>() {
        Ok(credits) if credits.is_finite() && credits >= 0.0 => Ok(Some(credits)),
        Ok(_) | Err(_) => {
            Err(Failure::invalid(NAME, format!("found `{}`, expected a number of credits", shortened(text))))
        }
    }
}

/// The session of a request and the sub-agent in it, as far as the client names them.
fn session_of(request: &HttpRequest) -> Option<Arc<str>> {
    let session = client_session(request)?;
    Some(format!("{session}\n{}", client_agent(request).unwrap_or_default()).into())
}

/// The head of a request for its dialect, without keys.
pub(super) fn head_of(request: &HttpRequest) -> RequestHead {
    let query = request.query_string().split('&').filter(|field| !field.starts_with("key="));
    RequestHead { path: request.path().to_owned(), query: query.collect::<Vec<_>>().join("&") }
}

/// A completion that has started.
struct RunningCompletion {
    model: ModelEntry,
    counted_input: u64,
    prefix: Option<PrefixReport>,
    events: ChoiceEvents,
}

/// Starts a completion, in auto mode with the editor's tools.
async fn complete(
    mut completion_request: CompletionRequest,
    extensions: RequestExtensions,
    web: WebTools,
    request: &HttpRequest,
    client: ClientPermissions,
    state: &AppState,
    record: &Record,
) -> Result<RunningCompletion, Failure> {
    let auto_mode =
        tool_access::attach(&mut completion_request.conversation, extensions, web, request, client, state)
            .await?;
    let (applied, compaction) = context_management::edit(&mut completion_request.conversation).await?;
    let on_fallback = |failed: &ModelFailure| record.add_failed_model(&failed.model, &failed.failure);
    if let Some(compaction) = compaction {
        let summary = context_management::summary_request(&completion_request, &compaction);
        let started = state.completions.start(summary, on_fallback).await?;
        let (model, counted_input) = (started.model.clone(), started.counted_input);
        let prefix = started.prefix.clone();
        let conversation = completion_request.conversation;
        let resume = resume(&started, auto_mode, state);
        let events = context_management::compact(started, compaction.pauses, conversation, resume);
        let events = single_choice(context_management::reported(events, applied));
        return Ok(RunningCompletion { model, counted_input, prefix, events });
    }
    // Only auto mode needs the conversation again; it may be megabytes.
    let auto_mode = auto_mode.map(|auto_mode| (auto_mode, completion_request.conversation.clone()));
    let started = state.completions.start(completion_request, on_fallback).await?;
    let (model, counted_input) = (started.model.clone(), started.counted_input);
    let prefix = started.prefix.clone();
    let events = match auto_mode {
        Some((auto_mode, conversation)) => {
            let events = state.auto_mode.start(auto_mode, started, conversation);
            single_choice(context_management::reported(events, applied))
        }
        None if applied.is_empty() => all_choices(started),
        // The API that has edits has one choice.
        None => single_choice(context_management::reported(started.events, applied)),
    };
    Ok(RunningCompletion { model, counted_input, prefix, events })
}

/// A function that runs the rest of a conversation after its compaction, with the same model.
fn resume(
    summary: &StartedCompletion,
    auto_mode: Option<AutoMode>,
    state: &AppState,
) -> impl AsyncFnOnce(Conversation) -> Result<Events, Failure> + use<> + 'static {
    let (request_id, model, client, session, meter) = (
        summary.request_id.clone(),
        summary.model.id.clone(),
        summary.client.clone(),
        summary.session.clone(),
        summary.meter.clone(),
    );
    let (completions, sessions) = (state.completions.clone(), state.auto_mode.clone());
    async move |conversation: Conversation| {
        let request =
            CompletionRequest::same_model(request_id, model, client, session, meter, conversation.clone());
        let started = completions.start(request, |_| ()).await?;
        Ok(match auto_mode {
            Some(auto_mode) => sessions.start(auto_mode, started, conversation),
            None => started.events,
        })
    }
}

/// Ends the events with a failure when the user cancels the request. A response that has no head yet is cancelled by
/// its handler.
fn until_cancelled(events: ChoiceEvents, record: Rc<Record>) -> ChoiceEvents {
    let cancelled = async move { record.cancelled().await };
    let mut cancelled = Box::pin(cancelled);
    let mut events = Some(events);
    stream::poll_fn(move |context| {
        let Some(running) = &mut events else { return Poll::Ready(None) };
        if cancelled.poll_unpin(context).is_ready() {
            events = None;
            return Poll::Ready(Some((0, Err(Failure::Cancelled))));
        }
        running.poll_next_unpin(context)
    })
    .boxed_local()
}

/// Ends a stream with an error when the client's key is revoked; that drops its events, which cancels the model.
fn until_revoked(mut events: ChoiceEvents, client: ClientIdentity) -> ChoiceEvents {
    if client.is_anonymous() {
        return events;
    }
    let until = async_stream::stream! {
        let mut revoked = pin!(client.revoked());
        loop {
            tokio::select! {
                biased;
                () = &mut revoked => {
                    yield (0, Err(Failure::KeyRevoked));
                    break;
                }
                event = events.next() => match event {
                    Some(event) => yield event,
                    None => break,
                },
            }
        }
    };
    until.boxed_local()
}

/// An empty completion, for requests that only check that the model exists.
fn model_only(model: ModelEntry) -> RunningCompletion {
    let end = Event::Finish(Finish::Stop, Usage::default());
    let events = single_choice(Box::pin(stream::once(ready(Ok(end)))));
    RunningCompletion { model, counted_input: 0, prefix: None, events }
}

/// The events of all choices, as they come.
fn all_choices(started: StartedCompletion) -> ChoiceEvents {
    if started.other_choices.is_empty() {
        return single_choice(started.events);
    }
    let choices = once(started.events).chain(started.other_choices).enumerate();
    let numbered =
        choices.map(|(choice, events)| single_choice(events).map(move |(_, event)| (choice, event)));
    select_all(numbered).boxed_local()
}

/// The events of a response with one choice; a panic while they are made becomes a failure.
fn single_choice(events: Events) -> ChoiceEvents {
    let events = events.inspect_ok(|event| provoked_panic::at_event("events", event));
    let events = AssertUnwindSafe(events).catch_unwind();
    events.map(|event| (0, event.unwrap_or_else(|_| Err(panicked())))).boxed_local()
}

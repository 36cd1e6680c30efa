//! The only code that runs a dialect: reads a request, asks, and lets `writer` say the answer.

use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::USER_AGENT;
use actix_web::web::{Data, Payload, ReqData};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use futures_util::FutureExt;
use futures_util::future::ready;
use futures_util::stream::{self, StreamExt, select_all};

use super::access::Client;
use super::editor_tools::attach;
use super::response::{Choices, ResponseWriter, panicked};
use super::{AppState, RequestId, request_body};
use crate::auto_mode;
use crate::blocking;
use crate::completion::{CompletionRequest, Events, PreparedCompletion};
use crate::conversation::{Event, Finish, Usage};
use crate::dialect::{Dialect, RequestExtensions, ResponseMeta, UnknownModel};
use crate::failure::Failure;
use crate::log::now;
use crate::models::Listed;
use crate::request_log::{Record, RequestInfo};

/// Headers that change what a request means, so that it is shown and can be sent again. Never one that holds a key.
const MEANINGFUL: [&str; 3] = ["x-copilot-proxy-workspace", "anthropic-version", "anthropic-beta"];

/// A door of a dialect.
pub(super) async fn answer<D: Dialect>(
    request: HttpRequest,
    payload: Payload,
    id: ReqData<RequestId>,
    client: ReqData<Client>,
    state: Data<AppState>,
    memory: Data<D::Memory>,
) -> HttpResponse {
    let (capture, raw_logging) = {
        let user_settings = state.completions.user_settings.read();
        (user_settings.log_requests_to_ui, user_settings.raw_logging)
    };
    let request_info = request_info(&request, id.into_inner(), D::NAME);
    let record = Rc::new(state.request_log.begin(RequestInfo { capture, raw_logging, ..request_info }));
    let answered = attempt::<D>(&request, payload, *client, &state, memory, record.clone());
    let response = match AssertUnwindSafe(answered).catch_unwind().await.unwrap_or_else(|_| Err(panicked())) {
        Ok(response) => response,
        Err(failure) => {
            record.failed(&failure);
            error_response::<D>(&request, &failure)
        }
    };
    if record.captures() { record_body(response, &record) } else { response }
}

/// How the account of a request begins, of which no words are kept.
pub(super) fn request_info<'a>(
    request: &'a HttpRequest,
    RequestId(id): RequestId,
    dialect: &'static str,
) -> RequestInfo<'a> {
    let user_agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    RequestInfo {
        id,
        dialect,
        method: request.method().as_str(),
        path: request.path(),
        user_agent: user_agent.unwrap_or_default(),
        capture: false,
        raw_logging: false,
    }
}

/// The headers of a request that are shown with it.
fn meaningful(request: &HttpRequest) -> impl Iterator<Item = (String, String)> {
    MEANINGFUL.iter().filter_map(|name| {
        let value = request.headers().get(*name)?.to_str().ok()?;
        Some(((*name).to_owned(), value.to_owned()))
    })
}

/// An answer whose bytes are there already is noted as it leaves; a stream notes its own.
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

/// A failure before the first part.
pub(super) fn error_response<D: Dialect>(request: &HttpRequest, failure: &Failure) -> HttpResponse {
    let mut error = D::error_response(failure);
    if let (Some(place), Some(id)) =
        (error.body.get_mut("request_id"), request.extensions().get::<RequestId>())
    {
        *place = id.0.clone().into();
    }
    let mut response = HttpResponse::build(StatusCode::from_u16(error.status).unwrap_or_default());
    for header in failure.headers() {
        response.insert_header(header);
    }
    if matches!(failure, Failure::BodyTooLarge { .. } | Failure::ReceiveTimeout { .. }) {
        response.force_close();
    }
    response.json(error.body)
}

async fn attempt<D: Dialect>(
    request: &HttpRequest,
    payload: Payload,
    client: Client,
    state: &AppState,
    memory: Data<D::Memory>,
    record: Rc<Record>,
) -> Result<HttpResponse, Failure> {
    let body =
        request_body::read(request.headers(), payload.into_inner(), state.settings.receive_timeout).await?;
    record.record_request_body(meaningful(request), &body);
    let (parsed, options) = {
        let memory = memory.clone();
        blocking::run(body.len(), move || D::read(&body, &memory)).await?
    };
    record.asked(parsed.model.as_deref(), parsed.stream);
    let choices = parsed.conversation.options.choices.map_or(1, |choices| usize::from(choices.get()));
    let completion_request = CompletionRequest {
        model: parsed.model,
        leniently: D::UNKNOWN_MODEL == UnknownModel::Nearest,
        conversation: parsed.conversation,
    };
    let RunningCompletion { model, counted_input, events } = if parsed.only_model {
        model_only(state.completions.model(&completion_request).await?)
    } else {
        complete(completion_request, choices, parsed.extras, request, client, state).await?
    };
    record.answered_by(&model.id);
    let mut response = HttpResponse::Ok();
    response.insert_header(("x-copilot-proxy-model", model.id.as_str()));
    let meta = ResponseMeta {
        id: uuid::Uuid::new_v4().simple().to_string(),
        created: now() / 1000,
        model: model.id,
        counted_input,
    };
    let writer = ResponseWriter::<D>::new(meta, options, memory, record, choices);
    if parsed.stream {
        writer.streamed(response, events, &state.settings).await
    } else {
        writer.whole(response, events).await
    }
}

/// Who answers, and what.
struct RunningCompletion {
    model: Listed,
    counted_input: u64,
    events: Choices,
}

/// A model is asked, in auto mode again and again.
async fn complete(
    mut completion_request: CompletionRequest,
    choices: usize,
    extras: RequestExtensions,
    request: &HttpRequest,
    client: Client,
    state: &AppState,
) -> Result<RunningCompletion, Failure> {
    let auto = attach(&mut completion_request.conversation, extras, request, client, state).await?;
    // Only auto mode asks again; a conversation may be megabytes.
    let again = auto.map(|auto| (auto, completion_request.conversation.clone()));
    let asked = state.completions.ask(completion_request).await?;
    let (model, counted_input) = (asked.model.clone(), asked.counted_input);
    let events = match again {
        Some((auto, conversation)) => single_choice(auto_mode::start(auto.plan(asked, conversation, state))),
        None => all_choices(&asked, choices),
    };
    Ok(RunningCompletion { model, counted_input, events })
}

/// The model is there, and is asked nothing.
fn model_only(model: Listed) -> RunningCompletion {
    let end = Event::Finish(Finish::Stop, Usage::default());
    RunningCompletion {
        model,
        counted_input: 0,
        events: single_choice(Box::pin(stream::once(ready(Ok(end))))),
    }
}

/// All choices, answered at the same time.
fn all_choices(asked: &PreparedCompletion, choices: usize) -> Choices {
    if choices == 1 {
        return single_choice(asked.answer());
    }
    let answer = |choice| single_choice(asked.answer()).map(move |(_, event)| (choice, event));
    select_all((0..choices).map(answer)).boxed_local()
}

fn single_choice(events: Events) -> Choices {
    let events = AssertUnwindSafe(events).catch_unwind();
    events.map(|event| (0, event.unwrap_or_else(|_| Err(panicked())))).boxed_local()
}

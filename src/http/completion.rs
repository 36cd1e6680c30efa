//! The only code that runs a dialect: reads a request, asks, and lets `telling` say the answer.

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

use super::access::Caller;
use super::editor_tools::attach;
use super::response::{Choices, ResponseWriter, panicked};
use super::{AppState, RequestId, request_body};
use crate::auto_mode;
use crate::blocking::{LARGE, elsewhere};
use crate::completion::{CompletionRequest, Events, PreparedCompletion};
use crate::conversation::{Event, Finish, Usage};
use crate::dialect::{About, Dialect, Extras, Names};
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
    caller: ReqData<Caller>,
    state: Data<AppState>,
    memory: Data<D::Memory>,
) -> HttpResponse {
    let (keep_words, log_words) = {
        let user_settings = state.completions.user_settings.read();
        (user_settings.log_requests_to_ui, user_settings.raw_logging)
    };
    let opening = opening(&request, id.into_inner(), D::NAME);
    let entry = Rc::new(state.request_log.begin(RequestInfo { keep_words, log_words, ..opening }));
    let answered = attempt::<D>(&request, payload, *caller, &state, memory, entry.clone());
    let response = match AssertUnwindSafe(answered).catch_unwind().await.unwrap_or_else(|_| Err(panicked())) {
        Ok(response) => response,
        Err(failure) => {
            entry.failed(&failure);
            refusal::<D>(&request, &failure)
        }
    };
    if entry.keeps_words() { overheard(response, &entry) } else { response }
}

/// How the account of a request begins, of which no words are kept.
pub(super) fn opening<'a>(
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
        keep_words: false,
        log_words: false,
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
fn overheard(response: HttpResponse, entry: &Record) -> HttpResponse {
    let (head, body) = response.into_parts();
    match body.try_into_bytes() {
        Ok(bytes) => {
            entry.went(&bytes);
            head.set_body(BoxBody::new(bytes))
        }
        Err(body) => head.set_body(body),
    }
}

/// A failure before the first part.
pub(super) fn refusal<D: Dialect>(request: &HttpRequest, failure: &Failure) -> HttpResponse {
    let mut refusal = D::refuse(failure);
    if let (Some(place), Some(id)) =
        (refusal.body.get_mut("request_id"), request.extensions().get::<RequestId>())
    {
        *place = id.0.clone().into();
    }
    let mut response = HttpResponse::build(StatusCode::from_u16(refusal.status).unwrap_or_default());
    for header in failure.headers() {
        response.insert_header(header);
    }
    if matches!(failure, Failure::BodyTooLarge { .. } | Failure::ReceiveTimeout { .. }) {
        response.force_close();
    }
    response.json(refusal.body)
}

async fn attempt<D: Dialect>(
    request: &HttpRequest,
    payload: Payload,
    caller: Caller,
    state: &AppState,
    memory: Data<D::Memory>,
    entry: Rc<Record>,
) -> Result<HttpResponse, Failure> {
    let body =
        request_body::read(request.headers(), payload.into_inner(), state.settings.receive_timeout).await?;
    entry.came(meaningful(request), &body);
    let (ask, form) = if body.len() > LARGE {
        let memory = memory.clone();
        elsewhere(move || D::read(&body, &memory)).await?
    } else {
        D::read(&body, &memory)?
    };
    entry.asked(ask.model.as_deref(), ask.stream);
    let choices = ask.conversation.options.choices.map_or(1, |choices| usize::from(choices.get()));
    let question = CompletionRequest {
        model: ask.model,
        leniently: D::NAMES == Names::Lenient,
        conversation: ask.conversation,
    };
    let Answering { model, counted_input, events } = if ask.only_model {
        nobody(state.completions.model(&question).await?)
    } else {
        somebody(question, choices, ask.extras, request, caller, state).await?
    };
    entry.answered_by(&model.id);
    let mut response = HttpResponse::Ok();
    response.insert_header(("x-copilot-proxy-model", model.id.as_str()));
    let about = About {
        id: uuid::Uuid::new_v4().simple().to_string(),
        created: now() / 1000,
        model: model.id,
        counted_input,
    };
    let telling = ResponseWriter::<D>::new(about, form, memory, entry, choices);
    if ask.stream {
        telling.streamed(response, events, &state.settings).await
    } else {
        telling.whole(response, events).await
    }
}

/// Who answers, and what.
struct Answering {
    model: Listed,
    counted_input: u64,
    events: Choices,
}

/// A model is asked, in auto mode again and again.
async fn somebody(
    mut question: CompletionRequest,
    choices: usize,
    extras: Extras,
    request: &HttpRequest,
    caller: Caller,
    state: &AppState,
) -> Result<Answering, Failure> {
    let equipment = attach(&mut question.conversation, extras, request, caller, state).await?;
    // Only auto mode asks again; a conversation may be megabytes.
    let again = equipment.map(|equipment| (equipment, question.conversation.clone()));
    let asked = state.completions.ask(question).await?;
    let (model, counted_input) = (asked.model.clone(), asked.counted_input);
    let events = match again {
        Some((equipment, conversation)) => one(auto_mode::start(equipment.plan(asked, conversation, state))),
        None => all(&asked, choices),
    };
    Ok(Answering { model, counted_input, events })
}

/// The model is there, and is asked nothing.
fn nobody(model: Listed) -> Answering {
    let end = Event::Finish(Finish::Stop, Usage::default());
    Answering { model, counted_input: 0, events: one(Box::pin(stream::once(ready(Ok(end))))) }
}

/// All choices, answered at the same time.
fn all(asked: &PreparedCompletion, choices: usize) -> Choices {
    if choices == 1 {
        return one(asked.answer());
    }
    let answer = |choice| one(asked.answer()).map(move |(_, event)| (choice, event));
    select_all((0..choices).map(answer)).boxed_local()
}

fn one(events: Events) -> Choices {
    let events = AssertUnwindSafe(events).catch_unwind();
    events.map(|event| (0, event.unwrap_or_else(|_| Err(panicked())))).boxed_local()
}

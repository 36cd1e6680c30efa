//! The only code that runs a dialect: reads a request, asks, and says the answer whole or as a stream.

use std::convert::Infallible;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, USER_AGENT};
use actix_web::web::{Bytes, Data, Payload, ReqData};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder};
use async_stream::stream;
use futures_util::FutureExt;
use futures_util::stream::{LocalBoxStream, StreamExt, select_all};
use tokio::time::{Instant, timeout, timeout_at};

use super::equipment::equip;
use super::guard::Caller;
use super::{House, RequestId, body};
use crate::actors::session;
use crate::asking::{Asked, Events, Question};
use crate::conversation::Event;
use crate::dialect::{About, Dialect, Encoder, Names, usage_of};
use crate::failure::Failure;
use crate::ledger::{Entry, Opening};
use crate::log::now;
use crate::threads::{LARGE, elsewhere};

/// Bytes that are enough for one write, even if more is ready.
const ENOUGH: usize = 64 * 1024;

/// The events of all choices, each with the number of its choice.
type Choices = LocalBoxStream<'static, (usize, Result<Event, Failure>)>;

/// A door of a dialect.
pub(super) async fn answer<D: Dialect>(
    request: HttpRequest,
    payload: Payload,
    id: ReqData<RequestId>,
    caller: ReqData<Caller>,
    house: Data<House>,
    memory: Data<D::Memory>,
) -> HttpResponse {
    let user_agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok());
    let entry = Rc::new(house.ledger.begin(Opening {
        id: id.into_inner().0,
        dialect: D::NAME,
        path: request.path(),
        user_agent: user_agent.unwrap_or_default(),
        keep_words: house.asking.preferences.read().log_requests_to_ui,
    }));
    let answered = attempt::<D>(&request, payload, *caller, &house, memory, entry.clone());
    let response = match AssertUnwindSafe(answered).catch_unwind().await.unwrap_or_else(|_| Err(panicked())) {
        Ok(response) => response,
        Err(failure) => {
            entry.failed(&failure);
            refusal::<D>(&request, &failure)
        }
    };
    if entry.keeps_words() { overheard(response, &entry) } else { response }
}

/// An answer whose bytes are there already is noted as it leaves; a stream notes its own.
fn overheard(response: HttpResponse, entry: &Entry) -> HttpResponse {
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
    house: &House,
    memory: Data<D::Memory>,
    entry: Rc<Entry>,
) -> Result<HttpResponse, Failure> {
    let body = body::read(request.headers(), payload.into_inner(), house.settings.receive_timeout).await?;
    entry.came(&body);
    let (ask, form) = if body.len() > LARGE {
        let memory = memory.clone();
        elsewhere(move || D::read(&body, &memory)).await?
    } else {
        D::read(&body, &memory)?
    };
    entry.asked(ask.model.as_deref(), ask.stream);
    let choices = ask.conversation.options.choices.map_or(1, |choices| usize::from(choices.get()));
    let mut question =
        Question { model: ask.model, leniently: D::NAMES == Names::Lenient, conversation: ask.conversation };
    let equipment = equip(&mut question.conversation, ask.extras, request, caller, house).await?;
    // Only auto mode asks again; a conversation may be megabytes.
    let again = equipment.map(|equipment| (equipment, question.conversation.clone()));
    let asked = house.asking.ask(question).await?;
    entry.answered_by(&asked.model.id);
    let about = About {
        id: uuid::Uuid::new_v4().simple().to_string(),
        created: now() / 1000,
        model: asked.model.id.clone(),
        counted_input: asked.counted_input,
    };
    let mut response = HttpResponse::Ok();
    response.insert_header(("x-copilot-proxy-model", asked.model.id.as_str()));
    let events = match again {
        Some((equipment, conversation)) => one(session::start(equipment.plan(asked, conversation, house))),
        None => all(&asked, choices),
    };
    let telling = Telling::<D> { about, form, memory, entry, answers: vec![Vec::new(); choices] };
    if ask.stream {
        telling.streamed(response, events, house).await
    } else {
        telling.whole(response, events).await
    }
}

/// All choices, answered at the same time.
fn all(asked: &Asked, choices: usize) -> Choices {
    if choices == 1 {
        return one(asked.answer());
    }
    let answer = |choice| asked.answer().map(move |event| (choice, event));
    select_all((0..choices).map(answer)).boxed_local()
}

/// A fault of ours ends one answer, and says so.
fn panicked() -> Failure {
    Failure::Internal { message: "something that must not happen has happened; please report it".into() }
}

fn one(events: Events) -> Choices {
    let events = AssertUnwindSafe(events).catch_unwind();
    events.map(|event| (0, event.unwrap_or_else(|_| Err(panicked())))).boxed_local()
}

/// An answer that is being told.
struct Telling<D: Dialect> {
    about: About,
    form: D::Form,
    memory: Data<D::Memory>,
    entry: Rc<Entry>,
    /// The events of each choice, where they are needed once more.
    answers: Vec<Vec<Event>>,
}

impl<D: Dialect> Telling<D> {
    /// The whole answer in one reply: a fold over the very events that a stream tells.
    async fn whole(
        mut self,
        mut response: HttpResponseBuilder,
        mut events: Choices,
    ) -> Result<HttpResponse, Failure> {
        while let Some((choice, event)) = events.next().await {
            let event = event?;
            self.entry.heard(&event);
            self.keep(choice, event);
        }
        let usage = usage_of(&self.answers);
        let reply = D::reply(&self.about, &self.form, &self.answers);
        self.remember();
        Ok(response.insert_header(("x-copilot-proxy-usage", usage.source.as_str())).json(reply))
    }

    /// The answer as it comes. The headers leave with the first sign of the model, or when it has been silent
    /// for a while; until then a failure is an HTTP status.
    async fn streamed(
        self,
        mut response: HttpResponseBuilder,
        mut events: Choices,
        house: &House,
    ) -> Result<HttpResponse, Failure> {
        let first = match timeout(house.settings.open_after, events.next()).await {
            Ok(Some((_, Err(failure)))) => return Err(failure),
            Ok(first) => first,
            Err(_) => None,
        };
        let ping_every = house.settings.ping_every;
        let body = stream! {
            let mut telling = self;
            let mut encoder = D::encoder(&telling.about, &telling.form);
            let mut out = Vec::new();
            encoder.open(&mut out);
            let mut next = first;
            let mut told = Told::More;
            let mut silent_since = Instant::now();
            loop {
                if let Some((choice, event)) = next.take() {
                    told = telling.tell(choice, event, &mut encoder, &mut out);
                }
                while told == Told::More && out.len() < ENOUGH {
                    match events.next().now_or_never() {
                        None => break,
                        Some(None) => told = telling.close(&mut encoder, &mut out),
                        Some(Some((choice, event))) => told = telling.tell(choice, event, &mut encoder, &mut out),
                    }
                }
                if !out.is_empty() {
                    telling.entry.went(&out);
                    yield Ok::<_, Infallible>(Bytes::from(std::mem::take(&mut out)));
                    silent_since = Instant::now();
                }
                if told == Told::All {
                    break;
                }
                match timeout_at(silent_since + ping_every, events.next()).await {
                    Err(_) => encoder.ping(&mut out),
                    Ok(None) => told = telling.close(&mut encoder, &mut out),
                    Ok(event) => next = event,
                }
            }
        };
        Ok(response
            .insert_header((CONTENT_TYPE, "text/event-stream; charset=utf-8"))
            .insert_header((CACHE_CONTROL, "no-cache"))
            .streaming(Box::pin(body)))
    }

    fn tell(
        &mut self,
        choice: usize,
        event: Result<Event, Failure>,
        encoder: &mut D::Encoder,
        out: &mut Vec<u8>,
    ) -> Told {
        match event {
            Ok(event) => {
                self.entry.heard(&event);
                encoder.event(choice, &event, out);
                if D::REMEMBERS {
                    self.keep(choice, event);
                }
                Told::More
            }
            Err(failure) => {
                self.entry.failed(&failure);
                encoder.failure(&failure, out);
                Told::All
            }
        }
    }

    fn close(&mut self, encoder: &mut D::Encoder, out: &mut Vec<u8>) -> Told {
        encoder.close(out);
        self.remember();
        Told::All
    }

    fn keep(&mut self, choice: usize, event: Event) {
        if let Some(answer) = self.answers.get_mut(choice) {
            answer.push(event);
        }
    }

    fn remember(&self) {
        if D::REMEMBERS {
            D::remember(&self.memory, &self.about, &self.form, &self.answers);
        }
    }
}

/// How much of an answer has been told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    More,
    All,
}

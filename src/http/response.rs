//! Writes a completion's events as an HTTP response: whole, or as a stream with keep-alives and an explicit end.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use actix_web::web::{Bytes, Data};
use actix_web::{HttpResponse, HttpResponseBuilder};
use async_stream::stream;
use futures_util::FutureExt;
use futures_util::stream::{LocalBoxStream, StreamExt};
use tokio::time::{Instant, timeout, timeout_at};

use super::caught_panic::panicked;
use super::provoked_panic;
use crate::conversation::Event;
use crate::dialect::{Dialect, Encoder, ResponseMeta, usage_of};
use crate::failure::Failure;
use crate::options::ServerOptions;
use crate::request_log::Record;

/// Size in bytes from which a chunk is written even if more events are ready.
const MAX_CHUNK: usize = 64 * 1024;

/// Most memory of the events of a response that is written whole or stored, in bytes: thirty times what the longest response
/// of a model takes.
const MAX_EVENTS: usize = 32 * 1024 * 1024;

/// The events of all choices, each with the index of its choice.
pub(super) type ChoiceEvents = LocalBoxStream<'static, (usize, Result<Event, Failure>)>;

/// Writes one response in dialect `D` and records it.
pub(super) struct ResponseWriter<D: Dialect> {
    meta: ResponseMeta,
    options: D::ResponseOptions,
    memory: Data<D::Memory>,
    record: Rc<Record>,
    /// Events of each choice, for whole responses and for dialects that store responses.
    choices: Vec<Vec<Event>>,
    /// Memory of these events.
    stored: usize,
}

impl<D: Dialect> ResponseWriter<D> {
    /// A writer for this number of choices.
    pub fn new(
        meta: ResponseMeta,
        options: D::ResponseOptions,
        memory: Data<D::Memory>,
        record: Rc<Record>,
        choices: usize,
    ) -> ResponseWriter<D> {
        ResponseWriter { meta, options, memory, record, choices: vec![Vec::new(); choices], stored: 0 }
    }

    /// Writes a whole response: a fold over the same events that a stream encodes.
    pub async fn whole(
        mut self,
        mut response: HttpResponseBuilder,
        mut events: ChoiceEvents,
    ) -> Result<HttpResponse, Failure> {
        while let Some((choice, event)) = events.next().await {
            let event = event?;
            self.record.record_event(&event);
            self.store_event(choice, event);
            if self.stored > MAX_EVENTS {
                let limit = MAX_EVENTS / 1024 / 1024;
                let message = format!("the response is longer than {limit} MiB; stream it");
                return Err(Failure::BadAnswer { message });
            }
        }
        let usage = usage_of(&self.choices);
        let body = D::response_body(&self.meta, &self.options, &self.choices);
        self.store_response();
        if let Some(model) = &usage.routed_model {
            response.insert_header(("x-copilot-proxy-routed-model", model.as_str()));
        }
        Ok(response
            .insert_header(("x-copilot-proxy-usage", usage.source.as_str()))
            .insert_header((CONTENT_TYPE, "application/json"))
            .body(body))
    }

    /// Writes a streamed response. Its headers are sent with the model's first event, or after `open_after` without
    /// one; a failure before that becomes an HTTP status, unless the dialect tells it in the stream.
    pub async fn streamed(
        self,
        mut response: HttpResponseBuilder,
        mut events: ChoiceEvents,
        options: &ServerOptions,
    ) -> Result<HttpResponse, Failure> {
        let first = match timeout(options.open_after, events.next()).await {
            Ok(Some((_, Err(failure)))) if !D::is_told_in_response(&failure) => return Err(failure),
            Ok(first) => first,
            Err(_) => None,
        };
        let ping_every = options.ping_every;
        let content_type = D::stream_content_type(&self.options);
        let mut encoder = D::encoder(&self.meta, &self.options);
        let mut out = Vec::new();
        encoder.open(&mut out);
        let body = stream! {
            let mut writer = self;
            let mut next = first;
            let mut state = StreamState::Open;
            let mut idle_since = Instant::now();
            loop {
                if let Some((choice, event)) = next.take() {
                    state = writer.write_event(choice, event, &mut encoder, &mut out);
                }
                while state == StreamState::Open && out.len() < MAX_CHUNK {
                    match events.next().now_or_never() {
                        None => break,
                        Some(None) => state = writer.close(&mut encoder, &mut out),
                        Some(Some((choice, event))) => state = writer.write_event(choice, event, &mut encoder, &mut out),
                    }
                }
                if !out.is_empty() {
                    writer.record.record_response_body(&out);
                    yield Ok::<_, Infallible>(Bytes::from(std::mem::take(&mut out)));
                    idle_since = Instant::now();
                }
                if state == StreamState::Closed {
                    break;
                }
                match timeout_at(idle_since + ping_every, events.next()).await {
                    Err(_) => state = writer.ping(&mut encoder, &mut out),
                    Ok(None) => state = writer.close(&mut encoder, &mut out),
                    Ok(event) => next = event,
                }
            }
        };
        Ok(response
            .insert_header((CONTENT_TYPE, content_type))
            .insert_header((CACHE_CONTROL, "no-cache"))
            .streaming(Box::pin(body)))
    }

    fn write_event(
        &mut self,
        choice: usize,
        event: Result<Event, Failure>,
        encoder: &mut D::Encoder,
        out: &mut Vec<u8>,
    ) -> StreamState {
        self.catch_panic(encoder, out, |writer, encoder, out| match event {
            Ok(event) => {
                writer.record.record_event(&event);
                provoked_panic::at_event("encoder", &event);
                encoder.event(choice, &event, out);
                if D::STORES_RESPONSES {
                    writer.store_event(choice, event);
                }
                StreamState::Open
            }
            Err(failure) => writer.fail(&failure, encoder, out),
        })
    }

    fn ping(&mut self, encoder: &mut D::Encoder, out: &mut Vec<u8>) -> StreamState {
        self.catch_panic(encoder, out, |_, encoder, out| {
            encoder.ping(out);
            StreamState::Open
        })
    }

    fn close(&mut self, encoder: &mut D::Encoder, out: &mut Vec<u8>) -> StreamState {
        self.catch_panic(encoder, out, |writer, encoder, out| {
            encoder.close(out);
            writer.store_response();
            StreamState::Closed
        })
    }

    fn fail(&self, failure: &Failure, encoder: &mut D::Encoder, out: &mut Vec<u8>) -> StreamState {
        self.record.failed(failure);
        encoder.failure(failure, out);
        StreamState::Closed
    }

    /// Runs `write`. If it panics, its partial output is removed and the stream ends with an error event.
    fn catch_panic(
        &mut self,
        encoder: &mut D::Encoder,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut ResponseWriter<D>, &mut D::Encoder, &mut Vec<u8>) -> StreamState,
    ) -> StreamState {
        let before = out.len();
        let written = catch_unwind(AssertUnwindSafe(|| write(self, encoder, out)));
        written.unwrap_or_else(|_| {
            out.truncate(before);
            let failed = catch_unwind(AssertUnwindSafe(|| self.fail(&panicked(), encoder, out)));
            // The error event panicked, too: the stream ends without the event that marks a complete one.
            failed.unwrap_or_else(|_| {
                out.truncate(before);
                StreamState::Closed
            })
        })
    }

    fn store_event(&mut self, choice: usize, event: Event) {
        self.stored += event.memory();
        if self.stored > MAX_EVENTS {
            // Too long to be stored; a stream goes on.
            self.choices.iter_mut().for_each(|events| *events = Vec::new());
        } else if let Some(events) = self.choices.get_mut(choice) {
            events.push(event);
        }
    }

    fn store_response(&self) {
        if D::STORES_RESPONSES && self.stored <= MAX_EVENTS {
            D::store(&self.memory, &self.meta, &self.options, &self.choices);
        }
    }
}

/// Whether more may be written to a stream.
#[derive(Clone, Copy, PartialEq, Eq)]
enum StreamState {
    Open,
    Closed,
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use actix_web::body::to_bytes;
    use clap::Parser;
    use futures_util::stream;
    use serde_json::{Value, json};

    use super::*;
    use crate::dialect::{ErrorResponse, ParsedRequest, RequestHead};
    use crate::keys::ClientIdentity;
    use crate::request_log::{RequestInfo, RequestLog};

    /// A dialect that writes the events' text as it is, and panics at some of it.
    struct Faulty;

    struct FaultyEncoder;

    impl Encoder for FaultyEncoder {
        fn open(&mut self, out: &mut Vec<u8>) {
            out.extend_from_slice(b"open ");
        }

        fn event(&mut self, _choice: usize, event: &Event, out: &mut Vec<u8>) {
            let Event::Text(text) = event else { return };
            out.extend_from_slice(text.as_bytes());
            assert!(!text.contains("panic"), "a panic of this encoder");
        }

        fn close(&mut self, out: &mut Vec<u8>) {
            out.extend_from_slice(b"close");
        }

        fn failure(&mut self, failure: &Failure, out: &mut Vec<u8>) {
            out.extend_from_slice(failure.kind().as_bytes());
            assert_ne!(*failure, Failure::Stopping, "a panic of this encoder");
        }

        fn ping(&mut self, _out: &mut Vec<u8>) {}
    }

    impl Dialect for Faulty {
        const NAME: &'static str = "faulty";
        type ResponseOptions = ();
        type Memory = ();
        type Encoder = FaultyEncoder;

        fn read(_head: &RequestHead, _body: &[u8], _memory: &()) -> Result<(ParsedRequest, ()), Failure> {
            Ok((ParsedRequest::default(), ()))
        }

        fn encoder(_meta: &ResponseMeta, _options: &()) -> FaultyEncoder {
            FaultyEncoder
        }

        fn response(_meta: &ResponseMeta, _options: &(), _answers: &[Vec<Event>]) -> Value {
            Value::Null
        }

        fn error_response(_failure: &Failure) -> ErrorResponse {
            ErrorResponse { status: 500, body: Value::Null }
        }
    }

    #[derive(Parser)]
    struct CommandLine {
        #[command(flatten)]
        options: ServerOptions,
    }

    fn writer(request_log: &Arc<RequestLog>) -> ResponseWriter<Faulty> {
        let record = request_log.begin(RequestInfo {
            id: "a".into(),
            dialect: Faulty::NAME,
            method: "POST",
            path: "/",
            user_agent: "",
            origin: None,
            session: None,
            agent: None,
            client: ClientIdentity::default(),
            capture: false,
            raw_logging: false,
        });
        let meta = ResponseMeta { id: "a".into(), created: 0, model: "m".into(), counted_input: 0 };
        ResponseWriter::<Faulty>::new(meta, (), Data::new(()), Rc::new(record), 1)
    }

    /// The body that a client receives for these events, and the outcome in the request log.
    async fn streamed(events: Vec<Result<Event, Failure>>) -> (String, Value) {
        let request_log: Arc<RequestLog> = Arc::default();
        let writer = writer(&request_log);
        let events = stream::iter(events).map(|event| (0, event)).boxed_local();
        let options = CommandLine::parse_from(["test"]).options;
        let response = writer.streamed(HttpResponse::Ok(), events, &options).await.unwrap();
        let body = to_bytes(response.into_body()).await.unwrap();
        let record = request_log.activity(None).requests.remove(0);
        (String::from_utf8(body.to_vec()).unwrap(), json!(record.outcome)["kind"].clone())
    }

    fn text(text: &str) -> Event {
        Event::Text(text.into())
    }

    #[tokio::test]
    async fn panic_of_the_encoder_ends_its_stream_with_an_error_event() {
        let (body, outcome) =
            streamed(["one ", "two ", "panic", "more"].map(|word| Ok(text(word))).into()).await;
        assert_eq!((body.as_str(), outcome), ("open one two internal", json!("internal")));
    }

    #[tokio::test]
    async fn panic_at_an_error_event_does_not_end_the_stream_as_complete() {
        let events = vec![Ok(text("one ")), Err(Failure::Stopping)];
        let (body, outcome) = streamed(events).await;
        // The encoder panics at this failure only, so it can encode the one about the panic.
        assert_eq!((body.as_str(), outcome), ("open one internal", json!("internal")));
    }

    #[tokio::test]
    async fn whole_response_longer_than_32_mib_fails() {
        for events in
            [vec!["x".repeat(1024 * 1024); 40], vec![String::new(); MAX_EVENTS / size_of::<Event>() + 9]]
        {
            let events = stream::iter(events).map(|text| (0, Ok(Event::Text(text)))).boxed_local();
            let failure = writer(&Arc::default()).whole(HttpResponse::Ok(), events).await.unwrap_err();
            assert_eq!(failure.to_string(), "the response is longer than 32 MiB; stream it");
        }
    }
}

//! An answer as it is told: whole in one reply, or as a stream with its signs of life and its proper end.

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

use crate::conversation::Event;
use crate::dialect::{Dialect, Encoder, ResponseMeta, usage_of};
use crate::failure::Failure;
use crate::options::ServerOptions;
use crate::request_log::Record;

/// Bytes that are enough for one write, even if more is ready.
const ENOUGH: usize = 64 * 1024;

/// The events of all choices, each with the number of its choice.
pub(super) type Choices = LocalBoxStream<'static, (usize, Result<Event, Failure>)>;

/// A fault of ours ends one answer, and says so.
pub(super) fn panicked() -> Failure {
    Failure::Internal { message: "something that must not happen has happened; please report it".into() }
}

/// An answer that is being told.
pub(super) struct ResponseWriter<D: Dialect> {
    meta: ResponseMeta,
    options: D::ResponseOptions,
    memory: Data<D::Memory>,
    record: Rc<Record>,
    /// The events of each choice, where they are needed once more.
    answers: Vec<Vec<Event>>,
}

impl<D: Dialect> ResponseWriter<D> {
    pub fn new(
        meta: ResponseMeta,
        options: D::ResponseOptions,
        memory: Data<D::Memory>,
        record: Rc<Record>,
        choices: usize,
    ) -> ResponseWriter<D> {
        ResponseWriter { meta, options, memory, record, answers: vec![Vec::new(); choices] }
    }

    /// The whole answer in one reply: a fold over the very events that a stream tells.
    pub async fn whole(
        mut self,
        mut response: HttpResponseBuilder,
        mut events: Choices,
    ) -> Result<HttpResponse, Failure> {
        while let Some((choice, event)) = events.next().await {
            let event = event?;
            self.record.record_event(&event);
            self.keep(choice, event);
        }
        let usage = usage_of(&self.answers);
        let reply = D::response(&self.meta, &self.options, &self.answers);
        self.remember();
        Ok(response.insert_header(("x-copilot-proxy-usage", usage.source.as_str())).json(reply))
    }

    /// The answer as it comes. The headers leave with the first sign of the model, or when it has been silent
    /// for a while; until then a failure is an HTTP status.
    pub async fn streamed(
        self,
        mut response: HttpResponseBuilder,
        mut events: Choices,
        options: &ServerOptions,
    ) -> Result<HttpResponse, Failure> {
        let first = match timeout(options.open_after, events.next()).await {
            Ok(Some((_, Err(failure)))) => return Err(failure),
            Ok(first) => first,
            Err(_) => None,
        };
        let ping_every = options.ping_every;
        let mut encoder = D::encoder(&self.meta, &self.options);
        let mut out = Vec::new();
        encoder.open(&mut out);
        let body = stream! {
            let mut writer = self;
            let mut next = first;
            let mut state = StreamState::Open;
            let mut silent_since = Instant::now();
            loop {
                if let Some((choice, event)) = next.take() {
                    state = writer.tell(choice, event, &mut encoder, &mut out);
                }
                while state == StreamState::Open && out.len() < ENOUGH {
                    match events.next().now_or_never() {
                        None => break,
                        Some(None) => state = writer.close(&mut encoder, &mut out),
                        Some(Some((choice, event))) => state = writer.tell(choice, event, &mut encoder, &mut out),
                    }
                }
                if !out.is_empty() {
                    writer.record.record_response_body(&out);
                    yield Ok::<_, Infallible>(Bytes::from(std::mem::take(&mut out)));
                    silent_since = Instant::now();
                }
                if state == StreamState::Closed {
                    break;
                }
                match timeout_at(silent_since + ping_every, events.next()).await {
                    Err(_) => state = writer.ping(&mut encoder, &mut out),
                    Ok(None) => state = writer.close(&mut encoder, &mut out),
                    Ok(event) => next = event,
                }
            }
        };
        Ok(response
            .insert_header((CONTENT_TYPE, D::STREAM_CONTENT_TYPE))
            .insert_header((CACHE_CONTROL, "no-cache"))
            .streaming(Box::pin(body)))
    }

    fn tell(
        &mut self,
        choice: usize,
        event: Result<Event, Failure>,
        encoder: &mut D::Encoder,
        out: &mut Vec<u8>,
    ) -> StreamState {
        self.catch_panic(encoder, out, |writer, encoder, out| match event {
            Ok(event) => {
                writer.record.record_event(&event);
                encoder.event(choice, &event, out);
                if D::STORES_RESPONSES {
                    writer.keep(choice, event);
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
            writer.remember();
            StreamState::Closed
        })
    }

    fn fail(&self, failure: &Failure, encoder: &mut D::Encoder, out: &mut Vec<u8>) -> StreamState {
        self.record.failed(failure);
        encoder.failure(failure, out);
        StreamState::Closed
    }

    /// A fault of ours ends this answer and says so in its stream; what it was about to say is taken back.
    fn catch_panic(
        &mut self,
        encoder: &mut D::Encoder,
        out: &mut Vec<u8>,
        say: impl FnOnce(&mut ResponseWriter<D>, &mut D::Encoder, &mut Vec<u8>) -> StreamState,
    ) -> StreamState {
        let before = out.len();
        let said = catch_unwind(AssertUnwindSafe(|| say(self, encoder, out)));
        said.unwrap_or_else(|_| {
            out.truncate(before);
            let failed = catch_unwind(AssertUnwindSafe(|| self.fail(&panicked(), encoder, out)));
            // Not even that can be said: the stream ends without what would look like a good end.
            failed.unwrap_or_else(|_| {
                out.truncate(before);
                StreamState::Closed
            })
        })
    }

    fn keep(&mut self, choice: usize, event: Event) {
        if let Some(answer) = self.answers.get_mut(choice) {
            answer.push(event);
        }
    }

    fn remember(&self) {
        if D::STORES_RESPONSES {
            D::store(&self.memory, &self.meta, &self.options, &self.answers);
        }
    }
}

/// How much of an answer has been told.
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
    use crate::dialect::{ErrorResponse, ParsedRequest};
    use crate::request_log::{RequestInfo, RequestLog};

    /// An API whose words are the events' own, and that fails at some of them.
    struct Faulty;

    struct FaultyEncoder;

    impl Encoder for FaultyEncoder {
        fn open(&mut self, out: &mut Vec<u8>) {
            out.extend_from_slice(b"open ");
        }

        fn event(&mut self, _choice: usize, event: &Event, out: &mut Vec<u8>) {
            let Event::Text(text) = event else { return };
            out.extend_from_slice(text.as_bytes());
            assert!(!text.contains("fault"), "a fault of this encoder");
        }

        fn close(&mut self, out: &mut Vec<u8>) {
            out.extend_from_slice(b"close");
        }

        fn failure(&mut self, failure: &Failure, out: &mut Vec<u8>) {
            out.extend_from_slice(failure.kind().as_bytes());
            assert_ne!(*failure, Failure::Stopping, "a fault of this encoder");
        }

        fn ping(&mut self, _out: &mut Vec<u8>) {}
    }

    impl Dialect for Faulty {
        const NAME: &'static str = "faulty";
        type ResponseOptions = ();
        type Memory = ();
        type Encoder = FaultyEncoder;

        fn read(_body: &[u8], _memory: &()) -> Result<(ParsedRequest, ()), Failure> {
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
    struct Line {
        #[command(flatten)]
        settings: ServerOptions,
    }

    /// What a client reads of these events, and how the request log says that it ended.
    async fn told(events: Vec<Result<Event, Failure>>) -> (String, Value) {
        let request_log: Arc<RequestLog> = Arc::default();
        let record = request_log.begin(RequestInfo {
            id: "a".into(),
            dialect: Faulty::NAME,
            method: "POST",
            path: "/",
            user_agent: "",
            capture: false,
            raw_logging: false,
        });
        let meta = ResponseMeta { id: "a".into(), created: 0, model: "m".into(), counted_input: 0 };
        let writer = ResponseWriter::<Faulty>::new(meta, (), Data::new(()), Rc::new(record), 1);
        let events = stream::iter(events).map(|event| (0, event)).boxed_local();
        let settings = Line::parse_from(["test"]).settings;
        let response = writer.streamed(HttpResponse::Ok(), events, &settings).await.unwrap();
        let words = to_bytes(response.into_body()).await.unwrap();
        let record = request_log.activity(None).requests.remove(0);
        (String::from_utf8(words.to_vec()).unwrap(), json!(record.outcome)["kind"].clone())
    }

    fn text(text: &str) -> Event {
        Event::Text(text.into())
    }

    #[tokio::test]
    async fn a_fault_of_an_encoder_ends_its_stream_with_an_error_event() {
        let (words, outcome) =
            told(["one ", "two ", "fault", "more"].map(|word| Ok(text(word))).into()).await;
        assert_eq!((words.as_str(), outcome), ("open one two internal", json!("internal")));
    }

    #[tokio::test]
    async fn a_fault_in_saying_a_failure_says_nothing_that_looks_like_a_good_end() {
        let fault = Failure::Stopping;
        let (words, outcome) = told(vec![Ok(text("one ")), Err(fault)]).await;
        // The fault is the encoder's at that failure only: it can say that it had one.
        assert_eq!((words.as_str(), outcome), ("open one internal", json!("internal")));
    }
}

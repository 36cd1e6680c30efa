//! The target `floor`: bare actix-web with one worker, no editor, chunks through a channel. It obeys those commands of
//! `editor/model.ts` that its loads use.

use std::convert::Infallible;
use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use actix_web::web::{self, Bytes};
use actix_web::{App, HttpResponse, HttpServer};
use futures_util::stream::poll_fn;
use tokio::sync::mpsc::{Sender, channel};
use tokio::task::yield_now;
use tokio::time::{Duration, interval};

/// The rest of a chunk, as long as ours.
const HEAD: &str = concat!(
    r#"data: {"id":"chatcmpl-00000000000000000000000000000000","object":"chat.completion.chunk","created":1700000000,"#,
    r#""model":"bench","system_fingerprint":null,"choices":[{"index":0,"delta":{"content":""#
);
const TAIL: &str = "\"},\"logprobs\":null,\"finish_reason\":null}]}\n\n";
const END: &str = concat!(
    "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n",
    "data: [DONE]\n\n"
);

fn main() -> std::io::Result<()> {
    actix_rt::System::new().block_on(async {
        let server = HttpServer::new(|| {
            App::new().route("/", web::get().to(HttpResponse::Ok)).default_service(web::post().to(answer))
        });
        let server = server.workers(1).tcp_nodelay(true).bind(("127.0.0.1", 0))?;
        let port = server.addrs().first().map_or(0, std::net::SocketAddr::port);
        println!("{{\"port\":{port}}}");
        std::io::stdout().flush()?;
        server.run().await
    })
}

async fn answer(body: Bytes) -> HttpResponse {
    let body = String::from_utf8_lossy(&body);
    let order = body.rsplit_once("\"content\":\"").and_then(|(_, rest)| rest.split('"').next());
    let order: Vec<&str> = order.unwrap_or_default().split(' ').collect();
    let number = |at: usize| order.get(at).and_then(|word| word.parse::<u64>().ok()).unwrap_or(0);
    let (kind, first, second) = (order.first().copied().unwrap_or_default(), number(1), number(2));
    if !body.contains("\"stream\":true") {
        let content: String = (0..first).map(part).collect();
        let reply = format!(
            r#"{{"choices":[{{"index":0,"message":{{"role":"assistant","content":"{content}"}},"finish_reason":"stop"}}]}}"#
        );
        return HttpResponse::Ok().content_type("application/json").body(reply);
    }
    let (chunks, mut received) = channel::<Bytes>(64);
    match kind {
        "parts" => drop(actix_rt::spawn(parts(chunks, first))),
        "paced" => drop(actix_rt::spawn(paced(chunks, first, Duration::from_millis(second)))),
        "hold" => drop(actix_rt::spawn(hold(chunks))),
        _ => return HttpResponse::BadRequest().finish(),
    }
    let body =
        poll_fn(move |context| received.poll_recv(context).map(|chunk| chunk.map(Ok::<_, Infallible>)));
    HttpResponse::Ok().content_type("text/event-stream").streaming(body)
}

/// Sends a part per turn, until the receiver has gone.
async fn parts(chunks: Sender<Bytes>, count: u64) {
    for number in 0..count {
        if chunks.send(chunk(&part(number))).await.is_err() {
            return;
        }
        yield_now().await;
    }
    let _ = chunks.send(Bytes::from_static(END.as_bytes())).await;
}

async fn paced(chunks: Sender<Bytes>, count: u64, every: Duration) {
    let start = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut ticks = interval(every);
    for number in 0..count {
        ticks.tick().await;
        let due = start.as_micros() + u128::from(number) * every.as_micros();
        if chunks.send(chunk(&format!("{due:.<24}"))).await.is_err() {
            return;
        }
    }
    let _ = chunks.send(Bytes::from_static(END.as_bytes())).await;
}

async fn hold(chunks: Sender<Bytes>) {
    let _ = chunks.send(chunk(&part(0))).await;
    chunks.closed().await;
}

fn part(number: u64) -> String {
    format!("{number:.<24}")
}

fn chunk(content: &str) -> Bytes {
    [HEAD, content, TAIL].concat().into()
}

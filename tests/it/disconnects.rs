//! Rows of the fault matrix about clients: one that vanishes while the model is silent, one that is slow, very many at once.

use std::time::{Duration, Instant};

use copilot_proxy::bridge::protocol::{FromEditor, ToEditor};
use serde_json::{Value, json};

use crate::client::Request;
use crate::editor::{Editor, model};
use crate::gemini_form;
use crate::openai::with;
use crate::server::{Server, thread_cpu_wait};

/// Requests of each dialect, streamed and whole.
pub fn every_dialect_and_mode() -> Vec<(String, Value)> {
    let messages = json!([{ "role": "user", "content": "Hello" }]);
    let mut requests = Vec::new();
    for (path, fields) in [
        ("/v1/chat/completions", json!({ "messages": messages })),
        ("/v1/completions", json!({ "prompt": "Hello" })),
        ("/v1/messages", json!({ "messages": messages, "max_tokens": 9 })),
        ("/v1/responses", json!({ "input": "Hello" })),
        ("/api/chat", json!({ "messages": messages })),
        ("/api/generate", json!({ "prompt": "Hello" })),
    ] {
        for stream in [true, false] {
            requests
                .push((path.to_owned(), with(fields.clone(), &json!({ "model": "m", "stream": stream }))));
        }
    }
    for method in ["generateContent", "streamGenerateContent", "streamGenerateContent?alt=sse"] {
        requests.push((
            format!("/v1beta/models/m:{method}"),
            gemini_form::request(&[gemini_form::text("Hello")]),
        ));
    }
    requests
}

/// Number of clients that vanish, for each dialect and mode.
const TRIES: usize = 200;

/// Time until the model's request is cancelled, without the time for which a busy machine keeps the server and the test
/// waiting for a CPU.
const CANCELLED_WITHIN: Duration = Duration::from_millis(100);

/// The same where the system doesn't tell that time.
const CANCELLED_SOON: Duration = Duration::from_secs(2);

#[test]
fn every_vanished_client_is_cancelled_in_every_dialect_and_mode() {
    // Without pings, which would fail, the server has to notice the closed connection.
    let server = Server::serve(&["--ping-every", "600000", "--open-after", "600000"]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    for (path, body) in every_dialect_and_mode() {
        for attempt in 0..TRIES {
            let mut client = server.client();
            client.send(&Request::post(&path, &body));
            let (stream_id, _) = editor.expect_chat();
            // Before the first part, and after it.
            if attempt % 2 == 1 {
                editor.send_text(stream_id, "Hello");
            }
            let waited = || Some(server.process.cpu_wait()? + thread_cpu_wait()?);
            let (waited_before, vanished) = (waited(), Instant::now());
            drop(client);
            editor.expect_cancel(stream_id);
            let elapsed = vanished.elapsed();
            let waited_since =
                waited().zip(waited_before).map(|(after, before)| after.saturating_sub(before));
            let limit = waited_since.map_or(CANCELLED_SOON, |waited| CANCELLED_WITHIN + waited);
            assert!(
                elapsed <= limit,
                "{path} stream={} attempt={attempt}: {elapsed:?}, of it {waited_since:?} without a CPU",
                body["stream"]
            );
        }
    }
}

/// The bytes of a request whose body is this long.
fn request_of(length: usize) -> Vec<u8> {
    let body = &every_dialect_and_mode()[0].1;
    let padding = " ".repeat(length.saturating_sub(body.to_string().len()));
    let request = Request::new("POST", "/v1/chat/completions").header("content-type", "application/json");
    request.body(body.to_string() + &padding).bytes()
}

/// Lengths of requests behind one that is being answered: below and above what actix-web reads ahead, and the longest.
const BEHIND: [usize; 4] = [60_000, 200_000, 1_000_000, 10_000_000];

#[test]
fn client_that_vanishes_behind_another_request_is_cancelled() {
    let server = Server::serve(&["--ping-every", "600000", "--open-after", "600000"]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    for (path, body) in every_dialect_and_mode() {
        for length in BEHIND {
            let mut client = server.client();
            client.send(&Request::post(&path, &body));
            let (stream_id, _) = editor.expect_chat();
            client.send_bytes(&request_of(length)).expect("a server that reads");
            drop(client);
            editor.expect_cancel(stream_id);
        }
    }
}

#[test]
fn client_that_vanishes_behind_many_small_requests_is_cancelled() {
    let server = Server::serve(&["--ping-every", "600000", "--open-after", "600000"]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    client.send_bytes(&request_of(0)).unwrap();
    let (stream_id, _) = editor.expect_chat();
    client.send_bytes(&Request::get("/health").bytes().repeat(20_000)).expect("a server that reads");
    drop(client);
    editor.expect_cancel(stream_id);
}

#[test]
fn requests_behind_another_are_answered_in_turn() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    for length in BEHIND {
        let mut client = server.client();
        let whole = Request::post("/v1/chat/completions", &every_dialect_and_mode()[1].1);
        client.send(&whole);
        let (first, _) = editor.expect_chat();
        client.send_bytes(&request_of(length)).expect("a server that reads");
        client.send_bytes(&whole.bytes()).expect("a server that reads");
        editor.respond(first, "one");
        assert_eq!(client.response().json()["choices"][0]["message"]["content"], "one");
        let (second, _) = editor.expect_chat();
        editor.respond(second, "two");
        assert!(String::from_utf8(client.response().body).unwrap().contains("two"), "{length}");
        let (third, _) = editor.expect_chat();
        editor.respond(third, "three");
        assert_eq!(client.response().json()["choices"][0]["message"]["content"], "three");
    }
}

#[test]
fn more_than_one_largest_request_behind_another_closes_the_connection() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let mut client = server.client();
    client.send_bytes(&request_of(0)).unwrap();
    let (stream_id, _) = editor.expect_chat();
    // The server closes while the client sends.
    let _ = client.send_bytes(&request_of(10_000_000).repeat(2));
    editor.expect_log("the client sent too much before its response ended");
    editor.expect_cancel(stream_id);
}

/// A client that reads one KiB at a time must not hold up others: all of theirs finish before its own.
#[test]
fn client_that_reads_slowly_delays_no_other() {
    let server = Server::serve(&[]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let body = every_dialect_and_mode().remove(0).1;
    let post = || {
        let mut client = server.client();
        client.send(&Request::post("/v1/chat/completions", &body));
        client
    };
    let slow = post();
    let (slow_id, _) = editor.expect_chat();
    // More than the system's buffers take: the editor is asked to pause.
    let text = "word ".repeat(20_000);
    let paused = loop {
        editor.send_text(slow_id, &text);
        if let Some(message) = editor.try_receive() {
            break message;
        }
    };
    assert_eq!(paused, (slow_id, ToEditor::Pause));
    for number in 0..20 {
        let fast = post();
        let (stream_id, _) = editor.expect_chat();
        editor.respond(stream_id, &number.to_string());
        let events = fast.stream().rest();
        assert_eq!(events.last().map(String::as_str), Some("data: [DONE]"), "{events:?}");
    }
    // It continues to read and gets everything.
    editor.send(slow_id, &FromEditor::End);
    let events = slow.stream().rest();
    assert_eq!(events.last().map(String::as_str), Some("data: [DONE]"));
    while let Some((stream, message)) = editor.try_receive() {
        assert!(stream == slow_id && matches!(message, ToEditor::Pause | ToEditor::Resume), "{message:?}");
    }
}

/// Most memory that 1000 idle connections and 1000 streams add, in bytes, in a debug build, whose futures are larger than
/// those of a release build.
#[cfg(target_os = "linux")]
const MEMORY: u64 = 40_000_000;

#[cfg(target_os = "linux")]
#[test]
fn server_responds_with_thousand_idle_connections_and_streams() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    if limit.current.is_some_and(|current| current < 3000) {
        return crate::skipped("needs 3000 file descriptors");
    }
    let server = Server::serve(&["--max-running", "1000", "--max-waiting", "1000", "--keep-alive", "600000"]);
    let mut editor = Editor::with_models(&server.home, &[model("m")]);
    let body = every_dialect_and_mode().remove(0).1;
    let before = server.process.memory().unwrap();
    let mut idle: Vec<_> = (0..1000)
        .map(|_| {
            let mut client = server.client();
            client.send(&Request::get("/health"));
            assert_eq!(client.response().status, 200);
            client
        })
        .collect();
    // After a second without a request their buffers are dropped, and the streams use that memory.
    std::thread::sleep(Duration::from_secs(2));
    let streams: Vec<_> = (0..1000)
        .map(|_| {
            let mut client = server.client();
            client.send(&Request::post("/v1/chat/completions", &body));
            let (stream_id, _) = editor.expect_chat();
            editor.send_text(stream_id, "Hello");
            client.stream()
        })
        .collect();
    assert_eq!(server.get("/health").status, 200);
    let added = server.process.memory().unwrap() - before;
    eprintln!("memory added by 1000 idle connections and 1000 streams: {added} bytes");
    assert!(added < MEMORY, "{added} bytes");
    for client in &mut idle {
        client.send(&Request::get("/health"));
        assert_eq!(client.response().status, 200);
    }
    drop(idle);
    drop(streams);
    for _ in 0..1000 {
        assert!(matches!(editor.expect_message(), (_, ToEditor::Cancel)));
    }
}

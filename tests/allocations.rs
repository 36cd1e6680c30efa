//! A guard of the server's cost: allocations of a short request and of an event of a stream, which are the same on any
//! machine. The server runs on a thread of this process whose allocations are counted; its client and a scripted editor
//! are on others.
//!
//! `PRINT_ALLOCATIONS=1 cargo test --test allocations -- --nocapture` prints the counts and where they come from.

#![allow(
    clippy::pedantic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::print_stdout
)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use clap::Parser;
use copilot_proxy::bridge::directory::Directory;
use copilot_proxy::bridge::frames::{FrameReader, Incoming, Kind, put_message, put_text};
use copilot_proxy::bridge::protocol::{FromEditor, Hello, ModelInfo, Models, PROTOCOL, ToEditor, Window};
use copilot_proxy::options::{DirectoryOption, ServerOptions};
use interprocess::local_socket::tokio::Stream;
use interprocess::local_socket::traits::tokio::Stream as _;
use interprocess::local_socket::{GenericFilePath, ToFsName};
use tokio::io::AsyncWriteExt;

/// Most allocations of a whole response of one part: 176 were measured, and a tenth is margin.
const MOST_PER_REQUEST: u64 = 194;

/// Most allocations of a streamed response of one part: 191 were measured.
const MOST_PER_STREAM: u64 = 210;

/// Most allocations of a further part that arrives alone: 8 were measured.
const MOST_PER_EVENT: u64 = 9;

const REQUESTS: u64 = 200;
const EVENTS: u64 = 200;

struct CountingAllocator;

#[global_allocator]
static ALLOCATOR: CountingAllocator = CountingAllocator;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
/// Whether the places of allocations are recorded.
static TRACING: AtomicBool = AtomicBool::new(false);
static PLACES: Mutex<Option<HashMap<String, u64>>> = Mutex::new(None);

thread_local! {
    static IS_COUNTED: Cell<bool> = const { Cell::new(false) };
}

fn count() {
    if IS_COUNTED.get() {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        if TRACING.load(Ordering::Relaxed) {
            IS_COUNTED.set(false);
            record_place();
            IS_COUNTED.set(true);
        }
    }
}

/// Counts an allocation under the functions of this program that it comes from.
fn record_place() {
    let trace = std::backtrace::Backtrace::force_capture().to_string();
    let names = trace.lines().filter_map(|line| line.trim().split_once(": ").map(|(_, name)| name));
    let place: Vec<&str> = names
        .filter(|name| {
            !name.starts_with("allocations::") && !name.contains("alloc::") && !name.starts_with("std::")
        })
        .take(7)
        .collect();
    *PLACES.lock().unwrap().get_or_insert_default().entry(place.join("\n      ")).or_default() += 1;
}

#[expect(unsafe_code, reason = "an allocator that counts and passes on")]
// SAFETY: every call goes to the system's allocator as it is.
unsafe impl GlobalAlloc for CountingAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[derive(Parser)]
struct Options {
    #[command(flatten)]
    directory: DirectoryOption,
    #[command(flatten)]
    server: ServerOptions,
}

/// A server on a counted thread. It ends with the process.
fn start_server(directory: &Path) {
    let dir = directory.to_str().unwrap().to_owned();
    std::thread::spawn(move || {
        let options = Options::parse_from(["test", "--port", "0", "--dir", &dir]);
        copilot_proxy::log::start();
        actix_rt::System::new().block_on(async {
            IS_COUNTED.set(true);
            copilot_proxy::commands::serve(&options.directory, options.server).await
        });
    });
}

/// Waits until `find` finds something.
fn until<T>(find: impl Fn() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(found) = find() {
            return found;
        }
        assert!(Instant::now() < deadline, "it took too long");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Runs an editor whose model sends a text part at each tick.
fn start_editor(directory: PathBuf, ticks: Receiver<bool>) {
    std::thread::spawn(move || {
        let server = until(|| Directory::server(&directory).ok());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let name = server.endpoint.to_fs_name::<GenericFilePath>().unwrap();
            let (from, mut to) = tokio::io::split(Stream::connect(name).await.unwrap());
            let mut reader = FrameReader::<_, ToEditor>::new(from);
            let hello = Hello {
                token: server.token,
                protocol: PROTOCOL,
                version: "1".into(),
                pid: std::process::id(),
                window: Window::default(),
            };
            let model = ModelInfo {
                vendor: "copilot".into(),
                id: "m".into(),
                max_input_tokens: 1_000_000,
                ..ModelInfo::default()
            };
            let mut out = BytesMut::new();
            put_message(0, &FromEditor::Hello(hello), &mut out).unwrap();
            put_message(0, &FromEditor::Models(Models { models: vec![model] }), &mut out).unwrap();
            to.write_all_buf(&mut out).await.unwrap();
            while let Some((stream, message)) = reader.next().await.unwrap() {
                match message {
                    Incoming::Message(ToEditor::Chat(_)) => {
                        while ticks.recv().unwrap() {
                            put_text(Kind::Text, stream, "four", &mut out);
                            to.write_all_buf(&mut out).await.unwrap();
                        }
                        put_message(stream, &FromEditor::End, &mut out).unwrap();
                    }
                    Incoming::Message(ToEditor::Ping) => put_message(0, &FromEditor::Pong, &mut out).unwrap(),
                    _ => {}
                }
                to.write_all_buf(&mut out).await.unwrap();
            }
        });
    });
}

/// A client with a kept connection, and the control of the model that responds to it.
struct Client {
    connection: TcpStream,
    ticks: Sender<bool>,
}

impl Client {
    /// Sends a request whose response has `parts` parts; each is sent when the client has read the one before it.
    fn request(&mut self, stream: bool, parts: u64) {
        let body = format!(
            r#"{{"model":"m","stream":{stream},"messages":[{{"role":"user","content":"Hello there"}}]}}"#
        );
        let head = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        self.connection.write_all((head + &body).as_bytes()).unwrap();
        for _ in 0..parts {
            self.ticks.send(true).unwrap();
            if stream {
                self.read_until(b"\n\n");
            }
        }
        self.ticks.send(false).unwrap();
        self.read_until(if stream { b"0\r\n\r\n" } else { b"}}" });
    }

    fn read_until(&mut self, end: &[u8]) {
        let mut received = Vec::new();
        let mut buffer = [0; 4096];
        while !received.windows(end.len()).any(|window| window == end) {
            let length = self.connection.read(&mut buffer).unwrap();
            assert!(length > 0, "{}", String::from_utf8_lossy(&received));
            received.extend_from_slice(&buffer[..length]);
        }
    }
}

/// Allocations while `work` runs.
fn counted(work: impl FnOnce()) -> u64 {
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    work();
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

#[test]
fn request_and_event_allocate_no_more_than_they_need() {
    let directory = std::env::temp_dir().join(format!("cp-allocations-{}", std::process::id()));
    start_server(&directory);
    let (ticks, receiver) = channel();
    start_editor(directory.clone(), receiver);
    let port = until(|| Directory::server(&directory).ok()?.port);
    let connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
    connection.set_nodelay(true).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    let mut client = Client { connection, ticks };
    // The first request waits for the models.
    for _ in 0..50 {
        client.request(false, 1);
        client.request(true, 1);
    }
    let per_request = counted(|| (0..REQUESTS).for_each(|_| client.request(false, 1))) / REQUESTS;
    let per_stream = counted(|| (0..REQUESTS).for_each(|_| client.request(true, 1))) / REQUESTS;
    let long = counted(|| client.request(true, EVENTS));
    let per_event = long.saturating_sub(per_stream) / EVENTS;
    if std::env::var_os("PRINT_ALLOCATIONS").is_some() {
        println!("allocations: {per_request} a request, {per_stream} a stream, {per_event} an event");
        print_places(|| client.request(false, 1));
        print_places(|| client.request(true, 20));
    }
    let _ = std::fs::remove_dir_all(&directory);
    assert!(per_request <= MOST_PER_REQUEST, "{per_request} allocations a request");
    assert!(per_stream <= MOST_PER_STREAM, "{per_stream} allocations a stream");
    assert!(per_event <= MOST_PER_EVENT, "{per_event} allocations an event");
}

fn print_places(work: impl FnOnce()) {
    TRACING.store(true, Ordering::Relaxed);
    work();
    TRACING.store(false, Ordering::Relaxed);
    let mut places: Vec<_> = PLACES.lock().unwrap().take().unwrap_or_default().into_iter().collect();
    places.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    println!("--- {} places", places.len());
    for (place, count) in places.iter().take(120) {
        println!("{count:4}  {place}");
    }
}

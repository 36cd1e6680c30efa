//! A scripted editor: a peer on the server's real local socket. It sends what the test tells it to and keeps all
//! messages it receives. Dropping it with an unexpected message left fails the test.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use copilot_proxy::bridge::directory::Directory;
use copilot_proxy::bridge::frames::{FrameReader, Incoming, Kind, put_message, put_text};
use copilot_proxy::bridge::protocol::{
    Activity, BudgetNotice, Chat, FromEditor, Hello, HttpState, Keys, LogLine, ModelCatalog, ModelInfo,
    Models, PROTOCOL, PersonKey, Refused, Status, ToEditor, UserSettings, Window,
};
use interprocess::local_socket::tokio::Stream;
use interprocess::local_socket::traits::tokio::Stream as _;
use interprocess::local_socket::{GenericFilePath, ToFsName};
use tokio::io::{AsyncRead, AsyncWriteExt, ReadBuf, ReadHalf, WriteHalf};
use tokio::runtime::Runtime;
use tokio::time::{Instant, timeout, timeout_at};

use crate::server::Home;
use crate::wait::DEADLINE;

/// Long enough to receive what the server has sent already.
const RECEIVE_SENT: Duration = Duration::from_millis(1);

/// A connection to a server, before or after the handshake.
pub struct Editor {
    runtime: Runtime,
    reader: FrameReader<Counted<ReadHalf<Stream>>, ToEditor>,
    read: Arc<AtomicU64>,
    writer: WriteHalf<Stream>,
    messages: VecDeque<(u32, ToEditor)>,
    statuses: VecDeque<Status>,
    log: VecDeque<LogLine>,
    activities: VecDeque<Activity>,
    model_catalogs: VecDeque<ModelCatalog>,
    budget_notices: VecDeque<BudgetNotice>,
    /// The server has sent `Superseded`: another one takes its place.
    pub superseded: bool,
    disconnected: bool,
}

impl Editor {
    /// Connects without sending a `Hello`.
    pub fn connect(home: &Home) -> Editor {
        let endpoint = Directory::server(home.path()).expect("a server").endpoint;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let stream = runtime.block_on(async {
            let name = endpoint.to_fs_name::<GenericFilePath>().unwrap();
            Stream::connect(name).await.expect("a server that lets editors in")
        });
        let (from, writer) = tokio::io::split(stream);
        let read = Arc::<AtomicU64>::default();
        Editor {
            runtime,
            reader: FrameReader::new(Counted { from, read: read.clone() }),
            read,
            writer,
            messages: VecDeque::new(),
            statuses: VecDeque::new(),
            log: VecDeque::new(),
            activities: VecDeque::new(),
            model_catalogs: VecDeque::new(),
            budget_notices: VecDeque::new(),
            superseded: false,
            disconnected: false,
        }
    }

    /// Attaches an editor without models.
    pub fn attach(home: &Home) -> Editor {
        Editor::attach_with(home, Window::default())
    }

    /// Attaches an editor of this window, without models and keys.
    pub fn attach_with(home: &Home, window: Window) -> Editor {
        let mut editor = Editor::attach_silently(home, window);
        // The extension sends its keys first, also if there are none.
        editor.send_keys(&[]);
        editor
    }

    /// Attaches an editor that has sent its `Hello` only.
    pub fn attach_silently(home: &Home, window: Window) -> Editor {
        let mut editor = Editor::connect(home);
        editor.send(0, &FromEditor::Hello(Hello { window, ..hello(home) }));
        match editor.expect_message() {
            (0, ToEditor::Welcome(_)) => editor,
            other => panic!("not welcomed: {other:?}"),
        }
    }

    /// Attaches the first editor of a server with these models, and waits until the server has them.
    pub fn with_models(home: &Home, models: &[ModelInfo]) -> Editor {
        let mut editor = Editor::attach(home);
        editor.send_models(models);
        let count = u32::try_from(models.len()).unwrap();
        editor.expect_status(|status| status.models == count);
        editor
    }

    /// Sends the editor's models.
    pub fn send_models(&mut self, models: &[ModelInfo]) {
        self.send(0, &FromEditor::Models(Models { models: models.into() }));
    }

    /// Sends the user's keys.
    pub fn send_keys(&mut self, keys: &[PersonKey]) {
        self.send(0, &FromEditor::Keys(Keys { keys: keys.into() }));
    }

    /// Sends one message.
    pub fn send(&mut self, stream: u32, message: &FromEditor) {
        let mut bytes = BytesMut::new();
        put_message(stream, message, &mut bytes).unwrap();
        self.send_bytes(&bytes).expect("a server that reads");
    }

    /// Sends a text part of a response.
    pub fn send_text(&mut self, stream: u32, text: &str) {
        let mut bytes = BytesMut::new();
        put_text(Kind::Text, stream, text, &mut bytes);
        self.send_bytes(&bytes).expect("a server that reads");
    }

    /// Sends a complete response of one text.
    pub fn respond(&mut self, stream: u32, text: &str) {
        self.send_text(stream, text);
        self.send(stream, &FromEditor::End);
    }

    /// Sends raw bytes.
    pub fn send_bytes(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.runtime.block_on(async { timeout(DEADLINE, self.writer.write_all(bytes)).await })?
    }

    /// Waits for the next message other than pings, statuses, log lines, activities, model catalogs and notices.
    pub fn expect_message(&mut self) -> (u32, ToEditor) {
        self.wait_for("a message", |editor| editor.messages.pop_front())
    }

    /// Returns the next message if it has been sent already.
    pub fn try_receive(&mut self) -> Option<(u32, ToEditor)> {
        let deadline = Instant::now() + RECEIVE_SENT;
        while self.messages.is_empty() && self.receive(deadline) {}
        self.messages.pop_front()
    }

    /// Waits for the next message, which must be a `Chat`.
    pub fn expect_chat(&mut self) -> (u32, Chat) {
        match self.expect_message() {
            (stream, ToEditor::Chat(chat)) => (stream, std::sync::Arc::unwrap_or_clone(chat)),
            other => panic!("no chat: {other:?}"),
        }
    }

    /// Number of bytes that were read from the server.
    pub fn bytes_read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Forgets the histories that it was sent, as an editor may at any time.
    pub fn forget_histories(&mut self) {
        self.reader.forget_items();
    }

    /// Waits for the next message, which must be the `Cancel` of this stream.
    pub fn expect_cancel(&mut self, stream: u32) {
        assert_eq!(self.expect_message(), (stream, ToEditor::Cancel));
    }

    /// Waits for the next message, which must be a `Refused`.
    pub fn expect_refused(&mut self) -> Refused {
        match self.expect_message() {
            (0, ToEditor::Refused(refused)) => refused,
            other => panic!("not refused: {other:?}"),
        }
    }

    /// Waits for a status that matches.
    pub fn expect_status(&mut self, matches: impl Fn(&Status) -> bool) -> Status {
        self.wait_for("a status", |editor| {
            while let Some(status) = editor.statuses.pop_front() {
                if matches(&status) {
                    return Some(status);
                }
            }
            None
        })
    }

    /// Waits for a state of the port that matches.
    pub fn expect_http(&mut self, matches: impl Fn(&HttpState) -> bool) -> HttpState {
        self.expect_status(|status| matches(&status.http)).http
    }

    /// Waits until the port is open, and returns it.
    pub fn expect_port(&mut self) -> u16 {
        match self.expect_http(|http| matches!(http, HttpState::Running { .. })) {
            HttpState::Running { port } => port,
            other => panic!("{other:?}"),
        }
    }

    /// Waits for a log line that contains this text.
    pub fn expect_log(&mut self, text: &str) -> LogLine {
        self.wait_for(text, |editor| {
            while let Some(line) = editor.log.pop_front() {
                if line.text.contains(text) {
                    return Some(line);
                }
            }
            None
        })
    }

    /// Whether a log line that contains this text has been received; older lines are discarded.
    pub fn has_log(&mut self, text: &str) -> bool {
        let deadline = Instant::now() + RECEIVE_SENT;
        while self.receive(deadline) {}
        let found = self.log.iter().any(|line| line.text.contains(text));
        self.log.clear();
        found
    }

    /// Waits for the next activity.
    pub fn expect_activity(&mut self) -> Activity {
        self.wait_for("activity", |editor| editor.activities.pop_front())
    }

    /// Waits for the next model catalog.
    pub fn expect_model_catalog(&mut self) -> ModelCatalog {
        self.wait_for("catalog", |editor| editor.model_catalogs.pop_front())
    }

    /// Waits for the next notice about a budget.
    pub fn expect_budget_notice(&mut self) -> BudgetNotice {
        self.wait_for("a notice about a budget", |editor| editor.budget_notices.pop_front())
    }

    /// The notices about budgets that have been sent already.
    pub fn budget_notices(&mut self) -> Vec<BudgetNotice> {
        let deadline = Instant::now() + RECEIVE_SENT;
        while self.receive(deadline) {}
        self.budget_notices.drain(..).collect()
    }

    /// Waits until the server closes the connection.
    pub fn expect_disconnect(&mut self) {
        let deadline = Instant::now() + DEADLINE;
        while self.receive(deadline) {}
        assert!(self.disconnected, "the server did not close the connection for {DEADLINE:?}");
    }

    fn wait_for<T>(&mut self, wanted: &str, mut find: impl FnMut(&mut Editor) -> Option<T>) -> T {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(found) = find(self) {
                return found;
            }
            if !self.receive(deadline) {
                let why = if self.disconnected {
                    "the server closed the connection"
                } else {
                    "the server did not send it"
                };
                panic!("waiting for {wanted}: {why}");
            }
        }
    }

    /// Receives and sorts one more message; false if the deadline passed or the connection is closed.
    fn receive(&mut self, deadline: Instant) -> bool {
        if self.disconnected {
            return false;
        }
        let received = self.runtime.block_on(async { timeout_at(deadline, self.reader.next()).await });
        match received {
            Err(_) => return false,
            // A server that was killed may have been in the middle of a frame.
            Ok(Ok(None) | Err(_)) => {
                self.disconnected = true;
                return false;
            }
            Ok(Ok(Some((0, Incoming::Message(ToEditor::Ping))))) => {
                let mut bytes = BytesMut::new();
                put_message(0, &FromEditor::Pong, &mut bytes).unwrap();
                // The server may have closed just now; the next receive reports it.
                let _ = self.send_bytes(&bytes);
            }
            Ok(Ok(Some((0, Incoming::Message(ToEditor::Status(status)))))) => self.statuses.push_back(status),
            Ok(Ok(Some((0, Incoming::Message(ToEditor::Log(line)))))) => self.log.push_back(line),
            Ok(Ok(Some((0, Incoming::Message(ToEditor::Activity(activity)))))) => {
                self.activities.push_back(activity);
            }
            Ok(Ok(Some((0, Incoming::Message(ToEditor::ModelCatalog(catalog)))))) => {
                self.model_catalogs.push_back(catalog);
            }
            Ok(Ok(Some((0, Incoming::Message(ToEditor::BudgetNotice(notice)))))) => {
                self.budget_notices.push_back(notice);
            }
            Ok(Ok(Some((0, Incoming::Message(ToEditor::Superseded))))) => self.superseded = true,
            Ok(Ok(Some((stream, Incoming::IncompleteHistory)))) => {
                self.send(stream, &FromEditor::HistoryMissing);
            }
            Ok(Ok(Some((stream, Incoming::Message(message))))) => self.messages.push_back((stream, message)),
            Ok(Ok(Some((_, part)))) => panic!("the server sent a part of a response: {part:?}"),
        }
        true
    }
}

/// A source that counts its bytes.
struct Counted<R> {
    from: R,
    read: Arc<AtomicU64>,
}

impl<R: AsyncRead + Unpin> AsyncRead for Counted<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.from).poll_read(context, buffer);
        self.read.fetch_add((buffer.filled().len() - before) as u64, Ordering::Relaxed);
        polled
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let deadline = Instant::now() + RECEIVE_SENT;
        while self.receive(deadline) {}
        assert!(self.messages.is_empty(), "unexpected messages: {:?}", self.messages);
    }
}

/// The `Hello` of a current editor to the server of this directory.
pub fn hello(home: &Home) -> Hello {
    Hello {
        token: Directory::server(home.path()).expect("a server").token,
        protocol: PROTOCOL,
        version: "9.9.9".into(),
        pid: std::process::id(),
        window: Window::default(),
    }
}

/// A model of vendor `test`.
pub fn model(id: &str) -> ModelInfo {
    ModelInfo {
        vendor: "test".into(),
        id: id.into(),
        family: id.into(),
        version: "1".into(),
        name: id.into(),
        max_input_tokens: 100_000,
        tools: Some(true),
        images: Some(true),
        ..ModelInfo::default()
    }
}

/// A key that permits everything.
pub fn person_key(name: &str, key: &str) -> PersonKey {
    let (name, key) = (name.into(), key.into());
    PersonKey { name, key, models: Vec::new(), tools: true, per_day: None, per_month: None, total: None }
}

/// Default settings of a user, with a port chosen by the system.
pub fn user_settings() -> UserSettings {
    UserSettings { port: 0, ..UserSettings::default() }
}

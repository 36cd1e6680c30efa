//! A scripted editor: a peer on the server's real local socket that says what a test wants and hears all that
//! is said. Dropped with a message unheard, it fails the test.

use std::collections::VecDeque;
use std::time::Duration;

use bytes::BytesMut;
use copilot_proxy::bridge::directory::Directory;
use copilot_proxy::bridge::frames::{FrameReader, Incoming, Kind, put_message, put_text};
use copilot_proxy::bridge::protocol::{
    Activity, Chat, FromEditor, Hello, HttpState, LogLine, ModelCatalog, ModelInfo, Models, PROTOCOL,
    Refused, Status, ToEditor, UserSettings, Window,
};
use interprocess::local_socket::tokio::Stream;
use interprocess::local_socket::traits::tokio::Stream as _;
use interprocess::local_socket::{GenericFilePath, ToFsName};
use tokio::io::{AsyncWriteExt, ReadHalf, WriteHalf};
use tokio::runtime::Runtime;
use tokio::time::{Instant, timeout, timeout_at};

use crate::server::Home;
use crate::wait::DEADLINE;

/// Long enough to take what has come already.
const A_MOMENT: Duration = Duration::from_millis(1);

/// A connection to a server, attached or not yet.
pub struct Editor {
    runtime: Runtime,
    reader: FrameReader<ReadHalf<Stream>, ToEditor>,
    writer: WriteHalf<Stream>,
    messages: VecDeque<(u32, ToEditor)>,
    statuses: VecDeque<Status>,
    log: VecDeque<LogLine>,
    activities: VecDeque<Activity>,
    catalogues: VecDeque<ModelCatalog>,
    /// The server has said that another one takes its place.
    pub has_successor: bool,
    hung_up: bool,
}

impl Editor {
    /// A connection on which nothing has been said.
    pub fn connect(home: &Home) -> Editor {
        let endpoint = Directory::server(home.path()).expect("a server").endpoint;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let stream = runtime.block_on(async {
            let name = endpoint.to_fs_name::<GenericFilePath>().unwrap();
            Stream::connect(name).await.expect("a server that lets editors in")
        });
        let (from, writer) = tokio::io::split(stream);
        Editor {
            runtime,
            reader: FrameReader::new(from),
            writer,
            messages: VecDeque::new(),
            statuses: VecDeque::new(),
            log: VecDeque::new(),
            activities: VecDeque::new(),
            catalogues: VecDeque::new(),
            has_successor: false,
            hung_up: false,
        }
    }

    /// An editor that the server has welcomed, and that offers nothing.
    pub fn attach(home: &Home) -> Editor {
        Editor::attach_with(home, Window::default())
    }

    /// The same, of this window.
    pub fn attach_with(home: &Home, window: Window) -> Editor {
        let mut editor = Editor::connect(home);
        editor.says(0, &FromEditor::Hello(Hello { window, ..hello(home) }));
        match editor.hears() {
            (0, ToEditor::Welcome(_)) => editor,
            other => panic!("not welcomed: {other:?}"),
        }
    }

    /// The first editor of a server, with these models; the server knows of them when this returns.
    pub fn offering(home: &Home, models: &[ModelInfo]) -> Editor {
        let mut editor = Editor::attach(home);
        editor.offers(models);
        let listed = u32::try_from(models.len()).unwrap();
        editor.hears_status(|status| status.models == listed);
        editor
    }

    /// Says its models.
    pub fn offers(&mut self, models: &[ModelInfo]) {
        self.says(0, &FromEditor::Models(Models { models: models.into() }));
    }

    pub fn says(&mut self, stream: u32, message: &FromEditor) {
        let mut bytes = BytesMut::new();
        put_message(stream, message, &mut bytes).unwrap();
        self.says_bytes(&bytes).expect("a server that reads");
    }

    /// CapturedBody of an answer.
    pub fn says_text(&mut self, stream: u32, text: &str) {
        let mut bytes = BytesMut::new();
        put_text(Kind::Text, stream, text, &mut bytes);
        self.says_bytes(&bytes).expect("a server that reads");
    }

    /// An answer of one text.
    pub fn answers(&mut self, stream: u32, text: &str) {
        self.says_text(stream, text);
        self.says(stream, &FromEditor::End);
    }

    /// Whatever it is, as it stands.
    pub fn says_bytes(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.runtime.block_on(async { timeout(DEADLINE, self.writer.write_all(bytes)).await })?
    }

    /// The next message that is no ping, no status, no log line and no activity.
    pub fn hears(&mut self) -> (u32, ToEditor) {
        self.listens_for("a message", |editor| editor.messages.pop_front())
    }

    /// A message that has come already, if one has.
    pub fn has_heard(&mut self) -> Option<(u32, ToEditor)> {
        let deadline = Instant::now() + A_MOMENT;
        while self.messages.is_empty() && self.listen(deadline) {}
        self.messages.pop_front()
    }

    /// The next message, a question.
    pub fn hears_chat(&mut self) -> (u32, Chat) {
        match self.hears() {
            (stream, ToEditor::Chat(chat)) => (stream, std::sync::Arc::unwrap_or_clone(chat)),
            other => panic!("no chat: {other:?}"),
        }
    }

    /// The next message: nobody waits for this stream any more.
    pub fn hears_cancel(&mut self, stream: u32) {
        assert_eq!(self.hears(), (stream, ToEditor::Cancel));
    }

    /// The next message: why this editor is not wanted.
    pub fn hears_refusal(&mut self) -> Refused {
        match self.hears() {
            (0, ToEditor::Refused(refused)) => refused,
            other => panic!("not refused: {other:?}"),
        }
    }

    /// Waits for a status of which this is true.
    pub fn hears_status(&mut self, is_it: impl Fn(&Status) -> bool) -> Status {
        self.listens_for("a status", |editor| {
            while let Some(status) = editor.statuses.pop_front() {
                if is_it(&status) {
                    return Some(status);
                }
            }
            None
        })
    }

    /// Waits until the port is so.
    pub fn hears_http(&mut self, is_it: impl Fn(&HttpState) -> bool) -> HttpState {
        self.hears_status(|status| is_it(&status.http)).http
    }

    /// Waits until the port is open, and tells it.
    pub fn hears_port(&mut self) -> u16 {
        match self.hears_http(|http| matches!(http, HttpState::Running { .. })) {
            HttpState::Running { port } => port,
            other => panic!("{other:?}"),
        }
    }

    /// Waits for a log line that holds these words.
    pub fn hears_log(&mut self, words: &str) -> LogLine {
        self.listens_for(words, |editor| {
            while let Some(line) = editor.log.pop_front() {
                if line.text.contains(words) {
                    return Some(line);
                }
            }
            None
        })
    }

    /// The next activity.
    pub fn hears_activity(&mut self) -> Activity {
        self.listens_for("activity", |editor| editor.activities.pop_front())
    }

    /// The next word of which models there are.
    pub fn hears_catalogue(&mut self) -> ModelCatalog {
        self.listens_for("catalogue", |editor| editor.catalogues.pop_front())
    }

    /// Waits until the server hangs up.
    pub fn hears_the_end(&mut self) {
        let deadline = Instant::now() + DEADLINE;
        while self.listen(deadline) {}
        assert!(self.hung_up, "the server did not hang up for {DEADLINE:?}");
    }

    fn listens_for<T>(&mut self, wanted: &str, mut is_there: impl FnMut(&mut Editor) -> Option<T>) -> T {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(heard) = is_there(self) {
                return heard;
            }
            if !self.listen(deadline) {
                let why = if self.hung_up { "the server hung up" } else { "the server did not say it" };
                panic!("waiting for {wanted}: {why}");
            }
        }
    }

    /// Takes one more thing that the server says, if it does in time.
    fn listen(&mut self, deadline: Instant) -> bool {
        if self.hung_up {
            return false;
        }
        let heard = self.runtime.block_on(async { timeout_at(deadline, self.reader.next()).await });
        match heard {
            Err(_) => return false,
            // A server that was killed may have been in the middle of a frame.
            Ok(Ok(None) | Err(_)) => {
                self.hung_up = true;
                return false;
            }
            Ok(Ok(Some((0, Incoming::Message(ToEditor::Ping))))) => {
                let mut bytes = BytesMut::new();
                put_message(0, &FromEditor::Pong, &mut bytes).unwrap();
                // It may have gone just now: the next one tells.
                let _ = self.says_bytes(&bytes);
            }
            Ok(Ok(Some((0, Incoming::Message(ToEditor::Status(status)))))) => self.statuses.push_back(status),
            Ok(Ok(Some((0, Incoming::Message(ToEditor::Log(line)))))) => self.log.push_back(line),
            Ok(Ok(Some((0, Incoming::Message(ToEditor::Activity(activity)))))) => {
                self.activities.push_back(activity);
            }
            Ok(Ok(Some((0, Incoming::Message(ToEditor::ModelCatalog(catalogue)))))) => {
                self.catalogues.push_back(catalogue);
            }
            Ok(Ok(Some((0, Incoming::Message(ToEditor::Superseded))))) => self.has_successor = true,
            Ok(Ok(Some((stream, Incoming::Message(message))))) => self.messages.push_back((stream, message)),
            Ok(Ok(Some((_, words)))) => panic!("a server that says words: {words:?}"),
        }
        true
    }
}

impl Drop for Editor {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        let deadline = Instant::now() + A_MOMENT;
        while self.listen(deadline) {}
        assert!(self.messages.is_empty(), "unheard: {:?}", self.messages);
    }
}

/// What an editor of today says to the server of this directory.
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

/// What a person has set, with a port of its own choice.
pub fn preferences() -> UserSettings {
    UserSettings { port: 0, ..UserSettings::default() }
}

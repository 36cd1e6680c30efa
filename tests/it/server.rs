//! The real program, started in a directory of its own and gone with the test.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::client::{Answer, Client, Request, Stream};
use crate::wait::{DEADLINE, until};

/// A directory that no other test has, gone with the last who knows it.
pub struct Home(PathBuf);

impl Home {
    pub fn new() -> Arc<Home> {
        // Short: a socket's path may have no more than 104 bytes on macOS.
        let name = uuid::Uuid::new_v4().simple().to_string();
        Arc::new(Home(std::env::temp_dir().join(format!("cp-{}", &name[..8]))))
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// What `server.json` says.
    pub fn server_file(&self) -> Option<Value> {
        serde_json::from_slice(&fs::read(self.0.join("server.json")).ok()?).ok()
    }

    /// Waits until `server.json` says a port, and tells it.
    pub fn port(&self) -> u16 {
        until("a port in server.json", || {
            self.server_file()?["port"].as_u64().and_then(|port| u16::try_from(port).ok())
        })
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // Nobody may have made it.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A running copy of the program. Dropped, it is killed.
pub struct Process {
    child: Child,
    /// Behind a lock so that threads may share a server.
    lines: Mutex<Receiver<String>>,
    complaints: Arc<Mutex<String>>,
}

impl Process {
    /// Starts it with these arguments, in an environment where it makes its temporary files at home.
    pub fn start(home: &Home, arguments: &[&str]) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_copilot-proxy"));
        command.args(arguments).env("RUST_LOG", "info,actix=off").env("TMPDIR", home.path().join("tmp"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program");
        let (sender, lines) = channel();
        let said = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || said.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let complaints = Arc::new(Mutex::new(String::new()));
        let mut complaining = BufReader::new(child.stderr.take().unwrap());
        let kept = complaints.clone();
        std::thread::spawn(move || {
            let mut line = String::new();
            while complaining.read_line(&mut line).is_ok_and(|read| read > 0) {
                kept.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        Process { child, lines: Mutex::new(lines), complaints }
    }

    /// Waits until it says that it listens, and tells where.
    pub fn listens(&self) -> u16 {
        let line = self.lines.lock().unwrap().recv_timeout(DEADLINE);
        let line = line.unwrap_or_else(|error| panic!("no ready line: {error}\n{}", self.complaints()));
        let port = line.strip_prefix("listening on http://127.0.0.1:").and_then(|port| port.parse().ok());
        port.unwrap_or_else(|| panic!("not a ready line: {line}"))
    }

    /// Waits until it has ended by itself.
    pub fn ended(&mut self) -> ExitStatus {
        until("the end of the process", || self.child.try_wait().unwrap())
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// As `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// As `kill` does, which asks nicely.
    #[cfg(unix)]
    pub fn terminate(&self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
    }

    /// What it said on stderr.
    pub fn complaints(&self) -> String {
        self.complaints.lock().unwrap().clone()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the process {} said:\n{}", self.id(), self.complaints());
        }
        // It may have ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A server that can be asked.
pub struct Server {
    pub process: Process,
    pub port: u16,
    // Last: removed when the process no longer writes to it.
    pub home: Arc<Home>,
}

impl Server {
    /// `demo`: with a simulated editor.
    pub fn demo(arguments: &[&str]) -> Server {
        let home = Home::new();
        fs::create_dir_all(home.path().join("tmp")).unwrap();
        let process = Process::start(&home, &[&["demo", "--port", "0"], arguments].concat());
        Server { port: process.listens(), process, home }
    }

    /// `serve`: as the extension starts it, nobody attached.
    pub fn serve(arguments: &[&str]) -> Server {
        Server::serve_in(&Home::new(), arguments)
    }

    /// The same in a directory that others know too.
    pub fn serve_in(home: &Arc<Home>, arguments: &[&str]) -> Server {
        let process = start_serving(home, "0", arguments);
        Server { port: process.listens(), process, home: home.clone() }
    }

    /// Attaches a simulated editor, a process of its own, and waits until its models are there.
    pub fn simulate(&self) -> Process {
        let before = self.editors();
        let editor = Process::start(&self.home, &["simulate", "--dir", self.home.path().to_str().unwrap()]);
        until("the models of a simulated editor", || {
            let health = self.get("/health").json();
            (health["editors"] == before + 1 && health["models_available"] != 0).then_some(())
        });
        editor
    }

    /// How many editors are attached.
    pub fn editors(&self) -> u64 {
        self.get("/health").json()["editors"].as_u64().unwrap()
    }

    pub fn client(&self) -> Client {
        Client::to(self.port)
    }

    pub fn send(&self, request: &Request) -> Answer {
        let mut client = self.client();
        client.send(request);
        client.answer()
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send(&Request::get(path))
    }

    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(&Request::post(path, body))
    }

    /// Posts and waits for the head of the answer.
    pub fn stream(&self, path: &str, body: &Value) -> Stream {
        let mut client = self.client();
        client.send(&Request::post(path, body));
        client.stream()
    }
}

/// `serve` in a directory, without waiting for anything.
pub fn start_serving(home: &Home, port: &str, arguments: &[&str]) -> Process {
    let dir = home.path().to_str().unwrap();
    Process::start(home, &[&["serve", "--port", port, "--dir", dir], arguments].concat())
}

/// A port that belongs to somebody else.
pub fn taken_port() -> (TcpListener, u16) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

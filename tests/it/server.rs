//! The real program, started in its own directory and killed at the end of the test.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use crate::client::{Client, Request, Response, Stream};
use crate::wait::{DEADLINE, until};

/// A directory of one test, removed with the last reference.
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

    /// Reads `server.json`; `None` if it doesn't exist.
    pub fn server_file(&self) -> Option<Value> {
        serde_json::from_slice(&fs::read(self.0.join("server.json")).ok()?).ok()
    }

    /// Removes the directory in one step: a server that writes to it meanwhile can't keep it from going.
    #[cfg(unix)]
    pub fn remove(&self) {
        let aside = self.0.with_extension("removed");
        fs::rename(&self.0, &aside).unwrap();
        until("the directory to be removed", || fs::remove_dir_all(&aside).ok());
    }

    /// Waits until `server.json` names a port, and returns it.
    pub fn port(&self) -> u16 {
        until("a port in server.json", || {
            self.server_file()?["port"].as_u64().and_then(|port| u16::try_from(port).ok())
        })
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // It may not exist.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A running process of the program. Dropping it kills it.
pub struct Process {
    child: Child,
    /// Behind a lock so that threads may share a server.
    lines: Mutex<Receiver<String>>,
    stderr: Arc<Mutex<String>>,
}

impl Process {
    /// Starts the program with these arguments; its temporary files go to `home`.
    pub fn start(home: &Home, arguments: &[&str]) -> Process {
        Process::run(home, Command::new(env!("CARGO_BIN_EXE_copilot-proxy")), arguments)
    }

    fn run(home: &Home, mut command: Command, arguments: &[&str]) -> Process {
        command.args(arguments).env("RUST_LOG", "info,actix=off").env("TMPDIR", home.path().join("tmp"));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program");
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        let stderr = Arc::new(Mutex::new(String::new()));
        let mut reader = BufReader::new(child.stderr.take().unwrap());
        let kept = stderr.clone();
        std::thread::spawn(move || {
            let mut line = String::new();
            while reader.read_line(&mut line).is_ok_and(|read| read > 0) {
                kept.lock().unwrap().push_str(&line);
                line.clear();
            }
        });
        Process { child, lines: Mutex::new(lines), stderr }
    }

    /// Waits for the line that reports the port, and returns the port.
    pub fn wait_until_listening(&self) -> u16 {
        let line = self.lines.lock().unwrap().recv_timeout(DEADLINE);
        let line = line.unwrap_or_else(|error| panic!("no ready line: {error}\n{}", self.stderr()));
        let port = line.strip_prefix("listening on http://127.0.0.1:").and_then(|port| port.parse().ok());
        port.unwrap_or_else(|| panic!("not a ready line: {line}"))
    }

    /// Waits until the process has exited by itself.
    pub fn wait_for_exit(&mut self) -> ExitStatus {
        until("the end of the process", || self.child.try_wait().unwrap())
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Memory of the process in bytes; `None` where the system doesn't tell it.
    pub fn memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
    }

    /// CPU time that the process has used; `None` where the system doesn't tell it. Linux counts it in hundredths of a second.
    pub fn cpu_time(&self) -> Option<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).ok()?;
        // The name of the program, in brackets, may have blanks.
        let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
        let ticks = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
        Some(Duration::from_millis(ticks * 10))
    }

    /// Time for which the main thread was ready to run and had no CPU; `None` where the system doesn't tell it.
    pub fn cpu_wait(&self) -> Option<Duration> {
        cpu_wait(&format!("/proc/{}/schedstat", self.id()))
    }

    /// Kills the process, as `kill -9` does.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends SIGTERM, as `kill` does.
    #[cfg(unix)]
    pub fn terminate(&self) {
        self.signal(rustix::process::Signal::TERM);
    }

    /// Sends a signal.
    #[cfg(unix)]
    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// The text written to stderr so far.
    pub fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }
}

/// The same for the calling thread.
pub fn thread_cpu_wait() -> Option<Duration> {
    cpu_wait("/proc/thread-self/schedstat")
}

fn cpu_wait(path: &str) -> Option<Duration> {
    let nanoseconds = fs::read_to_string(path).ok()?.split_whitespace().nth(1)?.parse().ok()?;
    Some(Duration::from_nanos(nanoseconds))
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("stderr of process {}:\n{}", self.id(), self.stderr());
        }
        // It may have exited already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A running server.
pub struct Server {
    pub process: Process,
    pub port: u16,
    // Last: removed when the process no longer writes to it.
    pub home: Arc<Home>,
}

impl Server {
    /// Runs `demo`, a server with a simulated editor.
    pub fn demo(arguments: &[&str]) -> Server {
        let home = Home::new();
        fs::create_dir_all(home.path().join("tmp")).unwrap();
        let process = Process::start(&home, &[&["demo", "--port", "0"], arguments].concat());
        Server { port: process.wait_until_listening(), process, home }
    }

    /// Runs `serve`, as the extension does, without an editor.
    pub fn serve(arguments: &[&str]) -> Server {
        Server::serve_in(&Home::new(), arguments)
    }

    /// Runs `serve` with this limit on open files.
    #[cfg(unix)]
    pub fn serve_with_open_files(limit: u32) -> Server {
        let home = Home::new();
        let dir = home.path().to_str().unwrap().to_owned();
        let mut command = Command::new("sh");
        command.args(["-c", &format!("ulimit -n {limit}; exec \"$0\" \"$@\"")]);
        command.arg(env!("CARGO_BIN_EXE_copilot-proxy"));
        let process = Process::run(&home, command, &["serve", "--port", "0", "--dir", &dir]);
        Server { port: process.wait_until_listening(), process, home }
    }

    /// Runs `serve` as VS Code does for a user whose directories are in `home`: `run/copilot-proxy` is the server's,
    /// `state/copilot-proxy` that of data that outlives it.
    #[cfg(unix)]
    pub fn serve_for_user(home: &Arc<Home>) -> Server {
        let run = home.path().join("run");
        let dir = run.join("copilot-proxy");
        fs::create_dir_all(&run).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_copilot-proxy"));
        command.env("XDG_RUNTIME_DIR", &run).env("XDG_STATE_HOME", home.path().join("state"));
        let process = Process::run(home, command, &["serve", "--port", "0", "--dir", dir.to_str().unwrap()]);
        Server { port: process.wait_until_listening(), process, home: home.clone() }
    }

    /// Runs `serve` in a directory that the test shares with other processes.
    pub fn serve_in(home: &Arc<Home>, arguments: &[&str]) -> Server {
        let process = start_serving(home, "0", arguments);
        Server { port: process.wait_until_listening(), process, home: home.clone() }
    }

    /// Attaches a simulated editor in its own process, and waits until its models are listed.
    pub fn simulate(&self) -> Process {
        let before = self.editors();
        let editor = Process::start(&self.home, &["simulate", "--dir", self.home.path().to_str().unwrap()]);
        until("the models of a simulated editor", || {
            let health = self.get("/health").json();
            (health["editors"] == before + 1 && health["models_available"] != 0).then_some(())
        });
        editor
    }

    /// Number of attached editors.
    pub fn editors(&self) -> u64 {
        self.get("/health").json()["editors"].as_u64().unwrap()
    }

    pub fn client(&self) -> Client {
        Client::to(self.port)
    }

    pub fn send(&self, request: &Request) -> Response {
        let mut client = self.client();
        client.send(request);
        client.response()
    }

    pub fn get(&self, path: &str) -> Response {
        self.send(&Request::get(path))
    }

    pub fn post(&self, path: &str, body: &Value) -> Response {
        self.send(&Request::post(path, body))
    }

    /// Posts a request and reads the head of its response.
    pub fn stream(&self, path: &str, body: &Value) -> Stream {
        let mut client = self.client();
        client.send(&Request::post(path, body));
        client.stream()
    }
}

/// Starts `serve` in a directory, without waiting for it.
pub fn start_serving(home: &Home, port: &str, arguments: &[&str]) -> Process {
    let dir = home.path().to_str().unwrap();
    Process::start(home, &[&["serve", "--port", port, "--dir", dir], arguments].concat())
}

/// A port that another program has open.
pub fn taken_port() -> (TcpListener, u16) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

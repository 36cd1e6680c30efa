//! `copilot-proxy mcp`: the server's MCP endpoint on standard input and output, for clients that start a program instead
//! of sending requests. Each line is one message. `endpoint` sends them; `session` keeps a session alive when the server is
//! replaced.

mod endpoint;
mod session;

use std::io::{self, BufRead, Write};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use serde_json::{Value, json};

use super::api_client::{ApiClient, ServerOption};
use crate::mcp::message::{RequestId, request_id};
use endpoint::Endpoint;
use session::SessionKeeper;

/// Time that running requests get to end after the client has closed standard input.
const END_LIMIT: Duration = Duration::from_secs(1);

/// Options of `copilot-proxy mcp`.
#[derive(Clone, Debug, clap::Args)]
pub struct McpOptions {
    /// Path or name of a workspace folder; its window's tools are used [default: the window focused last]
    #[arg(long, value_name = "FOLDER")]
    pub workspace: Option<String>,

    #[command(flatten)]
    pub(super) server: ServerOption,
}

/// Reasons for which the command ends with an error.
#[derive(Debug, thiserror::Error)]
pub enum McpError {
    /// There is no server.
    #[error("{}", NO_SERVER)]
    NoServer,
    /// Standard input can't be read.
    #[error("standard input: {0}")]
    Input(#[from] io::Error),
}

/// Words for a client whose server doesn't run.
const NO_SERVER: &str = "Copilot Proxy is not running. Open VS Code with the Copilot Proxy extension, or run `copilot-proxy demo`.";

/// Passes messages on until standard input is closed.
pub fn mcp(options: &McpOptions) -> Result<(), McpError> {
    if ApiClient::new(options.server.base()).get("/health").is_err() {
        return Err(McpError::NoServer);
    }
    let bridge = Arc::new(Bridge::new(options));
    for line in io::stdin().lock().split(b'\n') {
        let line = line?;
        if !line.trim_ascii().is_empty() {
            bridge.pass_on(line);
        }
    }
    bridge.end();
    Ok(())
}

/// Standard output, with one message of the server on each line.
#[derive(Default)]
struct Output(Mutex<()>);

impl Output {
    /// Writes a message.
    fn write(&self, message: &str) {
        let _writing = self.0.lock();
        let mut stdout = io::stdout().lock();
        // A client that no longer reads closes standard input, too.
        let _ = writeln!(stdout, "{}", message.replace(['\n', '\r'], " "));
        let _ = stdout.flush();
    }

    fn write_error(&self, id: &RequestId, message: &str) {
        let error = json!({ "code": -32603, "message": message });
        self.write(&json!({ "jsonrpc": "2.0", "id": id, "error": error }).to_string());
    }
}

/// Both directions of one client.
struct Bridge {
    output: Arc<Output>,
    sessions: Arc<SessionKeeper>,
    running: Mutex<usize>,
    ended: Condvar,
}

impl Bridge {
    fn new(options: &McpOptions) -> Bridge {
        let output: Arc<Output> = Arc::default();
        let endpoint = Endpoint::new(options.server.clone(), options.workspace.clone());
        let sessions = Arc::new(SessionKeeper::new(endpoint, output.clone()));
        Bridge { output, sessions, running: Mutex::new(0), ended: Condvar::new() }
    }

    /// Passes on one message. Requests run beside each other, but a session begins before its first request.
    fn pass_on(self: &Arc<Bridge>, line: Vec<u8>) {
        // A line that is no JSON gets the server's error for it.
        let message: Value = serde_json::from_slice(&line).unwrap_or(Value::Null);
        let id = message.get("id").and_then(request_id);
        let method = message.get("method").and_then(Value::as_str);
        if method == Some("initialize") || id.is_none() || method.is_none() {
            return self.send(&message, &line, id.as_ref());
        }
        *self.running.lock() += 1;
        let bridge = self.clone();
        thread::spawn(move || {
            bridge.send(&message, &line, id.as_ref());
            *bridge.running.lock() -= 1;
            bridge.ended.notify_all();
        });
    }

    fn send(&self, message: &Value, line: &[u8], id: Option<&RequestId>) {
        if let Err(error) = self.sessions.send(message, line) {
            match id {
                Some(id) => self.output.write_error(id, &error.to_string()),
                // A notification has no response.
                None => drop(writeln!(io::stderr(), "copilot-proxy: {error}")),
            }
        }
    }

    /// Lets requests that are about to end do so, then ends the session.
    fn end(&self) {
        let deadline = Instant::now() + END_LIMIT;
        let mut running = self.running.lock();
        while *running > 0 && !self.ended.wait_until(&mut running, deadline).timed_out() {}
        drop(running);
        self.sessions.end();
    }
}

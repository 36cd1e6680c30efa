//! Requests to the server's `/mcp`, and its responses as they come: whole ones and streams.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use serde_json::Value;

use super::super::api_client::{ServerOption, key};
use super::NO_SERVER;
use crate::mcp::version::{header_value, stateless_version};

/// Time limit of a connection to this machine.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// Reasons for which a message could not be delivered.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    /// The server can't be reached.
    #[error("{}", NO_SERVER)]
    NoServer(#[source] ureq::Error),
    /// The connection broke while the response came.
    #[error("the server ended before its response was complete")]
    Interrupted,
}

/// The MCP endpoint of the running server.
pub(super) struct Endpoint {
    server: ServerOption,
    workspace: Option<String>,
    /// Names this client in requests without a session, so that they can be cancelled.
    connection: String,
}

/// A session, as requests name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SessionHeaders {
    pub id: String,
    pub version: String,
}

/// A response whose body is still to be read.
pub(super) struct Incoming(ureq::http::Response<ureq::Body>);

impl Endpoint {
    pub fn new(server: ServerOption, workspace: Option<String>) -> Endpoint {
        Endpoint { server, workspace, connection: uuid::Uuid::new_v4().simple().to_string() }
    }

    /// Sends a message.
    pub fn post(
        &self,
        message: &Value,
        body: &[u8],
        session: Option<&SessionHeaders>,
        user_agent: &str,
    ) -> Result<Incoming, SendError> {
        let mut request = agent().post(self.url()).header("content-type", "application/json");
        request = request.header("accept", "application/json, text/event-stream");
        request = request.header("x-copilot-proxy-connection", &self.connection);
        for (name, value) in self.common_headers(session, user_agent) {
            request = request.header(name, value);
        }
        for (name, value) in stateless_headers(message) {
            request = request.header(name, value);
        }
        request.send(body).map(Incoming).map_err(SendError::NoServer)
    }

    /// Opens the stream of a session.
    pub fn listen(&self, session: &SessionHeaders, user_agent: &str) -> Result<Incoming, SendError> {
        let mut request = agent().get(self.url()).header("accept", "text/event-stream");
        for (name, value) in self.common_headers(Some(session), user_agent) {
            request = request.header(name, value);
        }
        request.call().map(Incoming).map_err(SendError::NoServer)
    }

    /// Ends a session.
    pub fn delete(&self, session: &SessionHeaders, user_agent: &str) {
        let mut request = agent().delete(self.url());
        for (name, value) in self.common_headers(Some(session), user_agent) {
            request = request.header(name, value);
        }
        // The server forgets sessions by itself, too.
        let _ = request.call();
    }

    fn url(&self) -> String {
        format!("{}/mcp", self.server.base())
    }

    fn common_headers(
        &self,
        session: Option<&SessionHeaders>,
        user_agent: &str,
    ) -> Vec<(&'static str, String)> {
        let mut headers = vec![("user-agent", user_agent.to_owned())];
        if let Some(session) = session {
            headers.push(("mcp-session-id", session.id.clone()));
            headers.push(("mcp-protocol-version", session.version.clone()));
        }
        if let Some(workspace) = &self.workspace {
            headers.push(("x-copilot-proxy-workspace", workspace.clone()));
        }
        if let Some(key) = key() {
            headers.push(("authorization", format!("Bearer {key}")));
        }
        headers
    }
}

impl Incoming {
    pub fn status(&self) -> u16 {
        self.0.status().as_u16()
    }

    /// The session that the response begins.
    pub fn session_id(&self) -> Option<String> {
        Some(self.0.headers().get("mcp-session-id")?.to_str().ok()?.to_owned())
    }

    /// Reads all messages of the response.
    pub fn read(mut self, mut receive: impl FnMut(&str)) -> Result<(), SendError> {
        let content_type = self.0.headers().get("content-type").and_then(|value| value.to_str().ok());
        let is_stream = content_type.is_some_and(|value| value.starts_with("text/event-stream"));
        if !is_stream {
            let text = self.0.body_mut().read_to_string().map_err(|_| SendError::Interrupted)?;
            if !text.is_empty() {
                receive(&text);
            }
            return Ok(());
        }
        for line in BufReader::new(self.0.body_mut().as_reader()).lines() {
            let line = line.map_err(|_| SendError::Interrupted)?;
            // The server writes each message on one line.
            if let Some(message) = line.strip_prefix("data: ") {
                receive(message);
            }
        }
        Ok(())
    }
}

fn agent() -> ureq::Agent {
    // Requests to this machine must not use a proxy. A tool may take as long as it likes.
    let config = ureq::Agent::config_builder().proxy(None).http_status_as_error(false);
    config.timeout_connect(Some(CONNECT_LIMIT)).build().into()
}

/// The headers that repeat fields of a message without a session.
fn stateless_headers(message: &Value) -> Vec<(&'static str, String)> {
    let text = |name: &str| message.get(name).and_then(Value::as_str);
    let (Some(version), Some(method)) = (stateless_version(message), text("method")) else {
        return Vec::new();
    };
    let mut headers =
        vec![("mcp-protocol-version", header_value(version)), ("mcp-method", header_value(method))];
    if let Some(name) = message.pointer("/params/name").and_then(Value::as_str) {
        headers.push(("mcp-name", header_value(name)));
    }
    headers
}

//! The session of a client that began one, across the end of a server: a new server gets the same `initialize`, and the
//! client learns that the tools may have changed.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use serde_json::{Value, json};

use super::Output;
use super::endpoint::{Endpoint, Incoming, SendError, SessionHeaders};
use crate::mcp::message::{RequestId, request_id};
use crate::mcp::notification::tools_changed;
use crate::mcp::version::stateless_version;

/// Time for which a server may be away while another one takes its place.
const REPLACEMENT_LIMIT: Duration = Duration::from_secs(5);

/// Time between two attempts to reach a server.
const RETRY: Duration = Duration::from_millis(250);

/// Time before the stream of a session is opened again.
const LISTEN_AGAIN: Duration = Duration::from_secs(1);

/// Longest name of a client.
const MAX_NAME: usize = 100;

/// Sends messages in the client's session, and writes what comes back.
pub(super) struct SessionKeeper {
    endpoint: Endpoint,
    output: Arc<Output>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    session: Option<SessionHeaders>,
    /// The message that began it.
    initialize: Value,
    /// Name and version of the client.
    user_agent: String,
}

impl SessionKeeper {
    pub fn new(endpoint: Endpoint, output: Arc<Output>) -> SessionKeeper {
        let state = State { user_agent: "copilot-proxy-mcp".into(), ..State::default() };
        SessionKeeper { endpoint, output, state: Mutex::new(state) }
    }

    /// Sends a message and writes the messages that answer it.
    pub fn send(self: &Arc<SessionKeeper>, message: &Value, line: &[u8]) -> Result<(), SendError> {
        if let Some(name) = client_name(message) {
            self.state.lock().user_agent = name;
        }
        let id = message.get("id").and_then(request_id);
        if message.get("method").and_then(Value::as_str) == Some("initialize") {
            return self.initialize(message, line, id.as_ref());
        }
        let is_stateless = stateless_version(message).is_some();
        let deadline = Instant::now() + REPLACEMENT_LIMIT;
        loop {
            let (session, user_agent) = {
                let state = self.state.lock();
                (state.session.clone().filter(|_| !is_stateless), state.user_agent.clone())
            };
            let sent = self.endpoint.post(message, line, session.as_ref(), &user_agent);
            match (sent, session) {
                (Ok(incoming), Some(session)) if incoming.status() == 404 && Instant::now() < deadline => {
                    self.renew(&session)?;
                }
                (Ok(incoming), _) => return self.deliver(incoming, id.as_ref()),
                (Err(SendError::NoServer(_)), _) if Instant::now() < deadline => thread::sleep(RETRY),
                (Err(error), _) => return Err(error),
            }
        }
    }

    /// Ends the session.
    pub fn end(&self) {
        let mut state = self.state.lock();
        if let Some(session) = state.session.take() {
            self.endpoint.delete(&session, &state.user_agent);
        }
    }

    fn initialize(
        self: &Arc<SessionKeeper>,
        message: &Value,
        line: &[u8],
        id: Option<&RequestId>,
    ) -> Result<(), SendError> {
        let mut state = self.state.lock();
        let incoming = self.endpoint.post(message, line, None, &state.user_agent)?;
        let session = incoming.session_id();
        let mut version = None;
        self.deliver_with(incoming, id, |response| version = version_of(response))?;
        let (Some(id), Some(version)) = (session, version) else { return Ok(()) };
        let is_first = state.session.replace(SessionHeaders { id, version }).is_none();
        state.initialize = message.clone();
        drop(state);
        if is_first {
            let keeper = self.clone();
            thread::spawn(move || keeper.listen());
        }
        Ok(())
    }

    /// Begins the session again at a server that doesn't know it, unless that has been done.
    fn renew(&self, lost: &SessionHeaders) -> Result<(), SendError> {
        let mut state = self.state.lock();
        if state.session.as_ref() != Some(lost) {
            return Ok(());
        }
        let line = state.initialize.to_string();
        let incoming = self.endpoint.post(&state.initialize, line.as_bytes(), None, &state.user_agent)?;
        let id = incoming.session_id();
        let mut version = None;
        incoming.read(|text| version = serde_json::from_str(text).ok().as_ref().and_then(version_of))?;
        let (Some(id), Some(version)) = (id, version) else { return Err(SendError::Interrupted) };
        let session = SessionHeaders { id, version };
        let initialized = json!({ "jsonrpc": "2.0", "method": "notifications/initialized" });
        let line = initialized.to_string();
        self.endpoint.post(&initialized, line.as_bytes(), Some(&session), &state.user_agent)?;
        state.session = Some(session);
        drop(state);
        self.output.write(&tools_changed().to_string());
        Ok(())
    }

    /// Writes the notifications of the session until it ends.
    fn listen(&self) {
        loop {
            let state = self.state.lock();
            let (session, user_agent) = (state.session.clone(), state.user_agent.clone());
            drop(state);
            let Some(session) = session else { return };
            match self.endpoint.listen(&session, &user_agent) {
                Ok(incoming) if incoming.status() == 200 => {
                    // It is opened again, however it ends.
                    let _ = incoming.read(|message| self.output.write(message));
                }
                Ok(incoming) if incoming.status() == 404 => {
                    // The next attempt may be luckier.
                    let _ = self.renew(&session);
                }
                Ok(_) | Err(_) => {}
            }
            thread::sleep(LISTEN_AGAIN);
        }
    }

    fn deliver(&self, incoming: Incoming, id: Option<&RequestId>) -> Result<(), SendError> {
        self.deliver_with(incoming, id, |_| ())
    }

    /// Writes the messages of a response; the one that ends the request is shown to `inspect`, too.
    fn deliver_with(
        &self,
        incoming: Incoming,
        id: Option<&RequestId>,
        mut inspect: impl FnMut(&Value),
    ) -> Result<(), SendError> {
        let mut is_answered = false;
        let read = incoming.read(|text| {
            let mut message: Value = serde_json::from_str(text).unwrap_or(Value::Null);
            if message.get("method").is_some() {
                return self.output.write(text);
            }
            is_answered = true;
            inspect(&message);
            // An error about a message that the server has not read has no id.
            match (message.as_object_mut(), id) {
                (Some(fields), Some(id)) if !fields.contains_key("id") => {
                    fields.insert("id".into(), json!(id));
                    self.output.write(&message.to_string());
                }
                _ => self.output.write(text),
            }
        });
        if is_answered { Ok(()) } else { read }
    }
}

/// The version in the result of `initialize`.
fn version_of(response: &Value) -> Option<String> {
    Some(response.pointer("/result/protocolVersion")?.as_str()?.to_owned())
}

/// Name and version of the client, where a message has them, as a `User-Agent`.
fn client_name(message: &Value) -> Option<String> {
    let params = message.get("params")?;
    let info =
        params.get("clientInfo").or_else(|| params.pointer("/_meta/io.modelcontextprotocol~1clientInfo"))?;
    let part = |name: &str| {
        let text = info.get(name).and_then(Value::as_str).unwrap_or_default();
        let plain =
            text.chars().map(|c| if c.is_ascii_alphanumeric() || ".-_".contains(c) { c } else { '-' });
        plain.take(MAX_NAME).collect::<String>()
    };
    let name = part("name");
    (!name.is_empty()).then(|| format!("{name}/{}", part("version")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_is_named_by_either_era() {
        let info = json!({ "name": "My Client", "version": "1.0" });
        let legacy = json!({ "params": { "clientInfo": info } });
        assert_eq!(client_name(&legacy).as_deref(), Some("My-Client/1.0"));
        let stateless = json!({ "params": { "_meta": { "io.modelcontextprotocol/clientInfo": info } } });
        assert_eq!(client_name(&stateless).as_deref(), Some("My-Client/1.0"));
        assert_eq!(client_name(&json!({ "params": {} })), None);
        assert_eq!(client_name(&json!([])), None);
    }
}

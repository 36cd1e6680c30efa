//! A plain HTTP client of a running server for the commands: finds its address and sends requests.

use std::time::Duration;

use serde_json::Value;

use crate::bridge::directory::Directory;
use crate::bridge::protocol::ModelInfo;
use crate::dialect::openai_chat::models as openai;
use crate::models::ModelEntry;
use crate::options::DEFAULT_PORT;
use crate::options::DirectoryOption;

/// Variable that holds the server's key. Not an option: other users can read command lines.
pub(super) const KEY_VARIABLE: &str = "COPILOT_PROXY_API_KEY";

/// A server of this machine answers at once, unless a model is to speak.
pub(super) const AT_ONCE: Duration = Duration::from_secs(5);

/// Longer than a server waits for the models of a window that reloads or has just opened.
const WITH_WINDOW: Duration = Duration::from_secs(15);

/// Name of the commands in the request log.
const USER_AGENT: &str = concat!("copilot-proxy/", env!("CARGO_PKG_VERSION"));

/// The server that a command means.
#[derive(Clone, Debug, clap::Args)]
pub struct ServerOption {
    #[command(flatten)]
    pub(super) directory: DirectoryOption,

    /// The server's address [default: where the running server listens, else <http://127.0.0.1:8080>]
    #[arg(long, value_name = "URL", value_parser = base)]
    pub(super) url: Option<String>,
}

impl ServerOption {
    /// Whether it means a server of this machine, so that a key in the state directory is known there.
    pub(super) fn is_local(&self) -> bool {
        let is_loopback = |url: &String| {
            let host = url.trim_start_matches("http://");
            ["127.0.0.1", "localhost", "[::1]"]
                .iter()
                .filter_map(|name| host.strip_prefix(name))
                .any(|rest| rest.is_empty() || rest.starts_with(':'))
        };
        self.url.as_ref().is_none_or(is_loopback)
    }

    /// Whether it means the running server of the directory, whatever its address.
    pub(super) fn is_of_directory(&self) -> bool {
        let port = || Directory::server(&self.directory.path()).ok()?.port;
        self.url.as_ref().is_none_or(|url| port().is_some_and(|port| *url == at_port(port)))
    }

    /// `http://127.0.0.1:8080`, without a slash at the end.
    pub(super) fn base(&self) -> String {
        let port = || Directory::server(&self.directory.path()).ok()?.port;
        self.url.clone().unwrap_or_else(|| at_port(port().unwrap_or(DEFAULT_PORT)))
    }
}

/// A server's address on this machine.
pub(super) fn at_port(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// The key that requests are to carry.
pub(super) fn key() -> Option<String> {
    std::env::var(KEY_VARIABLE).ok().filter(|key| !key.is_empty())
}

/// With and without `/v1`, with and without a slash: people copy what they find.
fn base(text: &str) -> Result<String, &'static str> {
    let text = text.trim_end_matches('/');
    let text = text.strip_suffix("/v1").unwrap_or(text);
    if text.strip_prefix("http://").is_some_and(|host| !host.is_empty()) {
        Ok(text.to_owned())
    } else {
        Err("wanted an address like http://127.0.0.1:8080")
    }
}

/// Asks one server.
pub(super) struct ApiClient {
    pub base: String,
    key: Option<String>,
}

/// Reasons for which a command gets nothing from the server.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// No server answers at the address.
    #[error(
        "no server answers at {base} ({error}); open VS Code with the Copilot Proxy extension, or run `copilot-proxy demo`"
    )]
    Unreachable {
        /// The address.
        base: String,
        /// Reason of the HTTP client.
        error: Box<ureq::Error>,
    },
    /// The server or the model refused, with this message.
    #[error("{0}")]
    Refused(String),
    /// Neither arguments nor standard input have a text.
    #[error("no question: write one behind `ask`, or pipe text to it")]
    NoQuestion,
    /// The terminal or the connection broke.
    #[error("{0}")]
    Output(#[from] std::io::Error),
}

impl ServerError {
    /// The error of the terminal, if it is one.
    pub(super) fn as_io(&self) -> Option<&std::io::Error> {
        match self {
            ServerError::Output(error) => Some(error),
            ServerError::Unreachable { .. } | ServerError::Refused(_) | ServerError::NoQuestion => None,
        }
    }
}

/// The message of an error in OpenAI's form.
pub(super) fn error_message(body: &Value) -> String {
    let message = body.pointer("/error/message").and_then(Value::as_str);
    message
        .unwrap_or("the server's response is no error of its own; another program may use its port")
        .to_owned()
}

/// A response.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ApiResponse {
    pub status: u16,
    /// Null where it isn't JSON.
    pub body: Value,
}

impl ApiClient {
    /// Port of a server of this machine.
    pub fn local_port(&self) -> Option<u16> {
        let local = ["http://127.0.0.1:", "http://localhost:", "http://[::1]:"];
        local.iter().find_map(|start| self.base.strip_prefix(start))?.parse().ok()
    }

    /// With the key in the environment.
    pub fn new(base: String) -> ApiClient {
        ApiClient::with_key(base, key())
    }

    /// With this key.
    pub fn with_key(base: String, key: Option<String>) -> ApiClient {
        ApiClient { base, key }
    }

    pub fn get(&self, path: &str) -> Result<ApiResponse, ureq::Error> {
        self.get_within(AT_ONCE, path)
    }

    fn get_within(&self, timeout: Duration, path: &str) -> Result<ApiResponse, ureq::Error> {
        let request = agent(timeout).get(format!("{}{path}", self.base));
        self.authorized(request).call().and_then(read)
    }

    pub fn post(&self, path: &str, body: &Value, timeout: Duration) -> Result<ApiResponse, ureq::Error> {
        let request = agent(timeout).post(format!("{}{path}", self.base));
        self.authorized(request).send_json(body).and_then(read)
    }

    /// Sends a request whose response is read while it comes.
    pub fn stream(&self, path: &str, body: &Value) -> Result<ureq::http::Response<ureq::Body>, ureq::Error> {
        let request = agent(None).post(format!("{}{path}", self.base));
        self.authorized(request).send_json(body)
    }

    /// The JSON of a successful response.
    pub fn get_json(&self, path: &str) -> Result<Value, ServerError> {
        self.success(self.get(path))
    }

    /// The list of models, as `GET /v1/models` returns it.
    pub fn models_json(&self) -> Result<Value, ServerError> {
        self.success(self.list_models())
    }

    fn success(&self, response: Result<ApiResponse, ureq::Error>) -> Result<Value, ServerError> {
        let ApiResponse { status, body } = response.map_err(|error| self.unreachable(error))?;
        if status == 200 && body.is_object() {
            Ok(body)
        } else {
            Err(ServerError::Refused(error_message(&body)))
        }
    }

    /// The error of a request that got no response.
    pub fn unreachable(&self, error: ureq::Error) -> ServerError {
        ServerError::Unreachable { base: self.base.clone(), error: Box::new(error) }
    }

    fn list_models(&self) -> Result<ApiResponse, ureq::Error> {
        self.get_within(WITH_WINDOW, "/v1/models")
    }

    /// The models that it lists; none if it can't be reached.
    pub fn models(&self) -> Vec<ModelEntry> {
        let answer = self.list_models().ok().filter(|answer| answer.status == 200);
        let listed = answer.map(|answer| openai::read_list(answer.body)).unwrap_or_default();
        listed.into_iter().map(entry).collect()
    }

    fn authorized<Body>(&self, request: ureq::RequestBuilder<Body>) -> ureq::RequestBuilder<Body> {
        match &self.key {
            Some(key) => request.header("authorization", format!("Bearer {key}")),
            None => request,
        }
    }
}

/// An agent that gives up after this time; without one the server's own limits end a request.
fn agent(timeout: impl Into<Option<Duration>>) -> ureq::Agent {
    // Requests to this machine must not use a proxy.
    let config = ureq::Agent::config_builder().proxy(None).http_status_as_error(false);
    config.user_agent(USER_AGENT).timeout_global(timeout.into()).build().into()
}

/// Reads a whole response.
pub(super) fn read(mut response: ureq::http::Response<ureq::Body>) -> Result<ApiResponse, ureq::Error> {
    let text = response.body_mut().read_to_string()?;
    Ok(ApiResponse {
        status: response.status().as_u16(),
        body: serde_json::from_str(&text).unwrap_or(Value::Null),
    })
}

/// Converts a listed model to the registry's form.
fn entry(listed: openai::Model) -> ModelEntry {
    let own_id = listed.id.strip_prefix(&format!("{}/", listed.vendor)).unwrap_or(&listed.id).to_owned();
    let model = ModelInfo {
        id: own_id,
        family: listed.family,
        version: listed.version,
        name: listed.name,
        max_input_tokens: listed.max_input_tokens,
        tools: listed.tools,
        images: listed.images,
        reports_usage: false,
        vendor: listed.vendor,
        extra: listed.extra,
    };
    ModelEntry { id: listed.id, model: model.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_address_is_read() {
        for copied in ["http://[::1]:80", "http://[::1]:80/", "http://[::1]:80/v1", "http://[::1]:80/v1/"] {
            assert_eq!(base(copied).as_deref(), Ok("http://[::1]:80"), "{copied}");
        }
        for other in ["", "http://", "127.0.0.1:8080", "https://127.0.0.1"] {
            assert!(base(other).is_err(), "{other}");
        }
    }
}

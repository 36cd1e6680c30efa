//! Every reason for which a request fails, classified once. Each dialect turns it into its own error response.

use std::fmt;
use std::time::Duration;

mod another_model;
mod free_of_charge;
mod hint;
mod redacted;

/// Content codings of request bodies that the server unpacks, as the `Accept-Encoding` header lists them.
pub const ACCEPTED_CODINGS: &str = "gzip, deflate, zstd, br";

/// Longest `retry-after` while the provider blocks: agents retry some times, and show the reason after that.
/// Qwen Code retries six times: it shows the reason after 66 s with a wait of 10 s each, after some 35 s with this one.
const LONGEST_BLOCKED_WAIT: Duration = Duration::from_secs(5);

/// A reason for not answering. Its text is for the person who can mend it.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Failure {
    /// The request is malformed: `at` is the path of the field, empty where the whole body is meant.
    #[error("{}{message}", place(at))]
    Invalid {
        /// For example `messages[2].content[0].type`.
        at: String,
        /// Value found and values accepted.
        message: String,
    },
    /// The request is well formed but asks for what can't be done here.
    #[error("{}{message}", place(at))]
    Unsupported {
        /// The field that asks for it.
        at: String,
        /// Feature that is not available, and the reason.
        message: String,
    },
    /// The client wants the server to keep the thread (Anthropic's `thread`); its SDKs fall back to whole
    /// conversations.
    #[error("thread: conversations are not kept here; send all messages with each request")]
    ThreadUnsupported,
    /// The request continues an answer that is not, or no longer, kept.
    #[error(
        "Previous response with id '{id}' not found. Responses are kept in memory only, the latest ones, and \
         not at all with `store` set to false: send the whole conversation in `input`"
    )]
    UnknownResponse {
        /// The answer's id.
        id: String,
    },
    /// The answer that is to be fetched or deleted is not, or no longer, kept.
    #[error(
        "Response with id '{id}' not found. Responses are kept in memory only, the latest ones, and not at all with \
         `store` set to false"
    )]
    NoSuchResponse {
        /// The answer's id.
        id: String,
    },
    /// The request refers to an item of an answer that is not, or no longer, kept.
    #[error(
        "Item with id '{id}' not found. Items are kept in memory only, those of the latest responses, and not \
         at all with `store` set to false: send the item itself"
    )]
    UnknownItem {
        /// The item's id.
        id: String,
    },
    /// The prompt does not fit the model; nothing is trimmed silently.
    #[error("prompt is too long: {tokens} tokens > {maximum} maximum")]
    TooLong {
        /// Tokens of the request.
        tokens: u64,
        /// Maximum input tokens of the model.
        maximum: u64,
    },
    /// The prompt fits the model, but the user doesn't want to pay the price of its long context.
    #[error(
        "prompt is too long: {tokens} tokens > {maximum} maximum: beyond it this model's long-context price may begin, \
         and the setting `copilotProxy.contextSize` is `standard`; `full` takes the whole window"
    )]
    TooLongForSetting {
        /// Tokens of the request.
        tokens: u64,
        /// Most tokens at the standard price.
        maximum: u64,
    },
    /// The provider found the prompt too long and did not say by how much.
    #[error("prompt is too long for this model")]
    TooLongForProvider,
    /// The body is over the limit.
    #[error("the request body is larger than {limit} bytes")]
    BodyTooLarge {
        /// The limit in bytes.
        limit: usize,
    },
    /// The request had not fully arrived in time.
    #[error("the request was not received within {} seconds", within.as_secs())]
    ReceiveTimeout {
        /// The time it had.
        within: Duration,
    },
    /// A web page sent something else than JSON.
    #[error("content-type: found `{found}`, expected `application/json`")]
    NotJson {
        /// Value of the header.
        found: String,
    },
    /// The body has a content coding that the server can't unpack.
    #[error("content-encoding: found `{found}`, expected one of: {ACCEPTED_CODINGS}")]
    UnknownCoding {
        /// Name of the coding.
        found: String,
    },
    /// A WebSocket handshake at an endpoint that takes other requests.
    #[error("{path} is not available over WebSocket; use {allow}")]
    NoWebSocket {
        /// The path asked for.
        path: String,
        /// Methods allowed there, as the `Allow` header lists them.
        allow: String,
    },
    /// A path that no endpoint has.
    #[error(
        "there is nothing at {path}; the base URL is {base_url}/v1 for clients of OpenAI's API, {base_url} for \
         Anthropic's, Gemini's and Ollama's; GET / lists the endpoints"
    )]
    NoSuchPath {
        /// The path asked for.
        path: String,
        /// The server's own address: `http://127.0.0.1:8080`.
        base_url: String,
    },
    /// An endpoint that takes other methods.
    #[error("{method} is not allowed at {path}; use {allow}")]
    WrongMethod {
        /// The method used.
        method: String,
        /// The path asked for.
        path: String,
        /// Those allowed, as the `Allow` header lists them.
        allow: String,
    },
    /// The key is missing or wrong.
    #[error(
        "a key is needed: send it as `Authorization: Bearer`, `x-api-key` or `x-goog-api-key`; \
         `Copilot Proxy: Manage Keys...` in VS Code has the valid ones"
    )]
    Unauthorized,
    /// The key was revoked while its request was running.
    #[error("the key of this request was revoked in VS Code")]
    KeyRevoked,
    /// The request's key permits other models.
    #[error("the key `{key}` may not use the model `{model}`; it may use: {}", allowed.join(", "))]
    ModelNotAllowed {
        /// Name of the key.
        key: String,
        /// Id of the model.
        model: String,
        /// Patterns of the models that it may use.
        allowed: Vec<String>,
    },
    /// The client may not do this: a foreign host, a foreign page, another user.
    #[error("{message}")]
    Forbidden {
        /// A word for programs: `host_not_allowed`, `origin_not_allowed`, `user_not_allowed`.
        code: &'static str,
        /// Reason, and the setting that allows it.
        message: String,
    },
    /// No model of that name.
    #[error("the model `{requested}` does not exist; available: {}", known.join(", "))]
    UnknownModel {
        /// Name in the request.
        requested: String,
        /// The ids that exist.
        known: Vec<String>,
    },
    /// No editor offers a model.
    #[error("{message}")]
    NoModels {
        /// Steps that help: open VS Code, install Copilot, sign in, consent.
        message: String,
    },
    /// The user has not yet allowed the extension to use the models.
    #[error("Allow Copilot Proxy in VS Code: {message}")]
    ConsentMissing {
        /// Place of the button.
        message: String,
    },
    /// A quota is used up: trying again does not help.
    #[error("{message}")]
    QuotaExceeded {
        /// The quota.
        quota: Quota,
        /// The provider's sentence.
        message: String,
    },
    /// Too many requests for the provider.
    #[error("{message}")]
    RateLimited {
        /// The provider's sentence.
        message: String,
        /// Time until the next attempt.
        retry_after: Duration,
    },
    /// The provider blocked the extension for a while. Requests until then are answered without it.
    #[error("Copilot Proxy is blocked by the model provider for another {}: {message}", minutes(*remaining))]
    Blocked {
        /// The provider's sentence.
        message: String,
        /// Time until the end of the block.
        remaining: Duration,
    },
    /// The provider is overloaded (503 upstream).
    #[error("{message}")]
    Overloaded {
        /// The provider's sentence.
        message: String,
    },
    /// The service filtered the question or the answer.
    #[error("{message}")]
    ContentFiltered {
        /// The provider's sentence.
        message: String,
    },
    /// The provider is for the moment not usable: signed out, token expired.
    #[error("{message}")]
    ProviderUnavailable {
        /// Steps that help.
        message: String,
    },
    /// The provider's service answered with an error status.
    #[error("{message}")]
    Provider {
        /// The closest HTTP status.
        status: u16,
        /// The provider's own code, if there is one.
        code: Option<String>,
        /// The provider's sentence.
        message: String,
    },
    /// The model was silent for too long.
    #[error("the model was silent for {} seconds", after.as_secs())]
    ModelTimeout {
        /// The limit that passed.
        after: Duration,
    },
    /// No window sent its tools in time.
    #[error("VS Code did not list its tools within {} seconds", within.as_secs_f32())]
    ToolsTimeout {
        /// The time that a window has.
        within: Duration,
    },
    /// The answer is not what was demanded (a tool call, JSON of a schema), not even at the second try.
    #[error("{message}")]
    BadAnswer {
        /// Requirement and response.
        message: String,
    },
    /// The editor went away.
    #[error("the connection to the VS Code window was lost; send the request again")]
    EditorGone,
    /// Stop Server, or the server is being replaced.
    #[error("Copilot Proxy was stopped")]
    Stopping,
    /// The user has cancelled the request.
    #[error("the request was cancelled in Copilot Proxy")]
    Cancelled,
    /// The client did not read its answer.
    #[error("the client read too slowly")]
    ClientTooSlow,
    /// Too many requests are waiting already.
    #[error("too many requests at once; at most {limit} may wait")]
    TooManyRequests {
        /// The bound of the queue.
        limit: usize,
    },
    /// A fault of ours.
    #[error("internal error: {message}")]
    Internal {
        /// Description of the fault.
        message: String,
    },
}

/// A quota that can be used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quota {
    /// The user's quota at the provider.
    Provider,
    /// A budget that the user has set in VS Code, or the client for itself.
    Budget,
}

impl Failure {
    /// Its text for clients, cut if a provider or a client wrote very much of it.
    pub fn text(&self) -> String {
        let mut text = self.to_string();
        cut(&mut text, MAX_TEXT);
        text
    }

    /// A malformed field; an empty path means the whole body.
    pub fn invalid(at: impl Into<String>, message: impl Into<String>) -> Failure {
        Failure::Invalid { at: at.into(), message: message.into() }
    }

    /// A fault of ours.
    pub fn internal(error: impl fmt::Display) -> Failure {
        Failure::Internal { message: error.to_string() }
    }

    /// A field that asks for what can't be done here.
    pub fn unsupported(at: impl Into<String>, message: impl Into<String>) -> Failure {
        Failure::Unsupported { at: at.into(), message: message.into() }
    }

    /// Prefixes the path of the field with `outer`, as the error passes outwards from the place where it arose.
    #[must_use]
    pub fn at_path(mut self, outer: impl fmt::Display) -> Failure {
        if let Failure::Invalid { at, .. } | Failure::Unsupported { at, .. } = &mut self {
            let joint = if at.is_empty() || at.starts_with('[') { "" } else { "." };
            *at = format!("{outer}{joint}{at}");
        }
        self
    }

    /// The closest HTTP status, the same in all dialects unless a vendor's API differs.
    pub fn status(&self) -> u16 {
        match self {
            Failure::Invalid { .. }
            | Failure::Unsupported { .. }
            | Failure::ThreadUnsupported
            | Failure::UnknownResponse { .. }
            | Failure::TooLong { .. }
            | Failure::TooLongForSetting { .. }
            | Failure::TooLongForProvider
            | Failure::ContentFiltered { .. } => 400,
            Failure::Unauthorized | Failure::KeyRevoked => 401,
            Failure::Forbidden { .. } | Failure::ModelNotAllowed { .. } | Failure::ConsentMissing { .. } => {
                403
            }
            Failure::NoSuchPath { .. }
            | Failure::NoSuchResponse { .. }
            | Failure::UnknownItem { .. }
            | Failure::UnknownModel { .. } => 404,
            Failure::WrongMethod { .. } => 405,
            Failure::ReceiveTimeout { .. } | Failure::ClientTooSlow => 408,
            Failure::BodyTooLarge { .. } => 413,
            Failure::NotJson { .. } | Failure::UnknownCoding { .. } => 415,
            Failure::NoWebSocket { .. } => 426,
            // Agents and SDKs send a request again after a 408, a 409, a 429 or a 5xx.
            Failure::Cancelled => 499,
            Failure::QuotaExceeded { .. }
            | Failure::RateLimited { .. }
            | Failure::Blocked { .. }
            | Failure::TooManyRequests { .. } => 429,
            Failure::Provider { status, .. } => *status,
            Failure::Internal { .. } => 500,
            Failure::BadAnswer { .. } => 502,
            Failure::NoModels { .. }
            | Failure::Overloaded { .. }
            | Failure::ProviderUnavailable { .. }
            | Failure::EditorGone
            | Failure::Stopping => 503,
            Failure::ModelTimeout { .. } | Failure::ToolsTimeout { .. } => 504,
        }
    }

    /// Headers that tell SDKs and agents how to react.
    pub fn headers(&self) -> Vec<(&'static str, String)> {
        match self {
            Failure::QuotaExceeded { quota: Quota::Provider, .. } => vec![("x-should-retry", "false".into())],
            // Most agents ignore the header and retry some times, in growing steps of their own if nothing tells them
            // another one. They show the reason after that.
            Failure::QuotaExceeded { quota: Quota::Budget, .. } => {
                vec![("retry-after", "1".into()), ("x-should-retry", "false".into())]
            }
            Failure::RateLimited { retry_after, .. } => {
                vec![("retry-after", retry_after.as_secs().max(1).to_string())]
            }
            // Agents wait without a word as long as this says, so that the whole time would look like a hang. Retries
            // don't reach the provider.
            Failure::Blocked { remaining, .. } => {
                let wait = (*remaining).min(LONGEST_BLOCKED_WAIT).as_secs().max(1);
                vec![("retry-after", wait.to_string()), ("x-should-retry", "false".into())]
            }
            // Opening or reloading a window takes a few seconds.
            Failure::NoModels { .. } | Failure::Stopping => vec![("retry-after", "5".into())],
            Failure::EditorGone | Failure::TooManyRequests { .. } => vec![("retry-after", "1".into())],
            Failure::WrongMethod { allow, .. } => vec![("allow", allow.clone())],
            Failure::UnknownCoding { .. } => vec![("accept-encoding", ACCEPTED_CODINGS.into())],
            Failure::NoWebSocket { allow, .. } => {
                vec![("upgrade", "HTTP/1.1".into()), ("allow", allow.clone())]
            }
            _ => Vec::new(),
        }
    }
}

/// Adds the place to the error of a result: `read(part).at(format_args!("content[{index}]"))?`.
pub trait ResultExt {
    /// Prefixes an error's path with `path`, which is only formatted if there is an error.
    #[must_use]
    fn at(self, path: impl fmt::Display) -> Self;
}

impl<T> ResultExt for Result<T, Failure> {
    fn at(self, path: impl fmt::Display) -> Self {
        self.map_err(|failure| failure.at_path(path))
    }
}

/// Text of a client, cut for a message that people read.
pub fn shortened(text: &str) -> String {
    let mut text = text.to_owned();
    cut(&mut text, 200);
    text
}

/// Longest text of an error response in bytes: clients show it to people, and some of it echoes what others sent.
pub const MAX_TEXT: usize = 8 * 1024;

/// Cuts a text to this number of bytes, between characters.
pub fn cut(text: &mut String, max: usize) {
    if text.len() > max {
        text.truncate(text.floor_char_boundary(max));
        text.push_str("...");
    }
}

/// A time in whole seconds, rounded up: `4 min 40 s`.
fn minutes(time: Duration) -> String {
    let seconds = time.as_millis().div_ceil(1000);
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

fn place(at: &str) -> String {
    if at.is_empty() { String::new() } else { format!("{at}: ") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_grows_outwards() {
        let failure =
            Failure::invalid("", "too long").at_path("[1]").at_path("content").at_path("messages[2]");
        assert_eq!(failure, Failure::invalid("messages[2].content[1]", "too long"));
        assert_eq!(failure.to_string(), "messages[2].content[1]: too long");
        assert_eq!(Failure::Stopping.at_path("messages"), Failure::Stopping);
    }

    #[test]
    fn block_says_how_long_it_lasts_and_retries_are_soon() {
        let blocked = |milliseconds| Failure::Blocked {
            message: "Why.".into(),
            remaining: Duration::from_millis(milliseconds),
        };
        assert_eq!(
            blocked(279_500).to_string(),
            "Copilot Proxy is blocked by the model provider for another 4 min 40 s: Why."
        );
        for (milliseconds, text, retry_after) in
            [(300_000, "another 5 min:", "5"), (3_000, "another 3 s:", "3"), (10, "another 1 s:", "1")]
        {
            let failure = blocked(milliseconds);
            assert!(failure.to_string().contains(text), "{failure}");
            assert_eq!(failure.headers()[0], ("retry-after", retry_after.into()));
        }
    }
}

//! Collects everything a diagnosis needs: the server's file, the response of its port, and a model's response.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::environment::Environment;
use crate::bridge::directory::{Directory, ServerFile};
use crate::commands::api_client::{ApiClient, ApiResponse, ServerOption, key};
use crate::commands::connection_info::ConnectionInfo;
use crate::models::ModelEntry;
use crate::options::DEFAULT_PORT;
use crate::port_holder::{self, Holder};

/// Longest time to the first word of a model on a busy day.
const MODEL_TIMEOUT: Duration = Duration::from_mins(1);

/// Everything that was observed.
#[derive(Debug, Default)]
pub(super) struct Observations {
    /// Directory of the server's file.
    pub directory: PathBuf,
    /// The server's file, if there is one.
    pub file: Option<ServerFile>,
    /// The address that was looked at.
    pub base: String,
    /// The program that responds there.
    pub responder: Responder,
    /// Body of `GET /health`.
    pub health: Value,
    pub models: Vec<ModelEntry>,
    /// The outcome of a short request to a model, if one was sent.
    pub test_request: Option<TestRequest>,
    /// A server of the machine that this container runs on.
    pub outside: Option<String>,
    pub environment: Environment,
}

/// The program that responds at an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Responder {
    /// Nothing: the connection is refused.
    #[default]
    None,
    OtherProgram {
        /// That program, where the system tells.
        holder: Option<Holder>,
    },
    /// A server that needs a key, or another one than was sent.
    NeedsKey { sent_one: bool },
    /// A Copilot Proxy.
    Server { version: String, instance: String },
}

/// A short request to a model and its outcome.
#[derive(Debug)]
pub(super) struct TestRequest {
    pub model: String,
    pub took: Duration,
    /// The status, and the reason where it isn't 200; none if nothing came back.
    pub outcome: Option<(u16, String)>,
}

pub(super) fn observe(option: &ServerOption, send_request: bool) -> Observations {
    let directory = option.directory.path();
    let client = ApiClient::new(option.base());
    let responder = identify(&client);
    let environment = Environment::of_this_process();
    let mut observations = Observations {
        file: Directory::server(&directory).ok(),
        directory,
        base: client.base.clone(),
        responder,
        environment,
        ..Observations::default()
    };
    if matches!(observations.responder, Responder::Server { .. }) {
        observations.health = client.get("/health").map(|answer| answer.body).unwrap_or_default();
        observations.models = client.models();
        if send_request && !observations.models.is_empty() {
            observations.test_request = Some(ask(&client, &observations.models));
        }
    } else if observations.environment.is_container() {
        let outside = ApiClient::new(format!("http://host.docker.internal:{DEFAULT_PORT}"));
        if matches!(identify(&outside), Responder::Server { .. }) {
            observations.outside = Some(outside.base);
        }
    }
    observations
}

fn identify(client: &ApiClient) -> Responder {
    let Ok(ApiResponse { status, body }) = client.get("/") else { return Responder::None };
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    match status {
        200 if text("name") == "Copilot Proxy" => {
            Responder::Server { version: text("version"), instance: text("instance") }
        }
        401 => Responder::NeedsKey { sent_one: key().is_some() },
        _ => Responder::OtherProgram { holder: client.local_port().and_then(port_holder::find) },
    }
}

fn ask(client: &ApiClient, models: &[ModelEntry]) -> TestRequest {
    let connection = ConnectionInfo { models: models.to_vec(), ..ConnectionInfo::default() };
    let model = connection.small_model().map_or_else(|| connection.model_like(&["gpt"]), str::to_owned);
    let body = json!({ "model": model, "messages": [{ "role": "user", "content": "Say ok." }] });
    let began = Instant::now();
    let answer = client.post("/v1/chat/completions", &body, MODEL_TIMEOUT);
    let outcome = answer.ok().map(|ApiResponse { status, body }| {
        let reason = body.pointer("/error/message").and_then(Value::as_str).unwrap_or_default();
        (status, reason.to_owned())
    });
    TestRequest { model, took: began.elapsed(), outcome }
}

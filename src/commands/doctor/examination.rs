//! Looks at everything a diagnosis needs: the server's file, what answers at its port, and what a model says.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::environment::Environment;
use crate::bridge::directory::{Directory, ServerFile};
use crate::commands::api_client::{Answer, ApiClient, ServerOption, USUAL_PORT, key};
use crate::commands::connection_info::ConnectionInfo;
use crate::models::ModelEntry;

/// A model on a busy day says its first word within this.
const PATIENCE: Duration = Duration::from_mins(1);

/// What was seen.
#[derive(Debug, Default)]
pub(super) struct Seen {
    /// Where the server's file should be.
    pub directory: PathBuf,
    /// What it says.
    pub file: Option<ServerFile>,
    /// The address that was looked at.
    pub base: String,
    /// What answers there.
    pub answering: Answering,
    /// What `GET /health` says.
    pub health: Value,
    pub models: Vec<ModelEntry>,
    /// What came of a tiny question, if one was asked.
    pub question: Option<Question>,
    /// A server of the machine that this container runs on.
    pub outside: Option<String>,
    pub surroundings: Environment,
}

/// Who answers at an address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Answering {
    #[default]
    Nobody,
    /// A program, but not this one.
    Stranger,
    /// One that wants a key.
    WantsKey { had_one: bool },
    /// A Copilot Proxy.
    Server { version: String, instance: String },
}

/// A question and what came of it.
#[derive(Debug)]
pub(super) struct Question {
    pub model: String,
    pub took: Duration,
    /// The status, and the reason where it isn't 200; none if nothing came back.
    pub outcome: Option<(u16, String)>,
}

pub(super) fn examine(option: &ServerOption, may_ask: bool) -> Seen {
    let directory = option.directory.path();
    let reach = ApiClient::new(option.base());
    let answering = who_answers(&reach);
    let surroundings = Environment::of_this_process();
    let mut seen = Seen {
        file: Directory::server(&directory).ok(),
        directory,
        base: reach.base.clone(),
        answering,
        surroundings,
        ..Seen::default()
    };
    if matches!(seen.answering, Answering::Server { .. }) {
        seen.health = reach.get("/health").map(|answer| answer.body).unwrap_or_default();
        seen.models = reach.models();
        if may_ask && !seen.models.is_empty() {
            seen.question = Some(ask(&reach, &seen.models));
        }
    } else if seen.surroundings.is_container() {
        let outside = ApiClient::new(format!("http://host.docker.internal:{USUAL_PORT}"));
        if matches!(who_answers(&outside), Answering::Server { .. }) {
            seen.outside = Some(outside.base);
        }
    }
    seen
}

fn who_answers(reach: &ApiClient) -> Answering {
    let Ok(Answer { status, body }) = reach.get("/") else { return Answering::Nobody };
    let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    match status {
        200 if text("name") == "Copilot Proxy" => {
            Answering::Server { version: text("version"), instance: text("instance") }
        }
        401 => Answering::WantsKey { had_one: key().is_some() },
        _ => Answering::Stranger,
    }
}

fn ask(reach: &ApiClient, models: &[ModelEntry]) -> Question {
    let wiring = ConnectionInfo { models: models.to_vec(), ..ConnectionInfo::default() };
    let model = wiring.small_model().map_or_else(|| wiring.model_like(&["gpt"]), str::to_owned);
    let body = json!({ "model": model, "messages": [{ "role": "user", "content": "Say ok." }] });
    let began = Instant::now();
    let answer = reach.post("/v1/chat/completions", &body, PATIENCE);
    let outcome = answer.ok().map(|Answer { status, body }| {
        let reason = body.pointer("/error/message").and_then(Value::as_str).unwrap_or_default();
        (status, reason.to_owned())
    });
    Question { model, took: began.elapsed(), outcome }
}

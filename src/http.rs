//! The doors: which paths there are, and what stands behind each.
//!
//! `ports` opens and `port` serves them, `guard` stands before them all, `answer` is behind those that ask a model.

use std::fmt;
use std::sync::Arc;

use actix::Addr;

use actix_web::guard::{Any, Delete, Get, Head, Post};
use actix_web::web::{self, Data, QueryConfig, ServiceConfig};
use actix_web::{Handler, HttpRequest, Responder};

use crate::auto_mode::RoundStore;
use crate::completion::CompletionService;
use crate::dialect::Dialect;
use crate::dialect::anthropic::Anthropic;
use crate::dialect::legacy_completions::Completions;
use crate::dialect::ollama::{Chat, Generate, Ollama};
use crate::dialect::openai_chat::OpenAiChat;
use crate::dialect::openai_responses::OpenAiResponses;
use crate::options::ServerOptions;
use crate::request_log::RequestLog;
use crate::tools::ToolExecutor;

mod access;
mod completion;
mod connection;
mod count_tokens;
mod editor_tools;
mod error_response;
mod head_timeout;
mod health;
pub mod listener;
pub mod listeners;
mod metrics;
mod models;
mod ollama;
mod peer;
mod request_body;
mod response;
mod responses;
mod tools;

/// What stands behind the doors, shared by all requests.
#[derive(Clone)]
pub struct AppState {
    /// Asks models.
    pub completions: CompletionService,
    /// Runs tools.
    pub executor: Addr<ToolExecutor>,
    /// Finished rounds of auto mode that clients are to continue.
    pub kept: Arc<RoundStore>,
    /// What later requests of the Responses API may refer to.
    pub responses: Data<<OpenAiResponses as Dialect>::Memory>,
    /// Keeps the accounts.
    pub request_log: Arc<RequestLog>,
    /// The knobs.
    pub settings: Arc<ServerOptions>,
    /// When the server started, in milliseconds since 1970.
    pub started: u64,
    /// Tells this server from another one that answers on the same port; random per start.
    pub instance: Arc<str>,
}

impl AppState {
    /// A state in which nothing has happened yet.
    pub fn new(
        completions: CompletionService,
        executor: Addr<ToolExecutor>,
        settings: ServerOptions,
        started: u64,
    ) -> AppState {
        AppState {
            completions,
            executor,
            kept: Arc::default(),
            responses: Data::new(<OpenAiResponses as Dialect>::Memory::default()),
            request_log: Arc::default(),
            settings: Arc::new(settings),
            started,
            instance: uuid::Uuid::new_v4().simple().to_string().into(),
        }
    }
}

/// Names a request in its answer, in the log and in the panel.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(String);

impl RequestId {
    fn new() -> RequestId {
        RequestId(format!("req_{}", uuid::Uuid::new_v4().simple()))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The doors, for `GET /`.
const ENDPOINTS: &[&str] = &[
    "POST /v1/chat/completions",
    "POST /v1/completions",
    "POST /v1/responses",
    "GET /v1/responses/{id}",
    "DELETE /v1/responses/{id}",
    "POST /v1/messages",
    "POST /v1/messages/count_tokens",
    "GET /v1/models",
    "GET /v1/models/{id}",
    "GET /v1/tools",
    "POST /api/chat",
    "POST /api/generate",
    "GET /api/tags",
    "POST /api/show",
    "POST /api/pull",
    "GET /api/ps",
    "GET /api/version",
    "GET /health",
    "GET /metrics",
];

/// All doors. Each `/v1/...` door also answers without the `/v1`.
fn routes(config: &mut ServiceConfig) {
    // Most APIs refer to nothing that was said before.
    config.app_data(Data::new(()));
    config.app_data(QueryConfig::default().error_handler(error_response::unreadable_query));
    for prefix in ["/v1", ""] {
        door::<OpenAiChat>(config, &format!("{prefix}/chat/completions"));
        door::<Completions>(config, &format!("{prefix}/completions"));
        door::<OpenAiResponses>(config, &format!("{prefix}/responses"));
        kept(config, &format!("{prefix}/responses/{{id}}"), responses::one, responses::delete);
        door::<Anthropic>(config, &format!("{prefix}/messages"));
        post(config, &format!("{prefix}/messages/count_tokens"), count_tokens::count_tokens);
        page(config, &format!("{prefix}/tools"), tools::list);
        for other in ["embeddings", "moderations", "images/generations", "images/edits", "audio/{what}"] {
            post(config, &format!("{prefix}/{other}"), error_response::not_offered);
        }
        page(config, &format!("{prefix}/models"), models::list);
        page(config, &format!("{prefix}/models/{{id:.+}}"), models::one);
    }
    door::<Ollama<Chat>>(config, "/api/chat");
    door::<Ollama<Generate>>(config, "/api/generate");
    page(config, "/api/tags", ollama::tags);
    post(config, "/api/show", ollama::show);
    post(config, "/api/pull", ollama::pull);
    page(config, "/api/ps", ollama::running);
    page(config, "/api/version", ollama::version);
    for other in ["embed", "embeddings"] {
        post(config, &format!("/api/{other}"), error_response::not_offered);
    }
    page(config, "/health", health::health);
    page(config, "/metrics", metrics::metrics);
    page(config, "/", health::root);
    // Claude Code asks for this when it starts.
    page(config, "/api/hello", health::root);
    config.default_service(web::to(error_response::no_such_path));
}

/// A door behind which a dialect is spoken.
fn door<D: Dialect>(config: &mut ServiceConfig, path: &str) {
    post(config, path, completion::answer::<D>);
}

/// A door that takes something.
fn post<F, Arguments>(config: &mut ServiceConfig, path: &str, handler: F)
where
    F: Handler<Arguments>,
    F::Output: Responder + 'static,
    Arguments: actix_web::FromRequest + 'static,
{
    config.service(web::resource(path).route(web::route().guard(Post()).to(handler)).default_service(
        web::to(
            |request: HttpRequest| async move { error_response::wrong_method(&request, "POST, OPTIONS") },
        ),
    ));
}

/// A door behind which something is to be read. It answers HEAD too.
fn page<F, Arguments>(config: &mut ServiceConfig, path: &str, handler: F)
where
    F: Handler<Arguments>,
    F::Output: Responder + 'static,
    Arguments: actix_web::FromRequest + 'static,
{
    config.service(
        web::resource(path).route(web::route().guard(Any(Get()).or(Head())).to(handler)).default_service(
            web::to(|request: HttpRequest| async move {
                error_response::wrong_method(&request, "GET, HEAD, OPTIONS")
            }),
        ),
    );
}

/// A door behind which something is kept, until somebody deletes it.
fn kept<F, G, Arguments, Others>(config: &mut ServiceConfig, path: &str, handler: F, delete: G)
where
    F: Handler<Arguments>,
    F::Output: Responder + 'static,
    Arguments: actix_web::FromRequest + 'static,
    G: Handler<Others>,
    G::Output: Responder + 'static,
    Others: actix_web::FromRequest + 'static,
{
    config.service(
        web::resource(path)
            .route(web::route().guard(Any(Get()).or(Head())).to(handler))
            .route(web::route().guard(Delete()).to(delete))
            .default_service(web::to(|request: HttpRequest| async move {
                error_response::wrong_method(&request, "GET, HEAD, DELETE, OPTIONS")
            })),
    );
}

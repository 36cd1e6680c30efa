//! The table of all endpoints. Routing, the list at `GET /`, the `Allow` header, the form of errors and the check of
//! the table in `docs/endpoints.md` derive from it. To add an endpoint, add a row to [`ROUTES`].

use actix_web::guard::{Any, Delete, Get, Head, Post};
use actix_web::middleware::from_fn;
use actix_web::web::{self, Data, QueryConfig, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpRequest, Responder};

use super::caught_panic;
use super::completion::complete_with;
use super::error_form::ErrorForm;
use super::error_response;
use super::handlers::{
    count_tokens, health, mcp, metrics, models, not_offered, ollama, responses, tools, usage,
};
use super::openapi::{self, Endpoint, OpenApi, Operation};
use super::origin_access::PageAccess;
use super::route_index::{IndexedRoute, RouteIndex};
use super::ui::{api, docs, events, login, page, welcome};
use crate::dialect::Dialect;
use crate::dialect::anthropic::Anthropic;
use crate::dialect::gemini::Gemini;
use crate::dialect::legacy_completions::Completions;
use crate::dialect::ollama::{Chat, Generate, Ollama};
use crate::dialect::openai_chat::OpenAiChat;
use crate::dialect::openai_responses::{Compact, OpenAiResponses};
use crate::request_log::MCP;

/// A row of the route table.
pub(super) struct Route {
    methods: Methods,
    /// Path pattern in actix-web's syntax, without its version.
    path: &'static str,
    /// Prefixes with which it is served, the documented one first.
    versions: &'static [&'static str],
    /// Web pages that may use it.
    pages: PageAccess,
    /// Form of error responses.
    form: ErrorForm,
    /// Name of the dialect for the log; empty if the route has none.
    dialect: &'static str,
    /// Whether `GET /` and `docs/endpoints.md` list it.
    listed: bool,
    /// Its description for `GET /openapi.json`; listed routes have one.
    operation: Operation,
    /// Registers the handler at a path, which is `path` with one of the versions.
    register: fn(&mut ServiceConfig, &str),
}

/// Of routes that are not described.
const NO_OPERATION: Operation =
    Operation { tag: "", summary: "", request: "", response: "", streams: false, query: &[] };

/// Versions of an endpoint that has none.
const UNVERSIONED: &[&str] = &[""];

/// Versions of the endpoints of OpenAI's and Anthropic's APIs.
const V1: &[&str] = &["/v1", ""];

/// Versions of the endpoints of Google's API that no other API has at the same path.
const V1_BETA_OR_V1: &[&str] = &["/v1beta", "/v1", ""];

/// Version of the endpoints of Google's API that others have at the same path.
const V1_BETA: &[&str] = &["/v1beta"];

/// Methods that an endpoint accepts, besides the `OPTIONS` of preflights.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Methods {
    Post,
    /// Includes `HEAD`.
    Get,
    /// Includes `HEAD`.
    GetAndDelete,
    /// Includes `HEAD`.
    PostGetAndDelete,
}

impl Methods {
    /// The value of the `Allow` header.
    const fn allow(self) -> &'static str {
        match self {
            Methods::Post => "POST, OPTIONS",
            Methods::Get => "GET, HEAD, OPTIONS",
            Methods::GetAndDelete => "GET, HEAD, DELETE, OPTIONS",
            Methods::PostGetAndDelete => "POST, GET, HEAD, DELETE, OPTIONS",
        }
    }

    /// The methods that `GET /` and `docs/endpoints.md` name.
    const fn documented(self) -> &'static [&'static str] {
        match self {
            Methods::Post => &["POST"],
            Methods::Get => &["GET"],
            Methods::GetAndDelete => &["GET", "DELETE"],
            Methods::PostGetAndDelete => &["POST", "GET", "DELETE"],
        }
    }
}

/// An endpoint that runs a model in dialect `D`.
const fn completion<D: Dialect>(
    path: &'static str,
    versions: &'static [&'static str],
    form: ErrorForm,
) -> Route {
    Route {
        methods: Methods::Post,
        path,
        versions,
        pages: PageAccess::Allowed,
        form,
        dialect: D::NAME,
        listed: true,
        operation: Operation { streams: true, ..NO_OPERATION },
        register: |config, path| post(config, path, complete_with::<D>),
    }
}

/// An endpoint that doesn't run a model.
const fn endpoint(
    methods: Methods,
    path: &'static str,
    form: ErrorForm,
    register: fn(&mut ServiceConfig, &str),
) -> Route {
    let pages = PageAccess::Allowed;
    let operation = NO_OPERATION;
    Route {
        methods,
        path,
        versions: UNVERSIONED,
        pages,
        form,
        dialect: "",
        listed: true,
        operation,
        register,
    }
}

impl Route {
    const fn versions(mut self, versions: &'static [&'static str]) -> Route {
        self.versions = versions;
        self
    }

    /// Lets pages of this machine use it, or all pages; otherwise those that the user has allowed may, too.
    const fn pages(mut self, pages: PageAccess) -> Route {
        self.pages = pages;
        self
    }

    const fn unlisted(mut self) -> Route {
        self.listed = false;
        self
    }

    /// Describes it: its API, and the schemas of its bodies in `openapi/components.json`.
    const fn about(
        mut self,
        tag: &'static str,
        summary: &'static str,
        request: &'static str,
        response: &'static str,
    ) -> Route {
        self.operation = Operation { tag, summary, request, response, ..self.operation };
        self
    }

    const fn query(mut self, query: &'static [(&'static str, &'static str)]) -> Route {
        self.operation.query = query;
        self
    }

    /// Its response is never a stream of events.
    const fn whole(mut self) -> Route {
        self.operation.streams = false;
        self
    }

    const fn dialect(mut self, name: &'static str) -> Route {
        self.dialect = name;
        self
    }
}

/// All endpoints, in the order in which they are documented.
pub(super) const ROUTES: &[Route] = &[
    completion::<OpenAiChat>("/chat/completions", V1, ErrorForm::OpenAi).about(
        "OpenAI",
        "Chat completion",
        "ChatCompletionRequest",
        "ChatCompletion",
    ),
    completion::<Completions>("/completions", V1, ErrorForm::OpenAi).about(
        "OpenAI",
        "Legacy completion",
        "CompletionRequest",
        "Completion",
    ),
    completion::<OpenAiResponses>("/responses", V1, ErrorForm::OpenAi).about(
        "OpenAI",
        "Response",
        "ResponsesRequest",
        "Response",
    ),
    completion::<Compact>("/responses/compact", V1, ErrorForm::OpenAi)
        .about("OpenAI", "Compaction of a conversation", "ResponsesRequest", "Compaction")
        .whole(),
    endpoint(Methods::Post, "/responses/input_tokens", ErrorForm::OpenAi, |config, path| {
        post(config, path, count_tokens::responses);
    })
    .versions(V1)
    .dialect(OpenAiResponses::NAME)
    .about("OpenAI", "Number of input tokens", "ResponsesRequest", "TokenCount"),
    endpoint(Methods::Get, "/responses/{id}/input_items", ErrorForm::OpenAi, |config, path| {
        get(config, path, responses::input_items);
    })
    .versions(V1)
    .about("OpenAI", "Input items of a stored response", "", "Object"),
    endpoint(Methods::GetAndDelete, "/responses/{id}", ErrorForm::OpenAi, |config, path| {
        get_and_delete(config, path, responses::get, responses::delete);
    })
    .versions(V1)
    .about("OpenAI", "A stored response", "", "Object"),
    completion::<Anthropic>("/messages", V1, ErrorForm::Anthropic).about(
        "Anthropic",
        "Message",
        "MessagesRequest",
        "AnthropicMessage",
    ),
    endpoint(Methods::Post, "/messages/count_tokens", ErrorForm::Anthropic, |config, path| {
        post(config, path, count_tokens::messages);
    })
    .versions(V1)
    .dialect(Anthropic::NAME)
    .about("Anthropic", "Number of input tokens", "MessagesRequest", "TokenCount"),
    completion::<Gemini>("/models/{model:.+}:generateContent", V1_BETA_OR_V1, ErrorForm::Gemini)
        .about("Gemini", "Response, whole", "GenerateContentRequest", "GenerateContentResponse")
        .whole(),
    completion::<Gemini>("/models/{model:.+}:streamGenerateContent", V1_BETA_OR_V1, ErrorForm::Gemini)
        .about("Gemini", "Response, streamed", "GenerateContentRequest", "GenerateContentResponses")
        .query(&[("alt", "`sse` for events instead of one JSON array")]),
    endpoint(Methods::Post, "/models/{model:.+}:countTokens", ErrorForm::Gemini, |config, path| {
        post(config, path, count_tokens::gemini);
    })
    .versions(V1_BETA_OR_V1)
    .dialect(Gemini::NAME)
    .about("Gemini", "Number of input tokens", "CountTokensRequest", "TokenCount"),
    unavailable("/models/{model:.+}:embedContent", ErrorForm::Gemini).versions(V1_BETA_OR_V1),
    unavailable("/models/{model:.+}:batchEmbedContents", ErrorForm::Gemini).versions(V1_BETA_OR_V1),
    unavailable("/models/{model:.+}:predict", ErrorForm::Gemini).versions(V1_BETA_OR_V1),
    unavailable("/models/{model:.+}:predictLongRunning", ErrorForm::Gemini).versions(V1_BETA_OR_V1),
    unavailable("/models/{model:.+}:batchGenerateContent", ErrorForm::Gemini).versions(V1_BETA_OR_V1),
    endpoint(Methods::Get, "/models", ErrorForm::Gemini, |config, path| get(config, path, models::list))
        .versions(V1_BETA)
        .pages(PageAccess::Any)
        .about("Gemini", "Models", "", "GeminiModelList")
        .query(&[("pageSize", "Most models"), ("pageToken", "The page")]),
    endpoint(Methods::Get, "/models/{id:.+}", ErrorForm::Gemini, |config, path| {
        get(config, path, models::get);
    })
    .versions(V1_BETA)
    .pages(PageAccess::Any)
    .about("Gemini", "A model", "", "GeminiModel"),
    endpoint(Methods::Get, "/models", ErrorForm::ByClientHeader, |config, path| {
        get(config, path, models::list);
    })
    .versions(V1)
    .pages(PageAccess::Any)
    .about(
        "OpenAI",
        "Models; in the form of Anthropic with the header anthropic-version",
        "",
        "ModelList",
    ),
    endpoint(Methods::Get, "/models/{id:.+}", ErrorForm::ByClientHeader, |config, path| {
        get(config, path, models::get);
    })
    .versions(V1)
    .pages(PageAccess::Any)
    .about("OpenAI", "A model", "", "Model"),
    endpoint(Methods::Get, "/tools", ErrorForm::OpenAi, |config, path| get(config, path, tools::list))
        .versions(V1)
        .pages(PageAccess::Any)
        .about("Copilot Proxy", "Tools of the editor", "", "Object")
        .query(&[("tags", "Tags, separated by commas"), ("name", "Pattern with `*`")]),
    endpoint(Methods::Get, "/usage", ErrorForm::OpenAi, |config, path| get(config, path, usage::usage))
        .versions(V1)
        .pages(PageAccess::Local)
        .about("Copilot Proxy", "Requests, tokens and credits", "", "Object")
        .query(&[
            ("from", "First day, YYYY-MM-DD"),
            ("to", "Last day"),
            ("by", "`day`, `model`, `client`, `session` or `key`"),
        ]),
    completion::<Ollama<Chat>>("/api/chat", UNVERSIONED, ErrorForm::Ollama).about(
        "Ollama",
        "Chat",
        "OllamaChatRequest",
        "OllamaResponse",
    ),
    completion::<Ollama<Generate>>("/api/generate", UNVERSIONED, ErrorForm::Ollama).about(
        "Ollama",
        "Completion",
        "OllamaGenerateRequest",
        "OllamaResponse",
    ),
    endpoint(Methods::Get, "/api/tags", ErrorForm::Ollama, |config, path| get(config, path, ollama::tags))
        .pages(PageAccess::Any)
        .about("Ollama", "Models", "", "OllamaModelList"),
    endpoint(Methods::Post, "/api/show", ErrorForm::Ollama, |config, path| post(config, path, ollama::show))
        .about("Ollama", "A model", "OllamaModelRequest", "Object"),
    endpoint(Methods::Post, "/api/pull", ErrorForm::Ollama, |config, path| post(config, path, ollama::pull))
        .about("Ollama", "Whether a model is available", "OllamaModelRequest", "Object"),
    endpoint(Methods::Get, "/api/ps", ErrorForm::Ollama, |config, path| get(config, path, ollama::running))
        .pages(PageAccess::Any)
        .about("Ollama", "Running models", "", "OllamaModelList"),
    endpoint(Methods::Get, "/api/version", ErrorForm::Ollama, |config, path| {
        get(config, path, ollama::version);
    })
    .pages(PageAccess::Any)
    .about("Ollama", "Version", "", "Object"),
    endpoint(Methods::Get, "/api/v0/models", ErrorForm::OpenAi, |config, path| {
        get(config, path, models::lm_studio_list);
    })
    .pages(PageAccess::Any)
    .about("LM Studio", "Models", "", "ModelList"),
    endpoint(Methods::Get, "/api/v0/models/{id:.+}", ErrorForm::OpenAi, |config, path| {
        get(config, path, models::lm_studio_get);
    })
    .pages(PageAccess::Any)
    .about("LM Studio", "A model", "", "Model"),
    endpoint(Methods::PostGetAndDelete, "/mcp", ErrorForm::Mcp, |config, path| {
        let resource = web::resource(path)
            .route(web::route().guard(Post()).to(mcp::post))
            .route(web::route().guard(Any(Get()).or(Head())).to(mcp::get))
            .route(web::route().guard(Delete()).to(mcp::delete));
        let resource = resource.default_service(wrong_method(Methods::PostGetAndDelete));
        config.service(resource.wrap(from_fn(caught_panic::catch)));
    })
    .pages(PageAccess::Tools)
    .dialect(MCP)
    .about("MCP", "Tools of the editor as an MCP server", "JsonRpc", "JsonRpc"),
    endpoint(Methods::Get, "/health", ErrorForm::OpenAi, |config, path| get(config, path, health::health))
        .pages(PageAccess::Any)
        .about("Copilot Proxy", "State of the server", "", "Health"),
    endpoint(Methods::Get, "/metrics", ErrorForm::OpenAi, |config, path| get(config, path, metrics::metrics))
        .pages(PageAccess::Local)
        .about("Copilot Proxy", "Metrics for Prometheus", "", ""),
    endpoint(Methods::Get, "/openapi.json", ErrorForm::OpenAi, |config, path| {
        get(config, path, openapi::openapi);
    })
    .pages(PageAccess::Any)
    .about("Copilot Proxy", "This description", "", "Object"),
    ui(Methods::Get, "/docs", |config, path| get(config, path, docs::page)).about(
        "Copilot Proxy",
        "This description as a page, for browsers",
        "",
        "",
    ),
    ui(Methods::Get, "/ui/docs.js", |config, path| get(config, path, docs::script)).unlisted(),
    endpoint(Methods::Get, "/", ErrorForm::OpenAi, |config, path| get(config, path, health::root))
        .unlisted()
        .pages(PageAccess::Any),
    ui(Methods::Get, "/ui", |config, path| get(config, path, page::page)).about(
        "Copilot Proxy",
        "The inspector, for browsers",
        "",
        "",
    ),
    ui(Methods::Get, "/ui/panel.js", |config, path| get(config, path, page::script)).unlisted(),
    ui(Methods::Get, "/ui/panel.css", |config, path| get(config, path, page::style)).unlisted(),
    ui(Methods::Get, "/ui/welcome.js", |config, path| get(config, path, welcome::script)).unlisted(),
    ui(Methods::Post, "/ui/login", |config, path| post(config, path, login::login)).unlisted(),
    ui(Methods::Get, "/ui/api/events", |config, path| get(config, path, events::events)).unlisted(),
    ui(Methods::Get, "/ui/api/usage", |config, path| get(config, path, usage::usage)).unlisted(),
    ui(Methods::Get, "/ui/api/tools", |config, path| get(config, path, api::tools)).unlisted(),
    ui(Methods::Post, "/ui/api/settings", |config, path| post(config, path, api::set)).unlisted(),
    ui(Methods::Get, "/ui/api/requests/{id}", |config, path| get(config, path, api::exchange)).unlisted(),
    ui(Methods::Post, "/ui/api/requests/{id}/cancel", |config, path| post(config, path, api::cancel))
        .unlisted(),
    // Claude Code sends this request when it starts.
    endpoint(Methods::Get, "/api/hello", ErrorForm::Ollama, |config, path| get(config, path, health::root))
        .unlisted()
        .pages(PageAccess::Any),
    unavailable("/embeddings", ErrorForm::OpenAi).versions(V1),
    unavailable("/moderations", ErrorForm::OpenAi).versions(V1),
    unavailable("/images/generations", ErrorForm::OpenAi).versions(V1),
    unavailable("/images/edits", ErrorForm::OpenAi).versions(V1),
    unavailable("/audio/{kind}", ErrorForm::OpenAi).versions(V1),
    unavailable("/cachedContents", ErrorForm::Gemini).versions(V1_BETA),
    unavailable("/interactions", ErrorForm::Gemini).versions(V1_BETA),
    unavailable("/api/embed", ErrorForm::Ollama),
    unavailable("/api/embeddings", ErrorForm::Ollama),
];

/// An endpoint of the inspector, for the server's own pages only.
const fn ui(methods: Methods, path: &'static str, register: fn(&mut ServiceConfig, &str)) -> Route {
    endpoint(methods, path, ErrorForm::OpenAi, register).pages(PageAccess::Own)
}

/// An endpoint of a vendor's API that can't be offered; its error response gives the reason.
const fn unavailable(path: &'static str, form: ErrorForm) -> Route {
    endpoint(Methods::Post, path, form, |config, path| post(config, path, not_offered::not_offered))
        .unlisted()
}

/// Listed endpoints, one for each method.
pub(super) fn endpoints() -> impl Iterator<Item = Endpoint> {
    ROUTES.iter().filter(|route| route.listed).flat_map(|route| {
        let prefix = route.versions.first().copied().unwrap_or_default();
        let path = format!("{prefix}{}", route.path.replace(":.+}", "}"));
        route.methods.documented().iter().map(move |&method| {
            let mut operation = route.operation;
            if method != "POST" {
                operation.request = "";
            }
            Endpoint { method, path: path.clone(), form: route.form, operation }
        })
    })
}

/// The same, each as `POST /v1/chat/completions`.
pub(super) fn documented() -> impl Iterator<Item = String> {
    endpoints().map(|Endpoint { method, path, .. }| format!("{method} {path}"))
}

/// Registers all routes, and the data that handlers and error responses need.
pub(super) fn configure(config: &mut ServiceConfig) {
    // The memory of dialects that don't store responses.
    config.app_data(Data::new(()));
    config.app_data(QueryConfig::default().error_handler(error_response::unreadable_query));
    config.app_data(Data::new(route_index()));
    config.app_data(Data::new(health::Endpoints(documented().collect())));
    config.app_data(Data::new(OpenApi(|| endpoints().collect())));
    for route in ROUTES {
        for version in route.versions {
            (route.register)(config, &format!("{version}{}", route.path));
        }
    }
    config.default_service(web::to(error_response::no_such_path).wrap(from_fn(caught_panic::catch)));
}

/// The index of all routes.
pub(super) fn route_index() -> RouteIndex {
    let indexed = |route: &Route| IndexedRoute {
        pattern: route.path,
        versions: route.versions,
        pages: route.pages,
        form: route.form,
        dialect: route.dialect,
    };
    RouteIndex::new(ROUTES.iter().map(indexed))
}

/// Registers a handler for `POST`.
fn post<F, Arguments>(config: &mut ServiceConfig, path: &str, handler: F)
where
    F: Handler<Arguments>,
    F::Output: Responder + 'static,
    Arguments: FromRequest + 'static,
{
    let resource = web::resource(path).route(web::route().guard(Post()).to(handler));
    config.service(resource.default_service(wrong_method(Methods::Post)).wrap(from_fn(caught_panic::catch)));
}

/// Registers a handler for `GET` and `HEAD`.
fn get<F, Arguments>(config: &mut ServiceConfig, path: &str, handler: F)
where
    F: Handler<Arguments>,
    F::Output: Responder + 'static,
    Arguments: FromRequest + 'static,
{
    let resource = web::resource(path).route(web::route().guard(Any(Get()).or(Head())).to(handler));
    config.service(resource.default_service(wrong_method(Methods::Get)).wrap(from_fn(caught_panic::catch)));
}

/// Registers a handler for `GET` and `HEAD`, and one for `DELETE`.
fn get_and_delete<F, G, Arguments, DeleteArguments>(
    config: &mut ServiceConfig,
    path: &str,
    handler: F,
    delete: G,
) where
    F: Handler<Arguments>,
    F::Output: Responder + 'static,
    Arguments: FromRequest + 'static,
    G: Handler<DeleteArguments>,
    G::Output: Responder + 'static,
    DeleteArguments: FromRequest + 'static,
{
    let resource = web::resource(path)
        .route(web::route().guard(Any(Get()).or(Head())).to(handler))
        .route(web::route().guard(Delete()).to(delete));
    config.service(
        resource.default_service(wrong_method(Methods::GetAndDelete)).wrap(from_fn(caught_panic::catch)),
    );
}

/// A route that responds with 405 to all other methods.
fn wrong_method(methods: Methods) -> actix_web::Route {
    web::to(
        move |request: HttpRequest| async move { error_response::wrong_method(&request, methods.allow()) },
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use actix_web::test::TestRequest;

    use super::*;

    /// The page names endpoints as `POST /v1/messages` in backquotes, some with a query.
    #[test]
    fn page_and_route_table_list_the_same_endpoints() {
        const PAGE: &str = include_str!("../../docs/endpoints.md");
        let quoted = PAGE.split('`').skip(1).step_by(2);
        let endpoints =
            quoted.filter(|text| ["GET /", "POST /", "DELETE /"].iter().any(|m| text.starts_with(m)));
        let on_page: BTreeSet<String> =
            endpoints.filter_map(|endpoint| endpoint.split('?').next().map(str::to_owned)).collect();
        // `GET /` doesn't list itself.
        let in_table: BTreeSet<String> = documented().chain(["GET /".to_owned()]).collect();
        assert_eq!(on_page, in_table);
    }

    #[test]
    fn path_decides_the_form_of_errors_unless_the_version_header_does() {
        let index = route_index();
        let form = |request: TestRequest| {
            let request = request.to_http_request();
            index.error_form(request.path(), request.headers()).0
        };
        let plain = |path| form(TestRequest::with_uri(path));
        let versioned =
            |path| form(TestRequest::with_uri(path).insert_header(("anthropic-version", "2026-10-21")));
        for anthropic in [
            plain("/v1/messages"),
            plain("/messages/count_tokens"),
            plain("/v1/messages/unknown"),
            versioned("/v1/models?limit=1000"),
            versioned("/models/scripted-1"),
            versioned("/v1/files"),
            versioned("/v1/chat/completions"),
            versioned("/api/chat"),
        ] {
            assert_eq!(anthropic, ErrorForm::Anthropic);
        }
        for openai in [plain("/v1/models"), plain("/v1/chat/completions"), plain("/nowhere")] {
            assert_eq!(openai, ErrorForm::OpenAi);
        }
        for gemini in [
            plain("/v1beta/models"),
            plain("/v1/models/scripted-1:generateContent"),
            plain("/models/a/b:countTokens"),
            plain("/v1beta/nowhere"),
        ] {
            assert_eq!(gemini, ErrorForm::Gemini);
        }
        let googles = TestRequest::with_uri("/v1/models").insert_header(("x-goog-api-key", "a"));
        assert_eq!(form(googles), ErrorForm::Gemini);
        for ollama in [plain("/api/chat"), plain("/api/nowhere")] {
            assert_eq!(ollama, ErrorForm::Ollama);
        }
    }

    #[test]
    fn path_decides_the_dialect_in_the_log() {
        let index = route_index();
        let dialect = |path| {
            let request = TestRequest::with_uri(path).to_http_request();
            index.error_form(request.path(), request.headers()).1
        };
        assert_eq!(dialect("/v1/messages/count_tokens"), "anthropic");
        assert_eq!(dialect("/chat/completions"), "openai-chat");
        assert_eq!(dialect("/v1beta/models/a:streamGenerateContent"), "gemini");
        assert_eq!(dialect("/v1/models/a/b"), "");
        assert_eq!(dialect("/nowhere"), "");
    }
}

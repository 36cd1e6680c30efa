//! What happens outside of every door: unknown paths, wrong methods and refused callers, said in the dialect of
//! the path.

use actix_web::error::{InternalError, QueryPayloadError};
use actix_web::web::Data;
use actix_web::{HttpMessage, HttpRequest, HttpResponse};

use super::completion::{error_response, request_info};
use super::{AppState, RequestId};
use crate::dialect::Dialect;
use crate::dialect::anthropic::Anthropic;
use crate::dialect::legacy_completions::Completions;
use crate::dialect::ollama::{Chat, Ollama};
use crate::dialect::openai_chat::OpenAiChat;
use crate::dialect::openai_responses::OpenAiResponses;
use crate::failure::Failure;

/// Whose form an answer takes that comes from no dialect's own door.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    OpenAi,
    Anthropic,
    Ollama,
}

impl Form {
    /// The path tells it, but for the models, which both APIs have under the same one. There Anthropic's clients
    /// say a version; what key header they use tells nothing.
    pub(super) fn of(request: &HttpRequest) -> Form {
        let path = door(request.path());
        let says_version = request.headers().contains_key("anthropic-version");
        if path.starts_with("/messages") || path.starts_with("/models") && says_version {
            Form::Anthropic
        } else if path.starts_with("/api/") {
            Form::Ollama
        } else {
            Form::OpenAi
        }
    }
}

/// A path without the `/v1`, which every door answers without, too.
fn door(path: &str) -> &str {
    path.strip_prefix("/v1").unwrap_or(path)
}

/// Says a failure in the form of whoever asked, and puts it down where the person will see it.
pub(super) fn respond(request: &HttpRequest, failure: &Failure) -> HttpResponse {
    note(request, failure);
    match Form::of(request) {
        Form::OpenAi => error_response::<OpenAiChat>(request, failure),
        Form::Anthropic => error_response::<Anthropic>(request, failure),
        Form::Ollama => error_response::<Ollama<Chat>>(request, failure),
    }
}

fn note(request: &HttpRequest, failure: &Failure) {
    let (Some(state), Some(id)) =
        (request.app_data::<Data<AppState>>(), request.extensions().get::<RequestId>().cloned())
    else {
        return;
    };
    let request_info = request_info(request, id, dialect_of(request.path()));
    state.request_log.reject(request_info, failure);
}

/// The dialect of whoever wanted to come in here; empty where none is spoken.
fn dialect_of(path: &str) -> &'static str {
    match door(path) {
        "/chat/completions" => OpenAiChat::NAME,
        "/completions" => Completions::NAME,
        "/responses" => OpenAiResponses::NAME,
        "/messages" | "/messages/count_tokens" => Anthropic::NAME,
        "/api/chat" | "/api/generate" => Ollama::<Chat>::NAME,
        _ => "",
    }
}

/// There is no such door.
pub(super) async fn no_such_path(request: HttpRequest) -> HttpResponse {
    respond(&request, &Failure::NoSuchPath { path: request.path().into() })
}

/// The door is there, for other methods.
pub(super) fn wrong_method(request: &HttpRequest, allow: &str) -> HttpResponse {
    let failure = Failure::WrongMethod {
        method: request.method().to_string(),
        path: request.path().into(),
        allow: allow.into(),
    };
    respond(request, &failure)
}

/// A query string that is not what the door takes.
pub(super) fn unreadable_query(error: QueryPayloadError, request: &HttpRequest) -> actix_web::Error {
    let why = match &error {
        QueryPayloadError::Deserialize(error) => error.to_string(),
        other => other.to_string(),
    };
    let refused = respond(request, &Failure::invalid("", format!("the query string can't be read: {why}")));
    InternalError::from_response(error, refused).into()
}

/// VS Code offers no stable API for embeddings, and none for what stands beside them.
pub(super) async fn not_offered(request: HttpRequest) -> HttpResponse {
    let what = door(request.path()).trim_start_matches('/');
    let failure = Failure::unsupported(
        "",
        format!(
            "{what} can't be had here: VS Code offers its extensions language models only, by a stable API"
        ),
    );
    respond(&request, &failure)
}

#[cfg(test)]
mod tests {
    use actix_web::body::to_bytes;
    use actix_web::test::TestRequest;
    use actix_web::web::Query;
    use serde_json::{Value, json};

    use super::*;
    use crate::dialect::anthropic::models::Page;

    #[tokio::test]
    async fn a_query_that_can_t_be_read_is_a_400_in_the_form_of_who_asks() {
        let request =
            TestRequest::with_uri("/v1/models?limit=all").insert_header(("anthropic-version", "2026-10-21"));
        let request = request.to_http_request();
        let error = Query::<Page>::from_query(request.query_string()).unwrap_err();

        let response = unreadable_query(error, &request).error_response();

        assert_eq!(response.status(), 400);
        let body: Value = serde_json::from_slice(&to_bytes(response.into_body()).await.unwrap()).unwrap();
        assert_eq!(
            body["error"],
            json!({
                "type": "invalid_request_error",
                "message": "the query string can't be read: invalid digit found in string",
            })
        );
    }

    #[test]
    fn the_path_tells_the_form_and_for_models_the_version() {
        let plain = |path| Form::of(&TestRequest::with_uri(path).to_http_request());
        let versioned = |path| {
            let request = TestRequest::with_uri(path).insert_header(("anthropic-version", "2026-10-21"));
            Form::of(&request.to_http_request())
        };

        let forms = [
            plain("/v1/messages"),
            plain("/messages/count_tokens"),
            versioned("/v1/models?limit=1000"),
            versioned("/models/scripted-1"),
            plain("/v1/models"),
            versioned("/v1/chat/completions"),
            plain("/nowhere"),
            plain("/api/chat"),
            plain("/api/nowhere"),
        ];

        assert_eq!(forms[..4], [Form::Anthropic; 4]);
        assert_eq!(forms[4..7], [Form::OpenAi; 3]);
        assert_eq!(forms[7..], [Form::Ollama; 2]);
    }
}

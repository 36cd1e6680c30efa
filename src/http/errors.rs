//! What happens outside of every door: unknown paths and wrong methods, said in the dialect of the path.

use actix_web::HttpRequest;
use actix_web::HttpResponse;

use super::answer::refusal;
use crate::dialect::anthropic::Anthropic;
use crate::dialect::openai_chat::OpenAiChat;
use crate::failure::Failure;

/// Says a failure in the dialect of the path that was asked for.
pub(super) fn refuse(request: &HttpRequest, failure: &Failure) -> HttpResponse {
    if request.path().trim_start_matches("/v1").starts_with("/messages") {
        refusal::<Anthropic>(request, failure)
    } else {
        refusal::<OpenAiChat>(request, failure)
    }
}

/// There is no such door.
pub(super) async fn no_such_path(request: HttpRequest) -> HttpResponse {
    refuse(&request, &Failure::NoSuchPath { path: request.path().into() })
}

/// The door is there, for other methods.
pub(super) fn wrong_method(request: &HttpRequest, allow: &str) -> HttpResponse {
    let failure = Failure::WrongMethod {
        method: request.method().to_string(),
        path: request.path().into(),
        allow: allow.into(),
    };
    refuse(request, &failure)
}

/// VS Code offers no stable API for embeddings, and none for what stands beside them.
pub(super) async fn not_offered(request: HttpRequest) -> HttpResponse {
    let what = request.path().trim_start_matches("/v1").trim_start_matches('/');
    let failure = Failure::unsupported(
        "",
        format!(
            "{what} can't be had here: VS Code offers its extensions language models only, by a stable API"
        ),
    );
    refuse(&request, &failure)
}

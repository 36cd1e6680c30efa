//! What happens outside of every door: unknown paths and wrong methods, said in the dialect of the path.

use actix_web::{HttpRequest, HttpResponse};

use super::answer::refusal;
use crate::dialect::openai_chat::OpenAiChat;
use crate::failure::Failure;

/// Says a failure in the dialect that a path belongs to.
pub(super) fn refuse(_path: &str, failure: &Failure) -> HttpResponse {
    refusal::<OpenAiChat>(failure)
}

/// There is no such door.
pub(super) async fn no_such_path(request: HttpRequest) -> HttpResponse {
    refuse(request.path(), &Failure::NoSuchPath { path: request.path().into() })
}

/// The door is there, for other methods.
pub(super) fn wrong_method(request: &HttpRequest, allow: &str) -> HttpResponse {
    let failure = Failure::WrongMethod {
        method: request.method().to_string(),
        path: request.path().into(),
        allow: allow.into(),
    };
    refuse(request.path(), &failure)
}

//! Endpoints of the vendors' APIs that have no counterpart in VS Code, such as embeddings.

use actix_web::{HttpRequest, HttpResponse};

use crate::failure::Failure;
use crate::http::error_response::respond;
use crate::http::route_index::without_version;

/// Responds with 400 and the reason why the endpoint can't be offered.
pub(in crate::http) async fn not_offered(request: HttpRequest) -> HttpResponse {
    let endpoint = without_version(request.path()).trim_start_matches('/');
    let message =
        format!("{endpoint} is not available: VS Code's stable API gives extensions language models only");
    respond(&request, &Failure::unsupported("", message))
}

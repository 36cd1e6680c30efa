//! `POST /v1/messages/count_tokens`, `POST /v1/responses/input_tokens` and `POST /v1beta/models/{model}:countTokens`: the
//! number of input tokens of a request.

use actix_web::web::{Data, Payload, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use bytes::Bytes;

use crate::budgets::Meter;
use crate::completion::{CompletionRequest, ModelChain};
use crate::conversation::WebTools;
use crate::dialect::anthropic::count_tokens as anthropic;
use crate::dialect::gemini::count_tokens as gemini;
use crate::dialect::openai_responses::input_tokens as openai;
use crate::dialect::{ParsedRequest, UnknownModel};
use crate::failure::Failure;
use crate::http::access::{ClientPermissions, identity_of};
use crate::http::completion::head_of;
use crate::http::error_response::respond;
use crate::http::request_id::RequestId;
use crate::http::state::AppState;
use crate::http::{context_management, request_body, tool_access};

/// Counts tokens in Anthropic's form.
pub(in crate::http) async fn messages(
    request: HttpRequest,
    payload: Payload,
    client: ReqData<ClientPermissions>,
    state: Data<AppState>,
) -> HttpResponse {
    let read = |body: Bytes| anthropic::read(&body);
    match count(&request, payload, *client, &state, UnknownModel::Nearest, read).await {
        Ok(Tokens { edited, original }) => HttpResponse::Ok().json(anthropic::response(edited, original)),
        Err(failure) => respond(&request, &failure),
    }
}

/// Counts tokens in OpenAI's form.
pub(in crate::http) async fn responses(
    request: HttpRequest,
    payload: Payload,
    client: ReqData<ClientPermissions>,
    state: Data<AppState>,
) -> HttpResponse {
    let read = |body: Bytes| openai::read(&body, &state.responses);
    match count(&request, payload, *client, &state, UnknownModel::Reject, read).await {
        Ok(tokens) => HttpResponse::Ok().json(openai::response(tokens.edited)),
        Err(failure) => respond(&request, &failure),
    }
}

/// Counts tokens in Google's form.
pub(in crate::http) async fn gemini(
    request: HttpRequest,
    payload: Payload,
    client: ReqData<ClientPermissions>,
    state: Data<AppState>,
) -> HttpResponse {
    let head = head_of(&request);
    let read = |body: Bytes| gemini::read(&head, &body);
    match count(&request, payload, *client, &state, UnknownModel::Reject, read).await {
        Ok(tokens) => HttpResponse::Ok().json(gemini::response(tokens.edited)),
        Err(failure) => respond(&request, &failure),
    }
}

/// Tokens of a request.
struct Tokens {
    /// After the edits that it asks for.
    edited: u64,
    /// Before them, if it asks for any.
    original: Option<u64>,
}

/// Counts tokens without running a model. Only failures are recorded in the request log.
async fn count(
    request: &HttpRequest,
    payload: Payload,
    client: ClientPermissions,
    state: &AppState,
    unknown_model: UnknownModel,
    read: impl FnOnce(Bytes) -> Result<ParsedRequest, Failure>,
) -> Result<Tokens, Failure> {
    let body =
        request_body::read(request.headers(), payload.into_inner(), state.options.receive_timeout).await?;
    let ParsedRequest { model, models, mut conversation, extensions, .. } = read(body)?;
    tool_access::attach(&mut conversation, extensions, WebTools::default(), request, client, state).await?;
    let mut completion_request = CompletionRequest {
        request_id: RequestId::of(request).text(),
        models: ModelChain::new(
            model,
            models,
            &state.user_settings.read().fallbacks,
            unknown_model == UnknownModel::Nearest,
        ),
        client: identity_of(request),
        session: None,
        meter: Meter::default(),
        conversation,
    };
    let original = if completion_request.conversation.options.context_edits.is_empty() {
        None
    } else {
        Some(state.completions.count(completion_request.clone()).await?)
    };
    // A compaction that is due happens when the request is answered.
    context_management::edit(&mut completion_request.conversation).await?;
    Ok(Tokens { edited: state.completions.count(completion_request).await?, original })
}

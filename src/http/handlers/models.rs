//! `GET /v1/models` and `GET /v1/models/{id}`, in OpenAI's, Anthropic's or Google's form, the same under `/v1beta`, and under
//! `/api/v0` in LM Studio's.

use std::sync::Arc;

use actix_web::web::{Data, Path, Query};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};

use crate::budgets::Meter;
use crate::completion::{CompletionRequest, ModelChain};
use crate::conversation::Conversation;
use crate::dialect::anthropic::models as anthropic;
use crate::dialect::gemini::models as gemini;
use crate::dialect::lm_studio;
use crate::dialect::openai_chat::models as openai;
use crate::failure::Failure;
use crate::http::access::identity_of;
use crate::http::error_form::ErrorForm;
use crate::http::error_response::{form_of, respond};
use crate::http::request_id::RequestId;
use crate::http::state::AppState;
use crate::models::ModelEntry;
use crate::models::permitted;
use crate::models::registry::GetSnapshot;

/// Lists the models of all windows.
pub(in crate::http) async fn list(
    request: HttpRequest,
    page: Query<anthropic::Page>,
    gemini_page: Query<gemini::Page>,
    state: Data<AppState>,
) -> HttpResponse {
    let models = match available(&request, &state).await {
        Ok(models) => models,
        Err(failure) => return respond(&request, &failure),
    };
    HttpResponse::Ok().json(match form_of(&request) {
        ErrorForm::Anthropic => {
            let models: Vec<anthropic::Model> = models.iter().map(anthropic_model).collect();
            anthropic::list(&models, &page)
        }
        ErrorForm::Gemini => {
            let models: Vec<gemini::Model> = models.iter().map(gemini_model).collect();
            gemini::list(&models, &gemini_page)
        }
        ErrorForm::OpenAi | ErrorForm::Ollama | ErrorForm::Mcp | ErrorForm::ByClientHeader => {
            let models: Vec<openai::Model> =
                models.iter().map(|model| openai_model(model, state.started)).collect();
            let mut list = openai::list(&models);
            if let (true, Some(list)) = (is_from_codex(&request), list.as_object_mut()) {
                list.insert("models".into(), json!([]));
            }
            list
        }
    })
}

/// `GET /api/v0/models`: lists the models of all windows in LM Studio's form.
pub(in crate::http) async fn lm_studio_list(request: HttpRequest, state: Data<AppState>) -> HttpResponse {
    match available(&request, &state).await {
        Ok(models) => {
            let models: Vec<lm_studio::Model> = models.iter().map(lm_studio_model).collect();
            HttpResponse::Ok().json(lm_studio::list(&models))
        }
        Err(failure) => respond(&request, &failure),
    }
}

/// `GET /api/v0/models/{id}`: describes the model that a completion with this name would use.
pub(in crate::http) async fn lm_studio_get(
    request: HttpRequest,
    state: Data<AppState>,
    name: Path<String>,
) -> HttpResponse {
    match resolved(&request, &state, name.into_inner(), false).await {
        Ok(model) => HttpResponse::Ok().json(lm_studio_model(&model).to_json()),
        Err(failure) => respond(&request, &failure),
    }
}

/// Whether the request comes from Codex, which requires a list of models with every detail, or an empty one: then it
/// uses its own.
fn is_from_codex(request: &HttpRequest) -> bool {
    request.query_string().split('&').any(|field| field.split('=').next() == Some("client_version"))
}

/// Describes the model that a completion with this name would use.
pub(in crate::http) async fn get(
    request: HttpRequest,
    state: Data<AppState>,
    name: Path<String>,
) -> HttpResponse {
    let form = form_of(&request);
    let mut name = name.into_inner();
    if form == ErrorForm::Gemini {
        name = gemini::id(&name).to_owned();
    }
    let is_nearest = form == ErrorForm::Anthropic;
    match resolved(&request, &state, name, is_nearest).await {
        Ok(model) => HttpResponse::Ok().json(match form {
            ErrorForm::Anthropic => anthropic::item(&anthropic_model(&model)),
            ErrorForm::Gemini => gemini::item(&gemini_model(&model)),
            ErrorForm::OpenAi | ErrorForm::Ollama | ErrorForm::Mcp | ErrorForm::ByClientHeader => {
                openai_model(&model, state.started).to_json()
            }
        }),
        Err(failure) => respond(&request, &failure),
    }
}

/// Resolves a name as a completion would; an unknown one is an error unless `is_nearest`.
async fn resolved(
    request: &HttpRequest,
    state: &AppState,
    name: String,
    is_nearest: bool,
) -> Result<ModelEntry, Failure> {
    let completion_request = CompletionRequest {
        request_id: RequestId::of(request).text(),
        models: ModelChain::only(Some(name), is_nearest),
        client: identity_of(request),
        session: None,
        meter: Meter::default(),
        conversation: Conversation::default(),
    };
    state.completions.model(&completion_request).await
}

/// Collects the models of all windows that the client may use, waiting for a window that is about to attach. No models is
/// an empty list here.
pub(in crate::http) async fn available(
    request: &HttpRequest,
    state: &AppState,
) -> Result<Arc<[ModelEntry]>, Failure> {
    let list = async || match state.registry.send(GetSnapshot).await {
        Ok(snapshot) => snapshot.require_models(),
        Err(error) => Err(Failure::internal(error)),
    };
    match state.availability.retry_until_available(list).await {
        Err(Failure::NoModels { .. }) => Ok(Arc::default()),
        Ok(models) => Ok(permitted(&models, &identity_of(request))),
        Err(failure) => Err(failure),
    }
}

/// The editor doesn't reveal a model's date, so the start of the server is given instead.
fn openai_model(ModelEntry { id, model }: &ModelEntry, started: u64) -> openai::Model {
    openai::Model {
        id: id.clone(),
        created: started / 1000,
        vendor: model.vendor.clone(),
        name: model.name.clone(),
        family: model.family.clone(),
        version: model.version.clone(),
        max_input_tokens: model.max_input_tokens,
        tools: model.tools,
        images: model.images,
        extra: model.extra.clone(),
    }
}

fn anthropic_model(ModelEntry { id, model }: &ModelEntry) -> anthropic::Model {
    anthropic::Model {
        id: id.clone(),
        name: model.name.clone(),
        max_input_tokens: model.max_input_tokens,
        max_output_tokens: model.extra.get("maxOutputTokens").and_then(Value::as_u64),
        images: model.images.unwrap_or(true),
        tools: model.tools.unwrap_or(true),
        family: model.family.clone(),
    }
}

fn lm_studio_model(ModelEntry { id, model }: &ModelEntry) -> lm_studio::Model {
    lm_studio::Model {
        id: id.clone(),
        vendor: model.vendor.clone(),
        family: model.family.clone(),
        max_input_tokens: model.max_input_tokens,
        tools: model.tools.unwrap_or(true),
        images: model.images.unwrap_or(true),
    }
}

fn gemini_model(ModelEntry { id, model }: &ModelEntry) -> gemini::Model {
    gemini::Model {
        id: id.clone(),
        name: model.name.clone(),
        vendor: model.vendor.clone(),
        version: model.version.clone(),
        max_input_tokens: model.max_input_tokens,
        max_output_tokens: model.extra.get("maxOutputTokens").and_then(Value::as_u64),
    }
}

//! `GET /v1/tools`: the tools of the editor, and who may see and run them.

use actix_web::web::{Data, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};

use super::AppState;
use super::access::Client;
use super::error_response::respond;
use crate::failure::Failure;
use crate::tools::executor::{ListTools, Offer};
use crate::tools::matching;

/// Which tools are wanted.
#[derive(Deserialize)]
pub(super) struct Filter {
    /// Comma-separated: those that have all of them.
    #[serde(default)]
    tags: String,
    /// A pattern with `*` and `?`.
    name: Option<String>,
}

/// The tools of the window that the request means.
pub(super) async fn list(
    request: HttpRequest,
    filter: Query<Filter>,
    client: ReqData<Client>,
    state: Data<AppState>,
) -> HttpResponse {
    match offered(&request, &client, &state).await {
        Ok(offer) => {
            let tags: Vec<&str> =
                filter.tags.split(',').map(str::trim).filter(|tag| !tag.is_empty()).collect();
            let data: Vec<Value> = matching(&offer.tools, &tags, filter.name.as_deref())
                .into_iter()
                .map(|tool| {
                    json!({
                        "name": tool.tool.name,
                        "description": tool.tool.description,
                        "inputSchema": tool.tool.input_schema,
                        "tags": tool.tags,
                    })
                })
                .collect();
            HttpResponse::Ok().json(json!({ "object": "list", "data": data }))
        }
        Err(failure) => respond(&request, &failure),
    }
}

/// The tools of the window that a request means, if its caller may have them.
pub(super) async fn offered(
    request: &HttpRequest,
    client: &Client,
    state: &AppState,
) -> Result<Offer, Failure> {
    if !client.may_use_tools {
        return Err(Failure::Forbidden {
            code: "origin_not_allowed",
            message: "web pages may not use the editor's tools; add the page's origin to the setting \
                      `copilotProxy.toolOrigins` if it is yours"
                .into(),
        });
    }
    let workspace = request.headers().get("x-copilot-proxy-workspace");
    let workspace = workspace.and_then(|value| value.to_str().ok()).map(str::to_owned);
    let asked = state.executor.send(ListTools { workspace }).await;
    asked.map_err(Failure::internal)?
}

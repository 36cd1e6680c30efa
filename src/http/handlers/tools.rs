//! `GET /v1/tools`: the editor's tools.

use actix_web::web::{Data, Query, ReqData};
use actix_web::{HttpRequest, HttpResponse};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::http::access::ClientPermissions;
use crate::http::error_response::respond;
use crate::http::state::AppState;
use crate::http::tool_access;
use crate::tools::matching;

/// Query of the request.
#[derive(Deserialize)]
pub(in crate::http) struct ToolsQuery {
    /// Comma-separated; a tool must have all of them.
    #[serde(default)]
    tags: String,
    /// Pattern with `*` and `?`, matched against the whole name.
    name: Option<String>,
}

/// Lists the tools of the window that the request names.
pub(in crate::http) async fn list(
    request: HttpRequest,
    filter: Query<ToolsQuery>,
    client: ReqData<ClientPermissions>,
    state: Data<AppState>,
) -> HttpResponse {
    match tool_access::list(&request, *client, &state).await {
        Ok(found) => {
            let tags: Vec<&str> =
                filter.tags.split(',').map(str::trim).filter(|tag| !tag.is_empty()).collect();
            let data: Vec<Value> = matching(&found.tools, &tags, filter.name.as_deref())
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

//! `GET /openapi.json`: the endpoints of the route table as an `OpenAPI` 3.1 document. `components.json` has the schemas of
//! bodies: the fields that the server reads, and those that clients rely on. Pure but for its handler.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Map, Value, json};

use super::error_form::ErrorForm;
use super::state::AppState;

/// Version of the `OpenAPI` specification.
const OPENAPI: &str = "3.1.0";

const COMPONENTS: &str = include_str!("openapi/components.json");

/// Description of an endpoint.
#[derive(Clone, Copy)]
pub(super) struct Operation {
    /// The API that it belongs to.
    pub tag: &'static str,
    pub summary: &'static str,
    /// Schema of the request's body; empty if it has none.
    pub request: &'static str,
    /// Schema of the response; empty if it is no JSON.
    pub response: &'static str,
    /// Whether the response may also be a stream of events.
    pub streams: bool,
    /// Names and meanings of query parameters.
    pub query: &'static [(&'static str, &'static str)],
}

/// An endpoint at its documented path.
pub(super) struct Endpoint {
    pub method: &'static str,
    /// With parameters in braces, such as `/v1/models/{id}`.
    pub path: String,
    pub form: ErrorForm,
    pub operation: Operation,
}

/// The endpoints to describe, from the route table.
pub(super) struct OpenApi(pub fn() -> Vec<Endpoint>);

impl OpenApi {
    /// The document for a server of this version at this address. It is made for each request: there are few.
    fn document(&self, url: &str, version: &str) -> Value {
        let OpenApi(endpoints) = self;
        let mut paths = Map::new();
        for endpoint in endpoints() {
            let operation = endpoint.to_json();
            let path = paths.entry(endpoint.path).or_insert_with(|| json!({}));
            if let Some(path) = path.as_object_mut() {
                path.insert(endpoint.method.to_lowercase(), operation);
            }
        }
        json!({
            "openapi": OPENAPI,
            "info": {
                "title": "Copilot Proxy",
                "version": version,
                "description": "The models of your VS Code, in the APIs of OpenAI, Anthropic, Gemini and Ollama. \
                                Fields that are not listed are ignored.",
                "license": { "name": "MIT", "identifier": "MIT" },
            },
            "servers": [{ "url": url }],
            "security": [{}, { "bearer": [] }, { "x-api-key": [] }],
            "paths": paths,
            // Checked by a test.
            "components": serde_json::from_str(COMPONENTS).unwrap_or(Value::Null),
        })
    }
}

impl Endpoint {
    fn to_json(&self) -> Value {
        let Operation { tag, summary, request, response, streams, query } = self.operation;
        let in_path = self.path.split('{').skip(1).filter_map(|rest| rest.split('}').next());
        let in_path = in_path.map(
            |name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }),
        );
        let in_query = query.iter().map(|(name, about)| {
            json!({ "name": name, "in": "query", "description": about, "schema": { "type": "string" } })
        });
        let mut content = Map::new();
        if !response.is_empty() {
            content.insert("application/json".into(), json!({ "schema": reference(response) }));
        }
        if streams {
            let kind =
                if self.form == ErrorForm::Ollama { "application/x-ndjson" } else { "text/event-stream" };
            content.insert(kind.into(), json!({ "schema": { "type": "string" } }));
        }
        let error = match self.form {
            ErrorForm::OpenAi | ErrorForm::ByClientHeader => "OpenAiError",
            ErrorForm::Anthropic => "AnthropicError",
            ErrorForm::Gemini => "GeminiError",
            ErrorForm::Ollama => "OllamaError",
            ErrorForm::Mcp => "JsonRpc",
        };
        let mut operation = json!({
            "operationId": self.id(),
            "tags": [tag],
            "summary": summary,
            "parameters": in_path.chain(in_query).collect::<Vec<_>>(),
            "responses": {
                "200": { "description": "Success", "content": content },
                "default": {
                    "description": "An error",
                    "content": { "application/json": { "schema": reference(error) } },
                },
            },
        });
        if let (Some(fields), false) = (operation.as_object_mut(), request.is_empty()) {
            let body = json!({ "required": true, "content": { "application/json": { "schema": reference(request) } } });
            fields.insert("requestBody".into(), body);
        }
        operation
    }

    /// Such as `post_v1_chat_completions`.
    fn id(&self) -> String {
        let words = self.path.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        std::iter::once(self.method.to_lowercase())
            .chain(words.map(str::to_owned))
            .collect::<Vec<_>>()
            .join("_")
    }
}

fn reference(schema: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{schema}") })
}

/// Responds with the document.
pub(super) async fn openapi(
    request: HttpRequest,
    state: Data<AppState>,
    openapi: Data<OpenApi>,
) -> HttpResponse {
    let connection = request.connection_info();
    HttpResponse::Ok()
        .json(openapi.document(&format!("http://{}", connection.host()), &state.options.version))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::http::routes::endpoints;

    fn references(value: &Value, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                if let Some(Value::String(reference)) = fields.get("$ref") {
                    found.insert(reference.trim_start_matches("#/components/schemas/").to_owned());
                }
                fields.values().for_each(|field| references(field, found));
            }
            Value::Array(items) => items.iter().for_each(|item| references(item, found)),
            _ => {}
        }
    }

    #[test]
    fn all_schemas_are_defined_and_used() {
        let document = OpenApi(|| endpoints().collect()).document("http://127.0.0.1", "0");
        let mut used = BTreeSet::new();
        references(&document, &mut used);
        let defined: BTreeSet<String> =
            document["components"]["schemas"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(used, defined);
    }

    #[test]
    fn every_listed_endpoint_is_described() {
        for endpoint in endpoints() {
            let Operation { tag, summary, .. } = endpoint.operation;
            assert!(!tag.is_empty() && !summary.is_empty(), "{} {}", endpoint.method, endpoint.path);
        }
        let ids: Vec<String> = endpoints().map(|endpoint| endpoint.id()).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    }
}

//! Wire types of the requests. Only fields that are used; all others are ignored.
//!
//! Google's JSON reader takes each name in camel case and in snake case, and one item where a list is meant.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::dialect::common::whole_number;
use crate::dialect::gemini::repeated::Repeated;
use crate::dialect::{Rounds, ToolExecution};

/// Body of a request that runs a model.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub struct Request {
    pub contents: Option<Repeated<Content>>,
    #[serde(alias = "system_instruction")]
    pub system_instruction: Option<Content>,
    pub tools: Option<Repeated<Tool>>,
    #[serde(alias = "tool_config")]
    pub tool_config: Option<ToolConfig>,
    #[serde(alias = "generation_config")]
    pub generation_config: Option<GenerationConfig>,
    #[serde(alias = "cached_content")]
    pub cached_content: Option<String>,
    pub models: Option<Vec<String>>,
    #[serde(alias = "use_vscode_tools")]
    pub use_vscode_tools: Option<bool>,
    #[serde(alias = "tool_execution")]
    pub tool_execution: Option<ToolExecution>,
    #[serde(alias = "max_tool_rounds")]
    pub max_tool_rounds: Option<Rounds>,
}

/// Body of `:countTokens`, besides the fields of a request.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub struct CountTokens {
    #[serde(alias = "generate_content_request")]
    pub generate_content_request: Option<Request>,
}

/// A turn of one side.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Content {
    pub role: Option<String>,
    pub parts: Option<Repeated<Part>>,
}

/// A part: one field tells its kind, others belong to any kind.
pub type Part = Map<String, Value>;

/// Bytes and their type.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub struct Blob {
    #[serde(alias = "mime_type")]
    pub mime_type: Option<String>,
    pub data: String,
    #[serde(alias = "display_name")]
    pub display_name: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub struct FileData {
    #[serde(alias = "file_uri")]
    pub file_uri: Option<String>,
}

/// A call that the model made earlier.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct FunctionCall {
    pub id: Option<String>,
    pub name: String,
    pub args: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct FunctionResponse {
    pub id: Option<String>,
    pub name: Option<String>,
    pub response: Option<Map<String, Value>>,
    pub parts: Option<Repeated<Part>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct ExecutableCode {
    pub language: Option<String>,
    pub code: Option<String>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct CodeExecutionResult {
    pub outcome: Option<String>,
    pub output: Option<String>,
}

/// A group of functions, or a tool of Google's own service.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub struct Tool {
    #[serde(alias = "function_declarations")]
    pub function_declarations: Option<Repeated<FunctionDeclaration>>,
    #[serde(alias = "google_search")]
    pub google_search: Option<GoogleSearch>,
    /// The search of older models.
    #[serde(alias = "google_search_retrieval")]
    pub google_search_retrieval: Option<Map<String, Value>>,
    #[serde(alias = "url_context")]
    pub url_context: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object", rename_all = "camelCase")]
pub struct GoogleSearch {
    #[serde(alias = "exclude_domains")]
    pub exclude_domains: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub struct FunctionDeclaration {
    pub name: String,
    pub description: Option<String>,
    /// In the API's own form of schemas.
    pub parameters: Option<Map<String, Value>>,
    /// A JSON Schema.
    #[serde(alias = "parameters_json_schema")]
    pub parameters_json_schema: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub struct ToolConfig {
    #[serde(alias = "function_calling_config")]
    pub function_calling_config: Option<FunctionCallingConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub struct FunctionCallingConfig {
    pub mode: Option<String>,
    #[serde(alias = "allowed_function_names")]
    pub allowed_function_names: Option<Repeated<String>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub struct GenerationConfig {
    #[serde(default, alias = "candidate_count", deserialize_with = "whole_number::optional")]
    pub candidate_count: Option<u64>,
    #[serde(alias = "stop_sequences")]
    pub stop_sequences: Option<Repeated<String>>,
    #[serde(default, alias = "max_output_tokens", deserialize_with = "whole_number::optional")]
    pub max_output_tokens: Option<u64>,
    pub temperature: Option<f64>,
    #[serde(alias = "top_p")]
    pub top_p: Option<f64>,
    #[serde(default, deserialize_with = "whole_number::optional")]
    pub seed: Option<i64>,
    #[serde(alias = "presence_penalty")]
    pub presence_penalty: Option<f64>,
    #[serde(alias = "frequency_penalty")]
    pub frequency_penalty: Option<f64>,
    #[serde(alias = "response_mime_type")]
    pub response_mime_type: Option<String>,
    /// In the API's own form of schemas.
    #[serde(alias = "response_schema")]
    pub response_schema: Option<Map<String, Value>>,
    /// A JSON Schema.
    #[serde(alias = "response_json_schema", alias = "_responseJsonSchema", alias = "_response_json_schema")]
    pub response_json_schema: Option<Map<String, Value>>,
    #[serde(alias = "response_format")]
    pub response_format: Option<ResponseFormat>,
    #[serde(alias = "response_logprobs")]
    pub response_logprobs: Option<bool>,
    #[serde(default, deserialize_with = "whole_number::optional")]
    pub logprobs: Option<u64>,
    #[serde(alias = "response_modalities")]
    pub response_modalities: Option<Repeated<String>>,
    #[serde(alias = "thinking_config")]
    pub thinking_config: Option<ThinkingConfig>,
}

/// The newer place of the output's form.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct ResponseFormat {
    pub text: Option<TextFormat>,
    pub audio: Option<Value>,
    pub image: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub struct TextFormat {
    #[serde(alias = "mime_type")]
    pub mime_type: Option<String>,
    pub schema: Option<Map<String, Value>>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", expecting = "an object")]
pub struct ThinkingConfig {
    #[serde(alias = "include_thoughts")]
    pub include_thoughts: Option<bool>,
    /// -1 = as much as the model likes.
    #[serde(default, alias = "thinking_budget", deserialize_with = "whole_number::optional")]
    pub thinking_budget: Option<i64>,
    #[serde(alias = "thinking_level")]
    pub thinking_level: Option<String>,
}

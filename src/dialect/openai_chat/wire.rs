//! Wire types of a chat request. Only fields that are used; all others are ignored.
//!
//! Objects with a `type` are flat here, with the fields of every type optional: serde would buffer a tagged enum
//! whole and lose the place of an error.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::conversation::Verbosity;
use crate::dialect::common::one_or_many::OneOrMany;
use crate::dialect::common::string_or_object::WordOrObject;
use crate::dialect::common::whole_number;
use crate::dialect::{Rounds, ToolExecution};

/// Body of a request.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Request {
    pub model: Option<String>,
    pub models: Option<Vec<String>>,
    pub messages: Vec<Message>,
    pub stream: Option<bool>,
    pub stream_options: Option<StreamOptions>,

    pub tools: Option<Vec<Tool>>,
    pub tool_choice: Option<WordOrObject<ChoiceWord, Choice>>,
    pub parallel_tool_calls: Option<bool>,
    pub functions: Option<Vec<Function>>,
    pub function_call: Option<WordOrObject<ChoiceWord, Name>>,

    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub frequency_penalty: Option<f64>,
    pub presence_penalty: Option<f64>,
    #[serde(default, deserialize_with = "whole_number::optional")]
    pub seed: Option<i64>,
    #[serde(default, deserialize_with = "whole_number::optional")]
    pub max_tokens: Option<u64>,
    #[serde(default, deserialize_with = "whole_number::optional")]
    pub max_completion_tokens: Option<u64>,
    pub stop: Option<OneOrMany<String>>,
    #[serde(default, deserialize_with = "whole_number::optional")]
    pub n: Option<u64>,
    pub reasoning_effort: Option<String>,
    pub verbosity: Option<Verbosity>,
    pub response_format: Option<ResponseFormat>,

    pub logprobs: Option<bool>,
    #[serde(default, deserialize_with = "whole_number::optional")]
    pub top_logprobs: Option<u64>,
    pub logit_bias: Option<Map<String, Value>>,
    pub modalities: Option<Vec<String>>,
    pub audio: Option<IgnoredAny>,

    pub web_search_options: Option<WebSearchOptions>,

    pub use_vscode_tools: Option<bool>,
    pub tool_execution: Option<ToolExecution>,
    pub max_tool_rounds: Option<Rounds>,
}

/// Options of a web search, unread: the editor's tool has no place for them.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct WebSearchOptions {}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct StreamOptions {
    pub include_usage: Option<bool>,
}

/// One message of any role.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Message {
    pub role: Role,
    pub content: Option<OneOrMany<Block>>,
    pub name: Option<String>,
    /// Only of the assistant.
    pub refusal: Option<String>,
    /// Only of the assistant: audio that it returned.
    pub audio: Option<Block>,
    /// Only of the assistant: thinking that an earlier response of this server had.
    pub reasoning_content: Option<String>,
    /// Only of the assistant: the seals of that thinking.
    pub reasoning_details: Option<Vec<ReasoningDetail>>,
    /// Only of the assistant: the same in one text, for clients that know no lists there.
    pub reasoning_opaque: Option<String>,
    /// Only of the assistant.
    pub tool_calls: Option<Vec<Block>>,
    /// The assistant's, from before `tools`.
    pub function_call: Option<FunctionCall>,
    /// Only of a tool.
    pub tool_call_id: Option<String>,
}

/// Sealed thinking. Other servers have other kinds of details, which hold no `data`.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct ReasoningDetail {
    pub data: Option<String>,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    System,
    Developer,
    User,
    Assistant,
    Tool,
    Function,
}

/// A part of a message's content, kept as it came: parts of unknown types in old messages become words.
pub type Block = Map<String, Value>;

/// A part of a known type.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Part {
    #[serde(rename = "type")]
    pub kind: PartKind,
    pub text: Option<String>,
    pub refusal: Option<String>,
    /// Officially an object; some clients send the URL alone.
    pub image_url: Option<WordOrObject<String, ImageUrl>>,
    pub input_audio: Option<InputAudio>,
    pub file: Option<File>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartKind {
    Text,
    ImageUrl,
    InputAudio,
    File,
    Refusal,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct InputAudio {
    pub format: Option<String>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct File {
    #[serde(rename = "filename")]
    pub name: Option<String>,
    #[serde(rename = "file_data")]
    pub data: Option<String>,
    #[serde(rename = "file_id")]
    pub id: Option<String>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct ImageUrl {
    pub url: String,
}

/// A call that the assistant made earlier.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct ToolCall {
    pub id: String,
    pub function: Option<FunctionCall>,
    /// Of a tool whose input is free text.
    pub custom: Option<CustomCall>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct FunctionCall {
    pub name: String,
    /// Officially JSON in a string; some clients send the object itself.
    pub arguments: Option<WordOrObject<String, Map<String, Value>>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct CustomCall {
    pub name: String,
    pub input: String,
}

/// A tool that the client offers.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Tool {
    /// `function`, nearly always.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub function: Option<Function>,
    /// A tool that takes free text.
    pub custom: Option<CustomTool>,
}

/// A tool that takes free text.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct CustomTool {
    pub name: String,
    pub description: Option<String>,
    pub format: Option<TextFormat>,
}

/// Format of the free text.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct TextFormat {
    pub grammar: Option<Grammar>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Grammar {
    pub syntax: Option<String>,
    pub definition: String,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Function {
    pub name: String,
    pub description: Option<String>,
    pub parameters: Option<Map<String, Value>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChoiceWord {
    None,
    Auto,
    Required,
}

/// A `tool_choice` that names tools.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Choice {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub function: Option<Name>,
    pub custom: Option<Name>,
    pub allowed_tools: Option<AllowedTools>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct AllowedTools {
    pub mode: ChoiceWord,
    pub tools: Vec<ToolReference>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct ToolReference {
    pub function: Option<Name>,
    pub custom: Option<Name>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Name {
    pub name: String,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct ResponseFormat {
    #[serde(rename = "type")]
    pub kind: FormatKind,
    pub json_schema: Option<JsonSchema>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormatKind {
    Text,
    JsonObject,
    JsonSchema,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct JsonSchema {
    pub name: Option<String>,
    pub description: Option<String>,
    pub schema: Option<Map<String, Value>>,
}

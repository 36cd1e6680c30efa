//! A request of the Responses API as it lies in the body. Only fields that are looked at: all others are let
//! through unread.
//!
//! Items, tools and a few settings stay raw JSON at first: an unknown kind must be let through whatever its
//! fields hold, and the answer repeats some of them as they came. Once the kind is known, one of the smaller
//! types here reads them.

use std::collections::BTreeMap;

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
    pub input: Option<OneOrMany<Value>>,
    pub instructions: Option<String>,
    pub stream: Option<bool>,
    pub store: Option<bool>,

    pub previous_response_id: Option<String>,
    pub conversation: Option<IgnoredAny>,
    pub prompt: Option<IgnoredAny>,
    pub background: Option<bool>,

    pub tools: Option<Vec<Value>>,
    pub tool_choice: Option<Value>,
    pub parallel_tool_calls: Option<bool>,
    #[serde(default, deserialize_with = "whole_number::optional")]
    pub max_tool_calls: Option<u64>,

    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    #[serde(default, deserialize_with = "whole_number::optional")]
    pub top_logprobs: Option<u64>,
    #[serde(default, deserialize_with = "whole_number::optional")]
    pub max_output_tokens: Option<u64>,
    pub reasoning: Option<Value>,
    pub text: Option<Value>,
    pub include: Option<Vec<String>>,
    pub context_management: Option<Vec<ContextManagement>>,
    pub truncation: Option<Truncation>,

    pub metadata: Option<BTreeMap<String, String>>,
    pub user: Option<String>,
    pub safety_identifier: Option<String>,
    pub prompt_cache_key: Option<String>,

    pub use_vscode_tools: Option<bool>,
    pub tool_execution: Option<ToolExecution>,
    pub max_tool_rounds: Option<Rounds>,
}

/// An edit of the conversation. `compaction` is the only type so far; others are let through.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct ContextManagement {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default, deserialize_with = "whole_number::optional")]
    pub compact_threshold: Option<u64>,
}

/// Handling of a conversation that is too long. Nothing is cut here, whatever it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Truncation {
    Auto,
    #[default]
    Disabled,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Reasoning {
    pub effort: Option<String>,
    pub summary: Option<String>,
    /// `summary`, as it was named before.
    pub generate_summary: Option<String>,
}

impl Reasoning {
    /// Whether a summary is wanted; `None` if the request doesn't mention it.
    pub fn wants_summary(&self) -> Option<bool> {
        self.summary.as_ref().or(self.generate_summary.as_ref()).map(|summary| summary != "none")
    }
}

#[derive(Default, Deserialize)]
#[serde(expecting = "an object")]
pub struct Text {
    pub format: Option<Format>,
    pub verbosity: Option<Verbosity>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Format {
    #[serde(rename = "type")]
    pub kind: FormatKind,
    pub name: Option<String>,
    pub description: Option<String>,
    pub schema: Option<Map<String, Value>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormatKind {
    Text,
    JsonObject,
    JsonSchema,
}

/// An item of type `message`, or of none.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Message {
    pub role: Role,
    pub content: Option<OneOrMany<Block>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    User,
    Assistant,
    System,
    Developer,
}

/// A part of a message or of a tool's output, kept as it came: parts of unknown types in old items become words.
pub type Block = Map<String, Value>;

/// A part of a known type.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Content {
    #[serde(rename = "type")]
    pub kind: ContentKind,
    pub text: Option<String>,
    pub refusal: Option<String>,
    pub image_url: Option<String>,
    pub file_id: Option<String>,
    pub file_url: Option<String>,
    pub file_data: Option<String>,
    pub filename: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentKind {
    /// Also as chat completions name it: clients that know both APIs mix them up.
    #[serde(alias = "text")]
    InputText,
    OutputText,
    Refusal,
    InputImage,
    InputFile,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct FunctionCall {
    pub call_id: String,
    pub name: String,
    pub namespace: Option<String>,
    pub arguments: Option<String>,
}

/// A call of a tool whose input is free text.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct CustomToolCall {
    pub call_id: String,
    pub name: String,
    pub namespace: Option<String>,
    pub input: String,
}

/// Output of a call of either kind.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct CallOutput {
    pub call_id: String,
    pub output: Option<OneOrMany<Block>>,
}

/// Something an earlier answer thought.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct ReasoningItem {
    pub id: Option<String>,
    pub summary: Option<Vec<ReasoningText>>,
    pub content: Option<Vec<ReasoningText>>,
    pub encrypted_content: Option<String>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct ReasoningText {
    pub text: String,
}

/// Stands for an item of an earlier answer.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct ItemReference {
    pub id: String,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct FunctionTool {
    pub name: String,
    pub description: Option<String>,
    pub parameters: Option<Map<String, Value>>,
}

/// A tool whose input is free text.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct CustomTool {
    pub name: String,
    pub description: Option<String>,
    pub format: Option<CustomFormat>,
}

/// Format of the free text.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct CustomFormat {
    pub syntax: Option<String>,
    pub definition: Option<String>,
}

/// Tools under a common roof: how Codex offers an MCP server.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Namespace {
    pub name: String,
    pub description: Option<String>,
    pub tools: Vec<Value>,
}

pub type ToolChoice = WordOrObject<ChoiceWord, Choice>;

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
    pub kind: String,
    pub name: Option<String>,
    pub namespace: Option<String>,
    pub mode: Option<ChoiceWord>,
    pub tools: Option<Vec<ToolReference>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct ToolReference {
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub name: Option<String>,
    pub namespace: Option<String>,
}

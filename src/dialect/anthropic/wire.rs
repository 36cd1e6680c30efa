//! Wire types of a Messages request. Only fields that are used; all others are ignored.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::dialect::common::one_or_many::OneOrMany;
use crate::dialect::common::string_or_object::WordOrObject;
use crate::dialect::common::whole_number;
use crate::dialect::{Rounds, ToolExecution};

/// Body, the same for `/v1/messages` and `/v1/messages/count_tokens`.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Request {
    pub model: Option<String>,
    pub models: Option<Vec<String>>,
    pub messages: Option<Vec<Message>>,
    pub system: Option<OneOrMany<Block>>,
    #[serde(default, deserialize_with = "whole_number::optional")]
    pub max_tokens: Option<u64>,
    pub stream: Option<bool>,

    pub tools: Option<Vec<Tool>>,
    pub tool_choice: Option<Choice>,

    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    /// Ignored: no provider of VS Code takes it, and it changes only the sampling.
    #[expect(dead_code, reason = "only its type is checked")]
    #[serde(default, deserialize_with = "whole_number::optional")]
    pub top_k: Option<u64>,
    pub stop_sequences: Option<Vec<String>>,
    pub thinking: Option<Thinking>,
    pub output_config: Option<OutputConfig>,
    /// `output_config.format`, as it was named before.
    pub output_format: Option<Format>,

    pub context_management: Option<ContextManagement>,

    /// Whether the server is to keep the conversation.
    pub thread: Option<IgnoredAny>,

    pub use_vscode_tools: Option<bool>,
    pub tool_execution: Option<ToolExecution>,
    pub max_tool_rounds: Option<Rounds>,
}

/// One message of any role.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Message {
    pub role: Role,
    pub content: Option<OneOrMany<Block>>,
    /// Only of the system: the effort from here on.
    pub output_config: Option<OutputConfig>,
    /// Only of the system: how long the text stays in the context.
    pub clear_at: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    User,
    Assistant,
    System,
}

/// A block of content, unparsed: its `type` decides which of the structures below it is, and blocks of
/// server tools reach the model as the JSON they are.
pub type Block = Map<String, Value>;

/// Fields that every block and every source has.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Typed {
    #[serde(rename = "type")]
    pub kind: String,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Text {
    pub text: String,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Image {
    pub source: Block,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Document {
    pub source: Block,
    pub title: Option<String>,
    pub context: Option<String>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct SearchResult {
    pub source: String,
    pub title: String,
    pub content: Vec<Block>,
}

/// A source in base64.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Base64 {
    pub media_type: String,
    pub data: String,
}

/// A source that is not in the request: a URL or a file id.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Url {
    pub url: String,
}

/// A source that is plain text.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct PlainText {
    pub data: String,
}

/// A source, or a block, that holds blocks.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Container {
    pub content: Option<OneOrMany<Block>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct ThinkingBlock {
    pub thinking: String,
    pub signature: Option<String>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct RedactedThought {
    pub data: String,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct ToolUse {
    pub id: String,
    pub name: String,
    pub input: Option<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct ToolResult {
    pub tool_use_id: String,
    pub content: Option<OneOrMany<Block>>,
    pub is_error: Option<bool>,
}

/// Inside a tool's result: a deferred tool that the client's search has found.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct ToolReference {
    pub tool_name: String,
}

/// `tool_addition` and `tool_removal`.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct ToolChange {
    pub tool: ToolChanged,
}

/// The tool that is added or removed: by name, or defined here.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct ToolChanged {
    #[serde(rename = "type")]
    pub kind: String,
    pub name: Option<String>,
    pub definition: Option<Tool>,
}

/// A tool that the client offers.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Tool {
    /// Absent = `custom`.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub input_schema: Option<Map<String, Value>>,
    pub defer_loading: Option<bool>,
    /// Only of `web_search_*` and `web_fetch_*`, like the three below.
    #[serde(default, deserialize_with = "whole_number::optional")]
    pub max_uses: Option<u64>,
    pub allowed_domains: Option<Vec<String>>,
    pub blocked_domains: Option<Vec<String>>,
    #[serde(default, deserialize_with = "whole_number::optional")]
    pub max_content_tokens: Option<u64>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Choice {
    #[serde(rename = "type")]
    pub kind: ChoiceKind,
    pub name: Option<String>,
    pub disable_parallel_tool_use: Option<bool>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChoiceKind {
    Auto,
    Any,
    Tool,
    None,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Thinking {
    #[serde(rename = "type")]
    pub kind: ThinkingKind,
    #[serde(default, deserialize_with = "whole_number::optional")]
    pub budget_tokens: Option<u64>,
    pub display: Option<String>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThinkingKind {
    Enabled,
    Adaptive,
    BetweenTools,
    Disabled,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct OutputConfig {
    pub effort: Option<String>,
    pub format: Option<Format>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Format {
    #[serde(rename = "type")]
    pub kind: FormatKind,
    pub schema: Map<String, Value>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FormatKind {
    JsonSchema,
}

/// Edits of the conversation. Each is read by its type; others are let through.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct ContextManagement {
    pub edits: Option<Vec<Map<String, Value>>>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct ClearToolUses {
    pub trigger: Option<Amount>,
    pub keep: Option<Amount>,
    pub clear_at_least: Option<Amount>,
    pub exclude_tools: Option<Vec<String>>,
    pub clear_tool_inputs: Option<Value>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct ClearThinking {
    pub keep: Option<WordOrObject<KeepWord, Amount>>,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeepWord {
    All,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Compact {
    pub trigger: Option<Amount>,
    pub pause_after_compaction: Option<bool>,
    pub instructions: Option<String>,
}

/// A number of something.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Amount {
    #[serde(rename = "type")]
    pub kind: AmountKind,
    #[serde(default, deserialize_with = "whole_number::optional")]
    pub value: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AmountKind {
    InputTokens,
    ToolUses,
    ThinkingTurns,
    All,
}

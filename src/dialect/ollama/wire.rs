//! Wire types of the requests. Only fields that are used; all others are ignored, among them the options of how a
//! model runs on the machine's own hardware.

use std::fmt;

use serde::de::{Error, IgnoredAny, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use crate::dialect::common::one_or_many::OneOrMany;
use crate::dialect::common::string_or_object::WordOrObject;
use crate::dialect::common::whole_number;
use crate::dialect::openai_chat::Tool;
use crate::dialect::{Rounds, ToolExecution};

/// Body of either endpoint.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Request {
    pub model: Option<String>,
    pub models: Option<Vec<String>>,
    pub stream: Option<bool>,
    pub format: Option<WordOrObject<String, Map<String, Value>>>,
    pub think: Option<Think>,
    pub options: Option<Options>,
    pub keep_alive: Option<Value>,
    pub logprobs: Option<bool>,
    #[serde(default, deserialize_with = "whole_number::optional")]
    pub top_logprobs: Option<u64>,

    // Fields of `/api/chat`.
    pub messages: Option<Vec<Message>>,
    pub tools: Option<Vec<Tool>>,
    pub use_vscode_tools: Option<bool>,
    pub tool_execution: Option<ToolExecution>,
    pub max_tool_rounds: Option<Rounds>,

    // Fields of `/api/generate`.
    pub prompt: Option<String>,
    pub system: Option<String>,
    pub images: Option<Vec<String>>,
    pub suffix: Option<String>,
    pub template: Option<String>,
    pub raw: Option<bool>,
    pub context: Option<Vec<IgnoredAny>>,
}

#[derive(Default, Deserialize)]
#[serde(expecting = "an object")]
pub struct Options {
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
    pub frequency_penalty: Option<f64>,
    pub presence_penalty: Option<f64>,
    #[serde(default, deserialize_with = "whole_number::optional")]
    pub seed: Option<i64>,
    /// Below 1 it is no limit.
    #[serde(default, deserialize_with = "whole_number::optional")]
    pub num_predict: Option<i64>,
    pub stop: Option<OneOrMany<String>>,
}

/// Whether a model is to think, and its effort.
#[derive(Debug, PartialEq)]
pub enum Think {
    No,
    Yes,
    Level(String),
}

/// One message of any role.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Message {
    pub role: Role,
    pub content: Option<String>,
    /// In base64, without their type.
    pub images: Option<Vec<String>>,
    /// Only of the assistant.
    pub thinking: Option<String>,
    /// Only of the assistant.
    pub tool_calls: Option<Vec<ToolCall>>,
    /// Only of a tool.
    pub tool_name: Option<String>,
    /// Only of a tool. Most clients send no ids.
    pub tool_call_id: Option<String>,
}

#[derive(Clone, Copy, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Also as OpenAI's API names it, and as some models name a message of options.
    #[serde(alias = "developer", alias = "control")]
    System,
    User,
    Assistant,
    Tool,
}

/// A call that the assistant made earlier.
#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct ToolCall {
    pub id: Option<String>,
    pub function: Function,
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
pub struct Function {
    pub name: String,
    pub arguments: Option<WordOrObject<String, Map<String, Value>>>,
}

impl<'de> Deserialize<'de> for Think {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Think, D::Error> {
        deserializer.deserialize_any(ThinkReader)
    }
}

struct ThinkReader;

impl Visitor<'_> for ThinkReader {
    type Value = Think;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("true, false or a level such as `low`")
    }

    fn visit_bool<E: Error>(self, thinks: bool) -> Result<Think, E> {
        Ok(if thinks { Think::Yes } else { Think::No })
    }

    fn visit_str<E: Error>(self, level: &str) -> Result<Think, E> {
        Ok(if level.is_empty() { Think::Yes } else { Think::Level(level.to_owned()) })
    }
}

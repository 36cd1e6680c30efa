//! Parts that chunks and whole responses share: usage, finish reasons, tool calls. Legacy completions use most of
//! them, too.

use std::collections::HashSet;
use std::num::NonZeroU64;

use serde::Serialize;

use super::Calls;
use crate::conversation::{self, Finish};
use crate::dialect::common::{call_arguments, free_text};

/// OpenAI's fingerprint of the build that responded: here the server's version.
pub const FINGERPRINT: &str = "fp_copilot_proxy";

/// Usage in OpenAI's form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct PromptDetails {
    cached_tokens: u64,
    /// Only Claude's models report it.
    #[serde(skip_serializing_if = "Option::is_none")]
    cache_write_tokens: Option<NonZeroU64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
}

impl From<conversation::Usage> for Usage {
    fn from(usage: conversation::Usage) -> Usage {
        Usage {
            prompt_tokens: usage.input,
            completion_tokens: usage.output,
            total_tokens: usage.input.saturating_add(usage.output),
            prompt_tokens_details: PromptDetails {
                cached_tokens: usage.cached,
                cache_write_tokens: NonZeroU64::new(usage.cache_written),
            },
            completion_tokens_details: CompletionDetails { reasoning_tokens: usage.reasoning },
        }
    }
}

/// The `usage` of a chunk. Once a client asks for it, every chunk has one: null in all but the last.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Cost {
    /// The choices are still running.
    NotYet,
    /// All have ended.
    Known(Usage),
}

/// The `finish_reason` of a response.
pub fn finish_reason(finish: &Finish, calls: Calls) -> &'static str {
    match (finish, calls) {
        (Finish::Stop | Finish::StopSequence(_), _) => "stop",
        (Finish::Length, _) => "length",
        (Finish::ToolCalls, Calls::Tools) => "tool_calls",
        (Finish::ToolCalls, Calls::Function) => "function_call",
        // The API has no finish reason for a model that declines.
        (Finish::ContentFilter | Finish::Refusal, _) => "content_filter",
    }
}

/// A tool call, in a chunk (where `index` tells it apart) or in a message.
#[derive(Debug, Serialize)]
pub struct ToolCall<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<u32>,
    id: &'a str,
    #[serde(flatten)]
    called: Called<'a>,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Called<'a> {
    Function { function: FunctionCall<'a> },
    Custom { custom: CustomCall<'a> },
}

impl<'a> ToolCall<'a> {
    /// A call in a message. `custom` has the names of the tools that take free text.
    pub fn new(call: &'a conversation::ToolCall, custom: &HashSet<String>) -> ToolCall<'a> {
        let called = if custom.contains(&call.name) {
            Called::Custom { custom: CustomCall { name: &call.name, input: free_text::unwrap(&call.input) } }
        } else {
            Called::Function { function: FunctionCall::new(call) }
        };
        ToolCall { index: None, id: &call.id, called }
    }

    /// A call in a chunk: clients gather the pieces of a call by its index.
    pub fn at(index: u32, call: &'a conversation::ToolCall, custom: &HashSet<String>) -> ToolCall<'a> {
        ToolCall { index: Some(index), ..ToolCall::new(call, custom) }
    }
}

/// A call of a tool that takes free text.
#[derive(Debug, Serialize)]
struct CustomCall<'a> {
    name: &'a str,
    input: String,
}

/// A call without an id, from before `tools`.
#[derive(Debug, Serialize)]
pub struct FunctionCall<'a> {
    name: &'a str,
    arguments: String,
}

impl<'a> FunctionCall<'a> {
    /// The call's name and arguments.
    pub fn new(call: &'a conversation::ToolCall) -> FunctionCall<'a> {
        FunctionCall { name: &call.name, arguments: call_arguments::to_json(&call.input) }
    }
}

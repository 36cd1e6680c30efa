//! Parts that chunks and whole responses share: usage, finish reasons, tool calls. Legacy completions use most of
//! them, too.

use std::num::NonZeroU64;

use serde::Serialize;

use super::Calls;
use crate::conversation::{self, Finish};
use crate::dialect::common::call_arguments;

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
    #[serde(rename = "type")]
    kind: &'static str,
    function: FunctionCall<'a>,
}

impl<'a> ToolCall<'a> {
    /// A call in a message.
    pub fn new(call: &'a conversation::ToolCall) -> ToolCall<'a> {
        ToolCall { index: None, id: &call.id, kind: "function", function: FunctionCall::new(call) }
    }

    /// A call in a chunk: clients gather the pieces of a call by its index.
    pub fn at(index: u32, call: &'a conversation::ToolCall) -> ToolCall<'a> {
        ToolCall { index: Some(index), ..ToolCall::new(call) }
    }
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
        FunctionCall { name: &call.name, arguments: call_arguments::say(&call.input) }
    }
}

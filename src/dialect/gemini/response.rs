//! The types of a response: a whole one and a chunk of a stream have the same form.

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::grounding::Grounding;
use crate::conversation::{Finish, ToolCall, Usage};
use crate::dialect::common::extensions::ResponseExtensions;

/// A response, or a chunk of one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Response<'a> {
    pub candidates: Vec<Candidate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage_metadata: Option<UsageMetadata>,
    pub model_version: &'a str,
    #[serde(rename = "responseId")]
    pub id: &'a str,
    #[serde(rename = "copilot_proxy", skip_serializing_if = "Option::is_none")]
    pub copilot_proxy: Option<ResponseExtensions<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate {
    pub content: Content,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<&'static str>,
    pub index: usize,
    #[serde(flatten)]
    pub grounding: Grounding,
}

#[derive(Debug, Serialize)]
pub struct Content {
    pub parts: Vec<Part>,
    pub role: &'static str,
}

/// A part of the model's content.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Part {
    #[serde(flatten)]
    pub data: Data,
    /// Seal of the thinking before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thought_signature: Option<String>,
}

/// The kinds of parts.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Data {
    Thought {
        text: String,
        thought: bool,
    },
    Text {
        text: String,
    },
    #[serde(rename_all = "camelCase")]
    Call {
        function_call: FunctionCall,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FunctionCall {
    id: String,
    name: String,
    args: Map<String, Value>,
}

/// Tokens of a response. Thinking is not among those of the candidates.
#[derive(Debug, Serialize)]
pub struct UsageMetadata {
    #[serde(rename = "promptTokenCount")]
    prompt: u64,
    #[serde(rename = "cachedContentTokenCount", skip_serializing_if = "is_zero")]
    cached: u64,
    #[serde(rename = "candidatesTokenCount")]
    candidates: u64,
    #[serde(rename = "thoughtsTokenCount", skip_serializing_if = "is_zero")]
    thoughts: u64,
    #[serde(rename = "totalTokenCount")]
    total: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

impl Candidate {
    /// A candidate with these parts.
    pub fn new(index: usize, parts: Vec<Part>, finish_reason: Option<&'static str>) -> Candidate {
        Candidate {
            content: Content { parts, role: "model" },
            finish_reason,
            index,
            grounding: Grounding::default(),
        }
    }
}

impl Part {
    /// A piece of text.
    pub fn text(text: impl Into<String>, thought_signature: Option<String>) -> Part {
        Part { data: Data::Text { text: text.into() }, thought_signature }
    }

    /// A piece of thinking.
    pub fn thought(text: impl Into<String>) -> Part {
        Part { data: Data::Thought { text: text.into(), thought: true }, thought_signature: None }
    }

    /// A call of a function. Its arguments are an object; a model may have written something else.
    pub fn call(call: &ToolCall, thought_signature: Option<String>) -> Part {
        let args = match &call.input {
            Value::Object(args) => args.clone(),
            Value::Null => Map::new(),
            other => [("_raw".to_owned(), json!(other))].into_iter().collect(),
        };
        let function_call = FunctionCall { id: call.id.clone(), name: call.name.clone(), args };
        Part { data: Data::Call { function_call }, thought_signature }
    }

    /// Adds the next part to this one, if both are text, or both are thinking, with one signature at most.
    pub fn join(&mut self, next: &Part) -> bool {
        match (&mut self.data, &next.data) {
            (Data::Text { text }, Data::Text { text: more }) if next.thought_signature.is_none() => {
                text.push_str(more);
                true
            }
            (Data::Thought { text, .. }, Data::Thought { text: more, .. })
                if self.thought_signature.is_none() && next.thought_signature.is_none() =>
            {
                text.push_str(more);
                true
            }
            _ => false,
        }
    }
}

impl From<Usage> for UsageMetadata {
    fn from(usage: Usage) -> UsageMetadata {
        UsageMetadata {
            prompt: usage.input,
            cached: usage.cached,
            candidates: usage.output.saturating_sub(usage.reasoning),
            thoughts: usage.reasoning,
            total: usage.input.saturating_add(usage.output),
        }
    }
}

/// The `finishReason` of a candidate. The API has none for tool calls, and none for a model that declines.
pub fn finish_reason(finish: &Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::StopSequence(_) | Finish::ToolCalls => "STOP",
        Finish::Length => "MAX_TOKENS",
        Finish::ContentFilter | Finish::Refusal => "SAFETY",
    }
}

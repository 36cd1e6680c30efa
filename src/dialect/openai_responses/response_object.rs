//! The response object: in the first and last events of a stream, and the whole of a reply.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

use super::output_items::Item;
use super::wire::Truncation;
use crate::conversation::{self, Finish};
use crate::dialect::ResponseMeta;
use crate::dialect::common::extensions::ResponseExtensions;
use crate::failure::Failure;

/// The answer's id, as later requests name it.
pub fn id(meta: &ResponseMeta) -> String {
    format!("resp_{}", meta.id)
}

/// Fields of the request that a response repeats.
#[derive(Debug, Serialize)]
pub struct Echo {
    pub instructions: Option<String>,
    pub max_output_tokens: Option<u64>,
    pub max_tool_calls: Option<u64>,
    pub metadata: BTreeMap<String, String>,
    pub parallel_tool_calls: bool,
    pub previous_response_id: Option<String>,
    pub reasoning: Value,
    pub store: bool,
    pub temperature: Option<f64>,
    pub text: Value,
    pub tool_choice: Value,
    pub tools: Vec<Value>,
    pub top_p: Option<f64>,
    pub truncation: Truncation,
    // The API's schema has no null for these three.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prompt_cache_key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub safety_identifier: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
}

/// The response object.
#[derive(Serialize)]
pub struct Response<'a> {
    id: String,
    object: &'static str,
    created_at: u64,
    status: &'static str,
    background: bool,
    error: Option<Error>,
    incomplete_details: Option<IncompleteDetails>,
    model: &'a str,
    output: Vec<Item<'a>>,
    /// Unknown until the end; the API's schema has no null for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
    service_tier: &'static str,
    top_logprobs: u8,
    #[serde(flatten)]
    echo: &'a Echo,
    #[serde(skip_serializing_if = "Option::is_none")]
    copilot_proxy: Option<ResponseExtensions<'a>>,
}

#[derive(Serialize)]
struct Error {
    code: &'static str,
    message: String,
}

#[derive(Serialize)]
struct IncompleteDetails {
    reason: &'static str,
}

/// Usage of a response.
#[derive(Serialize)]
pub struct Usage {
    input_tokens: u64,
    input_tokens_details: InputDetails,
    output_tokens: u64,
    output_tokens_details: OutputDetails,
    total_tokens: u64,
}

#[derive(Serialize)]
struct InputDetails {
    cached_tokens: u64,
    cache_write_tokens: u64,
}

#[derive(Serialize)]
struct OutputDetails {
    reasoning_tokens: u64,
}

impl From<conversation::Usage> for Usage {
    fn from(usage: conversation::Usage) -> Usage {
        Usage {
            input_tokens: usage.input,
            input_tokens_details: InputDetails {
                cached_tokens: usage.cached,
                cache_write_tokens: usage.cache_written,
            },
            output_tokens: usage.output,
            output_tokens_details: OutputDetails { reasoning_tokens: usage.reasoning },
            total_tokens: usage.input.saturating_add(usage.output),
        }
    }
}

impl<'a> Response<'a> {
    /// The object while the answer goes on.
    pub fn in_progress(meta: &'a ResponseMeta, echo: &'a Echo, items: Vec<Item<'a>>) -> Response<'a> {
        Response {
            id: id(meta),
            object: "response",
            created_at: meta.created,
            status: "in_progress",
            background: false,
            error: None,
            incomplete_details: None,
            model: &meta.model,
            output: items,
            usage: None,
            service_tier: "default",
            top_logprobs: 0,
            echo,
            copilot_proxy: None,
        }
    }

    /// The object of an answer that has ended.
    pub fn ended(
        self,
        finish: &Finish,
        usage: conversation::Usage,
        extra: ResponseExtensions<'a>,
    ) -> Response<'a> {
        let reason = why_incomplete(finish);
        Response {
            status: if reason.is_some() { "incomplete" } else { "completed" },
            incomplete_details: reason.map(|reason| IncompleteDetails { reason }),
            usage: Some(usage.into()),
            copilot_proxy: Some(extra),
            ..self
        }
    }

    /// The object of an answer that was cut by a failure.
    pub fn failed(self, failure: &Failure) -> Response<'a> {
        let error = Error { code: error_code(failure), message: error_message(failure) };
        Response { status: "failed", error: Some(error), ..self }
    }
}

/// Reason for an incomplete response.
pub fn why_incomplete(finish: &Finish) -> Option<&'static str> {
    match finish {
        Finish::Stop | Finish::StopSequence(_) | Finish::ToolCalls => None,
        Finish::Length => Some("max_output_tokens"),
        // The API has no reason for a model that declines.
        Finish::ContentFilter | Finish::Refusal => Some("content_filter"),
    }
}

/// Agents act on these: they compact, wait or give up. On `server_error` they try again.
fn error_code(failure: &Failure) -> &'static str {
    match failure {
        Failure::QuotaExceeded { .. } => "insufficient_quota",
        Failure::RateLimited { .. } | Failure::Blocked { .. } | Failure::TooManyRequests { .. } => {
            "rate_limit_exceeded"
        }
        Failure::TooLong { .. } | Failure::TooLongForSetting { .. } | Failure::TooLongForProvider => {
            "context_length_exceeded"
        }
        Failure::ContentFiltered { .. } | Failure::Invalid { .. } | Failure::Unsupported { .. } => {
            "invalid_prompt"
        }
        _ => "server_error",
    }
}

/// A stream has no header left to say when to try again; Codex reads it in the sentence. A block says so itself.
fn error_message(failure: &Failure) -> String {
    let wait = failure.headers().into_iter().find(|(name, _)| *name == "retry-after");
    match wait {
        Some((_, seconds))
            if error_code(failure) == "rate_limit_exceeded"
                && !matches!(failure, Failure::Blocked { .. }) =>
        {
            format!("{}; try again in {seconds}s", failure.text())
        }
        _ => failure.text(),
    }
}

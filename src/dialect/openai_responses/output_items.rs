//! The items of an answer's output, as streams and whole replies show them.

use serde::Serialize;
use serde_json::{Value, json};

use super::ReasoningOutput;
use super::client_tools::ClientTool;
use super::tool_names::{CallKind, ToolNames};
use crate::conversation::{Citation, Thinking, ToolCall, WebPage, WebRan};
use crate::dialect::common::compaction::{self, Replaced};
use crate::dialect::common::{call_arguments, free_text, sealed_thinking};

/// An item of the output.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Item<'a> {
    Reasoning {
        id: &'a str,
        summary: Vec<Summary<'a>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        encrypted_content: Option<String>,
    },
    Message {
        id: &'a str,
        status: ItemStatus,
        role: &'static str,
        content: Vec<Content<'a>>,
    },
    FunctionCall {
        id: &'a str,
        status: ItemStatus,
        call_id: &'a str,
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        namespace: Option<&'a str>,
        arguments: &'a str,
    },
    CustomToolCall {
        id: &'a str,
        status: ItemStatus,
        call_id: &'a str,
        name: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        namespace: Option<&'a str>,
        input: &'a str,
    },
    ShellCall {
        id: &'a str,
        status: ItemStatus,
        call_id: &'a str,
        action: &'a Value,
        environment: (),
    },
    LocalShellCall {
        id: &'a str,
        status: ItemStatus,
        call_id: &'a str,
        action: &'a Value,
    },
    ApplyPatchCall {
        id: &'a str,
        status: ItemStatus,
        call_id: &'a str,
        operation: &'a Value,
    },
    WebSearchCall {
        id: &'a str,
        status: ItemStatus,
        action: Value,
        /// The words in which the model has read a failure. The API has no place for them.
        #[serde(skip_serializing_if = "Option::is_none")]
        error: Option<String>,
    },
    Compaction {
        id: &'a str,
        encrypted_content: String,
    },
}

/// The status of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemStatus {
    InProgress,
    Completed,
    /// It was cut off.
    Incomplete,
    /// Only of a search.
    Failed,
}

/// A part of a reasoning item.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "summary_text")]
pub struct Summary<'a> {
    pub text: &'a str,
}

/// A part of a message.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename = "output_text")]
pub struct Content<'a> {
    pub annotations: &'a [Annotation],
    pub logprobs: [(); 0],
    pub text: &'a str,
}

impl<'a> Content<'a> {
    /// A text with its links.
    pub fn text(text: &'a str, annotations: &'a [Annotation]) -> Content<'a> {
        Content { annotations, logprobs: [], text }
    }
}

/// A link to a page that a search has found, with its place in the text, counted in characters.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename = "url_citation")]
pub struct Annotation {
    start_index: usize,
    end_index: usize,
    title: String,
    url: String,
}

impl Annotation {
    /// The annotation of a link at the end of a text.
    pub fn new(citation: &Citation, text: &str) -> Annotation {
        let Citation { page, link } = citation;
        let end_index = text.chars().count();
        Annotation {
            start_index: end_index.saturating_sub(link.chars().count()),
            end_index,
            title: page.title.clone(),
            url: page.url.clone(),
        }
    }
}

impl<'a> Item<'a> {
    /// A thought that has begun.
    pub fn thought_begins(id: &'a str) -> Item<'a> {
        Item::Reasoning { id, summary: Vec::new(), encrypted_content: None }
    }

    /// A whole thought.
    pub fn thought(id: &'a str, thought: &'a Thinking, wanted: ReasoningOutput) -> Item<'a> {
        let summary = match thought.text.as_str() {
            text if wanted.summary && !text.is_empty() => vec![Summary { text }],
            _ => Vec::new(),
        };
        let encrypted_content = if wanted.encrypted { sealed_thinking::seal(thought) } else { None };
        Item::Reasoning { id, summary, encrypted_content }
    }

    /// A message that has begun.
    pub fn message_begins(id: &'a str) -> Item<'a> {
        Item::Message { id, status: ItemStatus::InProgress, role: "assistant", content: Vec::new() }
    }

    /// A whole message.
    pub fn message(
        id: &'a str,
        status: ItemStatus,
        text: &'a str,
        annotations: &'a [Annotation],
    ) -> Item<'a> {
        Item::Message { id, status, role: "assistant", content: vec![Content::text(text, annotations)] }
    }

    /// A summary, sealed, with what it replaces; empty where a stream begins it.
    pub fn compaction(id: &'a str, summary: Option<(&str, Replaced)>) -> Item<'a> {
        let sealed = summary.map(|(summary, replaced)| compaction::seal(summary, replaced));
        Item::Compaction { id, encrypted_content: sealed.unwrap_or_default() }
    }

    /// A search that has begun.
    pub fn search_begins(id: &'a str, web: &WebRan) -> Item<'a> {
        let action = json!({ "type": "search", "query": web.subject });
        Item::WebSearchCall { id, status: ItemStatus::InProgress, action, error: None }
    }

    /// A search that has ended, with its pages if they are wanted.
    pub fn search(id: &'a str, web: &WebRan, shows_sources: bool) -> Item<'a> {
        let mut action = json!({ "type": "search", "query": web.subject, "queries": [web.subject] });
        if shows_sources && let Some(fields) = action.as_object_mut() {
            let source = |page: &WebPage| json!({ "type": "url", "url": page.url });
            fields.insert("sources".into(), web.outcome.iter().flatten().map(source).collect());
        }
        let (status, error) = match &web.outcome {
            Ok(_) => (ItemStatus::Completed, None),
            Err(_) => (ItemStatus::Failed, Some(web.text())),
        };
        Item::WebSearchCall { id, status, action, error }
    }

    /// A call as the client knows the tool.
    pub fn call(id: &'a str, status: ItemStatus, call: &'a Call) -> Item<'a> {
        let Call { id: call_id, name, namespace, kind, input, action } = call;
        let namespace = namespace.as_deref();
        let input = if status == ItemStatus::InProgress { "" } else { input };
        match kind {
            CallKind::Function => {
                Item::FunctionCall { id, status, call_id, name, namespace, arguments: input }
            }
            CallKind::Custom => Item::CustomToolCall { id, status, call_id, name, namespace, input },
            CallKind::Client(ClientTool::Shell) => {
                Item::ShellCall { id, status, call_id, action, environment: () }
            }
            CallKind::Client(ClientTool::LocalShell) => Item::LocalShellCall { id, status, call_id, action },
            CallKind::Client(ClientTool::ApplyPatch) => {
                Item::ApplyPatchCall { id, status, call_id, operation: action }
            }
        }
    }
}

/// A call in the client's words.
#[derive(Debug)]
pub struct Call {
    /// Id that pairs it with its output; the item has an id of its own.
    pub id: String,
    pub name: String,
    pub namespace: Option<String>,
    pub kind: CallKind,
    /// A function's arguments or a custom tool's free text.
    pub input: String,
    /// Action of a tool that the client runs, else null.
    pub action: Value,
}

impl Call {
    /// The tool that the model calls, by the client's names. One that is not the client's is a plain function.
    pub fn new(call: &ToolCall, names: &ToolNames) -> Call {
        let (name, namespace, kind) = match names.to_client(&call.name) {
            Some((name, kind)) => (name.name.clone(), name.namespace.clone(), *kind),
            None => (call.name.clone(), None, CallKind::Function),
        };
        let input = match kind {
            CallKind::Function => call_arguments::to_json(&call.input),
            CallKind::Custom => free_text::unwrap(&call.input),
            CallKind::Client(_) => String::new(),
        };
        let action = match kind {
            CallKind::Client(tool) => tool.action(&call.input),
            CallKind::Function | CallKind::Custom => Value::Null,
        };
        Call { id: call.id.clone(), name, namespace, kind, input, action }
    }
}

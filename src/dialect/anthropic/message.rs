//! Types of a response: the message, its blocks and their deltas, stop reason and usage.
//!
//! Every key that the API always has is present, null where it has no value.

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::web_blocks::{self, WebCitation, WebFetchContent, WebSearchContent};
use crate::conversation::web::WebKind;
use crate::conversation::{self, Finish, WebRequests};
use crate::dialect::ResponseMeta;
use crate::dialect::common::extensions::ResponseExtensions;
use crate::dialect::common::web_tools;

/// A whole message, or the empty one that a stream begins with.
#[derive(Serialize)]
#[serde(tag = "type", rename = "message")]
pub struct Message<'a> {
    id: String,
    role: &'static str,
    model: &'a str,
    content: Vec<Block>,
    #[serde(flatten)]
    ending: Ending<'a>,
    usage: Usage,
    #[serde(skip_serializing_if = "Option::is_none")]
    context_management: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    copilot_proxy: Option<ResponseExtensions<'a>>,
}

impl<'a> Message<'a> {
    /// The message at the begin of a stream.
    pub fn empty(meta: &'a ResponseMeta) -> Message<'a> {
        let counted = conversation::Usage { input: meta.counted_input, ..conversation::Usage::default() };
        Message::whole(meta, Vec::new(), Ending::default(), counted.into(), None)
    }

    /// The message of a whole response.
    pub fn whole(
        meta: &'a ResponseMeta,
        content: Vec<Block>,
        ending: Ending<'a>,
        usage: Usage,
        copilot_proxy: Option<ResponseExtensions<'a>>,
    ) -> Message<'a> {
        Message {
            id: format!("msg_{}", meta.id),
            role: "assistant",
            model: &meta.model,
            content,
            ending,
            usage,
            context_management: None,
            copilot_proxy,
        }
    }

    /// The message with the report of applied edits.
    pub fn with_context(self, context_management: Option<Value>) -> Message<'a> {
        Message { context_management, ..self }
    }
}

/// A block of content: empty where a stream opens it, full in a whole message.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Block {
    Thinking {
        thinking: String,
        signature: String,
    },
    /// Thinking whose text the provider keeps to itself.
    RedactedThinking {
        data: String,
    },
    Text {
        citations: Option<Vec<WebCitation>>,
        text: String,
    },
    ToolUse {
        id: String,
        name: String,
        input: Value,
        caller: Caller,
    },
    /// A call of a web tool, which the server has run.
    ServerToolUse {
        id: String,
        name: &'static str,
        input: Value,
        caller: Caller,
    },
    WebSearchToolResult {
        tool_use_id: String,
        content: WebSearchContent,
        caller: Caller,
    },
    WebFetchToolResult {
        tool_use_id: String,
        content: WebFetchContent,
        caller: Caller,
    },
    Compaction {
        content: Option<String>,
        encrypted_content: (),
    },
}

impl Block {
    /// A thinking block without text yet.
    pub fn thinking() -> Block {
        Block::Thinking { thinking: String::new(), signature: String::new() }
    }

    /// A text block without text yet.
    pub fn text() -> Block {
        Block::Text { citations: None, text: String::new() }
    }

    /// A summary of the conversation, still to come.
    pub fn compaction() -> Block {
        Block::Compaction { content: None, encrypted_content: () }
    }

    /// A call whose input is still to come.
    pub fn call(call: &conversation::ToolCall) -> Block {
        Block::ToolUse {
            id: call.id.clone(),
            name: call.name.clone(),
            input: Value::Object(serde_json::Map::new()),
            caller: Caller::Direct,
        }
    }

    /// A call of a web tool whose input is still to come.
    pub fn server_call(web: &conversation::WebRan) -> Block {
        Block::ServerToolUse {
            id: web_blocks::id(&web.call().id),
            name: web_tools::name(web.kind),
            input: Value::Object(serde_json::Map::new()),
            caller: Caller::Direct,
        }
    }

    /// The result of a call of a web tool.
    pub fn server_result(web: &conversation::WebRan) -> Block {
        let (tool_use_id, caller) = (web_blocks::id(&web.call().id), Caller::Direct);
        match web.kind {
            WebKind::Search => {
                Block::WebSearchToolResult { tool_use_id, content: web_blocks::search_content(web), caller }
            }
            WebKind::Fetch => {
                Block::WebFetchToolResult { tool_use_id, content: web_blocks::fetch_content(web), caller }
            }
        }
    }

    /// The block with what a delta adds to it.
    pub fn grow(&mut self, delta: &Delta<'_>) {
        match (self, delta) {
            (Block::Text { text, .. }, Delta::Text { text: more }) => text.push_str(more),
            (Block::Thinking { thinking, .. }, Delta::Thinking { thinking: more }) => {
                thinking.push_str(more);
            }
            (Block::Thinking { signature, .. }, Delta::Signature { signature: whole }) => {
                signature.clone_from(whole);
            }
            (Block::Text { citations, .. }, Delta::Citation { citation }) => {
                citations.get_or_insert_default().push(citation.clone());
            }
            (
                Block::ToolUse { input, .. } | Block::ServerToolUse { input, .. },
                Delta::InputJson { partial_json: whole },
            ) => {
                input.clone_from(whole);
            }
            (Block::Compaction { content, .. }, Delta::Compaction { content: whole, .. }) => {
                *content = Some((*whole).to_owned());
            }
            (block, delta) => debug_assert!(false, "{delta:?} does not belong to {block:?}"),
        }
    }
}

/// The caller of a tool: the model itself, not code that it wrote for Anthropic's own service to run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Caller {
    Direct,
}

/// A delta of an open block.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type")]
pub enum Delta<'a> {
    #[serde(rename = "text_delta")]
    Text { text: &'a str },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: &'a str },
    /// The last of a thought.
    #[serde(rename = "signature_delta")]
    Signature { signature: String },
    /// One more citation of a text.
    #[serde(rename = "citations_delta")]
    Citation { citation: WebCitation },
    /// All of a summary.
    #[serde(rename = "compaction_delta")]
    Compaction { content: &'a str, encrypted_content: () },
    /// All of a call's input: calls come whole from the editor.
    #[serde(rename = "input_json_delta")]
    InputJson {
        #[serde(serialize_with = "in_a_string")]
        partial_json: Value,
    },
}

fn in_a_string<S: Serializer>(json: &Value, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&json.to_string())
}

/// The stop reason; all null while the response goes on.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Ending<'a> {
    stop_reason: Option<&'static str>,
    stop_sequence: Option<&'a str>,
    stop_details: Option<Details>,
    container: (),
}

#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Details {
    Refusal { category: (), explanation: () },
}

impl Ending<'_> {
    /// The ending of a response that stops after a compaction.
    pub fn compaction() -> Ending<'static> {
        Ending { stop_reason: Some("compaction"), ..Ending::default() }
    }
}

impl<'a> From<&'a Finish> for Ending<'a> {
    fn from(finish: &'a Finish) -> Ending<'a> {
        let (stop_reason, stop_sequence, stop_details) = match finish {
            Finish::Stop => ("end_turn", None, None),
            Finish::StopSequence(stop) => ("stop_sequence", Some(stop.as_str()), None),
            Finish::Length => ("max_tokens", None, None),
            Finish::ToolCalls => ("tool_use", None, None),
            // The API has one stop reason for a filter and for a model that declines.
            Finish::ContentFilter | Finish::Refusal => {
                ("refusal", None, Some(Details::Refusal { category: (), explanation: () }))
            }
        };
        Ending { stop_reason: Some(stop_reason), stop_sequence, stop_details, container: () }
    }
}

/// Usage of a response. In Anthropic's count, tokens read from or written to a cache are no `input_tokens`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Usage {
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    cache_creation: (),
    output_tokens: u64,
    output_tokens_details: OutputDetails,
    server_tool_use: Option<ServerToolUse>,
    service_tier: (),
    inference_geo: (),
    /// The model's runs for the response; only of a compaction and what follows it.
    #[serde(skip_serializing_if = "Option::is_none")]
    iterations: Option<Iterations>,
}

impl Usage {
    /// The usage of a response that began with a compaction: by the API, the compaction is no part of the total.
    pub fn with_compaction(total: conversation::Usage, compaction: &conversation::Usage) -> Usage {
        let message = total.without(compaction);
        // A response that pauses after the compaction has no message.
        let has_message = message.input > 0;
        let iterations = Iterations {
            compaction: Iteration::new("compaction", compaction),
            message: has_message.then(|| Iteration::new("message", &message)),
        };
        Usage { iterations: Some(iterations), ..message.into() }
    }
}

/// A compaction, and the message after it unless the response pauses there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Iterations {
    compaction: Iteration,
    message: Option<Iteration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Iteration {
    #[serde(rename = "type")]
    kind: &'static str,
    input_tokens: u64,
    cache_creation_input_tokens: u64,
    cache_read_input_tokens: u64,
    cache_creation: (),
    output_tokens: u64,
}

impl Iteration {
    fn new(kind: &'static str, usage: &conversation::Usage) -> Iteration {
        let usage = Usage::from(usage.clone());
        Iteration {
            kind,
            input_tokens: usage.input_tokens,
            cache_creation_input_tokens: usage.cache_creation_input_tokens,
            cache_read_input_tokens: usage.cache_read_input_tokens,
            cache_creation: (),
            output_tokens: usage.output_tokens,
        }
    }
}

impl Serialize for Iterations {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(std::iter::once(self.compaction).chain(self.message))
    }
}

/// Requests to the web that a response needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct ServerToolUse {
    web_search_requests: u32,
    web_fetch_requests: u32,
}

impl ServerToolUse {
    fn of(web: WebRequests) -> Option<ServerToolUse> {
        let WebRequests { search, fetch } = web;
        let is_any = search > 0 || fetch > 0;
        is_any.then_some(ServerToolUse { web_search_requests: search, web_fetch_requests: fetch })
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct OutputDetails {
    thinking_tokens: u64,
}

impl From<conversation::Usage> for Usage {
    fn from(usage: conversation::Usage) -> Usage {
        Usage {
            input_tokens: usage.input.saturating_sub(usage.cached.saturating_add(usage.cache_written)),
            cache_creation_input_tokens: usage.cache_written,
            cache_read_input_tokens: usage.cached,
            cache_creation: (),
            output_tokens: usage.output,
            output_tokens_details: OutputDetails { thinking_tokens: usage.reasoning },
            server_tool_use: ServerToolUse::of(usage.web),
            service_tier: (),
            inference_geo: (),
            iterations: None,
        }
    }
}

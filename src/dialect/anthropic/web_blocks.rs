//! Blocks of web tools in Anthropic's form, on the way out and on the way in.
//!
//! The first page of a search carries the text that the model has read, sealed: the next request brings it back, and the
//! model reads the same again.

use serde::Serialize;
use serde_json::{Value, json};

use super::wire::Block;
use crate::conversation::web::{WebError, WebKind};
use crate::conversation::{self, Content, Part, ToolCall, ToolResult, WebPage, WebRan};
use crate::dialect::common::placeholders::without_base64;
use crate::dialect::common::web_tools;

/// Begins the ids of calls that the server has run.
const ID_PREFIX: &str = "srvtoolu_";

/// Longest extract in a citation, in characters, as in Anthropic's own.
const LONGEST_EXTRACT: usize = 150;

/// The id of a call, as the client sees it.
pub fn id(call: &str) -> String {
    format!("{ID_PREFIX}{call}")
}

/// Content of a search's result.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum WebSearchContent {
    Pages(Vec<FoundPage>),
    Error(WebToolError),
}

/// A page that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename = "web_search_result")]
pub struct FoundPage {
    url: String,
    title: String,
    encrypted_content: String,
    page_age: (),
}

/// Content of a page's result.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum WebFetchContent {
    Page(ReadPage),
    Error(WebToolError),
}

/// A page that was read.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename = "web_fetch_result")]
pub struct ReadPage {
    url: String,
    content: Value,
    retrieved_at: (),
}

/// A failure, with the words that the model has read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WebToolError {
    #[serde(rename = "type")]
    kind: &'static str,
    error_code: &'static str,
    message: String,
}

/// A citation of a page that was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename = "web_search_result_location")]
pub struct WebCitation {
    url: String,
    title: String,
    encrypted_index: String,
    cited_text: String,
}

/// The input of a call. The API has objects only, and the names of its own fields.
pub fn input(web: &WebRan) -> Value {
    match web.kind {
        WebKind::Search => json!({ "query": web.subject }),
        WebKind::Fetch => json!({ "url": web.subject }),
    }
}

/// Content of a search's result.
pub fn search_content(web: &WebRan) -> WebSearchContent {
    match &web.outcome {
        Ok(pages) => WebSearchContent::Pages(found(pages, &web.text())),
        Err(error) => WebSearchContent::Error(error_of(web, *error, "web_search_tool_result_error")),
    }
}

/// Content of a page's result.
pub fn fetch_content(web: &WebRan) -> WebFetchContent {
    match &web.outcome {
        Ok(pages) => WebFetchContent::Page(ReadPage {
            url: web.subject.clone(),
            content: document(pages.first(), &web.text()),
            retrieved_at: (),
        }),
        Err(error) => WebFetchContent::Error(error_of(web, *error, "web_fetch_tool_result_error")),
    }
}

fn found(pages: &[WebPage], text: &str) -> Vec<FoundPage> {
    let pages = pages.iter().enumerate();
    pages
        .map(|(index, page)| FoundPage {
            url: page.url.clone(),
            title: page.title.clone(),
            encrypted_content: web_tools::seal(if index == 0 { text } else { "" }),
            page_age: (),
        })
        .collect()
}

fn document(page: Option<&WebPage>, text: &str) -> Value {
    let title = page.map(|page| page.title.as_str()).filter(|title| !title.is_empty());
    json!({
        "type": "document",
        "source": { "type": "text", "media_type": "text/plain", "data": text },
        "title": title,
        "citations": null,
    })
}

fn error_of(web: &WebRan, error: WebError, kind: &'static str) -> WebToolError {
    let error_code = match (error, web.kind) {
        (WebError::MaxUses, _) => "max_uses_exceeded",
        (WebError::InvalidInput, _) => "invalid_tool_input",
        (WebError::Forbidden, _) => "url_not_allowed",
        (WebError::Failed, WebKind::Fetch) => "url_not_accessible",
        (WebError::Unavailable | WebError::Failed, _) => "unavailable",
    };
    WebToolError { kind, error_code, message: web.text() }
}

/// A citation in Anthropic's form.
pub fn citation(citation: &conversation::Citation) -> WebCitation {
    let conversation::Citation { page, link } = citation;
    let extract: String = page.text.chars().take(LONGEST_EXTRACT).collect();
    WebCitation {
        url: page.url.clone(),
        title: page.title.clone(),
        encrypted_index: web_tools::seal(&page.url),
        cited_text: if extract.is_empty() { link.clone() } else { extract },
    }
}

/// Reads a call or a result of a web tool in the assistant's turn; `None` for blocks of other server tools.
pub fn read(block: &Block) -> Option<Part> {
    let text = |name: &str| block.get(name).and_then(Value::as_str);
    match text("type")? {
        "server_tool_use" => {
            let name = text("name").filter(|name| matches!(*name, "web_search" | "web_fetch"))?;
            let input =
                block.get("input").filter(|input| input.is_object()).cloned().unwrap_or_else(|| json!({}));
            Some(Part::ToolCall(ToolCall { id: own_id(text("id")?), name: name.to_owned(), input }))
        }
        "web_search_tool_result" | "web_fetch_tool_result" => {
            let content = block.get("content")?;
            let (text_of_result, is_error) = read_content(content);
            Some(Part::ToolResult(ToolResult {
                id: own_id(text("tool_use_id")?),
                content: vec![Content::Text { text: text_of_result }],
                is_error,
            }))
        }
        _ => None,
    }
}

fn own_id(id: &str) -> String {
    id.strip_prefix(ID_PREFIX).unwrap_or(id).to_owned()
}

/// The text of a result, and whether it is an error.
fn read_content(content: &Value) -> (String, bool) {
    let kind = content.get("type").and_then(Value::as_str);
    if kind.is_some_and(|kind| kind.ends_with("_error")) {
        let words = ["message", "error_code"].iter().find_map(|name| content.get(*name)?.as_str());
        return (words.unwrap_or("failed").to_owned(), true);
    }
    if kind == Some("web_fetch_result") {
        let text = content.pointer("/content/source/data").and_then(Value::as_str);
        let is_text = content.pointer("/content/source/type").is_some_and(|kind| kind == "text");
        if let Some(text) = text.filter(|_| is_text) {
            return (text.to_owned(), false);
        }
    }
    let sealed = content.as_array().into_iter().flatten();
    let mut sealed = sealed.filter_map(|page| page.get("encrypted_content")?.as_str());
    if let Some(text) = sealed.find_map(|sealed| web_tools::open(sealed).filter(|text| !text.is_empty())) {
        return (text, false);
    }
    // Anthropic's own, whose text no one else can read.
    let mut foreign = content.clone();
    for page in foreign.as_array_mut().into_iter().flatten() {
        if let Some(fields) = page.as_object_mut() {
            fields.retain(|name, value| name != "encrypted_content" && name != "type" && !value.is_null());
        }
    }
    (without_base64(foreign).to_string(), false)
}

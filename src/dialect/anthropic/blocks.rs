//! Blocks of content, one by one: what each becomes in a conversation. Whether they make a legal transcript is
//! not asked here.

use serde_json::Value;

use super::signature;
use super::tools::{self, Change};
use super::wire::{self, Block};
use crate::conversation::{Content, Data, Part, ToolCall, ToolResult};
use crate::dialect::data;
use crate::dialect::json::{read_value, shortened};
use crate::dialect::one_or_many::OneOrMany;
use crate::failure::Failure;

/// What Copilot's provider takes; others it would drop without a word.
const IMAGES: [&str; 4] = ["image/jpeg", "image/png", "image/gif", "image/webp"];

const IN_MESSAGES: &str = "`text`, `image`, `document`, `search_result`, `thinking`, `redacted_thinking`, `tool_use` or `tool_result`";
const IN_RESULTS: &str = "`text`, `image`, `document`, `search_result` or `tool_reference`";

/// The parts of a content that is a text or a list of blocks; an empty text is no part.
pub fn read_all(
    content: Option<OneOrMany<Block>>,
    at: &str,
    mut read: impl FnMut(Block) -> Result<Vec<Part>, Failure>,
) -> Result<Vec<Part>, Failure> {
    each(content, at, |text| some_text(text).into_iter().map(part).collect(), &mut read)
}

/// A block of a user's or the assistant's message. What it changes about the tools goes to `changes`.
pub fn read(block: Block, changes: &mut Vec<Change>) -> Result<Vec<Part>, Failure> {
    let (kind, block) = typed(block)?;
    Ok(match kind.as_str() {
        "thinking" => {
            let thought = read_value::<wire::Thought>(block)?;
            let thought = signature::read(thought.thinking, thought.signature.as_deref());
            thought.map(Part::Thinking).into_iter().collect()
        }
        "redacted_thinking" => {
            let thought = read_value::<wire::RedactedThought>(block)?;
            let thought = signature::read(String::new(), Some(&thought.data));
            thought.map(Part::Thinking).into_iter().collect()
        }
        "tool_use" => {
            let call = read_value::<wire::ToolUse>(block)?;
            vec![Part::ToolCall(ToolCall { id: call.id, name: call.name, input: Value::Object(call.input) })]
        }
        "tool_result" => vec![Part::ToolResult(read_result(block, changes)?)],
        _ => read_shown(&kind, block, IN_MESSAGES)?.into_iter().map(part).collect(),
    })
}

/// A block of system text.
pub fn read_system(block: Block, changes: &mut Vec<Change>) -> Result<Vec<Part>, Failure> {
    let (kind, block) = typed(block)?;
    match kind.as_str() {
        "text" => Ok(read_shown(&kind, block, IN_MESSAGES)?.into_iter().map(part).collect()),
        "tool_addition" | "tool_removal" => {
            let comes = kind == "tool_addition";
            changes.extend(
                tools::read_change(read_value(block)?, comes).map_err(|failure| failure.under("tool"))?,
            );
            Ok(Vec::new())
        }
        _ => Err(unknown(&kind, "`text` in a system prompt")),
    }
}

fn read_result(block: Value, changes: &mut Vec<Change>) -> Result<ToolResult, Failure> {
    let result = read_value::<wire::ToolResult>(block)?;
    let content = each(
        result.content,
        "content",
        |text| some_text(text).into_iter().collect(),
        |block| {
            let (kind, block) = typed(block)?;
            if kind == "tool_reference" {
                let found = read_value::<wire::ToolReference>(block)?.tool_name;
                let text = format!("Tool loaded: {found}");
                changes.push(Change::Offer(found));
                return Ok(vec![Content::Text { text }]);
            }
            read_shown(&kind, block, IN_RESULTS)
        },
    )?;
    Ok(ToolResult { id: result.tool_use_id, content, is_error: result.is_error.unwrap_or_default() })
}

/// A block that may stand in messages and in results: what a model sees of it.
fn read_shown(kind: &str, block: Value, expected: &str) -> Result<Vec<Content>, Failure> {
    match kind {
        "text" => Ok(some_text(read_value::<wire::Text>(block)?.text).into_iter().collect()),
        "image" => {
            let source = read_value::<wire::Image>(block)?.source;
            let image = read_image(source).map_err(|failure| failure.under("source"))?;
            Ok(vec![Content::Data(image)])
        }
        "document" => read_document(read_value(block)?),
        "search_result" => {
            let result = read_value::<wire::SearchResult>(block)?;
            let found = Some(OneOrMany::Many(result.content));
            let heading = [Some(result.title), Some(result.source)];
            Ok(under_heading(heading, each_shown(found, "content")?))
        }
        // System text that the client puts into a turn; what another server made of the history before it, null
        // where that failed.
        "mid_conv_system" | "compaction" => {
            each_shown(read_value::<wire::Container>(block)?.content, "content")
        }
        // Marks where another model took over; the API shows it to no model.
        "fallback" => Ok(Vec::new()),
        _ if is_of_a_server_tool(kind) => Ok(vec![Content::Text { text: block.to_string() }]),
        _ => Err(unknown(kind, expected)),
    }
}

/// Blocks that Anthropic's own service put into an earlier answer, of tools that ran over there. They mean
/// nothing to other models: these read them as JSON, so that nothing of the history is lost.
fn is_of_a_server_tool(kind: &str) -> bool {
    kind.ends_with("_tool_use")
        || kind.ends_with("_tool_result")
        || ["container_upload", "browser_state", "mcp_tool_listing"].contains(&kind)
}

fn read_image(source: Block) -> Result<Data, Failure> {
    let (kind, source) = typed(source)?;
    let (at, image) = match kind.as_str() {
        "base64" => {
            let source = read_value::<wire::Base64>(source)?;
            let image = data::data(&source.media_type, &source.data);
            ("media_type", image.map_err(|failure| failure.under("data"))?)
        }
        "url" => {
            let url = read_value::<wire::Url>(source)?.url;
            ("url", data::data_url(&url).map_err(|failure| failure.under("url"))?)
        }
        "file" => return Err(no_files("send the image in base64")),
        _ => return Err(unknown(&kind, "`base64`")),
    };
    if IMAGES.contains(&image.mime.as_str()) {
        return Ok(image);
    }
    let found = shortened(&image.mime);
    Err(Failure::invalid(at, format!("found `{found}`, expected one of `{}`", IMAGES.join("`, `"))))
}

fn read_document(document: wire::Document) -> Result<Vec<Content>, Failure> {
    let contents = read_source(document.source).map_err(|failure| failure.under("source"))?;
    Ok(under_heading([document.title, document.context], contents))
}

fn read_source(source: Block) -> Result<Vec<Content>, Failure> {
    let (kind, source) = typed(source)?;
    match kind.as_str() {
        "text" => Ok(some_text(read_value::<wire::PlainText>(source)?.data).into_iter().collect()),
        "content" => each_shown(read_value::<wire::Container>(source)?.content, "content"),
        "base64" => Err(Failure::unsupported(
            "media_type",
            "VS Code's models can't be handed PDF files; send the document's text as a text source",
        )),
        "url" => Err(Failure::unsupported(
            "url",
            "nothing is fetched from the network here; send the document's text as a text source",
        )),
        "file" => Err(no_files("send the document's text as a text source")),
        _ => Err(unknown(&kind, "`text` or `content`")),
    }
}

fn each_shown(content: Option<OneOrMany<Block>>, at: &str) -> Result<Vec<Content>, Failure> {
    each(
        content,
        at,
        |text| some_text(text).into_iter().collect(),
        |block| {
            let (kind, block) = typed(block)?;
            read_shown(&kind, block, "`text` or `image`")
        },
    )
}

/// Every piece of a content, with the place of a mistake.
fn each<T>(
    content: Option<OneOrMany<Block>>,
    at: &str,
    of_text: impl FnOnce(String) -> Vec<T>,
    mut of_block: impl FnMut(Block) -> Result<Vec<T>, Failure>,
) -> Result<Vec<T>, Failure> {
    let blocks = match content {
        None => return Ok(Vec::new()),
        Some(OneOrMany::One(text)) => return Ok(of_text(text)),
        Some(OneOrMany::Many(blocks)) => blocks,
    };
    let mut read = Vec::with_capacity(blocks.len());
    for (index, block) in blocks.into_iter().enumerate() {
        read.extend(of_block(block).map_err(|failure| failure.under(&format!("{at}[{index}]")))?);
    }
    Ok(read)
}

/// What the client says of a document stands before it, in the same text where there is one.
fn under_heading(heading: [Option<String>; 2], mut contents: Vec<Content>) -> Vec<Content> {
    let heading: Vec<_> = heading.into_iter().flatten().filter(|line| !line.is_empty()).collect();
    if heading.is_empty() {
        return contents;
    }
    let heading = heading.join("\n\n");
    if let Some(Content::Text { text }) = contents.first_mut() {
        *text = format!("{heading}\n\n{text}");
    } else {
        contents.insert(0, Content::Text { text: heading });
    }
    contents
}

fn typed(block: Block) -> Result<(String, Value), Failure> {
    let block = Value::Object(block);
    let wire::Typed { kind } = read_value(&block)?;
    Ok((kind, block))
}

fn unknown(kind: &str, expected: &str) -> Failure {
    Failure::invalid("type", format!("found `{}`, expected {expected}", shortened(kind)))
}

fn no_files(instead: &str) -> Failure {
    Failure::unsupported("file_id", format!("files can't be uploaded here; {instead}"))
}

fn some_text(text: String) -> Option<Content> {
    (!text.is_empty()).then_some(Content::Text { text })
}

fn part(content: Content) -> Part {
    match content {
        Content::Text { text } => Part::Text { text },
        Content::Data(data) => Part::Data(data),
    }
}

//! Blocks that may stand in messages and in tools' results, and the content that a model gets of each.

use serde_json::Value;

use super::wire::{self, Block};
use crate::conversation::Content;
use crate::dialect::common::body_json::{read_value, shortened};
use crate::dialect::common::files;
use crate::dialect::common::media::{self, Unshowable};
use crate::dialect::common::one_or_many::OneOrMany;
use crate::dialect::common::placeholders::{
    file_left_out, named_file_left_out, unknown_block, without_base64,
};
use crate::failure::{Failure, ResultExt};

/// Every piece of a content that is a text or a list of blocks. An empty text is no piece; a mistake in a block
/// gets its place.
pub fn each<T>(
    content: Option<OneOrMany<Block>>,
    at: &str,
    of_text: impl Fn(Content) -> T,
    mut of_block: impl FnMut(Block) -> Result<Vec<T>, Failure>,
) -> Result<Vec<T>, Failure> {
    let blocks = match content {
        None => return Ok(Vec::new()),
        Some(OneOrMany::One(text)) => return Ok(text_content(text).into_iter().map(of_text).collect()),
        Some(OneOrMany::Many(blocks)) => blocks,
    };
    let mut pieces = Vec::with_capacity(blocks.len());
    for (index, block) in blocks.into_iter().enumerate() {
        pieces.extend(of_block(block).at(format_args!("{at}[{index}]"))?);
    }
    Ok(pieces)
}

/// A block or a source, and its `type`.
pub fn read_typed(block: Block) -> Result<(String, Value), Failure> {
    let block = Value::Object(block);
    let wire::Typed { kind } = read_value(&block)?;
    Ok((kind, block))
}

/// Reads a block of this kind into content.
pub fn read(
    kind: &str,
    block: Value,
    expected: &str,
    unshowable: Unshowable,
) -> Result<Vec<Content>, Failure> {
    match kind {
        "text" => Ok(text_content(read_value::<wire::Text>(block)?.text)),
        "image" => {
            let source = read_value::<wire::Image>(block)?.source;
            Ok(vec![read_image(source, unshowable).at("source")?])
        }
        "document" => {
            let document = read_value::<wire::Document>(block)?;
            let contents = read_source(document.source, unshowable).at("source")?;
            Ok(under_heading([document.title, document.context], contents))
        }
        "search_result" => {
            let result = read_value::<wire::SearchResult>(block)?;
            let contents = read_inner(Some(OneOrMany::Many(result.content)), unshowable)?;
            Ok(under_heading([Some(result.title), Some(result.source)], contents))
        }
        // System text that the client puts into a turn; what another server made of the history before it, null
        // where that failed.
        "mid_conv_system" | "compaction" => {
            read_inner(read_value::<wire::Container>(block)?.content, unshowable)
        }
        // Marks a change of the model; the API doesn't show it to models.
        "fallback" => Ok(Vec::new()),
        _ if is_of_a_server_tool(kind) => Ok(text_content(without_base64(block).to_string())),
        _ => {
            let content = unshowable.or_placeholder(unknown(kind, expected), || describe(kind, block))?;
            Ok(vec![content])
        }
    }
}

/// A type that isn't known.
pub fn unknown(kind: &str, expected: &str) -> Failure {
    Failure::invalid("type", format!("found `{}`, expected {expected}", shortened(kind)))
}

/// Blocks that Anthropic's own service put into an earlier answer, of tools that ran over there. They mean
/// nothing to other models: these read them as JSON, so that nothing of the history is lost.
fn is_of_a_server_tool(kind: &str) -> bool {
    kind.ends_with("_tool_use")
        || kind.ends_with("_tool_result")
        || ["container_upload", "browser_state", "mcp_tool_listing"].contains(&kind)
}

/// Words for a block or a source of a type that isn't known.
fn describe(kind: &str, block: Value) -> String {
    match block {
        Value::Object(fields) => unknown_block(kind, fields),
        other => without_base64(other).to_string(),
    }
}

fn read_image(source: Block, unshowable: Unshowable) -> Result<Content, Failure> {
    let (kind, source) = read_typed(source)?;
    match kind.as_str() {
        "base64" => {
            let source = read_value::<wire::Base64>(source)?;
            unshowable.image(&source.media_type, &source.data).at("data")
        }
        "url" => unshowable.image_url(&read_value::<wire::Url>(source)?.url).at("url"),
        "file" => {
            let id = source.get("file_id").and_then(Value::as_str).unwrap_or_default();
            unshowable.stored_image(id, no_files("send the image in base64"))
        }
        _ => unshowable
            .or_placeholder(unknown(&kind, "`base64`"), || describe(&format!("image by {kind}"), source)),
    }
}

const INSTEAD: &str = "send the document's text as a text source";

/// The source of a document.
fn read_source(source: Block, unshowable: Unshowable) -> Result<Vec<Content>, Failure> {
    let (kind, source) = read_typed(source)?;
    match kind.as_str() {
        "text" => Ok(text_content(read_value::<wire::PlainText>(source)?.data)),
        "content" => read_inner(read_value::<wire::Container>(source)?.content, unshowable),
        "base64" => {
            let source = read_value::<wire::Base64>(source)?;
            read_document(&source, unshowable).map(|content| vec![content])
        }
        "url" => {
            let url = read_value::<wire::Url>(source)?.url;
            let message = format!("nothing is fetched from the network here; {INSTEAD}");
            let reason = Failure::unsupported("url", message);
            unshowable
                .or_placeholder(reason, || named_file_left_out("document", &url))
                .map(|content| vec![content])
        }
        "file" => {
            let id = source.get("file_id").and_then(Value::as_str).unwrap_or_default();
            let placeholder = || named_file_left_out("document", id);
            unshowable.or_placeholder(no_files(INSTEAD), placeholder).map(|content| vec![content])
        }
        _ => {
            let placeholder = || describe(&format!("document by {kind}"), source);
            unshowable
                .or_placeholder(unknown(&kind, "`text` or `content`"), placeholder)
                .map(|content| vec![content])
        }
    }
}

/// A document whose bytes are in the request: its text, where it is one.
fn read_document(source: &wire::Base64, unshowable: Unshowable) -> Result<Content, Failure> {
    let mime = source.media_type.trim().to_ascii_lowercase();
    match media::data(&mime, &source.data) {
        Ok(file) if !media::is_pdf(&file) => files::read(file, "document", None, unshowable).at("media_type"),
        _ => {
            let message = format!(
                "VS Code's models can't be handed `{}` files; {INSTEAD}",
                shortened(&source.media_type)
            );
            let reason = Failure::unsupported("media_type", message);
            unshowable.or_placeholder(reason, || file_left_out("document", &mime, None))
        }
    }
}

/// The blocks inside a block.
fn read_inner(content: Option<OneOrMany<Block>>, unshowable: Unshowable) -> Result<Vec<Content>, Failure> {
    each(content, "content", std::convert::identity, |block| {
        let (kind, block) = read_typed(block)?;
        read(&kind, block, "`text` or `image`", unshowable)
    })
}

/// The title and context of a document stand before it, in the same text where there is one.
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

fn no_files(instead: &str) -> Failure {
    Failure::unsupported("file_id", format!("files can't be uploaded here; {instead}"))
}

/// A text as content; an empty one is none.
fn text_content(text: String) -> Vec<Content> {
    if text.is_empty() { Vec::new() } else { vec![Content::Text { text }] }
}

//! Converts the blocks of messages, one by one, to the parts of a conversation. `transcript` makes them legal.

use serde_json::Value;

use super::block_content::{self, each, read_typed};
use super::tools::{self, ToolListChange};
use super::web_blocks;
use super::wire::{self, Block};
use crate::conversation::{Content, Part, ToolCall, ToolResult};
use crate::dialect::common::body_json::read_value;
use crate::dialect::common::media::Unshowable;
use crate::dialect::common::one_or_many::OneOrMany;
use crate::dialect::common::sealed_thinking;
use crate::failure::{Failure, ResultExt};

const IN_MESSAGES: &str = "`text`, `image`, `document`, `search_result`, `thinking`, `redacted_thinking`, `tool_use` or `tool_result`";
const IN_RESULTS: &str = "`text`, `image`, `document`, `search_result` or `tool_reference`";

/// Reads the content of a user's or the assistant's message. Changes of the tools are added to `changes`.
pub fn read(
    content: Option<OneOrMany<Block>>,
    changes: &mut Vec<ToolListChange>,
    unshowable: Unshowable,
) -> Result<Vec<Part>, Failure> {
    each(content, "content", Part::from, |block| read_block(block, changes, unshowable))
}

/// Reads the content of the assistant's message: of the tools that the server runs, calls and results stand in it.
pub fn read_assistant(
    content: Option<OneOrMany<Block>>,
    changes: &mut Vec<ToolListChange>,
    unshowable: Unshowable,
) -> Result<Vec<Part>, Failure> {
    each(content, "content", Part::from, |block| match web_blocks::read(&block) {
        Some(part) => Ok(vec![part]),
        None => read_block(block, changes, unshowable),
    })
}

/// System text, found at this place.
pub fn read_system(
    content: Option<OneOrMany<Block>>,
    at: &str,
    changes: &mut Vec<ToolListChange>,
) -> Result<Vec<Part>, Failure> {
    each(content, at, Part::from, |block| read_system_block(block, changes))
}

fn read_block(
    block: Block,
    changes: &mut Vec<ToolListChange>,
    unshowable: Unshowable,
) -> Result<Vec<Part>, Failure> {
    let (kind, block) = read_typed(block)?;
    Ok(match kind.as_str() {
        "thinking" => {
            let thought = read_value::<wire::ThinkingBlock>(block)?;
            let thought = sealed_thinking::open(thought.thinking, thought.signature.as_deref());
            thought.map(Part::Thinking).into_iter().collect()
        }
        "redacted_thinking" => {
            let thought = read_value::<wire::RedactedThought>(block)?;
            let thought = sealed_thinking::open(String::new(), Some(&thought.data));
            thought.map(Part::Thinking).into_iter().collect()
        }
        "tool_use" => {
            let call = read_value::<wire::ToolUse>(block)?;
            let input = Value::Object(call.input.unwrap_or_default());
            vec![Part::ToolCall(ToolCall { id: call.id, name: call.name, input })]
        }
        "tool_result" => vec![Part::ToolResult(read_result(block, changes)?)],
        "tool_addition" | "tool_removal" => change_tools(&kind, block, changes)?,
        _ => {
            let contents = block_content::read(&kind, block, IN_MESSAGES, unshowable)?;
            contents.into_iter().map(Part::from).collect()
        }
    })
}

/// A tool comes or goes; the model reads nothing of it.
fn change_tools(kind: &str, block: Value, changes: &mut Vec<ToolListChange>) -> Result<Vec<Part>, Failure> {
    let change = tools::read_change(read_value(block)?, kind == "tool_addition");
    changes.extend(change.at("tool")?);
    Ok(Vec::new())
}

fn read_system_block(block: Block, changes: &mut Vec<ToolListChange>) -> Result<Vec<Part>, Failure> {
    let (kind, block) = read_typed(block)?;
    match kind.as_str() {
        "tool_addition" | "tool_removal" => change_tools(&kind, block, changes),
        // A system prompt comes with each request of a session, so that none of its blocks is refused for its type.
        _ => {
            let contents = block_content::read(&kind, block, IN_MESSAGES, Unshowable::Describe)?;
            Ok(contents.into_iter().map(Part::from).collect())
        }
    }
}

fn read_result(block: Value, changes: &mut Vec<ToolListChange>) -> Result<ToolResult, Failure> {
    let result = read_value::<wire::ToolResult>(block)?;
    let content = each(result.content, "content", std::convert::identity, |block| {
        let (kind, block) = read_typed(block)?;
        if kind != "tool_reference" {
            return block_content::read(&kind, block, IN_RESULTS, Unshowable::Describe);
        }
        let found = read_value::<wire::ToolReference>(block)?.tool_name;
        let text = format!("Tool loaded: {found}");
        changes.push(ToolListChange::OfferedTools(found));
        Ok(vec![Content::Text { text }])
    })?;
    Ok(ToolResult { id: result.tool_use_id, content, is_error: result.is_error.unwrap_or_default() })
}

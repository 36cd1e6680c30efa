//! The content of messages and of tools' outputs: text, and what a model can see.

use serde_json::Value;

use super::wire;
use crate::conversation::Content;
use crate::dialect::common::body_json::read_value;
use crate::dialect::common::files::File;
use crate::dialect::common::media::Unshowable;
use crate::dialect::common::one_or_many::OneOrMany;
use crate::dialect::common::placeholders;
use crate::failure::{Failure, ResultExt};

/// Types of parts that are read; any other is words in old items.
const PART_KINDS: [&str; 6] = ["text", "input_text", "output_text", "refusal", "input_image", "input_file"];

/// Reads the parts of the field at `at`; an empty text is none.
pub fn read_content(
    at: &str,
    content: Option<OneOrMany<wire::Block>>,
    unshowable: Unshowable,
) -> Result<Vec<Content>, Failure> {
    let many = match content {
        None => return Ok(Vec::new()),
        Some(OneOrMany::One(text)) => return Ok(some_text(text).into_iter().collect()),
        Some(OneOrMany::Many(many)) => many,
    };
    let mut parts = Vec::with_capacity(many.len());
    for (index, part) in many.into_iter().enumerate() {
        parts.extend(read_part(part, unshowable).at(format_args!("{at}[{index}]"))?);
    }
    Ok(parts)
}

fn read_part(block: wire::Block, unshowable: Unshowable) -> Result<Option<Content>, Failure> {
    let kind = block.get("type").and_then(Value::as_str).map(str::to_owned);
    if let Some(kind) =
        kind.filter(|kind| unshowable == Unshowable::Describe && !PART_KINDS.contains(&kind.as_str()))
    {
        return Ok(some_text(placeholders::unknown_block(&kind, block)));
    }
    let part: wire::Content = read_value(Value::Object(block))?;
    let missing = |field: &str| Failure::invalid(field, "required, but missing");
    match part.kind {
        wire::ContentKind::InputText | wire::ContentKind::OutputText => {
            Ok(some_text(part.text.ok_or_else(|| missing("text"))?))
        }
        wire::ContentKind::Refusal => Ok(some_text(part.refusal.ok_or_else(|| missing("refusal"))?)),
        wire::ContentKind::InputImage => read_image(part, unshowable).map(Some),
        wire::ContentKind::InputFile => {
            let wire::Content { filename, file_data, file_url, file_id, .. } = part;
            File { name: filename, data: file_data, url: file_url, id: file_id }.read(unshowable).map(Some)
        }
    }
}

fn read_image(part: wire::Content, unshowable: Unshowable) -> Result<Content, Failure> {
    if let Some(id) = part.file_id {
        let reason = Failure::unsupported("file_id", "no files are kept here; send the content itself");
        return unshowable.stored_image(&id, reason);
    }
    let Some(url) = part.image_url else {
        return unshowable.stored_image("", Failure::invalid("image_url", "required, but missing"));
    };
    unshowable.image_url(&url).at("image_url")
}

fn some_text(text: String) -> Option<Content> {
    (!text.is_empty()).then_some(Content::Text { text })
}

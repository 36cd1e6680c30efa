//! The content of messages and of tools' outputs: text, and what a model can see.

use super::wire;
use crate::conversation::{Content, Data};
use crate::dialect::common::media::{self, Unshowable};
use crate::dialect::common::one_or_many::OneOrMany;
use crate::failure::{Failure, ResultExt};

/// Reads the parts of the field at `at`; an empty text is none.
pub fn read_content(
    at: &str,
    content: Option<OneOrMany<wire::Content>>,
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

fn read_part(part: wire::Content, unshowable: Unshowable) -> Result<Option<Content>, Failure> {
    let missing = |field: &str| Failure::invalid(field, "required, but missing");
    match part.kind {
        wire::ContentKind::InputText | wire::ContentKind::OutputText => {
            Ok(some_text(part.text.ok_or_else(|| missing("text"))?))
        }
        wire::ContentKind::Refusal => Ok(some_text(part.refusal.ok_or_else(|| missing("refusal"))?)),
        wire::ContentKind::InputImage => {
            if let Some(id) = part.file_id {
                return unshowable.stored_image(&id, Failure::unsupported("file_id", NO_FILES)).map(Some);
            }
            let url = part.image_url.ok_or_else(|| missing("image_url"))?;
            unshowable.image_url(&url).at("image_url").map(Some)
        }
        wire::ContentKind::InputFile => read_file(part).map(Some),
    }
}

const NO_FILES: &str = "no files are kept here; send the content itself";

/// A file is read by the model as text or seen as an image; there is no third way into VS Code's models.
fn read_file(part: wire::Content) -> Result<Content, Failure> {
    if part.file_id.is_some() {
        return Err(Failure::unsupported("file_id", NO_FILES));
    }
    if part.file_url.is_some() {
        return Err(Failure::unsupported(
            "file_url",
            "nothing is fetched from the network; send the content itself",
        ));
    }
    let file = part.file_data.ok_or_else(|| Failure::invalid("file_data", "required, but missing"))?;
    // Officially a data: URL; some clients send the base64 alone.
    let file = if file.starts_with("data:") { media::data_url(&file) } else { media::data("", &file) };
    let file = file.at("file_data")?;
    if let Some(mime) = file.image_type() {
        return Ok(Content::Data(Data { mime: mime.into(), ..file }));
    }
    let text = media::text(&file).ok_or_else(|| {
        Failure::unsupported(
            "file_data",
            "VS Code's models take text and images, no other files; send the file's text",
        )
    })?;
    Ok(Content::Text {
        text: match part.filename {
            Some(name) => format!("{name}:\n{text}"),
            None => text,
        },
    })
}

fn some_text(text: String) -> Option<Content> {
    (!text.is_empty()).then_some(Content::Text { text })
}

//! Images as Copilot's provider passes them on: unknown labels are dropped without an error, and the oldest images beyond
//! the limit become notes. Pure.

use crate::bridge::protocol::Chat;
use crate::conversation::{Content, Data, Part};
use crate::simulator::models::Service;

/// The note in place of an image beyond the limit.
const NOTE: &str = "[Image omitted: too many images]";

/// Passes on the images of a request.
pub fn pass_on(chat: &mut Chat, service: Service) {
    drop_unknown(chat, service);
    let maximum = match service {
        Service::Messages => 20,
        _ if chat.model.starts_with("gemini") => 10,
        Service::Chat | Service::Responses => return,
    };
    let mut excess = count(chat).saturating_sub(maximum);
    for part in chat.messages.iter_mut().flat_map(|message| &mut message.parts) {
        match part {
            Part::Data(_) if excess > 0 => {
                excess -= 1;
                *part = Part::text(NOTE);
            }
            Part::ToolResult(result) => {
                for content in &mut result.content {
                    if excess > 0 && matches!(content, Content::Data(_)) {
                        excess -= 1;
                        *content = Content::Text { text: NOTE.into() };
                    }
                }
            }
            _ => {}
        }
    }
}

fn passes(data: &Data, service: Service) -> bool {
    match data.mime.as_str() {
        "image/png" | "image/jpeg" | "image/gif" | "image/webp" => true,
        "image/bmp" => service != Service::Messages,
        _ => false,
    }
}

fn drop_unknown(chat: &mut Chat, service: Service) {
    for message in &mut chat.messages {
        message.parts.retain_mut(|part| match part {
            Part::Data(data) => passes(data, service),
            Part::ToolResult(result) => {
                result.content.retain(|content| match content {
                    Content::Data(data) => passes(data, service),
                    Content::Text { .. } => true,
                });
                true
            }
            _ => true,
        });
    }
}

fn count(chat: &Chat) -> usize {
    let in_part = |part: &Part| match part {
        Part::Data(_) => 1,
        Part::ToolResult(result) => {
            result.content.iter().filter(|content| matches!(content, Content::Data(_))).count()
        }
        _ => 0,
    };
    chat.messages.iter().flat_map(|message| &message.parts).map(in_part).sum()
}

/// Refuses as Anthropic's service does: an image whose label doesn't fit its bytes.
pub fn mislabelled(index: usize, part: &Part, service: Service) -> Option<String> {
    let refuse = |data: &Data| {
        let is_wrong = data.image_type() != Some(data.mime.as_str());
        (service == Service::Messages && is_wrong && passes(data, service)).then(|| {
            format!(
                "messages.{index}.content.0.image.source.base64: The image was specified using the {} media type, but \
                 the image appears to be another type",
                data.mime
            )
        })
    };
    match part {
        Part::Data(data) => refuse(data),
        Part::ToolResult(result) => result.content.iter().find_map(|content| match content {
            Content::Data(data) => refuse(data),
            Content::Text { .. } => None,
        }),
        Part::Text { .. } | Part::Thinking(_) | Part::ToolCall(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn images(model: &str, labels: &[&str]) -> Chat {
        let parts: Vec<_> = labels
            .iter()
            .map(|label| json!({ "type": "data", "mime": label, "base64": "iVBORw==" }))
            .collect();
        serde_json::from_value(json!({
            "vendor": "demo", "model": model, "tools": [], "required": false, "options": {},
            "messages": [{ "role": "user", "parts": parts }],
        }))
        .unwrap()
    }

    fn passed_on(mut chat: Chat) -> Vec<Part> {
        let service = Service::of(&chat.model);
        pass_on(&mut chat, service);
        chat.messages.swap_remove(0).parts
    }

    #[test]
    fn unknown_labels_are_dropped() {
        let labels = ["image/png", "image/jpg", "image/svg+xml", "image/bmp"];
        assert_eq!(passed_on(images("scripted-1", &labels)).len(), 2);
        assert_eq!(passed_on(images("claude-sonnet-4", &labels)).len(), 1);
    }

    #[test]
    fn oldest_images_beyond_the_limit_become_text() {
        let notes = |model: &str| {
            let parts = passed_on(images(model, &["image/png"; 23]));
            assert!(matches!(parts.last(), Some(Part::Data(_))));
            parts.iter().filter(|part| matches!(part, Part::Text { .. })).count()
        };
        assert_eq!(
            [notes("claude-sonnet-4"), notes("gemini-2.5-pro"), notes("gpt-5-mini"), notes("scripted-1")],
            [3, 13, 0, 0]
        );
    }

    #[test]
    fn wrong_label_is_refused_by_messages_only() {
        let chat = images("claude-sonnet-4", &["image/jpeg"]);
        let part = &chat.messages[0].parts[0];
        assert!(mislabelled(0, part, Service::Messages).is_some());
        assert!(mislabelled(0, part, Service::Chat).is_none());
    }
}

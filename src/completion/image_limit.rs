//! The limit of images per request that the services behind Copilot have. Copilot's provider replaces the oldest images
//! beyond it in each request; here they are replaced in steps of ten, so that the prefix seldom changes. Pure.

use crate::bridge::protocol::ModelInfo;
use crate::conversation::{Content, Data, Message, Part, Role};
use crate::failure::Failure;

/// Images that become words together. With a step of one, each new image would change an early message and so the
/// whole prefix that the provider has cached.
const STEP: usize = 10;

/// The largest number of images in a request to a model; `None` where no limit is known. Measured with Copilot's
/// provider, which decides by the family's provider word.
pub fn maximum(model: &ModelInfo) -> Option<usize> {
    let is_of = |provider: &str| {
        [&model.family, &model.id].iter().any(|name| {
            name.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word.eq_ignore_ascii_case(provider))
        })
    };
    if is_of("claude") {
        Some(20)
    } else if is_of("gemini") {
        Some(10)
    } else {
        None
    }
}

/// Fails if the newest message of the user alone has more than `maximum` images.
pub fn check(messages: &[Message], maximum: usize) -> Result<(), Failure> {
    let images = turns(messages).last().map_or(0, |turn| turn.newest);
    if images <= maximum {
        return Ok(());
    }
    let message = format!(
        "the newest message has {images} images, but this model takes at most {maximum} images in a request"
    );
    Err(Failure::invalid("", message))
}

/// Replaces the oldest images by words, so that at most `maximum` are left and those of the newest message are kept.
pub fn apply(messages: &mut [Message], maximum: usize) {
    let mut left_out = left_out(&turns(messages), maximum);
    let text = || format!("[image left out: this model takes at most {maximum} images in a request]");
    for part in messages.iter_mut().flat_map(|message| &mut message.parts) {
        match part {
            Part::Data(data) if left_out > 0 && is_image(data) => {
                left_out -= 1;
                *part = Part::text(text());
            }
            Part::ToolResult(result) => {
                for content in &mut result.content {
                    if left_out > 0 && matches!(content, Content::Data(data) if is_image(data)) {
                        left_out -= 1;
                        *content = Content::Text { text: text() };
                    }
                }
            }
            _ => {}
        }
    }
}

/// The images of the messages between two responses: those that one request added to the conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Turn {
    /// All images.
    images: usize,
    /// Images of the last message of the user, results of tools aside.
    newest: usize,
}

/// Counts the images of each turn; there is at least one turn.
fn turns(messages: &[Message]) -> Vec<Turn> {
    let mut turns = Vec::new();
    let mut turn = Turn::default();
    for message in messages {
        let (sent, returned) = images(message);
        if message.role == Role::Assistant && turn != Turn::default() {
            turns.push(std::mem::take(&mut turn));
        }
        turn.images += sent + returned;
        if message.role == Role::User {
            turn.newest = sent;
        }
    }
    turns.push(turn);
    turns
}

/// Number of the oldest images to leave out. Repeats the decision of each earlier turn, so that what was left out in one
/// turn is left out in all later ones, and nothing else is until the limit is reached again.
fn left_out(turns: &[Turn], maximum: usize) -> usize {
    let mut left_out = 0;
    let mut images = 0;
    for turn in turns {
        images += turn.images;
        let excess = images.saturating_sub(left_out).saturating_sub(maximum);
        if excess > 0 {
            let by_steps = left_out + excess.div_ceil(STEP) * STEP;
            // The newest message keeps its images, if they fit.
            let older = images - turn.newest;
            left_out = by_steps.min(older).max(left_out + excess);
        }
    }
    left_out
}

/// Images of a message itself, and those in its results of tools.
fn images(message: &Message) -> (usize, usize) {
    let (mut sent, mut returned) = (0, 0);
    for part in &message.parts {
        match part {
            Part::Data(data) => sent += usize::from(is_image(data)),
            Part::ToolResult(result) => {
                let is_image = |content: &&Content| matches!(content, Content::Data(data) if is_image(data));
                returned += result.content.iter().filter(is_image).count();
            }
            Part::Text { .. } | Part::Thinking(_) | Part::ToolCall(_) => {}
        }
    }
    (sent, returned)
}

fn is_image(data: &Data) -> bool {
    data.mime.starts_with("image/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::ToolResult;

    fn image() -> Data {
        Data { mime: "image/png".into(), base64: "iVBORw==".into() }
    }

    fn user(images: usize) -> Message {
        let parts = (0..images).map(|_| Part::Data(image())).collect();
        Message { role: Role::User, name: None, parts }
    }

    fn results(images: usize) -> Message {
        let content = (0..images).map(|_| Content::Data(image())).collect();
        let result = ToolResult { id: "c1".into(), content, is_error: false };
        Message { role: Role::User, name: None, parts: vec![Part::ToolResult(result)] }
    }

    fn assistant() -> Message {
        Message::text(Role::Assistant, "a")
    }

    /// One character for each image: `i` for one that is left, `-` for one that became words.
    fn applied(messages: &[Message], maximum: usize) -> String {
        let mut messages = messages.to_vec();
        apply(&mut messages, maximum);
        let content = |content: &Content| if matches!(content, Content::Data(_)) { 'i' } else { '-' };
        let marks = messages.iter().filter(|message| message.role == Role::User).flat_map(|message| {
            message.parts.iter().flat_map(|part| match part {
                Part::Data(_) => vec!['i'],
                Part::ToolResult(result) => result.content.iter().map(content).collect(),
                _ => vec!['-'],
            })
        });
        marks.collect()
    }

    #[test]
    fn limit_depends_on_the_family() {
        let maximum = |family: &str, id: &str| {
            maximum(&ModelInfo { family: family.into(), id: id.into(), ..ModelInfo::default() })
        };
        assert_eq!(maximum("claude-sonnet", "claude-sonnet-4.5"), Some(20));
        assert_eq!(maximum("other", "anthropic/claude-opus-9"), Some(20));
        assert_eq!(maximum("gemini-2.5-pro", "gemini-2.5-pro"), Some(10));
        assert_eq!(maximum("gpt-5", "gpt-5"), None);
    }

    #[test]
    fn newest_message_alone_may_not_exceed_the_limit() {
        assert_eq!(check(&[user(30), assistant(), user(10)], 10), Ok(()));
        // Results of tools are no message that a person could send again with less.
        assert_eq!(check(&[user(0), assistant(), results(30)], 10), Ok(()));
        assert_eq!(
            check(&[assistant(), user(11)], 10).unwrap_err().to_string(),
            "the newest message has 11 images, but this model takes at most 10 images in a request"
        );
    }

    #[test]
    fn oldest_images_become_text_in_steps_of_ten() {
        let mut history = Vec::new();
        let mut lengths = Vec::new();
        let mut marks = String::new();
        for _ in 0..45 {
            history.extend([user(1), assistant()]);
            let next = applied(&history, 20);
            // The prefix of the turn before is unchanged, unless ten more became words.
            if !next.starts_with(&marks) {
                lengths.push(next.matches('-').count());
            }
            assert!(next.matches('i').count() <= 20, "{next}");
            marks = next;
        }
        assert_eq!(lengths, [10, 20, 30]);
    }

    #[test]
    fn images_of_the_newest_message_are_kept() {
        let mut history = vec![user(5), assistant(), user(8)];
        assert_eq!(applied(&history, 10), "-----iiiiiiii");
        // A turn without an image changes nothing.
        history.extend([assistant(), user(0)]);
        assert_eq!(applied(&history, 10), "-----iiiiiiii");
        history.extend([assistant(), user(3)]);
        assert_eq!(applied(&history, 10), "-------------iii");
    }

    #[test]
    fn excess_images_of_old_turns_and_results_become_text() {
        assert_eq!(applied(&[user(12), assistant(), user(0)], 10), "--iiiiiiiiii");
        assert_eq!(applied(&[user(1), assistant(), results(13)], 10), "----------iiii");
        assert_eq!(applied(&[user(10)], 10), "iiiiiiiiii");
    }
}

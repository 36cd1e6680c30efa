//! The words that model `auto` needs in each message of the user. Pure.

use crate::conversation::{Message, Part, Role};

/// Text for a message of the user that has none. Copilot routes a request by the words of its newest user message, and
/// fails without them.
const WORDS: &str = "Continue.";

/// Adds a text to each message of the user that has none, as when it holds only tool results: to all of them and
/// always the same, so that what was sent in one turn is sent again in the next.
pub(super) fn add_words(messages: &mut Vec<Message>) {
    let is_user = |message: &Message| message.role == Role::User;
    for message in messages.iter_mut().filter(|message| is_user(message) && !has_words(message)) {
        message.parts.push(Part::text(WORDS));
    }
    if !messages.iter().any(is_user) {
        messages.push(Message::text(Role::User, WORDS));
    }
}

/// Whether anything is left of the message's texts after the provider has trimmed them.
fn has_words(message: &Message) -> bool {
    let is_blank = |character: char| character.is_whitespace() || character == '\u{feff}';
    message.parts.iter().any(|part| matches!(part, Part::Text { text } if !text.chars().all(is_blank)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::{Data, ToolResult};

    fn user(parts: Vec<Part>) -> Message {
        Message { role: Role::User, name: None, parts }
    }

    fn result() -> Part {
        Part::ToolResult(ToolResult { id: "1".into(), content: vec![], is_error: false })
    }

    fn image() -> Part {
        Part::Data(Data { mime: "image/png".into(), base64: String::new() })
    }

    #[test]
    fn each_user_message_without_text_gets_the_same_text() {
        let words = || Part::text("Continue.");
        let assistant = Message::text(Role::Assistant, " ");
        let mut messages = vec![
            user(vec![result()]),
            assistant.clone(),
            user(vec![result(), Part::text("and?")]),
            user(vec![image()]),
            user(vec![Part::text(" \n\u{feff}")]),
        ];
        add_words(&mut messages);
        let expected = vec![
            user(vec![result(), words()]),
            assistant,
            user(vec![result(), Part::text("and?")]),
            user(vec![image(), words()]),
            user(vec![Part::text(" \n\u{feff}"), words()]),
        ];
        assert_eq!(messages, expected);
        add_words(&mut messages);
        assert_eq!(messages, expected);
    }

    #[test]
    fn transcript_without_a_user_message_gets_one() {
        let mut messages = vec![Message::text(Role::Assistant, "Once upon a time")];
        add_words(&mut messages);
        assert_eq!(messages.last(), Some(&Message::text(Role::User, "Continue.")));
    }
}

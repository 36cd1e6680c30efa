//! Verbosity as an instruction: the provider passes no such option on.

use crate::conversation::{Conversation, Message, Role, Verbosity};

const LOW: &str = "Keep your answer short and to the point.";
const HIGH: &str = "Answer at length and in detail.";

/// Adds the instruction as a message of its own at the end, so that what was sent before stays the same.
pub fn instruct(conversation: &mut Conversation) {
    let instruction = match conversation.options.verbosity {
        None | Some(Verbosity::Medium) => return,
        Some(Verbosity::Low) => LOW,
        Some(Verbosity::High) => HIGH,
    };
    conversation.messages.push(Message::text(Role::User, instruction));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::Options;

    #[test]
    fn default_verbosity_adds_no_instruction() {
        for (verbosity, instruction) in [
            (None, None),
            (Some(Verbosity::Low), Some(LOW)),
            (Some(Verbosity::Medium), None),
            (Some(Verbosity::High), Some(HIGH)),
        ] {
            let question = Message::text(Role::User, "why?");
            let mut conversation = Conversation {
                messages: vec![question.clone()],
                options: Options { verbosity, ..Options::default() },
                ..Conversation::default()
            };
            instruct(&mut conversation);
            let instruction = instruction.map(|text| Message::text(Role::User, text));
            assert_eq!(
                conversation.messages,
                [Some(question), instruction].into_iter().flatten().collect::<Vec<_>>()
            );
        }
    }
}

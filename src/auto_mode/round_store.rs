//! Rounds that are finished while the client still has calls of its own to run. It sends the results of those
//! with a history that knows nothing of the rounds; they are put back before the calls they led to.

use std::collections::VecDeque;

use parking_lot::Mutex;

use crate::conversation::{Message, Part};

/// Answers whose rounds are kept; the oldest goes first.
const MOST: usize = 256;

/// A bounded memory of finished rounds.
#[derive(Default)]
pub struct RoundStore(Mutex<VecDeque<Kept>>);

struct Kept {
    /// The calls handed to the client.
    calls: Vec<String>,
    rounds: Vec<Message>,
}

impl RoundStore {
    /// Keeps rounds under the calls that the client is to run.
    pub fn keep(&self, calls: Vec<String>, rounds: Vec<Message>) {
        let mut kept = self.0.lock();
        if kept.len() == MOST {
            kept.pop_front();
        }
        kept.push_back(Kept { calls, rounds });
    }

    /// Puts the rounds back into a history, each before the message with the calls it led to.
    pub fn restore(&self, messages: Vec<Message>) -> Vec<Message> {
        let kept = self.0.lock();
        if kept.is_empty() {
            return messages;
        }
        let mut restored = Vec::with_capacity(messages.len());
        for message in messages {
            if let Some(kept) = kept.iter().find(|kept| kept.led_to(&message)) {
                restored.extend(kept.rounds.iter().cloned());
            }
            restored.push(message);
        }
        restored
    }
}

impl Kept {
    fn led_to(&self, message: &Message) -> bool {
        message.parts.iter().any(|part| matches!(part, Part::ToolCall(call) if self.calls.contains(&call.id)))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conversation::{Role, ToolCall};

    fn calling(id: &str) -> Message {
        let call = ToolCall { id: id.into(), name: "x".into(), input: json!({}) };
        Message { role: Role::Assistant, name: None, parts: vec![Part::ToolCall(call)] }
    }

    #[test]
    fn rounds_come_back_before_the_calls_they_led_to() {
        let kept = RoundStore::default();
        let round = [calling("ours"), Message::text(Role::User, "result")];
        kept.keep(vec!["theirs".into()], round.to_vec());
        let history = vec![Message::text(Role::User, "question"), calling("theirs"), calling("other")];
        let [question, theirs, other] = history.clone().try_into().unwrap();
        let [ours, result] = round;
        assert_eq!(kept.restore(history), [question, ours, result, theirs, other]);
    }

    #[test]
    fn the_oldest_rounds_are_forgotten_first() {
        let kept = RoundStore::default();
        for number in 0..=MOST {
            kept.keep(vec![number.to_string()], vec![Message::text(Role::User, "round")]);
        }
        assert_eq!(kept.restore(vec![calling("0")]).len(), 1);
        assert_eq!(kept.restore(vec![calling("1")]).len(), 2);
    }
}

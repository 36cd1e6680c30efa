//! Stores finished rounds while the client runs tools of its own. The client's next request has the results of those
//! tools but not the rounds before them, so the rounds are inserted again.

use std::collections::VecDeque;

use parking_lot::Mutex;

use crate::conversation::{Message, Part};

/// Most responses whose rounds are stored; the oldest is removed first.
const MAX_STORED: usize = 256;

/// Bounded store of finished rounds.
#[derive(Default)]
pub struct RoundStore(Mutex<VecDeque<StoredRounds>>);

/// Rounds of one response.
struct StoredRounds {
    /// Ids of the calls that the client got at the end of the response.
    client_calls: Vec<String>,
    rounds: Vec<Message>,
}

impl RoundStore {
    /// Stores rounds by the ids of the calls that the client runs next.
    pub fn insert(&self, client_calls: Vec<String>, rounds: Vec<Message>) {
        let mut stored = self.0.lock();
        if stored.len() == MAX_STORED {
            stored.pop_front();
        }
        stored.push_back(StoredRounds { client_calls, rounds });
    }

    /// Inserts the stored rounds into a history, before the message with the client calls that followed them.
    pub fn restore(&self, messages: Vec<Message>) -> Vec<Message> {
        let stored = self.0.lock();
        if stored.is_empty() {
            return messages;
        }
        let mut restored = Vec::with_capacity(messages.len());
        for message in messages {
            if let Some(found) = stored.iter().find(|stored| stored.precedes(&message)) {
                restored.extend(found.rounds.iter().cloned());
            }
            restored.push(message);
        }
        restored
    }
}

impl StoredRounds {
    fn precedes(&self, message: &Message) -> bool {
        message
            .parts
            .iter()
            .any(|part| matches!(part, Part::ToolCall(call) if self.client_calls.contains(&call.id)))
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
    fn rounds_are_restored_before_the_client_calls_that_followed() {
        let store = RoundStore::default();
        let round = [calling("editor"), Message::text(Role::User, "result")];
        store.insert(vec!["client".into()], round.to_vec());
        let history = vec![Message::text(Role::User, "question"), calling("client"), calling("other")];
        let [question, client, other] = history.clone().try_into().unwrap();
        let [editor, result] = round;
        assert_eq!(store.restore(history), [question, editor, result, client, other]);
    }

    #[test]
    fn oldest_rounds_are_removed_first() {
        let store = RoundStore::default();
        for number in 0..=MAX_STORED {
            store.insert(vec![number.to_string()], vec![Message::text(Role::User, "round")]);
        }
        assert_eq!(store.restore(vec![calling("0")]).len(), 1);
        assert_eq!(store.restore(vec![calling("1")]).len(), 2);
    }
}

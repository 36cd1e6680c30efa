//! Stores finished rounds while the client runs tools of its own. The client's next request has the results of those
//! tools but not the rounds before them, so the rounds are inserted again.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::conversation::{Message, Part};

/// Most responses whose rounds are stored; the oldest is removed first.
const MAX_STORED: usize = 256;

/// Most bytes of memory that the stored rounds take; the oldest is removed first. One request's
/// body has at most 10 MiB, and a round rarely a tenth of it.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// Bounded store of finished rounds.
#[derive(Default)]
pub struct RoundStore(Mutex<Stored>);

#[derive(Default)]
struct Stored {
    /// Oldest first.
    responses: VecDeque<Arc<StoredRounds>>,
    /// By the ids of the client calls; the latest response counts.
    by_call: HashMap<String, Arc<StoredRounds>>,
    bytes: usize,
}

/// Rounds of one response.
struct StoredRounds {
    /// Ids of the calls that the client got at the end of the response.
    client_calls: Vec<String>,
    rounds: Vec<Message>,
    bytes: usize,
}

impl RoundStore {
    /// Stores rounds by the ids of the calls that the client runs next.
    pub fn insert(&self, client_calls: Vec<String>, rounds: Vec<Message>) {
        let bytes = client_calls.iter().map(String::len).sum::<usize>()
            + rounds.iter().flat_map(|message| &message.parts).map(Part::memory).sum::<usize>();
        self.0.lock().insert(StoredRounds { client_calls, rounds, bytes });
    }

    /// Inserts the stored rounds into a history, before the message with the client calls that followed them.
    pub fn restore(&self, messages: Vec<Message>) -> Vec<Message> {
        let stored = self.0.lock();
        if stored.responses.is_empty() {
            return messages;
        }
        let mut restored = Vec::with_capacity(messages.len());
        for message in messages {
            if let Some(found) = stored.before(&message) {
                restored.extend(found.rounds.iter().cloned());
            }
            restored.push(message);
        }
        restored
    }
}

impl Stored {
    fn insert(&mut self, response: StoredRounds) {
        if response.bytes > MAX_BYTES {
            return;
        }
        while self.responses.len() == MAX_STORED || self.bytes + response.bytes > MAX_BYTES {
            let Some(oldest) = self.responses.pop_front() else { return };
            self.bytes -= oldest.bytes;
            for call in &oldest.client_calls {
                if self.by_call.get(call).is_some_and(|found| Arc::ptr_eq(found, &oldest)) {
                    self.by_call.remove(call);
                }
            }
        }
        self.bytes += response.bytes;
        let response = Arc::new(response);
        for call in &response.client_calls {
            self.by_call.insert(call.clone(), response.clone());
        }
        self.responses.push_back(response);
    }

    /// The rounds that precede a message with client calls.
    fn before(&self, message: &Message) -> Option<&StoredRounds> {
        message.parts.iter().find_map(|part| match part {
            Part::ToolCall(call) => self.by_call.get(&call.id).map(Arc::as_ref),
            _ => None,
        })
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

    #[test]
    fn stored_rounds_are_bounded_by_their_bytes() {
        let store = RoundStore::default();
        let round = || vec![Message::text(Role::User, "x".repeat(MAX_BYTES / 4))];
        for number in 0..4 {
            store.insert(vec![number.to_string()], round());
        }
        let restored = |call: &str| store.restore(vec![calling(call)]).len() == 2;
        assert_eq!(["0", "1", "2", "3"].map(restored), [false, true, true, true]);
        // Rounds over the limit by themselves are not stored and displace no others.
        store.insert(vec!["4".into()], vec![Message::text(Role::User, "x".repeat(MAX_BYTES + 1))]);
        assert_eq!(["3", "4"].map(restored), [true, false]);
    }
}

//! Stores finished rounds, which clients don't know: a client has the text of a response and the calls that it runs
//! itself. Its next request gets the rounds back, so that the model reads the conversation as it was, and the provider's
//! cache finds the same prefix.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::{BuildHasher, DefaultHasher, Hash, Hasher, RandomState};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::conversation::{Content, Message, Part, Role};

/// Most responses whose rounds are stored; the oldest is removed first.
const MAX_STORED: usize = 256;

/// Most bytes of memory that the stored rounds take; the oldest is removed first. One request's
/// body has at most 10 MiB, and a round rarely a tenth of it.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// Bounded store of finished rounds.
#[derive(Default)]
pub struct RoundStore {
    stored: Mutex<Stored>,
    /// Keys of the hashes, of this process only.
    hashing: RandomState,
}

/// Hash of the messages before a response, as the client sent them.
#[derive(Clone)]
pub struct HistoryHash(DefaultHasher);

/// End of a response with rounds, by which the client's next request is recognized.
pub enum ResponseEnd {
    /// Ids of the calls that the client runs next.
    ClientCalls(Vec<String>),
    /// No calls: the messages before the response, and the whole text of the response.
    Text(HistoryHash, String),
}

#[derive(Default)]
struct Stored {
    /// Oldest first.
    responses: VecDeque<Arc<StoredRounds>>,
    /// By the ids of the client calls, and of those of the rounds, which some clients know: web tools are shown to them.
    /// The latest response counts.
    by_call: HashMap<String, Arc<StoredRounds>>,
    /// By the hash of history and text; the latest response counts.
    by_text: HashMap<u64, Arc<StoredRounds>>,
    bytes: usize,
}

/// Rounds of one response.
struct StoredRounds {
    /// Ids of the calls that the client got at the end of the response, and of those of the rounds.
    calls: Vec<String>,
    /// Hash of history and text, if the client got no calls.
    text_key: Option<u64>,
    rounds: Vec<Message>,
    bytes: usize,
}

impl RoundStore {
    /// Stores the rounds of a response.
    pub fn insert(&self, end: ResponseEnd, rounds: Vec<Message>) {
        let (mut calls, text_key) = match end {
            ResponseEnd::ClientCalls(ids) => (ids, None),
            ResponseEnd::Text(history, text) => (Vec::new(), history.with_text(&text)),
        };
        calls.extend(parts(&rounds).filter_map(|part| match part {
            Part::ToolCall(call) => Some(call.id.clone()),
            _ => None,
        }));
        let bytes = calls.iter().map(String::len).sum::<usize>()
            + rounds.iter().flat_map(|message| &message.parts).map(Part::memory).sum::<usize>();
        self.stored.lock().insert(StoredRounds { calls, text_key, rounds, bytes });
    }

    /// Puts the stored rounds back into a history, before what the client knows of the response that they led to. Also
    /// returns the hash of the history as the client sent it.
    pub fn restore(&self, messages: Vec<Message>) -> (Vec<Message>, HistoryHash) {
        let stored = self.stored.lock();
        // Some clients send the results of web tools themselves.
        let sent: HashSet<String> = if stored.responses.is_empty() {
            HashSet::new()
        } else {
            result_ids(&messages).map(str::to_owned).collect()
        };
        let mut hash = HistoryHash(self.hashing.build_hasher());
        let mut restored = Vec::with_capacity(messages.len());
        let mut last: Option<Arc<StoredRounds>> = None;
        let mut messages = messages.into_iter().peekable();
        while let Some(message) = messages.next() {
            if message.role != Role::Assistant {
                hash.add(&message);
                restored.push(message);
                continue;
            }
            // Some dialects have a message for each call and each text.
            let mut response = vec![message];
            while let Some(message) = messages.next_if(|message| message.role == Role::Assistant) {
                response.push(message);
            }
            let found = stored.of_response(&response, &hash);
            for message in &response {
                hash.add(message);
            }
            // Results between the calls of one response split it.
            let is_new = |found: &Arc<StoredRounds>| {
                let is_last = last.as_ref().is_some_and(|last| Arc::ptr_eq(last, found));
                !is_last && !result_ids(&found.rounds).any(|id| sent.contains(id))
            };
            match found.filter(is_new) {
                Some(found) => {
                    restored.extend(found.rounds_and(response));
                    last = Some(found);
                }
                None => restored.extend(response),
            }
        }
        (restored, hash)
    }
}

impl HistoryHash {
    fn add(&mut self, message: &Message) {
        let hasher = &mut self.0;
        (message.role == Role::Assistant).hash(hasher);
        for part in &message.parts {
            std::mem::discriminant(part).hash(hasher);
            match part {
                Part::Text { text } => text.hash(hasher),
                Part::Data(data) => data.base64.hash(hasher),
                Part::ToolCall(call) => call.id.hash(hasher),
                Part::ToolResult(result) => {
                    result.id.hash(hasher);
                    for content in &result.content {
                        match content {
                            Content::Text { text } => text.hash(hasher),
                            Content::Data(data) => data.base64.hash(hasher),
                        }
                    }
                }
                // Clients omit it from later requests.
                Part::Thinking(_) => {}
            }
        }
    }

    /// Hash of the history and of the text that follows; `None` if it is blank, which clients omit.
    fn with_text(&self, text: &str) -> Option<u64> {
        // Clients trim the end of a response.
        let text = text.trim_end();
        let mut hasher = self.0.clone();
        text.hash(&mut hasher);
        (!text.is_empty()).then(|| hasher.finish())
    }
}

impl Stored {
    fn insert(&mut self, response: StoredRounds) {
        if response.bytes > MAX_BYTES {
            return;
        }
        while self.responses.len() == MAX_STORED || self.bytes + response.bytes > MAX_BYTES {
            let Some(oldest) = self.responses.pop_front() else { return };
            self.remove(&oldest);
        }
        self.bytes += response.bytes;
        let response = Arc::new(response);
        for call in &response.calls {
            self.by_call.insert(call.clone(), response.clone());
        }
        if let Some(key) = response.text_key {
            self.by_text.insert(key, response.clone());
        }
        self.responses.push_back(response);
    }

    fn remove(&mut self, oldest: &Arc<StoredRounds>) {
        self.bytes -= oldest.bytes;
        for call in &oldest.calls {
            if self.by_call.get(call).is_some_and(|found| Arc::ptr_eq(found, oldest)) {
                self.by_call.remove(call);
            }
        }
        if let Some(key) = oldest.text_key
            && self.by_text.get(&key).is_some_and(|found| Arc::ptr_eq(found, oldest))
        {
            self.by_text.remove(&key);
        }
    }

    /// The rounds that led to a response, which may be several messages.
    fn of_response(&self, response: &[Message], history: &HistoryHash) -> Option<Arc<StoredRounds>> {
        let mut ids = parts(response).filter_map(|part| match part {
            Part::ToolCall(call) => Some(&call.id),
            _ => None,
        });
        let by_call = ids.find_map(|id| self.by_call.get(id));
        let by_text = || self.by_text.get(&history.with_text(&texts(response))?);
        by_call.or_else(by_text).cloned()
    }
}

impl StoredRounds {
    /// The rounds, then the rest of the response: the client's has the text of the rounds at its beginning. A client
    /// that changed it gets the rounds without their text.
    fn rounds_and(&self, mut response: Vec<Message>) -> Vec<Message> {
        let mut rounds = self.rounds.clone();
        let assistant = |message: &&Message| message.role == Role::Assistant;
        let text: String =
            rounds.iter().filter(assistant).map(|message| texts(std::slice::from_ref(message))).collect();
        if texts(&response).starts_with(&text) {
            let is_of_rounds = |part: &Part| match part {
                Part::Thinking(_) => parts(&self.rounds).any(|known| known == part),
                Part::ToolCall(call) => parts(&self.rounds)
                    .any(|known| matches!(known, Part::ToolCall(known) if known.id == call.id)),
                _ => false,
            };
            let mut rest = text.len();
            for message in &mut response {
                message.parts.retain_mut(|part| match part {
                    Part::Text { text } => {
                        let cut = rest.min(text.len());
                        rest -= cut;
                        text.drain(..cut);
                        cut == 0 || !text.is_empty()
                    }
                    part => !is_of_rounds(part),
                });
            }
            response.retain(|message| !message.parts.is_empty());
        } else {
            for message in rounds.iter_mut().filter(|message| message.role == Role::Assistant) {
                message.parts.retain(|part| matches!(part, Part::ToolCall(_)));
            }
        }
        rounds.extend(response);
        rounds
    }
}

/// Ids of the results in messages.
fn result_ids(messages: &[Message]) -> impl Iterator<Item = &str> {
    parts(messages).filter_map(|part| match part {
        Part::ToolResult(result) => Some(result.id.as_str()),
        _ => None,
    })
}

fn parts(messages: &[Message]) -> impl Iterator<Item = &Part> {
    messages.iter().flat_map(|message| &message.parts)
}

/// Joins the text of messages.
fn texts(messages: &[Message]) -> String {
    let text = parts(messages).filter_map(|part| match part {
        Part::Text { text } => Some(text.as_str()),
        _ => None,
    });
    text.collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::conversation::ToolCall;

    fn calling(id: &str) -> Message {
        let call = ToolCall { id: id.into(), name: "x".into(), input: json!({}) };
        Message { role: Role::Assistant, name: None, parts: vec![Part::ToolCall(call)] }
    }

    fn calls(id: &str) -> ResponseEnd {
        ResponseEnd::ClientCalls(vec![id.into()])
    }

    /// A round whose response has this text before its call.
    fn round(text: &str) -> [Message; 2] {
        let mut called = calling("editor");
        called.parts.insert(0, Part::text(text));
        [called, Message::text(Role::User, "result")]
    }

    fn user(text: &str) -> Message {
        Message::text(Role::User, text)
    }

    fn assistant(text: &str) -> Message {
        Message::text(Role::Assistant, text)
    }

    fn restored(store: &RoundStore, messages: Vec<Message>) -> Vec<Message> {
        store.restore(messages).0
    }

    fn hash(store: &RoundStore, messages: Vec<Message>) -> HistoryHash {
        store.restore(messages).1
    }

    #[test]
    fn rounds_of_a_text_are_restored_in_its_place() {
        let store = RoundStore::default();
        let end = |text: &str| ResponseEnd::Text(hash(&store, vec![user("question")]), text.into());
        store.insert(end("Let me look. It is blue. "), round("Let me look. ").to_vec());
        let [called, result] = round("Let me look. ");
        // Clients may trim the end, or have a message for each text.
        for client in [
            vec![assistant("Let me look. It is blue.")],
            vec![assistant("Let me look. "), assistant("It is blue.")],
        ] {
            let history = [vec![user("question")], client, vec![user("next")]].concat();
            let expected =
                [user("question"), called.clone(), result.clone(), assistant("It is blue."), user("next")];
            assert_eq!(restored(&store, history), expected);
        }
    }

    #[test]
    fn same_text_in_another_conversation_gets_no_rounds() {
        let store = RoundStore::default();
        let end = ResponseEnd::Text(hash(&store, vec![user("question")]), "Done.".into());
        store.insert(end, round("").to_vec());
        let other = vec![user("other question"), assistant("Done.")];
        assert_eq!(restored(&store, other.clone()), other);
        assert_eq!(restored(&store, vec![user("question"), assistant("Done.")]).len(), 4);
    }

    #[test]
    fn response_whose_text_the_client_changed_gets_the_rounds_without_their_text() {
        let store = RoundStore::default();
        store.insert(calls("client"), round("Let me look. ").to_vec());
        let [mut called, result] = round("Let me look. ");
        let mut client = calling("client");
        client.parts.insert(0, Part::text("Let me look. Now you."));
        let mut rest = calling("client");
        rest.parts.insert(0, Part::text("Now you."));
        assert_eq!(restored(&store, vec![client]), [called.clone(), result.clone(), rest]);
        called.parts.remove(0);
        assert_eq!(restored(&store, vec![calling("client")]), [called, result, calling("client")]);
    }

    #[test]
    fn rounds_are_restored_once_for_calls_in_several_messages() {
        let store = RoundStore::default();
        store.insert(ResponseEnd::ClientCalls(vec!["1".into(), "2".into()]), round("").to_vec());
        let history = vec![calling("1"), user("result of 1"), calling("2"), user("result of 2")];
        assert_eq!(restored(&store, history).len(), 6);
    }

    #[test]
    fn rounds_are_restored_before_the_client_calls_that_followed() {
        let store = RoundStore::default();
        let round = [calling("editor"), Message::text(Role::User, "result")];
        store.insert(calls("client"), round.to_vec());
        let history = vec![Message::text(Role::User, "question"), calling("client"), calling("other")];
        let [question, client, other] = history.clone().try_into().unwrap();
        let [editor, result] = round;
        assert_eq!(restored(&store, history), [question, editor, result, client, other]);
    }

    #[test]
    fn oldest_rounds_are_removed_first() {
        let store = RoundStore::default();
        for number in 0..=MAX_STORED {
            store.insert(calls(&number.to_string()), vec![Message::text(Role::User, "round")]);
        }
        assert_eq!(restored(&store, vec![calling("0")]).len(), 1);
        assert_eq!(restored(&store, vec![calling("1")]).len(), 2);
    }

    #[test]
    fn stored_rounds_are_bounded_by_their_bytes() {
        let store = RoundStore::default();
        let round = || vec![Message::text(Role::User, "x".repeat(MAX_BYTES / 4))];
        for number in 0..4 {
            store.insert(calls(&number.to_string()), round());
        }
        let is_stored = |call: &str| restored(&store, vec![calling(call)]).len() == 2;
        assert_eq!(["0", "1", "2", "3"].map(is_stored), [false, true, true, true]);
        // Rounds over the limit by themselves are not stored and displace no others.
        store.insert(calls("4"), vec![Message::text(Role::User, "x".repeat(MAX_BYTES + 1))]);
        assert_eq!(["3", "4"].map(is_stored), [true, false]);
    }
}

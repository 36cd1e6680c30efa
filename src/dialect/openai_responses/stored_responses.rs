//! Stored responses, for `previous_response_id`, `item_reference` and `GET /v1/responses/{id}`.
//!
//! In memory only and bounded: the oldest response is removed first. Messages are stored as they were read, with the
//! tool names that the model has.

use std::collections::{HashMap, VecDeque};
use std::io::{self, Write};
use std::sync::Arc;

use parking_lot::Mutex;
use serde_json::Value;

use crate::conversation::Message;

/// Most responses that are stored: far more than a person's turns in a day.
const MOST_RESPONSES: usize = 1000;

/// Most bytes of JSON that are stored: a few hundred turns of an agent, or some with images.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// The latest responses.
pub struct Memory {
    kept: Mutex<Kept>,
    most_responses: usize,
    most_bytes: usize,
}

impl Default for Memory {
    fn default() -> Memory {
        Memory::new(MOST_RESPONSES, MOST_BYTES)
    }
}

#[derive(Default)]
struct Kept {
    /// By response id.
    responses: HashMap<String, StoredResponse>,
    /// By item id, each with the id of its response.
    items: HashMap<String, (Arc<Message>, String)>,
    /// Response ids, oldest first.
    order: VecDeque<String>,
    bytes: usize,
}

struct StoredResponse {
    /// The input of the response.
    before: Arc<Vec<Message>>,
    /// The output, each part with its item's id; tools of auto mode have none.
    output: Vec<(Option<String>, Arc<Message>)>,
    /// The response object, as JSON.
    object: String,
    /// The items of the request, as a JSON list.
    input: Arc<str>,
    bytes: usize,
}

impl Memory {
    /// A memory with these bounds.
    pub fn new(most_responses: usize, most_bytes: usize) -> Memory {
        Memory { kept: Mutex::default(), most_responses, most_bytes }
    }

    /// Stores a response with its input. One that is too large by itself is not stored.
    pub fn keep(
        &self,
        id: String,
        before: &Arc<Vec<Message>>,
        output: Vec<(Option<String>, Message)>,
        object: String,
        input: &Arc<str>,
    ) {
        let messages: usize =
            before.iter().chain(output.iter().map(|(_, message)| message)).map(weight).sum();
        let bytes = messages + object.len() + input.len();
        if bytes > self.most_bytes {
            return;
        }
        let output = output.into_iter().map(|(id, message)| (id, Arc::new(message))).collect();
        let stored = StoredResponse { before: before.clone(), output, object, input: input.clone(), bytes };
        let mut kept = self.kept.lock();
        kept.forget(&id);
        while kept.order.len() >= self.most_responses || kept.bytes + bytes > self.most_bytes {
            let Some(oldest) = kept.order.front().cloned() else { break };
            kept.forget(&oldest);
        }
        kept.keep(id, stored);
    }

    /// The whole conversation at the end of a response.
    pub fn conversation(&self, id: &str) -> Option<Vec<Message>> {
        let kept = self.kept.lock();
        let stored = kept.responses.get(id)?;
        let output = stored.output.iter().map(|(_, message)| Message::clone(message));
        Some(stored.before.iter().cloned().chain(output).collect())
    }

    /// The response object, as JSON.
    pub fn response(&self, id: &str) -> Option<String> {
        self.kept.lock().responses.get(id).map(|stored| stored.object.clone())
    }

    /// The items that a response was given, as a JSON list.
    pub fn input(&self, id: &str) -> Option<Arc<str>> {
        self.kept.lock().responses.get(id).map(|stored| stored.input.clone())
    }

    /// An item of a response's output, as the client received it.
    pub fn output_item(&self, id: &str) -> Option<Value> {
        let response = {
            let kept = self.kept.lock();
            let (_, response) = kept.items.get(id)?;
            kept.responses.get(response)?.object.clone()
        };
        let mut response: Value = serde_json::from_str(&response).ok()?;
        let items = response.get_mut("output")?.as_array_mut()?;
        items.iter_mut().find(|item| item["id"] == *id).map(Value::take)
    }

    /// Removes a response; false if it was not stored.
    pub fn forget(&self, id: &str) -> bool {
        self.kept.lock().forget(id)
    }

    /// One item of a response.
    pub fn item(&self, id: &str) -> Option<Message> {
        self.kept.lock().items.get(id).map(|(message, _)| Message::clone(message))
    }
}

impl Kept {
    fn keep(&mut self, id: String, stored: StoredResponse) {
        for (item, message) in &stored.output {
            if let Some(item) = item {
                self.items.insert(item.clone(), (message.clone(), id.clone()));
            }
        }
        self.bytes += stored.bytes;
        self.order.push_back(id.clone());
        self.responses.insert(id, stored);
    }

    fn forget(&mut self, id: &str) -> bool {
        let Some(stored) = self.responses.remove(id) else { return false };
        self.order.retain(|kept| kept != id);
        self.bytes -= stored.bytes;
        for (item, _) in stored.output {
            if let Some(item) = item {
                self.items.remove(&item);
            }
        }
        true
    }
}

/// A message's size as JSON.
fn weight(message: &Message) -> usize {
    struct Scales(usize);
    impl Write for Scales {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 += bytes.len();
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let mut scales = Scales(0);
    // Can't fail: all keys are strings, and the writer only counts bytes.
    serde_json::to_writer(&mut scales, message).ok();
    scales.0
}

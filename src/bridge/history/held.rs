//! The editor's side of histories: the items that it holds, and those of requests that are still arriving.

use std::collections::HashMap;

use super::item::{InvalidItem, Item, read_item};
use crate::conversation::{Message, Tool};

/// Size of a key, in bytes.
const KEY: usize = 4;

/// The items of one connection.
#[derive(Default)]
pub struct HeldItems {
    items: HashMap<u32, Item>,
    /// Items of requests that are not complete yet, by stream.
    pending: HashMap<u32, PendingItems>,
}

/// The items of one request.
#[derive(Debug, Default, PartialEq)]
pub struct PendingItems {
    /// Its messages, in order.
    pub messages: Vec<Message>,
    /// Its tools, where they are an item.
    pub tools: Option<Vec<Tool>>,
    /// Whether the server named an item that is not held: the request can't be run.
    pub is_incomplete: bool,
}

impl PendingItems {
    fn add(&mut self, item: Item) {
        match item {
            Item::Message(message) => self.messages.push(message),
            Item::Tools(tools) => self.tools = Some(tools),
        }
    }
}

impl HeldItems {
    /// Adds a new item to a request, and keeps it.
    pub fn add_item(&mut self, stream: u32, payload: &[u8]) -> Result<(), InvalidItem> {
        let (key, content) = payload.split_first_chunk::<KEY>().ok_or(InvalidItem)?;
        let item = read_item(content)?;
        self.items.insert(u32::from_le_bytes(*key), item.clone());
        self.pending.entry(stream).or_default().add(item);
        Ok(())
    }

    /// Adds items to a request that are held.
    pub fn add_known(&mut self, stream: u32, payload: &[u8]) -> Result<(), InvalidItem> {
        let pending = self.pending.entry(stream).or_default();
        for key in keys(payload)? {
            match self.items.get(&key) {
                Some(item) => pending.add(item.clone()),
                None => pending.is_incomplete = true,
            }
        }
        Ok(())
    }

    /// Forgets items; all of them if no key is given.
    pub fn forget(&mut self, payload: &[u8]) -> Result<(), InvalidItem> {
        if payload.is_empty() {
            self.items.clear();
        }
        for key in keys(payload)? {
            self.items.remove(&key);
        }
        Ok(())
    }

    /// Takes the items of a request, if it has any.
    pub fn take(&mut self, stream: u32) -> Option<PendingItems> {
        self.pending.remove(&stream)
    }

    /// Forgets all items, without a message of the server.
    pub fn clear(&mut self) {
        self.items.clear();
    }
}

fn keys(payload: &[u8]) -> Result<impl Iterator<Item = u32>, InvalidItem> {
    let (keys, rest) = payload.as_chunks::<KEY>();
    if rest.is_empty() { Ok(keys.iter().map(|key| u32::from_le_bytes(*key))) } else { Err(InvalidItem) }
}

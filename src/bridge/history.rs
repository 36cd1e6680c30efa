//! Histories on the bridge: the messages of a long request travel one by one, and those that the editor holds already
//! travel as keys.
//!
//! An agent sends its whole conversation with each turn, and what is new of it is little. The server gives each message, and
//! each list of tools, a key when it sends it first (`sent`); the editor keeps them under their keys (`held`) until it
//! gets a message to forget them. A short request needs none of this and travels as one message.
//!
//! Frames of a request come in this order: its items, each as `Known` (keys, u32 each, of items that the editor holds) or
//! `Item` (a new one), then `Chat` with everything else. An `Item` is a u32 key, a u8 tag, and the content (`item`).

mod held;
mod item;
mod sent;

pub(super) use held::{HeldItems, PendingItems};
pub use item::InvalidItem;
pub(super) use sent::SentItems;

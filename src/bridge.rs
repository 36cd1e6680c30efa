//! The bridge: the server's connections to the attached editors, over a local socket that is the user's alone.
//!
//! `protocol` defines the messages and `frames` their layout on the wire. An editor finds the socket in `directory`;
//! `listener` accepts its connection, `handshake` checks its hello, `connection` reads and writes until it ends.
//! `editor` is the handle that the rest of the server uses, `pending_requests` its requests that wait for a response,
//! and `events` is what the bridge reports.

mod connection;
pub mod directory;
mod editor;
mod events;
pub mod frames;
mod handshake;
pub mod listener;
mod outbox;
pub mod pending_requests;
pub mod protocol;

pub use editor::{Editor, EditorId};
pub use events::BridgeEvent;

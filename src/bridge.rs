//! The bridge: how the server talks to the editors attached to it, over a local socket that is the user's alone.
//!
//! `protocol` says what is said and `frames` how it travels; `directory` is where both sides meet, `listener`
//! lets editors in, `host` is one of them, and `lines` knows who waits for which of its answers.

pub mod directory;
mod editor;
pub mod frames;
pub mod listener;
mod outbox;
pub mod pending_requests;
pub mod protocol;

pub use editor::{BridgeEvent, Editor, EditorId};

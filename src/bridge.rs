//! The bridge: the server's connections to the attached editors, over a local socket that only this user can open.
//!
//! `protocol` defines the messages and `frames` their layout on the wire. An editor finds the socket in `directory`;
//! `listener` accepts its connection, `handshake` checks its hello (`program` serves
//! `copilot-proxy run`, which isn't an editor), `connection` reads and writes until it ends.
//! Long requests travel as a `history` of which an editor gets only what it doesn't hold.
//! The rest of the server uses the handle `editor` and receives the `events`. Of a running request, `response_stream` is
//! the handle, `pending_requests` the table of all that wait, and `stream_buffer` the parts that were not read yet.
//! An editor can't use up memory or time of the server: `flood_limit` bounds what it sends, `outbox` what it doesn't read.

mod connection;
pub mod directory;
mod editor;
mod error;
mod events;
mod flood_limit;
pub mod frames;
mod handshake;
mod history;
pub mod listener;
mod log_connection;
mod outbox;
mod pending_requests;
pub mod protocol;
mod response_stream;
mod run_connection;
mod socket;
mod stream_buffer;

pub use editor::{Editor, EditorId};
pub use error::BridgeError;
pub use events::{BridgeEvent, ProgramId, QueuedEvent};
pub use handshake::ConnectionConfig;
pub use response_stream::PendingResponse;

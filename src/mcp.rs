//! The Model Context Protocol, by which agents use the editor's tools: pure translation, no network, no editor.
//!
//! Two eras of the protocol share one path, and each request decides: `version` tells them apart. `message` reads and
//! writes JSON-RPC, `server_info` introduces the server, `tools` translates tools, calls and results, `notification` has
//! what the server sends by itself. `session` keeps the state that the older era needs. `http/handlers/mcp.rs` is the
//! transport.

pub mod message;
pub mod notification;
pub mod server_info;
pub mod session;
pub mod tools;
pub mod version;

pub use message::{Message, Notification, Request, RequestId, RpcError};
pub use version::Era;

//! Auto mode: runs the editor tools that a model calls and returns their results to it, until it gives a final
//! response.
//!
//! `AutoModeService` is the interface for the handlers. `editor_tools` decides which tools a request gets. `session` is
//! the actor of one request, and `tool_loop` the control flow inside it. `round_store` stores finished rounds while the
//! client runs tools of its own.

mod editor_tools;
mod round_store;
mod service;
mod session;
mod tool_loop;

pub use editor_tools::AutoMode;
pub use service::AutoModeService;

//! Auto mode: runs the editor's tools that a model calls and lets it go on, until there is a final response.
//!
//! `AutoModeService` is what the handlers use. `editor_tools` decides which tools a request gets, `session` is the
//! actor that one request lives in, `tool_loop` the control flow inside it, and `round_store` keeps finished rounds
//! while the client runs tools of its own.

mod editor_tools;
mod round_store;
mod service;
mod session;
mod tool_loop;

pub use editor_tools::AutoMode;
pub use service::AutoModeService;

//! Auto mode: runs the editor tools that a model calls and returns their results to it, until it gives a final
//! response.
//!
//! The tools of the web that a request offers run in the same way, with or without auto mode: `web_session` finds the
//! editor's tools for them, `citations` the links to their pages.
//!
//! `AutoModeService` is the interface for the handlers. `editor_tools` decides which tools a request gets. `session` is
//! the actor of one request, and `tool_loop` the control flow inside it. `round_store` stores finished rounds while the
//! client runs tools of its own.

mod citations;
mod editor_tools;
mod round_store;
mod service;
mod session;
mod tool_call;
mod tool_loop;
mod web_session;

pub use editor_tools::AutoMode;
pub use service::AutoModeService;
pub use web_session::WebAccess;

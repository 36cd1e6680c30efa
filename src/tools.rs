//! The tools of VS Code: `selection` decides which of them a request gets, `executor` is the actor that runs them,
//! `changes` notices that they have changed, `web` finds those that search the web.

pub mod changes;
pub mod executor;
mod selection;
pub mod web;

pub use executor::ToolExecutor;
pub use selection::{check_count, matching, merged, runnable};

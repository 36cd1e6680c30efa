//! The tools of VS Code: `selection` decides which of them a request gets, `executor` is the actor that runs them,
//! `changes` notices that they have changed.

pub mod changes;
pub mod executor;
mod selection;

pub use executor::ToolExecutor;
pub use selection::{check_count, matching, merged, runnable};

//! The tools of VS Code: `selection` decides which of them a request gets, `executor` is the actor that runs them.

pub mod executor;
mod selection;

pub use executor::ToolExecutor;
pub use selection::{check_count, matching, may_run, merged};

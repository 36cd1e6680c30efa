//! Who keeps the facts that several parties change. Thin: facts and lifetimes here, logic in pure functions.

pub mod arrivals;
pub mod model_registry;
pub mod session;
pub mod tool_executor;

pub use model_registry::ModelRegistry;
pub use tool_executor::ToolExecutor;

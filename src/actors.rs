//! Who keeps the facts that several parties change. Thin: facts and lifetimes here, logic in pure functions.

pub mod model_registry;

pub use model_registry::ModelRegistry;

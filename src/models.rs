//! The models that the attached editors offer: which exist, which one a name means, and which editor has it.
//!
//! `registry` is the actor that keeps the facts, `resolve` and `structure` decide from them, `availability` lets a
//! request wait for an editor that is about to attach.

pub mod availability;
pub mod registry;
pub mod resolve;
pub mod structure;

pub use registry::ModelRegistry;
pub use resolve::{ModelEntry, merge_lists, resolve, resolve_to_nearest};

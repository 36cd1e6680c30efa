//! The models of the attached editors, the resolution of names to them, and the choice of an editor.
//!
//! `registry` is the actor that knows the editors. `resolve` and `model_name` are pure: they find the model that a name
//! means. `permitted` keeps to the models that a
//! client's key allows. `availability` lets a request wait for an editor that is about to attach.

pub mod auto;
pub mod availability;
mod model_name;
mod permitted;
pub mod registry;
pub mod resolve;

pub use permitted::permitted;
pub use registry::ModelRegistry;
pub use resolve::{ModelEntry, merge_lists, resolve, with_tier};

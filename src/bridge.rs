//! The bridge: how the server talks to the editors attached to it, over a local socket that is the user's alone.
//!
//! `protocol` says what is said, `frames` how it travels.

pub mod frames;
pub mod protocol;

//! The client of a request, as far as its API key names it: `identity` is part of each request, `key` the name, limits and
//! permissions of a key. The key that `http/access.rs` checks has no name yet, so all clients are anonymous.

mod identity;
mod key;

pub use identity::ClientIdentity;
pub use key::{Key, KeyKind, KeyLimits};

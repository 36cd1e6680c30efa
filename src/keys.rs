//! API keys: which are valid, and the client that a key names.
//!
//! There are three kinds: those that the user makes in VS Code, one for each program that `copilot-proxy run` starts, and
//! one for each client that `copilot-proxy setup` configures. A key is known by its SHA-256 only. `ring` has the valid
//! keys, `key` is one of them, and `identity` travels with each request.

mod identity;
mod key;

pub use identity::ClientIdentity;
pub use key::{Key, KeyKind, KeyLimits};

//! The client of a request, as far as its API key names it: `ring` has the valid keys and finds the one that a request
//! carries, `key` is its name, limits and permissions, `identity` is part of each request. `setup_keys` is the file of keys
//! that `copilot-proxy setup` makes, `text` makes and hashes a key's text.

mod identity;
mod key;
mod ring;
mod setup_keys;
mod text;

pub use identity::ClientIdentity;
pub use key::{Key, KeyKind, KeyLimits};
pub use ring::KeyRing;
pub use setup_keys::SetupKeys;
pub use text::{RUN_PREFIX, make as make_text};

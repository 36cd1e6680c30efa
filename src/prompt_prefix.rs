//! The prefix doctor: compares each request with the one before it in its conversation, since providers cache the prefix of
//! a request, and says what changed first. It keeps hashes, sizes and tool names, never words.
//!
//! `fingerprint` makes the hashes of a request, `compare` finds the first difference of two, `store` finds the request
//! before. All are pure but for the store, which is bounded memory.

mod compare;
mod fingerprint;
mod prefix_break;
mod store;

pub use fingerprint::Fingerprint;
pub use prefix_break::PrefixBreak;
pub use store::{CACHED_FOR, Comparison, PrefixStore, SentRequest};

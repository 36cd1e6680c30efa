//! The text of a key: how it is made and hashed.

use std::io;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// Beginning of the keys of programs that `copilot-proxy run` starts.
pub const RUN_PREFIX: &str = "cp-run-";

/// Beginning of the keys that `copilot-proxy setup` makes.
pub(super) const SETUP_PREFIX: &str = "cp-setup-";

/// Random bytes of a key.
const BYTES: usize = 24;

/// SHA-256 of a key's text.
pub(super) type Hash = [u8; 32];

/// A new key with this beginning: 192 random bits.
pub fn make(prefix: &str) -> io::Result<String> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    Ok(format!("{prefix}{}", URL_SAFE_NO_PAD.encode(bytes)))
}

/// The value of the cookie of a browser that has logged in with the key of this hash. Another server's `secret` makes another
/// value, and neither key nor hash can be found from it.
pub(super) fn cookie(secret: &str, key: &Hash) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::new().chain_update(secret).chain_update(key).finalize())
}

/// The hash of a key's text.
pub(super) fn hash(text: &[u8]) -> Hash {
    Sha256::digest(text).into()
}

//! Random ids, from randomness that is read in blocks: a system call for each would cost more than all else about an id.

use std::cell::RefCell;

/// Bytes of randomness that are read at once.
const BLOCK: usize = 2048;

/// Bytes of an id.
const LENGTH: usize = 16;

struct Block {
    bytes: [u8; BLOCK],
    used: usize,
}

thread_local! {
    static RANDOM: RefCell<Block> = const { RefCell::new(Block { bytes: [0; BLOCK], used: BLOCK }) };
}

/// 122 random bits as 32 hex digits, in the form of a UUID of version 4. No byte of randomness is used twice.
pub(super) fn random_id() -> uuid::fmt::Simple {
    let bytes = RANDOM.with_borrow_mut(Block::take);
    bytes
        .map_or_else(uuid::Uuid::new_v4, |bytes| uuid::Builder::from_random_bytes(bytes).into_uuid())
        .simple()
}

impl Block {
    /// Takes the next bytes; `None` if the system gives none.
    fn take(&mut self) -> Option<[u8; LENGTH]> {
        if self.used >= BLOCK {
            getrandom::fill(&mut self.bytes).ok()?;
            self.used = 0;
        }
        let bytes = self.bytes.get_mut(self.used..)?.first_chunk_mut::<LENGTH>()?;
        self.used += LENGTH;
        Some(std::mem::take(bytes))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn ids_are_different_across_blocks() {
        let ids: HashSet<String> = (0..1000).map(|_| random_id().to_string()).collect();
        assert_eq!(ids.len(), 1000);
        assert!(ids.iter().all(|id| id.len() == 32), "{ids:?}");
    }
}

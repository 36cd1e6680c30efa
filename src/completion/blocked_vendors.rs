//! Blocks of the extension by a provider. Copilot blocks an extension that sends too much for 300 s, and each further
//! request of it counts against the user. While a block lasts, requests are answered here and none reaches the provider.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::failure::Failure;

/// Duration of a block, whatever the service says: Copilot's provider counts from the first refusal and sends no
/// duration.
pub const BLOCK: Duration = Duration::from_mins(5);

/// Whether a sentence is that of Copilot's own blocks, which last [`BLOCK`]. How long another provider blocks is not known:
/// its refusals are passed on one by one.
pub fn is_copilots(message: &str) -> bool {
    message.contains("has been temporarily blocked")
}

/// The blocks that last, by the vendor of the provider; clones share them.
#[derive(Clone, Default)]
pub struct BlockedVendors(Arc<Mutex<HashMap<String, Block>>>);

struct Block {
    until: Instant,
    /// The provider's sentence.
    message: String,
}

impl BlockedVendors {
    /// Fails while a block by this vendor lasts.
    pub(super) fn check(&self, vendor: &str) -> Result<(), Failure> {
        let mut blocks = self.0.lock();
        let Some(Block { until, message }) = blocks.get(vendor) else { return Ok(()) };
        let remaining = until.saturating_duration_since(Instant::now());
        if remaining.is_zero() {
            blocks.remove(vendor);
            return Ok(());
        }
        Err(Failure::Blocked { message: message.clone(), remaining })
    }

    /// Records that the vendor has refused a request because of a block, and returns the failure of that request. Later
    /// refusals of requests that ran already don't prolong the block.
    pub(super) fn record(&self, vendor: &str, message: String) -> Failure {
        if let Err(failure) = self.check(vendor) {
            return failure;
        }
        let block = Block { until: Instant::now() + BLOCK, message: message.clone() };
        self.0.lock().insert(vendor.to_owned(), block);
        Failure::Blocked { message, remaining: BLOCK }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remaining(result: Result<(), Failure>) -> Option<u64> {
        match result {
            Ok(()) => None,
            Err(Failure::Blocked { remaining, .. }) => Some(remaining.as_secs()),
            Err(other) => panic!("{other}"),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn block_lasts_five_minutes_from_the_first_refusal() {
        let blocks = BlockedVendors::default();
        assert_eq!(remaining(blocks.check("copilot")), None);
        blocks.record("copilot", "too many".into());
        tokio::time::advance(Duration::from_secs(100)).await;
        assert_eq!(remaining(blocks.check("copilot")), Some(200));
        let again = blocks.record("copilot", "too many, again".into());
        let remaining_time = Duration::from_secs(200);
        assert_eq!(again, Failure::Blocked { message: "too many".into(), remaining: remaining_time });
        tokio::time::advance(Duration::from_secs(200)).await;
        assert_eq!(remaining(blocks.check("copilot")), None);
        blocks.record("copilot", "too many".into());
        assert_eq!(remaining(blocks.check("copilot")), Some(300));
    }

    #[tokio::test(start_paused = true)]
    async fn block_applies_to_one_vendor() {
        let blocks = BlockedVendors::default();
        blocks.record("copilot", "too many".into());
        assert_eq!(remaining(blocks.check("other")), None);
    }
}

//! The wait after rate limits. The provider sends no duration, so the wait doubles with each limit in a row.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::provider_error::{self, Classification, Provider};
use crate::bridge::protocol::ProviderError;
use crate::failure::Failure;

/// Number of rate limits since the last complete response; clones share it.
#[derive(Clone, Default)]
pub struct RateLimitBackoff(Arc<AtomicU32>);

impl RateLimitBackoff {
    /// Classifies an error of the provider, and counts it if it is a rate limit.
    pub(super) fn classify(&self, error: &ProviderError, provider: Provider) -> Classification {
        let in_a_row = self.0.load(Ordering::Relaxed).saturating_add(1);
        let classification = provider_error::classify(error, provider, in_a_row);
        if matches!(classification, Classification::Failed(Failure::RateLimited { .. })) {
            self.0.store(in_a_row, Ordering::Relaxed);
        }
        classification
    }

    /// Resets the count after a complete response.
    pub(super) fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

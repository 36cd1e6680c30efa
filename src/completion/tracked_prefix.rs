//! Compares a request with the one before it in its conversation, and keeps it for the next one once a model has accepted
//! it.

use std::sync::{Arc, Once};

use super::price::PriceList;
use crate::bridge::protocol::{ModelInfo, PrefixLoss};
use crate::conversation::Usage;
use crate::log::quoted;
use crate::prompt_prefix::{Comparison, PrefixBreak, PrefixStore, SentRequest};

/// Fewest tokens that OpenAI's cache takes, and Anthropic's of most models.
const MIN_CACHED: u64 = 1024;

/// A request and its comparison with the one before; clones share it.
#[derive(Clone)]
pub(super) struct TrackedPrefix(Arc<Tracked>);

struct Tracked {
    store: PrefixStore,
    request: Arc<SentRequest>,
    comparison: Option<Comparison>,
    kept: Once,
}

/// The comparison of a request with the one before it in its conversation.
#[derive(Clone, Debug, PartialEq)]
pub struct PrefixReport {
    /// Part of the possible common prefix that it kept, from 0 to 1.
    pub kept: f64,
    /// The change that ended it, and its cost.
    pub broken_by: Option<(PrefixBreak, PrefixLoss)>,
}

impl TrackedPrefix {
    /// Compares a request.
    pub fn new(store: &PrefixStore, request: SentRequest) -> TrackedPrefix {
        let comparison = store.compare(&request);
        let request = Arc::new(request);
        TrackedPrefix(Arc::new(Tracked { store: store.clone(), request, comparison, kept: Once::new() }))
    }

    /// Records that the model has accepted the request; only the first call counts.
    pub fn accepted(&self) {
        let Tracked { store, request, comparison, kept } = &*self.0;
        kept.call_once(|| store.insert(request.clone(), comparison.as_ref()));
    }

    /// Tokens that the provider's cache is likely to have; none below the length that it takes.
    pub fn cached_tokens(&self) -> Option<u64> {
        self.0
            .comparison
            .as_ref()
            .map(|comparison| comparison.cached_tokens)
            .filter(|tokens| *tokens >= MIN_CACHED)
    }

    /// The comparison, with the cost of a change at the model's prices; `None` for the first request of a conversation.
    pub fn report(&self, model: &ModelInfo) -> Option<PrefixReport> {
        let Comparison { kept, broken_by, lost_tokens, .. } = self.0.comparison.as_ref()?;
        let loss = || PrefixLoss {
            tokens: *lost_tokens,
            credits: price_above_cached(*lost_tokens, self.0.request.tokens, model),
        };
        let broken_by = broken_by.clone().map(|change| (change, loss()));
        Some(PrefixReport { kept: *kept, broken_by })
    }
}

impl PrefixReport {
    /// Logs a prefix that broke.
    pub fn log(&self, request_id: &str) {
        if let Some((change, loss)) = &self.broken_by {
            log::info!(
                "prefix broken request={request_id} kept={:.3} break={} lost_tokens={}{}",
                self.kept,
                quoted(&change.to_string()),
                loss.tokens,
                loss.credits.map(|credits| format!(" lost_credits={credits:.4}")).unwrap_or_default()
            );
        }
    }
}

/// Price of tokens of an input, above that of cached ones.
fn price_above_cached(tokens: u64, input: u64, model: &ModelInfo) -> Option<f64> {
    let prices = PriceList::of(model)?;
    let cost = |cached| prices.estimate(&Usage { input, cached, ..Usage::default() }).amount();
    Some((cost(0) - cost(tokens.min(input))).max(0.0))
}

//! Models that `auto` was routed to, by tier. Copilot keeps a route for all requests of an extension until shortly before
//! it expires, and trims a prompt that is too long for its model without an error.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::conversation::RoutedModel;

/// Age at which a route is forgotten: the next prompt may go to another model.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(10);

/// The latest routes; clones share them.
#[derive(Clone, Default)]
pub struct RoutedModels(Arc<Mutex<HashMap<String, (RoutedModel, Instant)>>>);

impl RoutedModels {
    /// Records the model that a response of this tier came from; the empty tier is the provider's default.
    pub(super) fn record(&self, tier: &str, model: RoutedModel) {
        self.0.lock().insert(tier.to_owned(), (model, Instant::now()));
    }

    /// The model that the next request of this tier is likely to go to.
    pub(super) fn latest(&self, tier: &str) -> Option<RoutedModel> {
        let routes = self.0.lock();
        let (model, since) = routes.get(tier)?;
        (since.elapsed() < FORGOTTEN_AFTER).then_some(*model)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn route_is_known_per_tier_until_it_expires() {
        let routes = RoutedModels::default();
        let model = RoutedModel::new("gpt-5-codex").unwrap();
        routes.record("balance", model);
        assert_eq!((routes.latest("balance"), routes.latest("")), (Some(model), None));
        tokio::time::advance(FORGOTTEN_AFTER).await;
        assert_eq!(routes.latest("balance"), None);
    }
}

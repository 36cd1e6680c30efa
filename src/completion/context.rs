//! Shared state of all completions: the actors, limits and settings that one needs on its way. It decides nothing.

use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use parking_lot::{Mutex, RwLock};

use super::admission::Admission;
use super::routed_models::RoutedModels;
use super::standard_context::StandardContexts;
use super::{BlockedVendors, RateLimitBackoff};
use crate::bridge::protocol::UserSettings;
use crate::models::ModelRegistry;
use crate::models::availability::EditorAvailability;
use crate::prompt_prefix::PrefixStore;
use crate::tokens::Calibration;

/// Everything a completion needs; shared by all of them.
pub struct CompletionContext {
    /// Resolves a model's name to the editors that have the model.
    pub registry: Addr<ModelRegistry>,
    /// Waits for an editor that is about to attach.
    pub availability: EditorAvailability,
    /// The user's settings in VS Code, as the last editor sent them.
    pub user_settings: Arc<RwLock<Arc<UserSettings>>>,
    /// Limits the requests that run and those that wait.
    pub admission: Admission,
    /// Ratio of reported to counted tokens, by model family.
    pub calibration: Arc<Mutex<Calibration>>,
    /// Computes the wait after a rate limit, which the provider doesn't send.
    pub back_off: RateLimitBackoff,
    /// Blocks by providers that last.
    pub blocked_vendors: BlockedVendors,
    /// Models that `auto` was routed to.
    pub routed_models: RoutedModels,
    /// Latest requests of conversations, for comparison.
    pub prefixes: PrefixStore,
    /// Largest prompts at the standard price of models.
    pub standard_contexts: StandardContexts,
    /// Longest time without output from the model; the user's setting if absent.
    pub model_timeout: Option<Duration>,
}

impl CompletionContext {
    /// Longest time without output from the model: the server's option, else the user's setting.
    pub(super) fn model_timeout(&self) -> Duration {
        self.model_timeout
            .unwrap_or_else(|| Duration::from_secs(self.user_settings.read().model_timeout.into()))
    }
}

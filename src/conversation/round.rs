//! The cost of one round of auto mode.

use std::sync::Arc;

use super::{Credits, PremiumRequests};

/// One model request of auto mode, with all attempts that it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Round {
    /// Its number, from 1.
    pub round: u32,
    /// Id of the model that responded: of `auto` the one that it was routed to, where the provider tells.
    pub model: Arc<str>,
    /// Input tokens.
    pub input: u64,
    /// Output tokens.
    pub output: u64,
    /// Cost; absent where it is unknown.
    pub credits: Option<Credits>,
    /// Premium requests; absent for models that are billed by tokens.
    pub premium_requests: Option<PremiumRequests>,
}

//! The reasons for which a response ends early.

use super::protocol::ProviderError;
use crate::failure::Failure;

/// Reason for the early end of a response.
#[derive(Clone, Debug, PartialEq)]
pub enum BridgeError {
    /// The provider's error; `completion` classifies it.
    Editor(ProviderError),
    /// Ended by the bridge or the server.
    Failed(Failure),
}

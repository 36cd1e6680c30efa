//! Failures that cost nothing.

use super::Failure;

impl Failure {
    /// Whether a request that fails so before any output costs nothing: the provider has refused it, or never got it.
    /// Of all others the model may have read the input.
    pub fn is_free(&self) -> bool {
        match self {
            Failure::ContentFiltered { .. }
            | Failure::ModelTimeout { .. }
            | Failure::BadAnswer { .. }
            | Failure::EditorGone
            | Failure::Stopping
            | Failure::Cancelled
            | Failure::KeyRevoked
            | Failure::ClientTooSlow
            | Failure::Internal { .. } => false,
            Failure::Invalid { .. }
            | Failure::Unsupported { .. }
            | Failure::ThreadUnsupported
            | Failure::UnknownResponse { .. }
            | Failure::NoSuchResponse { .. }
            | Failure::UnknownItem { .. }
            | Failure::TooLong { .. }
            | Failure::TooLongForSetting { .. }
            | Failure::TooLongForProvider
            | Failure::BodyTooLarge { .. }
            | Failure::ReceiveTimeout { .. }
            | Failure::NotJson { .. }
            | Failure::UnknownCoding { .. }
            | Failure::NoWebSocket { .. }
            | Failure::NoSuchPath { .. }
            | Failure::WrongMethod { .. }
            | Failure::Unauthorized
            | Failure::Forbidden { .. }
            | Failure::UnknownModel { .. }
            | Failure::ModelNotAllowed { .. }
            | Failure::NoModels { .. }
            | Failure::ConsentMissing { .. }
            | Failure::QuotaExceeded { .. }
            | Failure::RateLimited { .. }
            | Failure::Blocked { .. }
            | Failure::Overloaded { .. }
            | Failure::ProviderUnavailable { .. }
            | Failure::Provider { .. }
            | Failure::ToolsTimeout { .. }
            | Failure::TooManyRequests { .. } => true,
        }
    }
}

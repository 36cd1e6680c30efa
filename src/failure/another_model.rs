//! Failures after which another model may be asked.

use super::Failure;

impl Failure {
    /// Whether another model may respond where this one could not: its quota, rate limit or block, an overloaded or
    /// silent service, or a model that is absent or that the key doesn't permit. A request that is wrong for any model
    /// stays with its failure, and so does a prompt that is too long: agents compact their conversation at that error.
    pub fn allows_another_model(&self) -> bool {
        match self {
            Failure::UnknownModel { .. }
            | Failure::ModelNotAllowed { .. }
            | Failure::QuotaExceeded { .. }
            | Failure::RateLimited { .. }
            | Failure::Blocked { .. }
            | Failure::Overloaded { .. }
            | Failure::ProviderUnavailable { .. }
            | Failure::ModelTimeout { .. }
            | Failure::EditorGone => true,
            Failure::Provider { status, code, .. } => {
                matches!(status, 404 | 408 | 429 | 500..)
                    // Copilot's service says so with status 400.
                    || matches!(code.as_deref(), Some("model_not_supported" | "model_not_found"))
            }
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
            | Failure::KeyRevoked
            | Failure::Forbidden { .. }
            // No model of any name: the others are absent, too.
            | Failure::NoModels { .. }
            | Failure::ConsentMissing { .. }
            | Failure::ContentFiltered { .. }
            | Failure::ToolsTimeout { .. }
            | Failure::BadAnswer { .. }
            | Failure::Stopping
            | Failure::Cancelled
            | Failure::ClientTooSlow
            | Failure::TooManyRequests { .. }
            | Failure::Internal { .. } => false,
        }
    }

    /// Whether the conversation is too long for the model.
    pub fn is_too_long(&self) -> bool {
        matches!(
            self,
            Failure::TooLong { .. } | Failure::TooLongForSetting { .. } | Failure::TooLongForProvider
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn status_and_code_of_the_service_decide() {
        let failure = |status, code: Option<&str>| Failure::Provider {
            status,
            code: code.map(Into::into),
            message: String::new(),
        };
        for status in [404, 408, 429, 500, 502, 503, 529] {
            assert!(failure(status, None).allows_another_model(), "{status}");
        }
        for status in [400, 409, 413, 422] {
            assert!(!failure(status, Some("invalid_request_body")).allows_another_model(), "{status}");
        }
        assert!(failure(400, Some("model_not_supported")).allows_another_model());
    }
}

//! Failures without private text, for the log: their messages quote clients, models and providers, which log lines do
//! only where the user wants it.

use super::{Failure, shortened};

impl Failure {
    /// Its kind, status, code and place, and its message where that is in words of our own.
    pub fn redacted(&self) -> String {
        let (kind, status) = (self.kind(), self.status());
        match self {
            Failure::Invalid { at, .. } | Failure::Unsupported { at, .. } if !at.is_empty() => {
                format!("{kind} ({status}) at {:?}", shortened(at))
            }
            Failure::Provider { code: Some(code), .. } => format!("{kind} ({status}, {:?})", shortened(code)),
            Failure::Forbidden { code, .. } => format!("{kind} ({status}, {code})"),
            Failure::Invalid { .. }
            | Failure::Unsupported { .. }
            | Failure::UnknownResponse { .. }
            | Failure::UnknownItem { .. }
            | Failure::NoSuchResponse { .. }
            | Failure::NotJson { .. }
            | Failure::UnknownCoding { .. }
            | Failure::NoWebSocket { .. }
            | Failure::NoSuchPath { .. }
            | Failure::WrongMethod { .. }
            | Failure::UnknownModel { .. }
            | Failure::ModelNotAllowed { .. }
            | Failure::QuotaExceeded { .. }
            | Failure::RateLimited { .. }
            | Failure::Blocked { .. }
            | Failure::Overloaded { .. }
            | Failure::ContentFiltered { .. }
            | Failure::ProviderUnavailable { .. }
            | Failure::Provider { .. }
            | Failure::BadAnswer { .. }
            | Failure::ConsentMissing { .. }
            | Failure::Internal { .. } => format!("{kind} ({status})"),
            Failure::ThreadUnsupported
            | Failure::TooLong { .. }
            | Failure::TooLongForSetting { .. }
            | Failure::TooLongForProvider
            | Failure::BodyTooLarge { .. }
            | Failure::ReceiveTimeout { .. }
            | Failure::Unauthorized
            | Failure::KeyRevoked
            | Failure::NoModels { .. }
            | Failure::ModelTimeout { .. }
            | Failure::ToolsTimeout { .. }
            | Failure::EditorGone
            | Failure::Stopping
            | Failure::Cancelled
            | Failure::ClientTooSlow
            | Failure::TooManyRequests { .. } => format!("{kind} ({status}): {self}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_is_kept_and_the_value_redacted() {
        let role = Failure::invalid("messages[2].role", "unknown variant `my secret`, expected `user`");
        assert_eq!(role.redacted(), "invalid_request (400) at \"messages[2].role\"");
        let body = Failure::invalid("", "the body is not valid JSON: my secret");
        assert_eq!(body.redacted(), "invalid_request (400)");
        let message = || "the tool my_secret is not known".to_owned();
        let provider = Failure::Provider { status: 502, code: Some("bad_tool".into()), message: message() };
        assert_eq!(provider.redacted(), "provider (502, \"bad_tool\")");
        assert_eq!(Failure::ConsentMissing { message: message() }.redacted(), "consent_missing (403)");
        let schema = Failure::invalid("tools[0].my\nsecret", "wrong");
        assert_eq!(schema.redacted(), r#"invalid_request (400) at "tools[0].my\nsecret""#);
        assert_eq!(Failure::BadAnswer { message: message() }.redacted(), "bad_answer (502)");
    }

    #[test]
    fn own_messages_are_not_redacted() {
        let long = Failure::TooLong { tokens: 2, maximum: 1 };
        assert_eq!(long.redacted(), "too_long (400): prompt is too long: 2 tokens > 1 maximum");
        assert_eq!(Failure::Stopping.redacted(), "stopped (503): Copilot Proxy was stopped");
    }
}

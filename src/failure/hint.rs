//! One word for each failure, and what a user can do about it. The panel shows both beside the message.

use super::{Failure, Quota};

impl Failure {
    /// One word for it, for people and programs.
    pub fn kind(&self) -> &'static str {
        self.kind_and_hint().0
    }

    /// A sentence on what a user can do about it.
    pub fn hint(&self) -> &'static str {
        self.kind_and_hint().1
    }

    #[allow(clippy::too_many_lines)] // One table.
    fn kind_and_hint(&self) -> (&'static str, &'static str) {
        match self {
            Failure::Invalid { .. } => {
                ("invalid_request", "The client sent something wrong: the message names the place.")
            }
            Failure::Unsupported { .. } => (
                "unsupported",
                "The client asks for something that VS Code's models can't do. Switch it off in the client.",
            ),
            Failure::ThreadUnsupported => {
                ("thread_unsupported", "Nothing: the client falls back to sending the whole conversation.")
            }
            Failure::UnknownResponse { .. }
            | Failure::NoSuchResponse { .. }
            | Failure::UnknownItem { .. } => (
                "not_kept",
                "Start a new conversation in the client. Earlier answers are kept in memory, and only the latest.",
            ),
            Failure::TooLong { .. } | Failure::TooLongForSetting { .. } | Failure::TooLongForProvider => (
                "too_long",
                "Shorten or compact the conversation, send fewer tools, or take a model with a larger limit: the Models tab \
                 shows the limits.",
            ),
            Failure::BodyTooLarge { .. } => {
                ("body_too_large", "Send less in one request: fewer or smaller images, for example.")
            }
            Failure::ReceiveTimeout { .. } => {
                ("receive_timeout", "The client was too slow in sending its request. Send it again.")
            }
            Failure::NotJson { .. } => ("not_json", "Web pages must send `content-type: application/json`."),
            Failure::UnknownCoding { .. } => ("unknown_coding", "Let the client send unpacked requests."),
            Failure::NoWebSocket { .. } => ("no_web_socket", "Nothing: the client falls back to HTTP."),
            Failure::NoSuchPath { .. } => (
                "no_such_path",
                "Check the base URL in the client: OpenAI's ends with /v1, Anthropic's does not.",
            ),
            Failure::WrongMethod { .. } => ("wrong_method", "Check the base URL in the client."),
            Failure::Unauthorized => (
                "unauthorized",
                "Give the client a valid key: Copilot Proxy: Manage Keys... copies or adds one. Without any key there, none is \
                 needed.",
            ),
            Failure::KeyRevoked => (
                "key_revoked",
                "Give the client a valid key: Copilot Proxy: Manage Keys... copies or adds one.",
            ),
            Failure::ModelNotAllowed { .. } => (
                "model_not_allowed",
                "Ask for a model that the key may use, or change the key: Copilot Proxy: Manage Keys...",
            ),
            Failure::Forbidden { .. } => (
                "forbidden",
                "If you trust the caller, change the setting or the key that the message names.",
            ),
            Failure::UnknownModel { .. } => (
                "unknown_model",
                "Ask for one of the models in the Models tab. A family (`sonnet`, `gpt-4o`) will do too.",
            ),
            Failure::NoModels { .. } => (
                "no_models",
                "Open VS Code with GitHub Copilot installed and signed in. The models appear here by themselves.",
            ),
            Failure::ConsentMissing { .. } => {
                ("consent_missing", "Click Allow Models and confirm VS Code's question. It asks once.")
            }
            Failure::QuotaExceeded { quota: Quota::Budget, .. } => (
                "budget_exceeded",
                "Choose Add 50 or Lift for Today in the notification, or change the setting copilotProxy.budgets or the limit \
                 of the key.",
            ),
            Failure::QuotaExceeded { quota: Quota::Provider, .. } => (
                "quota_exceeded",
                "Your Copilot quota is used up. Take a model that costs no premium requests, or see your plan in the \
                 Copilot menu of the status bar.",
            ),
            Failure::RateLimited { .. } => {
                ("rate_limited", "Wait a moment, ask less at the same time, or take another model.")
            }
            Failure::Blocked { .. } => (
                "blocked",
                "Copilot blocks an extension for five minutes when it sends too much. Wait, then let the client send less at \
                 the same time.",
            ),
            Failure::Overloaded { .. } => ("overloaded", "Try again in a moment, or take another model."),
            Failure::ContentFiltered { .. } => {
                ("content_filtered", "The service filtered the question or the answer. Say it differently.")
            }
            Failure::ProviderUnavailable { .. } => {
                ("provider_unavailable", "Open Copilot's chat in VS Code: it says what is missing.")
            }
            Failure::Provider { .. } => {
                ("provider", "Copilot's service answered with an error. Try again, or take another model.")
            }
            Failure::ModelTimeout { .. } => (
                "model_timeout",
                "Try again. If the model needs longer to think, raise the setting `copilotProxy.modelTimeout`.",
            ),
            Failure::ToolsTimeout { .. } => (
                "tools_timeout",
                "The window is busy, or halted in a debugger. Reload it, or try again when it responds.",
            ),
            Failure::BadAnswer { .. } => (
                "bad_answer",
                "The model did not answer in the form that was demanded. Try again, or take another model.",
            ),
            Failure::EditorGone => (
                "editor_gone",
                "The window that was answering was closed or reloaded. Send the request again.",
            ),
            Failure::Stopping => ("stopped", "Start the server and send the request again."),
            Failure::Cancelled => ("cancelled", "You cancelled it here; the client got an error."),
            Failure::ClientTooSlow => {
                ("client_too_slow", "The client stopped reading its answer. See whether it hangs.")
            }
            Failure::TooManyRequests { .. } => {
                ("too_many_requests", "Let the client ask less at the same time.")
            }
            Failure::Internal { .. } => {
                ("internal", "This is a fault of Copilot Proxy's: the log says more.")
            }
        }
    }
}

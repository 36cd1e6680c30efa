//! The client of a request, as far as its key names it.

use std::sync::Arc;

use super::key::{Key, KeyKind, KeyLimits};

/// The client of a request; cheap to clone. Anonymous where it sent no valid key, which is fine unless keys are necessary.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClientIdentity {
    key: Option<Arc<Key>>,
}

impl ClientIdentity {
    /// The client that a key names.
    pub fn of(key: Arc<Key>) -> ClientIdentity {
        ClientIdentity { key: Some(key) }
    }

    /// Name of the key; the usage database has it in the column `key`.
    pub fn key_name(&self) -> Option<&str> {
        self.key.as_ref().map(|key| key.name.as_str())
    }

    /// Session of a client that names none itself: all requests of a program that `copilot-proxy run` started are one.
    pub fn session(&self) -> Option<&str> {
        self.key.as_ref().filter(|key| key.kind == KeyKind::Run).map(|key| key.name.as_str())
    }

    /// Limits of the key; an anonymous client has none of its own.
    pub fn limits(&self) -> KeyLimits {
        self.key.as_ref().map(|key| key.limits).unwrap_or_default()
    }

    /// Whether the client may see and run the editor's tools, as far as its key decides.
    pub fn may_use_tools(&self) -> bool {
        self.key.as_ref().is_none_or(|key| key.may_use_tools)
    }

    /// Whether the client may use the model with this id.
    pub fn allows_model(&self, id: &str) -> bool {
        self.key.as_ref().is_none_or(|key| key.allows_model(id))
    }
}

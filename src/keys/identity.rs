//! The client of a request, as far as its key names it.

use std::future::pending;
use std::sync::Arc;

use tokio::sync::watch;

use super::key::{Key, KeyKind, KeyLimits};

/// The client of a request; cheap to clone. Anonymous where it sent no valid key, which is fine unless keys are necessary.
#[derive(Clone, Debug, Default)]
pub struct ClientIdentity {
    key: Option<Arc<Key>>,
    /// Its sender is dropped when the key is revoked, or when keys turn out to be necessary; absent for a key that no ring
    /// has.
    validity: Option<watch::Receiver<()>>,
}

impl ClientIdentity {
    /// The client that a key names.
    pub fn of(key: Arc<Key>) -> ClientIdentity {
        ClientIdentity { key: Some(key), validity: None }
    }

    /// The client that a key names until the sender of `validity` is dropped.
    pub(super) fn while_valid(key: Arc<Key>, validity: watch::Receiver<()>) -> ClientIdentity {
        ClientIdentity { key: Some(key), validity: Some(validity) }
    }

    /// A client without a key, whose requests end when the sender of `validity` is dropped.
    pub(super) fn on_trial(validity: watch::Receiver<()>) -> ClientIdentity {
        ClientIdentity { key: None, validity: Some(validity) }
    }

    /// Whether its requests may end because keys turn out to be necessary.
    pub fn is_on_trial(&self) -> bool {
        self.key.is_none() && self.validity.is_some()
    }

    /// Whether it sent no valid key.
    pub fn is_anonymous(&self) -> bool {
        self.key.is_none()
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

    /// Whether nothing limits the client but what limits all.
    pub fn is_unrestricted(&self) -> bool {
        self.key.as_ref().is_none_or(|key| {
            key.kind != KeyKind::Run
                && key.models.is_empty()
                && key.may_use_tools
                && key.limits == KeyLimits::default()
        })
    }

    /// Patterns of the models that the client may use; empty if it may use all.
    pub fn models(&self) -> &[String] {
        self.key.as_ref().map_or(&[], |key| &key.models)
    }

    /// Waits until the key is revoked, or turns out to be missing; for ever if neither can happen.
    pub async fn revoked(&self) {
        let Some(mut validity) = self.validity.clone() else { return pending().await };
        // The ring never sends: this ends with an error when the sender is dropped.
        while validity.changed().await.is_ok() {}
    }
}

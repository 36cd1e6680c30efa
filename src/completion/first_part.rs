//! The moment at which a model accepts a request: its first part arrives. Before it the request may go to another model.

use std::sync::Arc;

use tokio::sync::watch;

/// Set by the runs of a request at their first part; clones share it.
#[derive(Clone)]
pub(super) struct Acceptance(Arc<watch::Sender<bool>>);

impl Default for Acceptance {
    fn default() -> Acceptance {
        Acceptance(Arc::new(watch::Sender::new(false)))
    }
}

impl Acceptance {
    /// Records that a part has arrived.
    pub fn set(&self) {
        self.0.send_replace(true);
    }

    /// Whether a part has arrived.
    pub fn is_set(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits for the first part.
    pub async fn wait(&self) {
        let mut accepted = self.0.subscribe();
        // The sender lives as long as `self`.
        let _ = accepted.wait_for(|accepted| *accepted).await;
    }
}

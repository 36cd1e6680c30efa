//! Lets a request wait for an editor with models. A window that reloads is back within seconds, and a window that has
//! just opened sends its models a moment after it has attached.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::failure::Failure;

/// Time when an editor last attached or detached; `None` if none is expected to attach.
type LastChange = Option<Instant>;

/// Notifies waiting requests of changes; owned by the registry.
pub(super) struct Notifier(watch::Sender<LastChange>);

/// Waits for an editor with models; clones share the notifications.
#[derive(Clone)]
pub struct EditorAvailability {
    last_change: watch::Receiver<LastChange>,
    timeout: Duration,
}

/// Makes a notifier and its receiver. Requests wait until `timeout` after the last editor has attached or detached. The
/// start of the server counts as such a change, since a window starts it and attaches next.
pub(super) fn channel(timeout: Duration) -> (Notifier, EditorAvailability) {
    let (sender, last_change) = watch::channel(Some(Instant::now()));
    (Notifier(sender), EditorAvailability { last_change, timeout })
}

impl Notifier {
    /// Notifies that an editor has attached or detached.
    pub(super) fn editors_changed(&self) {
        self.0.send_replace(Some(Instant::now()));
    }

    /// Notifies that an attached editor has sent its models.
    pub(super) fn models_changed(&self) {
        self.0.send_modify(|_| ());
    }

    /// Ends all waiting until the next editor attaches.
    pub(super) fn stop_waiting(&self) {
        self.0.send_replace(None);
    }
}

impl EditorAvailability {
    /// Runs `attempt`, and again after each change as long as it fails for want of an editor or its models, until the
    /// timeout.
    pub async fn retry_until_available<T>(
        &self,
        mut attempt: impl AsyncFnMut() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let start = Instant::now();
        let mut last_change = self.last_change.clone();
        // Before the first attempt, so that a change during the attempt isn't missed.
        last_change.mark_unchanged();
        loop {
            let (failure, detached) = match attempt().await {
                Err(failure @ Failure::NoModels { .. }) => (failure, None),
                // The editor has just disconnected, even if the registry doesn't know it yet.
                Err(failure @ Failure::EditorGone) => (failure, Some(start)),
                result => return result,
            };
            let latest =
                last_change.borrow().map(|last| detached.map_or(last, |detached| detached.max(last)));
            let deadline = latest.map(|latest| latest + self.timeout);
            let Some(deadline) = deadline.filter(|deadline| *deadline > Instant::now()) else {
                return Err(failure);
            };
            log::info!("request waits for a window with models");
            if !matches!(timeout_at(deadline, last_change.changed()).await, Ok(Ok(()))) {
                return Err(failure);
            }
        }
    }
}

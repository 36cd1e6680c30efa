//! When windows come and go, for a question that comes while none of them has a model: a window that reloads is back
//! in some seconds, and one that has just opened tells its models a moment later.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use crate::failure::Failure;

/// Time when a window last attached or left; `None` where none is expected.
type Last = Option<Instant>;

/// The registry's end.
pub(super) struct Notifier(watch::Sender<Last>);

/// The end of those who wait.
#[derive(Clone)]
pub struct EditorAvailability {
    last: watch::Receiver<Last>,
    patience: Duration,
}

/// Both ends. For `patience` after one has come or left, windows are waited for; a server starts as if one had just
/// come, for it is a window that starts it.
pub(super) fn channel(patience: Duration) -> (Notifier, EditorAvailability) {
    let (announcer, last) = watch::channel(Some(Instant::now()));
    (Notifier(announcer), EditorAvailability { last, patience })
}

impl Notifier {
    /// A window has come or left.
    pub(super) fn moved(&self) {
        self.0.send_replace(Some(Instant::now()));
    }

    /// Notifies that an attached window has sent its models.
    pub(super) fn told(&self) {
        self.0.send_modify(|_| ());
    }

    /// Ends all waiting until the next window attaches.
    pub(super) fn close(&self) {
        self.0.send_replace(None);
    }
}

impl EditorAvailability {
    /// Tries again after each change, while all that is missing is a window or its models, and one may still come.
    pub async fn retry_until_available<T>(
        &self,
        mut attempt: impl AsyncFnMut() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let begun = Instant::now();
        let mut last = self.last.clone();
        // Before the first attempt: a change during one is not to be missed.
        last.mark_unchanged();
        loop {
            let (failure, left) = match attempt().await {
                Err(failure @ Failure::NoModels { .. }) => (failure, None),
                // Its window has just left, even if that is not channel yet.
                Err(failure @ Failure::EditorGone) => (failure, Some(begun)),
                settled => return settled,
            };
            let until = last.borrow().map(|last| left.map_or(last, |left| left.max(last)) + self.patience);
            let Some(until) = until.filter(|until| *until > Instant::now()) else {
                return Err(failure);
            };
            log::info!("a question waits for a window with models");
            if !matches!(timeout_at(until, last.changed()).await, Ok(Ok(()))) {
                return Err(failure);
            }
        }
    }
}

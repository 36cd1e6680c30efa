//! Limits the requests that run at the same time, and those that wait for a permit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::failure::Failure;

/// Gives permits to requests, in the order in which they ask; clones share them.
#[derive(Clone)]
pub struct Admission {
    permits: Arc<Semaphore>,
    /// Length of the queue.
    queued: Arc<AtomicUsize>,
    max_queued: usize,
}

impl Admission {
    /// An admission that lets `max_running` requests run and `max_queued` more wait.
    pub fn new(max_running: usize, max_queued: usize) -> Admission {
        Admission { permits: Arc::new(Semaphore::new(max_running)), queued: Arc::default(), max_queued }
    }

    /// Waits for a permit; fails with `TooManyRequests` when the queue is full. Dropping the permit frees it.
    pub async fn acquire(&self) -> Result<OwnedSemaphorePermit, Failure> {
        if let Ok(permit) = self.permits.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let _slot = self.enqueue()?;
        let permit = self.permits.clone().acquire_owned().await;
        permit.map_err(Failure::internal)
    }

    /// Takes a slot in the queue, which is also for requests that wait for an editor.
    pub(super) fn enqueue(&self) -> Result<QueueSlot, Failure> {
        let slot = QueueSlot(self.queued.clone());
        if self.queued.fetch_add(1, Ordering::Relaxed) >= self.max_queued {
            return Err(Failure::TooManyRequests { limit: self.max_queued });
        }
        Ok(slot)
    }
}

/// A slot in the queue; dropping it frees it.
pub(super) struct QueueSlot(Arc<AtomicUsize>);

impl Drop for QueueSlot {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_full_queue_rejects_until_a_request_leaves_it() {
        let admission = Admission::new(1, 1);
        let running = admission.acquire().await.unwrap();
        let mut second = Box::pin(admission.acquire());
        assert!((&mut second).now_or_never().is_none());
        assert_eq!(admission.acquire().await.err(), Some(Failure::TooManyRequests { limit: 1 }));
        drop(second);
        let mut third = Box::pin(admission.acquire());
        assert!((&mut third).now_or_never().is_none());
        drop(running);
        assert!(third.await.is_ok());
    }
}

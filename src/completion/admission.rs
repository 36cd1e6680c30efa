//! Limits the requests that run at the same time, and those that wait for a permit.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::failure::Failure;

/// Lets questions in.
#[derive(Clone)]
pub struct Admission {
    turns: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    limit: usize,
}

impl Admission {
    /// `running` questions at once, and as many more as `limit` wait.
    pub fn new(running: usize, limit: usize) -> Admission {
        Admission { turns: Arc::new(Semaphore::new(running)), waiting: Arc::default(), limit }
    }

    /// Waits for a turn, which lasts until the permit is dropped.
    pub async fn wait(&self) -> Result<OwnedSemaphorePermit, Failure> {
        if let Ok(permit) = self.turns.clone().try_acquire_owned() {
            return Ok(permit);
        }
        let _place = self.queue()?;
        let turn = self.turns.clone().acquire_owned().await;
        turn.map_err(Failure::internal)
    }

    /// A place among those who wait, for whatever they wait.
    pub(super) fn queue(&self) -> Result<QueuePlace, Failure> {
        let place = QueuePlace(self.waiting.clone());
        if self.waiting.fetch_add(1, Ordering::Relaxed) >= self.limit {
            return Err(Failure::TooManyRequests { limit: self.limit });
        }
        Ok(place)
    }
}

/// A place in the queue, given up when it is dropped.
pub(super) struct QueuePlace(Arc<AtomicUsize>);

impl Drop for QueuePlace {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn the_queue_is_bounded_and_those_who_leave_make_room() {
        let admission = Admission::new(1, 1);
        let running = admission.wait().await.unwrap();
        let mut second = Box::pin(admission.wait());
        assert!((&mut second).now_or_never().is_none());
        assert_eq!(admission.wait().await.err(), Some(Failure::TooManyRequests { limit: 1 }));
        drop(second);
        let mut third = Box::pin(admission.wait());
        assert!((&mut third).now_or_never().is_none());
        drop(running);
        assert!(third.await.is_ok());
    }
}

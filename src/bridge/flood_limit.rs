//! The limit of what an editor may send besides its responses. Pure; the time is an input.
//!
//! Responses have budgets of their own. Messages about the connection, and parts of requests that are no longer open, would
//! otherwise keep the server busy for all other windows.

use std::time::Duration;

use tokio::time::Instant;

/// Messages that may come at once: a window sends a handful when it attaches, and a few for each click or change.
const MESSAGES: f64 = 500.0;

/// Messages a second that may come for ever.
const MESSAGES_PER_SECOND: f64 = 50.0;

/// Bytes that may come at once: some hundred models, and the rest of responses that were just cancelled.
const BYTES: f64 = 64.0 * 1024.0 * 1024.0;

/// Bytes a second that may come for ever.
const BYTES_PER_SECOND: f64 = 8.0 * 1024.0 * 1024.0;

/// Most models of an editor: twenty times what Copilot offers.
pub(super) const MAX_MODELS: usize = 1000;

/// Reasons for which an editor is dropped.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Flood {
    /// Too many messages.
    #[error("it sends more than {MESSAGES_PER_SECOND} messages a second about the connection")]
    Messages,
    /// Too many bytes.
    #[error("it sends more than {} MiB a second that belong to no running request", BYTES_PER_SECOND / 1024.0 / 1024.0)]
    Bytes,
    /// Too many models.
    #[error("it offers {models} models, at most {MAX_MODELS} are accepted")]
    Models {
        /// Number of models.
        models: usize,
    },
}

/// Number of messages and bytes that an editor may still send.
pub(super) struct FloodLimit {
    messages: Bucket,
    bytes: Bucket,
}

impl FloodLimit {
    /// The limit of an editor that attaches now.
    pub fn new(now: Instant) -> FloodLimit {
        FloodLimit {
            messages: Bucket { left: MESSAGES, max: MESSAGES, per_second: MESSAGES_PER_SECOND, updated: now },
            bytes: Bucket { left: BYTES, max: BYTES, per_second: BYTES_PER_SECOND, updated: now },
        }
    }

    /// Counts a message about the connection.
    pub fn message(&mut self, bytes: usize, now: Instant) -> Result<(), Flood> {
        self.messages.take(1.0, now).ok_or(Flood::Messages)?;
        self.late(bytes, now)
    }

    /// Counts a message or text about a request that is not open.
    pub fn late(&mut self, bytes: usize, now: Instant) -> Result<(), Flood> {
        let bytes = u32::try_from(bytes).map_or(BYTES, f64::from);
        self.bytes.take(bytes, now).ok_or(Flood::Bytes)
    }
}

/// A supply that is filled up at a steady rate.
struct Bucket {
    left: f64,
    max: f64,
    per_second: f64,
    updated: Instant,
}

impl Bucket {
    /// Takes an amount; `None` if less is left.
    fn take(&mut self, amount: f64, now: Instant) -> Option<()> {
        let elapsed: Duration = now.saturating_duration_since(self.updated);
        self.updated = now;
        self.left = (self.left + elapsed.as_secs_f64() * self.per_second).min(self.max) - amount;
        (self.left >= 0.0).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn messages_past_a_burst_are_limited_by_the_second() {
        let start = Instant::now();
        let mut limit = FloodLimit::new(start);
        let sent =
            |limit: &mut FloodLimit, now| (0..10_000).take_while(|_| limit.message(10, now).is_ok()).count();
        assert_eq!(sent(&mut limit, start), 500);
        assert_eq!(limit.message(10, start), Err(Flood::Messages));
        let mut limit = FloodLimit::new(start);
        for _ in 0..500 {
            limit.message(10, start).unwrap();
        }
        assert_eq!(sent(&mut limit, start + SECOND), 50);
    }

    #[test]
    fn bytes_of_closed_requests_are_limited() {
        let start = Instant::now();
        let mut limit = FloodLimit::new(start);
        let piece = 256 * 1024;
        assert_eq!((0..10_000).take_while(|_| limit.late(piece, start).is_ok()).count(), 256);
        assert_eq!(
            limit.late(piece, start).unwrap_err().to_string(),
            "it sends more than 8 MiB a second that belong to no running request"
        );
    }

    #[test]
    fn steady_use_is_not_limited() {
        let start = Instant::now();
        let mut limit = FloodLimit::new(start);
        for second in 0..1000 {
            for _ in 0..40 {
                assert_eq!(limit.message(100_000, start + SECOND * second), Ok(()));
            }
        }
    }
}

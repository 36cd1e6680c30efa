//! Time limits that don't count the time for which the server itself was frozen: by a suspended machine, a debugger or
//! SIGSTOP.

use std::time::Duration;

use tokio::time::sleep;

/// Parts into which a limit is divided. A freeze counts as one part, however long it lasts.
const PARTS: u32 = 30;

/// Sleeps for `limit`.
pub(super) async fn sleep_awake(limit: Duration) {
    for _ in 0..PARTS {
        sleep(limit / PARTS).await;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::time::advance;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    #[tokio::test(start_paused = true)]
    async fn freeze_counts_as_one_part_of_the_limit() {
        let mut limit = Box::pin(sleep_awake(LIMIT));
        assert!((&mut limit).now_or_never().is_none());
        advance(3 * LIMIT).await;
        assert!((&mut limit).now_or_never().is_none());
        for _ in 0..PARTS - 2 {
            advance(LIMIT / PARTS).await;
            assert!((&mut limit).now_or_never().is_none());
        }
        advance(LIMIT / PARTS).await;
        assert!((&mut limit).now_or_never().is_some());
    }
}

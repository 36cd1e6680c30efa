//! Work on large inputs runs on a blocking thread, so that it doesn't stall the server's single thread.

use crate::allocator;
use crate::failure::Failure;

/// Input size in bytes above which work moves to another thread. Below it the hand-over costs more than the work.
const OFFLOAD_ABOVE: usize = 256 * 1024;

/// Input size in bytes above which its memory is returned to the system afterwards.
const LARGE: usize = 1024 * 1024;

/// Runs `work` on a blocking thread if its input has more than 256 KiB, else right here.
///
/// A panic on the other thread becomes a failure of this request alone.
pub async fn run<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    if bytes <= OFFLOAD_ABOVE {
        return work();
    }
    if bytes > LARGE {
        allocator::expect_large();
    }
    tokio::task::spawn_blocking(work).await.map_err(Failure::internal)?
}

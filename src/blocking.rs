//! The one thread that everything runs on must not be held up by one large request.

use crate::failure::Failure;

/// Work on more than this many bytes is done on another thread. Below it, handing the work over costs more than
/// doing it.
pub const LARGE: usize = 256 * 1024;

/// Does work on a thread where it holds up nobody. A panic there is a failure of this request alone.
pub async fn elsewhere<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(Failure::internal(error)),
    }
}

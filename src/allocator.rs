//! Return of memory to the system after large requests.
//!
//! glibc keeps what it has freed: it raises its threshold for blocks of their own mapping with each large block, up to
//! 32 MiB, and a heap shrinks only from its end, so that one small block keeps all that was parsed before it. The thresholds
//! are fixed, and after large requests the free pages inside the heaps are returned. Other systems' allocators do so by
//! themselves.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Interval of returning memory after a large request.
const INTERVAL: Duration = Duration::from_secs(5);

/// Times that memory is returned after the last large request: its response may take a while.
const TIMES: u32 = 12;

static DUE: AtomicU32 = AtomicU32::new(0);

/// Fixes the thresholds. Must be called while there is one thread.
pub fn configure() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    glibc::configure();
}

/// Notes that a large request has come, so that its memory is returned afterwards.
pub fn expect_large() {
    DUE.store(TIMES, Ordering::Relaxed);
}

/// Returns memory after large requests. Never returns.
pub async fn return_memory() {
    loop {
        tokio::time::sleep(INTERVAL).await;
        let due = DUE.load(Ordering::Relaxed);
        if due > 0 {
            // A request that came meanwhile is noted again by the next one; the interval is short beside the times.
            DUE.store(due - 1, Ordering::Relaxed);
            #[cfg(all(target_os = "linux", target_env = "gnu"))]
            let _ = tokio::task::spawn_blocking(glibc::trim).await;
        }
    }
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
mod glibc {
    use libc::{M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, c_int};

    /// Size of blocks from which on they are mappings of their own, in bytes.
    const MMAP_THRESHOLD: c_int = 128 * 1024;

    /// Free memory at the end of the heap from which on it is returned, in bytes.
    const TRIM_THRESHOLD: c_int = 1024 * 1024;

    /// Heaps: one for the server's thread, one for all blocking threads.
    const ARENAS: c_int = 2;

    pub fn configure() {
        for (parameter, value) in
            [(M_MMAP_THRESHOLD, MMAP_THRESHOLD), (M_TRIM_THRESHOLD, TRIM_THRESHOLD), (M_ARENA_MAX, ARENAS)]
        {
            // SAFETY: sets a number of the allocator; takes no pointer.
            unsafe { libc::mallopt(parameter, value) };
        }
    }

    pub fn trim() {
        // SAFETY: returns free pages; takes no pointer, and the allocator locks its heaps.
        unsafe { libc::malloc_trim(0) };
    }
}

//! The signals of the system that end the server.

/// Listens for SIGTERM and SIGHUP (where there are signals) and Ctrl-C.
pub(super) struct Signals {
    #[cfg(unix)]
    terminate: Option<tokio::signal::unix::Signal>,
    #[cfg(unix)]
    hang_up: Option<tokio::signal::unix::Signal>,
}

impl Signals {
    /// Begins to listen.
    pub fn new() -> Signals {
        #[cfg(unix)]
        use tokio::signal::unix::{SignalKind, signal};
        Signals {
            #[cfg(unix)]
            terminate: signal(SignalKind::terminate()).ok(),
            #[cfg(unix)]
            hang_up: signal(SignalKind::hangup()).ok(),
        }
    }

    /// Waits for one of them.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        let ended = async {
            tokio::select! {
                () = received(&mut self.terminate) => {}
                () = received(&mut self.hang_up) => {}
            }
        };
        #[cfg(not(unix))]
        let ended = std::future::pending::<()>();
        tokio::select! {
            () = ended => {}
            interrupted = tokio::signal::ctrl_c() => if interrupted.is_err() { std::future::pending().await },
        }
    }
}

/// Waits for a signal; for ever if the system doesn't deliver it.
#[cfg(unix)]
async fn received(signal: &mut Option<tokio::signal::unix::Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}

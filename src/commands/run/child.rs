//! Runs the program as a child whose end is that of `run`: signals reach it, and its exit code is passed on.

use std::io;
use std::process::{Command, ExitCode};

/// Starts the program and waits for its end; `beside` runs meanwhile.
pub(super) async fn run(command: Command, beside: impl Future<Output = ()>) -> io::Result<ExitCode> {
    let mut signals = Signals::new()?;
    let mut child = tokio::process::Command::from(command).spawn()?;
    let id = child.id();
    let mut beside = std::pin::pin!(beside);
    let mut is_beside = true;
    loop {
        tokio::select! {
            status = child.wait() => return Ok(exit_code(status?)),
            () = signals.pass_on(id) => {}
            () = &mut beside, if is_beside => is_beside = false,
        }
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    quit: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hang_up: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Signals> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            quit: signal(SignalKind::quit())?,
            terminate: signal(SignalKind::terminate())?,
            hang_up: signal(SignalKind::hangup())?,
        })
    }

    /// Waits for a signal and sends it to the program. Those of the terminal's keys have reached it already.
    async fn pass_on(&mut self, id: Option<u32>) {
        use rustix::process::{Pid, Signal, kill_process};
        let signal = tokio::select! {
            _ = self.interrupt.recv() => return,
            _ = self.quit.recv() => return,
            _ = self.terminate.recv() => Signal::TERM,
            _ = self.hang_up.recv() => Signal::HUP,
        };
        let pid = id.and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            // Fails if it has just ended.
            let _ = kill_process(pid, signal);
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    #[allow(clippy::unnecessary_wraps)] // Unix can fail here.
    fn new() -> io::Result<Signals> {
        Ok(Signals)
    }

    /// The system sends Ctrl-C to all programs of a console.
    async fn pass_on(&mut self, _id: Option<u32>) {
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// The exit code of the program; after a signal what shells say of it.
fn exit_code(status: std::process::ExitStatus) -> ExitCode {
    #[cfg(unix)]
    let code = {
        use std::os::unix::process::ExitStatusExt;
        status.code().or_else(|| status.signal().map(|signal| 128 + signal))
    };
    #[cfg(not(unix))]
    let code = status.code();
    code.and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}

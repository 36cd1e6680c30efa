//! Every knob of the server, once. Durations are in milliseconds so that tests can shorten them.
//!
//! What a person sets in VS Code comes over the bridge instead: `bridge::protocol::UserSettings`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::bridge::directory::Directory;

/// No request body is larger, as sent or unzipped: 10 MiB.
pub const MAX_BODY: usize = 10 * 1024 * 1024;

/// Port where the server listens unless it is told otherwise.
pub const DEFAULT_PORT: u16 = 8080;

/// The options of `copilot-proxy serve` and `copilot-proxy demo`.
#[derive(Clone, Debug, clap::Args)]
pub struct ServerOptions {
    /// Port to listen on, on 127.0.0.1; 0 takes a free one
    #[arg(long, value_name = "N", default_value_t = DEFAULT_PORT)]
    pub port: u16,

    /// Listen on `[::1]` too, on the same port
    #[arg(long)]
    pub ipv6: bool,

    /// Questions that are answered at the same time
    #[arg(long, value_name = "N", default_value_t = 128, help_heading = LIMITS)]
    pub max_running: usize,

    /// Questions that may wait for their turn; the next one is refused with 429
    #[arg(long, value_name = "N", default_value_t = 512, help_heading = LIMITS)]
    pub max_waiting: usize,

    /// How long the server stays when the last editor has left
    ///
    /// Longer than a window takes to reload (4 to 10 s), so that a reload keeps its server, and short enough
    /// that nobody finds one running after closing VS Code.
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "15000", help_heading = TIMES)]
    pub grace: Duration,

    /// How long a client may take to send a request, head and body
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "30000", help_heading = TIMES)]
    pub receive_timeout: Duration,

    /// How long an idle connection is kept
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "5000", help_heading = TIMES)]
    pub keep_alive: Duration,

    /// A stream opens after this much silence even if the model has not said anything
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "5000", help_heading = TIMES)]
    pub open_after: Duration,

    /// A silent stream gives a sign of life this often
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "10000", help_heading = TIMES)]
    pub ping_every: Duration,

    /// A model silent for longer is given up; the extension's setting `copilotProxy.modelTimeout` if absent
    #[arg(long, value_name = "MS", value_parser = milliseconds, help_heading = TIMES)]
    pub model_timeout: Option<Duration>,

    /// A client that takes no byte of its answer for this long loses it
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "60000", help_heading = TIMES)]
    pub stall_timeout: Duration,

    /// How often a port that belongs to another program is tried again
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "2000", help_heading = TIMES)]
    pub port_retry: Duration,

    /// How long open connections get to end when the port closes
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "2000", help_heading = TIMES)]
    pub drain: Duration,

    /// How long a question waits for a window that reloads or has just opened
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "10000", help_heading = TIMES)]
    pub window_wait: Duration,

    /// How long running answers get to end when a newer server takes over
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "30000", help_heading = TIMES)]
    pub handover: Duration,

    /// How long an editor may take to say hello
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "2000", help_heading = TIMES)]
    pub handshake_timeout: Duration,

    /// How often an editor is pinged; three unanswered pings make it unresponsive
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "5000", help_heading = TIMES)]
    pub heartbeat: Duration,

    /// The version that the server says it has: for tests, another one is an update without a second build
    #[arg(
        id = "pretended",
        long = "pretend-version",
        value_name = "VERSION",
        default_value = env!("CARGO_PKG_VERSION"),
        hide = true
    )]
    pub version: Arc<str>,
}

const LIMITS: &str = "Limits";
const TIMES: &str = "Times, in milliseconds";

/// Where a server lives.
#[derive(Clone, Debug, clap::Args)]
pub struct DirectoryOption {
    /// The server's directory: lock, socket and server.json [default: the user's own]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

impl DirectoryOption {
    /// The directory given, else the user's own.
    pub fn path(&self) -> PathBuf {
        self.dir.clone().unwrap_or_else(Directory::of_the_user)
    }
}

fn milliseconds(text: &str) -> Result<Duration, std::num::ParseIntError> {
    text.parse().map(Duration::from_millis)
}

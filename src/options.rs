//! Every knob of the server, once. Durations are in milliseconds so that tests can shorten them.
//!
//! The user's settings in VS Code come over the bridge instead: `bridge::protocol::UserSettings`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::bridge::directory::Directory;
use crate::usage_db::state_directory;

/// No request body is larger, as sent or unzipped: 10 MiB.
pub const MAX_BODY: usize = 10 * 1024 * 1024;

/// Default port of the server.
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

    /// Origin of web pages that may use the models; `*` allows any
    #[arg(long = "allow-origin", value_name = "ORIGIN")]
    pub allow_origins: Vec<String>,

    /// Requests that run at the same time
    #[arg(long, value_name = "N", default_value_t = 128, help_heading = LIMITS)]
    pub max_running: usize,

    /// Requests that may wait for a permit; the next one is refused with 429
    #[arg(long, value_name = "N", default_value_t = 512, help_heading = LIMITS)]
    pub max_waiting: usize,

    /// Time that the server stays after the last editor has left
    ///
    /// Longer than a window takes to reload (4 to 10 s), so that a reload keeps its server, and short enough
    /// that it isn't found running long after VS Code was closed.
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "15000", help_heading = TIMES)]
    pub grace: Duration,

    /// Time for a client to send a request, head and body
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "30000", help_heading = TIMES)]
    pub receive_timeout: Duration,

    /// Time that an idle connection is kept open
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "5000", help_heading = TIMES)]
    pub keep_alive: Duration,

    /// Silence of the model after which a stream is opened
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "5000", help_heading = TIMES)]
    pub open_after: Duration,

    /// Keep-alive interval for idle streams
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "10000", help_heading = TIMES)]
    pub ping_every: Duration,

    /// Time limit of a silent model; the extension's setting `copilotProxy.modelTimeout` if absent
    #[arg(long, value_name = "MS", value_parser = milliseconds, help_heading = TIMES)]
    pub model_timeout: Option<Duration>,

    /// Close connections whose client reads nothing for this long
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "60000", help_heading = TIMES)]
    pub stall_timeout: Duration,

    /// Time that a web page's request waits for the user's permission
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "60000", help_heading = TIMES)]
    pub permission_wait: Duration,

    /// Interval of attempts to open a port that another program uses
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "2000", help_heading = TIMES)]
    pub port_retry: Duration,

    /// Time for open connections to end when the port closes
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "2000", help_heading = TIMES)]
    pub drain: Duration,

    /// Time that a request waits for a window that reloads or has just opened
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "10000", help_heading = TIMES)]
    pub window_wait: Duration,

    /// Time for a window to list its tools; then the next window is asked
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "5000", help_heading = TIMES)]
    pub list_tools_timeout: Duration,

    /// Time for running requests to end when a newer server takes over
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "30000", help_heading = TIMES)]
    pub handover: Duration,

    /// Interval of checks that lock, socket and server.json are still in the directory
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "20000", help_heading = TIMES)]
    pub directory_check: Duration,

    /// Time for an editor to send its hello
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "2000", help_heading = TIMES)]
    pub handshake_timeout: Duration,

    /// Interval of pings to editors; three unanswered ones make an editor unresponsive
    #[arg(long, value_name = "MS", value_parser = milliseconds, default_value = "5000", help_heading = TIMES)]
    pub heartbeat: Duration,

    /// Version that the server claims, so that tests can update it without a second build
    #[arg(
        id = "pretended",
        long = "pretend-version",
        value_name = "VERSION",
        default_value = env!("CARGO_PKG_VERSION"),
        hide = true
    )]
    pub version: Arc<str>,

    /// Panic where a query or a model's text has this word, followed by `-handler`, `-events` or `-encoder`, so that tests
    /// see what a bug in one request does to others; only in debug builds
    #[cfg(debug_assertions)]
    #[arg(long, value_name = "WORD", hide = true)]
    pub panic_at: Option<String>,
}

const LIMITS: &str = "Limits";
const TIMES: &str = "Times, in milliseconds";

/// Directory of a server.
#[derive(Clone, Debug, clap::Args)]
pub struct DirectoryOption {
    /// Directory of the server, with lock, socket and server.json [default: the user's]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

impl DirectoryOption {
    /// The directory given, else the user's own.
    pub fn path(&self) -> PathBuf {
        self.dir.clone().unwrap_or_else(Directory::of_the_user)
    }

    /// Directory for data that outlives the server: the directory given if it is a private one, else the user's state
    /// directory. VS Code names the user's own directory, which the system empties when the user logs out.
    pub fn state_path(&self) -> Option<PathBuf> {
        self.dir.clone().filter(|dir| *dir != Directory::of_the_user()).or_else(state_directory)
    }
}

fn milliseconds(text: &str) -> Result<Duration, std::num::ParseIntError> {
    text.parse().map(Duration::from_millis)
}

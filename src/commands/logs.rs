//! The command `logs`: the lines that the running server keeps, and new ones with `--follow`.

use std::io::{self, IsTerminal, Write};
use std::path::Path;
use std::time::Duration;

use bytes::BytesMut;
use interprocess::local_socket::tokio::Stream;
use interprocess::local_socket::traits::tokio::Stream as _;
use interprocess::local_socket::{GenericFilePath, ToFsName};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::io::AsyncWriteExt;
use tokio::time::sleep;

use super::terminal::{self, cut};
use crate::bridge::directory::Directory;
use crate::bridge::frames::{FrameReader, Incoming, put_message};
use crate::bridge::protocol::{FromEditor, LogLevel, LogLine, PROTOCOL, ReadLog, ToEditor};
use crate::options::DirectoryOption;

/// Interval of looking for the server that comes after one that has ended.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// Longest line in characters; the server keeps no longer ones.
const MAX_LINE: usize = 4096;

/// Options of `copilot-proxy logs`.
#[derive(Clone, Debug, clap::Args)]
pub struct LogsOptions {
    #[command(flatten)]
    directory: DirectoryOption,

    /// Go on with new lines, also of a later server, until the command is stopped
    #[arg(long, short)]
    follow: bool,

    /// Print only the last lines that are kept
    #[arg(long, short = 'n', value_name = "NUMBER")]
    lines: Option<u32>,
}

/// Reasons for which there are no lines.
#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    /// No server runs in the directory.
    #[error("no server is running; open VS Code with the Copilot Proxy extension")]
    NoServer,
    /// The server is of another version.
    #[error("{0}")]
    Refused(String),
    /// The connection or the terminal failed.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl LogsError {
    fn as_io(&self) -> Option<&io::Error> {
        match self {
            LogsError::Io(error) => Some(error),
            LogsError::NoServer | LogsError::Refused(_) => None,
        }
    }
}

/// Prints the lines of the running server.
pub fn logs(options: &LogsOptions) -> Result<(), LogsError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let colored =
        io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let directory = options.directory.path();
    terminal::print(
        |out| {
            runtime.block_on(async {
                let mut printer = Printer { out, colored, zone: TimeZone::system() };
                let mut token = read(&directory, options.follow, options.lines, &mut printer).await?;
                loop {
                    if !options.follow {
                        return Ok(());
                    }
                    token = next_server(&directory, &token, &mut printer).await?;
                }
            })
        },
        LogsError::as_io,
    )
}

/// Waits for another server than that of the token, and prints its lines.
async fn next_server(directory: &Path, token: &str, printer: &mut Printer<'_>) -> Result<String, LogsError> {
    loop {
        sleep(LOOK_INTERVAL).await;
        if Directory::server(directory).is_ok_and(|server| server.token != token) {
            match read(directory, true, None, printer).await {
                Err(LogsError::NoServer) => {} // it is just starting or has ended already
                other => return other,
            }
        }
    }
}

/// Prints the lines of the server until it has no more; returns its token.
async fn read(
    directory: &Path,
    follow: bool,
    last: Option<u32>,
    printer: &mut Printer<'_>,
) -> Result<String, LogsError> {
    let server = Directory::server(directory).map_err(|_| LogsError::NoServer)?;
    let token = server.token;
    // A killed server leaves its file behind.
    let name = server.endpoint.to_fs_name::<GenericFilePath>()?;
    let stream = Stream::connect(name).await.map_err(|_| LogsError::NoServer)?;
    let message = FromEditor::ReadLog(ReadLog {
        token: token.clone(),
        protocol: PROTOCOL,
        version: env!("CARGO_PKG_VERSION").into(),
        pid: std::process::id(),
        follow,
        last,
    });
    let mut bytes = BytesMut::new();
    put_message(0, &message, &mut bytes).map_err(io::Error::other)?;
    (&mut &stream).write_all(&bytes).await?;
    let mut reader = FrameReader::<_, ToEditor>::new(&stream);
    loop {
        match reader.next().await {
            Ok(Some((_, Incoming::Message(ToEditor::Log(line))))) => printer.print(&line)?,
            Ok(Some((_, Incoming::Message(ToEditor::Refused(refused))))) => {
                return Err(LogsError::Refused(refused.message));
            }
            Ok(Some(_)) => {}
            // A server that is killed leaves half a frame.
            Ok(None) | Err(_) => return Ok(token),
        }
    }
}

/// Prints lines in the form of VS Code's output channel.
struct Printer<'a> {
    out: &'a mut dyn Write,
    colored: bool,
    zone: TimeZone,
}

impl Printer<'_> {
    fn print(&mut self, LogLine { level, time, text }: &LogLine) -> io::Result<()> {
        let milliseconds = i64::try_from(*time).unwrap_or_default();
        let time = Timestamp::from_millisecond(milliseconds).unwrap_or_default().to_zoned(self.zone.clone());
        let (level, color) = match level {
            LogLevel::Error => ("error", "31"),
            LogLevel::Warn => ("warning", "33"),
            LogLevel::Info => ("info", "32"),
            LogLevel::Debug | LogLevel::Trace => ("debug", "2"),
        };
        let time = time.strftime("%Y-%m-%d %H:%M:%S%.3f");
        let text = cut(text, MAX_LINE);
        if self.colored {
            writeln!(self.out, "\x1b[2m{time}\x1b[0m \x1b[{color}m[{level}]\x1b[0m {text}")?;
        } else {
            writeln!(self.out, "{time} [{level}] {text}")?;
        }
        self.out.flush()
    }
}

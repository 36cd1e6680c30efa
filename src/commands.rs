//! The commands of the program. A command that fails prints its reason on stderr.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::bridge::directory::{Directory, DirectoryError};
use crate::options::{DirectoryOption, ServerOptions};
use crate::server::{Audience, Server, ServerError};
use crate::simulator;

mod api_client;
pub mod ask;
pub(crate) mod clients;
pub(crate) mod connection_info;
pub mod doctor;
pub mod logs;
pub mod mcp;
pub mod models;
pub mod run;
pub mod setup;
pub mod status;
mod terminal;
#[cfg(test)]
mod typescript;
pub mod usage;

/// Exit code where the directory has a server already: the extension attaches to that one.
const ALREADY_RUNNING: u8 = 3;

/// Serves until the last editor has been gone for the grace period.
pub async fn serve(directory: &DirectoryOption, settings: ServerOptions) -> ExitCode {
    let served = async {
        let server = Server::new(settings, Directory::open(directory.path())?, directory.state_path())?;
        server.run(Audience::Editors).await
    };
    ended(served.await)
}

/// Runs a server with a simulated editor that attaches over a real local socket, in a private directory.
pub async fn demo(settings: ServerOptions) -> ExitCode {
    let home = PrivateHome::new();
    let served = async {
        let server = Server::new(settings, Directory::open(&home.0)?, Some(home.0.clone()))?;
        let editor = tokio::task::spawn_local(simulate_in(home.0.clone()));
        let ended = server.run(Audience::Terminal(suggestions)).await;
        editor.abort();
        ended
    };
    ended(served.await)
}

/// Three things to try with a demo.
fn suggestions(port: u16) -> String {
    let base = api_client::at_port(port);
    // As it was started, since it may not be on the PATH.
    let program = std::env::args().next().unwrap_or_else(|| "copilot-proxy".into());
    let body = r#"{"model": "gpt-4o", "stream": true, "messages": [{"role": "user", "content": "Hello"}]}"#;
    // PowerShell passes quotes to programs only if they are escaped.
    let (curl, body) =
        if cfg!(windows) { ("curl.exe", body.replace('"', "\\\"")) } else { ("curl", body.to_owned()) };
    format!(
        "Try:\n  {curl} -N {base}/v1/chat/completions -d '{body}'\n  {program} ask -m gpt-4o --url {base} \"Hello\"\n  {base}/ui in a browser\n"
    )
}

/// Attaches a simulated editor to a running server.
pub async fn simulate(directory: &Path) -> ExitCode {
    match simulator::attach::attach(directory, simulator::models::all()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failed(&error),
    }
}

/// Sets up a client.
pub fn setup(options: &setup::SetupOptions) -> ExitCode {
    setup::setup(options).map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS)
}

/// Starts a program that uses the server.
pub fn run(options: &run::RunOptions) -> ExitCode {
    run::run(options).unwrap_or_else(|error| {
        failed(&error);
        error.exit_code()
    })
}

/// Diagnoses the installation.
pub fn doctor(options: &doctor::DoctorOptions) -> ExitCode {
    match doctor::doctor(options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => failed(&error),
    }
}

/// Serves MCP on standard input and output.
pub fn mcp(options: &mcp::McpOptions) -> ExitCode {
    mcp::mcp(options).map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS)
}

/// Shows whether a server runs and what it serves.
pub fn status(options: &status::StatusOptions) -> ExitCode {
    status::status(options).map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS)
}

/// Prints the log.
pub fn logs(options: &logs::LogsOptions) -> ExitCode {
    logs::logs(options).map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS)
}

/// Lists the models.
pub fn models(options: &models::ModelsOptions) -> ExitCode {
    models::models(options).map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS)
}

/// Asks a model.
pub fn ask(options: &ask::AskOptions) -> ExitCode {
    ask::ask(options).map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS)
}

/// Prints a generated script.
pub fn print_script(script: &[u8]) -> ExitCode {
    let printed = terminal::print(|out| out.write_all(script), |error| Some(error));
    printed.map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS)
}

/// Shows the usage.
pub fn usage(options: &usage::UsageOptions) -> ExitCode {
    usage::usage(options).map_or_else(|error| failed(&error), |()| ExitCode::SUCCESS)
}

async fn simulate_in(directory: PathBuf) {
    if let Err(error) = simulator::attach::attach(&directory, simulator::models::all()).await {
        log::error!("the simulated editor: {error}");
    }
}

fn ended(ended: Result<(), ServerError>) -> ExitCode {
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error @ ServerError::Directory(DirectoryError::Taken { .. })) => {
            failed(&error);
            ExitCode::from(ALREADY_RUNNING)
        }
        Err(error) => failed(&error),
    }
}

fn failed(error: &dyn std::error::Error) -> ExitCode {
    warn(&error.to_string());
    ExitCode::FAILURE
}

/// Prints a line on standard error, which may be closed.
fn warn(text: &str) {
    let _ = writeln!(std::io::stderr(), "copilot-proxy: {text}");
}

/// A directory among the temporary files, gone with the program.
struct PrivateHome(PathBuf);

impl PrivateHome {
    fn new() -> PrivateHome {
        // Short: a socket's path may have no more than 104 bytes on macOS.
        let name = format!("copilot-proxy-demo-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        // A killed demo with the same process id may have left files.
        let _ = std::fs::remove_dir_all(&path);
        PrivateHome(path)
    }
}

impl Drop for PrivateHome {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

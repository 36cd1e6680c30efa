//! The `copilot-proxy` program: what a person or the extension asks for on the command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use copilot_proxy::commands;
use copilot_proxy::settings::{DirectoryOption, Settings};

/// The local gateway that lets every program on your machine use GitHub Copilot's models.
///
/// The VS Code extension starts it for you; from then on the OpenAI and Anthropic SDKs, Claude Code, Codex and
/// plain curl work against <http://127.0.0.1:8080>.
#[derive(Parser)]
#[command(name = "copilot-proxy", version, propagate_version = true, after_help = EXAMPLES)]
struct CommandLine {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the models of the VS Code windows that attach (what the extension starts)
    Serve {
        #[command(flatten)]
        directory: DirectoryOption,
        #[command(flatten)]
        settings: Settings,
    },
    /// Try everything without VS Code: a server with a simulated editor, in a private directory
    Demo {
        #[command(flatten)]
        settings: Settings,
    },
    /// Attach a simulated editor to a running server, as if it were a VS Code window
    Simulate {
        #[command(flatten)]
        directory: DirectoryOption,
    },
}

const EXAMPLES: &str = "\
Examples:
  copilot-proxy demo                      try it: then ask http://127.0.0.1:8080/v1/chat/completions
  copilot-proxy demo --port 0             the same on a free port, which the first line tells
  RUST_LOG=info copilot-proxy demo        the same, telling what happens";

fn main() -> ExitCode {
    let command = CommandLine::parse().command;
    copilot_proxy::log::start();
    // The system's runtime has one thread: what it runs may stay where it is.
    actix_rt::System::new().block_on(async {
        match command {
            Command::Serve { directory, settings } => commands::serve(&directory.path(), settings).await,
            Command::Demo { settings } => commands::demo(settings).await,
            Command::Simulate { directory } => commands::simulate(&directory.path()).await,
        }
    })
}

//! The `copilot-proxy` program: what a person or the extension asks for on the command line.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use copilot_proxy::commands;
use copilot_proxy::commands::doctor::DoctorOptions;
use copilot_proxy::commands::run::RunOptions;
use copilot_proxy::commands::setup::SetupOptions;
use copilot_proxy::options::{DirectoryOption, ServerOptions};

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
        settings: ServerOptions,
    },
    /// Try everything without VS Code: a server with a simulated editor, in a private directory
    Demo {
        #[command(flatten)]
        settings: ServerOptions,
    },
    /// Make a program use the server, by its own settings; shows what it will write and can undo it
    Setup(SetupOptions),
    /// Start a program that uses the server, without changing any file
    Run(RunOptions),
    /// Say what is well and what is not, and what to do about it
    Doctor(DoctorOptions),
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
  RUST_LOG=info copilot-proxy demo        the same, telling what happens
  copilot-proxy setup claude-code         from then on `claude` asks the models of your VS Code
  copilot-proxy run -- codex exec hello   the same for once, and for Codex";

fn main() -> ExitCode {
    let command = CommandLine::parse().command;
    copilot_proxy::log::start();
    match command {
        Command::Serve { directory, settings } => on_one_thread(commands::serve(&directory.path(), settings)),
        Command::Demo { settings } => on_one_thread(commands::demo(settings)),
        Command::Simulate { directory } => on_one_thread(commands::simulate(&directory.path())),
        Command::Setup(options) => commands::setup(&options),
        Command::Run(options) => commands::run(&options),
        Command::Doctor(options) => commands::doctor(&options),
    }
}

/// The system's runtime has one thread: what it runs may stay where it is.
fn on_one_thread(command: impl Future<Output = ExitCode>) -> ExitCode {
    actix_rt::System::new().block_on(command)
}

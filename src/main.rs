//! The `copilot-proxy` program: its command line.

use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::Shell;
use clap_mangen::Man;
use copilot_proxy::commands;
use copilot_proxy::commands::ask::AskOptions;
use copilot_proxy::commands::doctor::DoctorOptions;
use copilot_proxy::commands::logs::LogsOptions;
use copilot_proxy::commands::mcp::McpOptions;
use copilot_proxy::commands::models::ModelsOptions;
use copilot_proxy::commands::run::RunOptions;
use copilot_proxy::commands::setup::SetupOptions;
use copilot_proxy::commands::status::StatusOptions;
use copilot_proxy::commands::usage::UsageOptions;
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
    /// Serve the models of the attached VS Code windows (started by the extension)
    Serve {
        #[command(flatten)]
        directory: DirectoryOption,
        #[command(flatten)]
        settings: ServerOptions,
    },
    /// Run a server with a simulated editor, to try everything without VS Code
    Demo {
        #[command(flatten)]
        settings: ServerOptions,
    },
    /// Configure a client to use the server; shows the change first and can undo it
    Setup(SetupOptions),
    /// Start a program that uses the server, without changing any file
    Run(RunOptions),
    /// Ask a model a question and print the answer
    Ask(AskOptions),
    /// Show whether a server runs, and its windows
    Status(StatusOptions),
    /// List the models with limits and prices
    Models(ModelsOptions),
    /// Print the running server's log
    Logs(LogsOptions),
    /// Diagnose the installation and suggest fixes
    Doctor(DoctorOptions),
    /// Show requests, tokens and credits by day, model, client or session
    Usage(UsageOptions),
    /// Offer the editor's tools to a client that starts this program as an MCP server (standard input and output)
    Mcp(McpOptions),
    /// Print the completion script of a shell, for its start-up file
    Completions {
        /// The shell
        shell: Shell,
    },
    /// Print the man page of all commands
    Man,
    /// Attach a simulated editor to a running server, like a VS Code window
    Simulate {
        #[command(flatten)]
        directory: DirectoryOption,
    },
}

const EXAMPLES: &str = "\
Examples:
  copilot-proxy demo                      then send requests to http://127.0.0.1:8080/v1/chat/completions
  copilot-proxy demo --port 0             the same on a free port, named in the first line
  RUST_LOG=info copilot-proxy demo        the same with log lines
  copilot-proxy setup claude-code         `claude` then uses the models of your VS Code
  copilot-proxy run -- codex exec hello   start Codex with them, once
  git diff | copilot-proxy ask \"Write a commit message\"";

fn main() -> ExitCode {
    copilot_proxy::allocator::configure();
    let command = CommandLine::parse().command;
    copilot_proxy::log::start();
    match command {
        Command::Serve { directory, settings } => on_one_thread(commands::serve(&directory, settings)),
        Command::Demo { settings } => on_one_thread(commands::demo(settings)),
        Command::Simulate { directory } => on_one_thread(commands::simulate(&directory.path())),
        Command::Setup(options) => commands::setup(&options),
        Command::Run(options) => commands::run(&options),
        Command::Doctor(options) => commands::doctor(&options),
        Command::Mcp(options) => commands::mcp(&options),
        Command::Ask(options) => commands::ask(&options),
        Command::Status(options) => commands::status(&options),
        Command::Models(options) => commands::models(&options),
        Command::Logs(options) => commands::logs(&options),
        Command::Man => print_man_page(),
        Command::Completions { shell } => {
            clap_complete::generate(
                shell,
                &mut CommandLine::command(),
                "copilot-proxy",
                &mut std::io::stdout(),
            );
            ExitCode::SUCCESS
        }
        Command::Usage(options) => commands::usage(&options),
    }
}

/// Runs a command on a runtime with a single thread.
fn on_one_thread(command: impl Future<Output = ExitCode>) -> ExitCode {
    actix_rt::System::new().block_on(command)
}

/// Prints one page with all commands, for `man`: the first one, then a section for each command.
fn print_man_page() -> ExitCode {
    let mut command = CommandLine::command();
    command.build();
    let mut page = Vec::new();
    let rendered = render(&command, &mut page);
    rendered.map_or(ExitCode::FAILURE, |()| commands::print_script(&page))
}

fn render(command: &clap::Command, page: &mut Vec<u8>) -> std::io::Result<()> {
    let man = Man::new(command.clone().disable_help_flag(true));
    man.render_title(page)?;
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    for subcommand in command.get_subcommands().filter(|each| each.get_name() != "help") {
        let name = format!("copilot-proxy {}", subcommand.get_name());
        writeln!(page, ".SH \"{}\"", name.to_uppercase())?;
        let man = Man::new(subcommand.clone().disable_help_subcommand(true));
        let mut section = Vec::new();
        man.render_synopsis_section(&mut section)?;
        man.render_description_section(&mut section)?;
        man.render_options_section(&mut section)?;
        // Sections of a command are paragraphs of the page.
        let section = String::from_utf8_lossy(&section).replace(".SH ", ".SS ");
        page.write_all(section.as_bytes())?;
    }
    man.render_extra_section(page)
}

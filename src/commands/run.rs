//! `copilot-proxy run -- CLIENT ARGS...`: starts a program that uses this server, with a key of its own from the running
//! server. No file of the user is changed; how the program ends is how this ends.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use serde_json::Value;

use super::api_client::{ServerOption, key};
use super::clients::{claude_code, codex, dotenv, opencode, snippets};
use super::connection_info::{ConnectionInfo, NoSuchModel};

mod attachment;
mod child;
mod key_file;

pub use attachment::AttachError;
use attachment::Attachment;
use key_file::KeyFile;

/// Options of `copilot-proxy run`.
#[derive(Clone, Debug, clap::Args)]
pub struct RunOptions {
    /// The model to use, by any name that the server understands [default: the newest of the client's kind]
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,

    /// Credits that the program may spend in all
    #[arg(long, value_name = "N", value_parser = credits)]
    pub max_credits: Option<f64>,

    #[command(flatten)]
    pub(super) server: ServerOption,

    /// The program and its arguments
    #[arg(value_name = "CLIENT", required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub command: Vec<OsString>,
}

/// Reasons for which a program was not started.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The system can't start it.
    #[error("{}: {error}", program.display())]
    Start {
        /// The program as it was given.
        program: OsString,
        /// The system's words.
        error: io::Error,
    },
    /// The server gives no key, and a limit needs one.
    #[error("--max-credits needs a key of the server: {0}")]
    NoKey(AttachError),
    /// The key can't be passed to the program.
    #[error("{}: {error}", path.display())]
    KeyFile {
        /// Path of the file.
        path: PathBuf,
        /// The system's words.
        error: io::Error,
    },
    /// The model that was named is not there.
    #[error(transparent)]
    NoSuchModel(#[from] NoSuchModel),
}

impl RunError {
    /// The exit code by which shells tell a missing program, one that can't be executed, and all other failures apart.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            RunError::Start { error, .. } if error.kind() == io::ErrorKind::NotFound => ExitCode::from(127),
            RunError::Start { .. } => ExitCode::from(126),
            RunError::NoKey(_) | RunError::KeyFile { .. } | RunError::NoSuchModel(_) => ExitCode::FAILURE,
        }
    }
}

/// Arguments and environment of a program.
#[derive(Debug, Default, PartialEq, Eq)]
struct Start {
    /// Go before its own.
    arguments: Vec<String>,
    set: Vec<(&'static str, String)>,
    remove: &'static [&'static str],
}

/// Starts the program with a key of its own, which is valid until it ends; without a server to make one it becomes the
/// program where the system can.
pub fn run(options: &RunOptions) -> Result<ExitCode, RunError> {
    let mut words = options.command.iter();
    let program = words.next().cloned().unwrap_or_default();
    let starting = |error| RunError::Start { program: program.clone(), error };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(starting)?;
    let attached = runtime.block_on(attach(options, name_of(&program)))?;
    let key = attached.as_ref().map(|attached| attached.key.key.clone()).or_else(key);
    let connection = ConnectionInfo::with_key(&options.server, options.model.as_deref(), key)?;
    let mut key_file = None;
    if attached.is_some() && name_of(&program) == CLAUDE {
        let path = options.server.directory.path().join(format!("run-{}.json", std::process::id()));
        let settings = Value::Object(claude_code::settings(&connection)).to_string();
        let written = KeyFile::write(path.clone(), &settings);
        key_file = Some(written.map_err(|error| RunError::KeyFile { path, error })?);
    }
    let Start { arguments, set, remove } = start(&program, &connection, key_file.as_ref().map(KeyFile::path));
    let mut command = Command::new(&program);
    command.args(arguments).args(words).envs(set);
    for name in remove {
        command.env_remove(name);
    }
    for name in ["NO_PROXY", "no_proxy"] {
        command.env(name, without_proxy(std::env::var(name).ok().as_deref()));
    }
    match attached {
        Some(attached) => runtime.block_on(child::run(command, attached.keep())).map_err(starting),
        None => exec(command).map_err(starting),
    }
}

/// Gets a key for the program, if the server that is meant runs here.
async fn attach(options: &RunOptions, program: &str) -> Result<Option<Attachment>, RunError> {
    let attached = if options.server.is_of_directory() {
        Attachment::new(options.server.directory.path(), program.to_owned(), options.max_credits).await
    } else {
        Err(AttachError::NoServer)
    };
    match attached {
        Ok(attached) => Ok(Some(attached)),
        Err(error) if options.max_credits.is_some() => Err(RunError::NoKey(error)),
        Err(AttachError::NoServer) => {
            if options.server.is_of_directory() {
                super::warn(
                    "no server is running: open VS Code with the Copilot Proxy extension, or run `copilot-proxy demo`",
                );
            }
            Ok(None)
        }
        Err(error @ (AttachError::Refused(_) | AttachError::Failed(_))) => {
            super::warn(&format!("the program gets no key of its own: {error}"));
            Ok(None)
        }
    }
}

/// Name of Claude Code's program.
const CLAUDE: &str = "claude";

/// Name of a program without its folder and extension.
fn name_of(program: &OsStr) -> &str {
    Path::new(program).file_stem().and_then(OsStr::to_str).unwrap_or_default()
}

fn credits(text: &str) -> Result<f64, &'static str> {
    let credits = text.parse().ok().filter(|credits: &f64| credits.is_finite() && *credits > 0.0);
    credits.ok_or("wanted a positive number of credits")
}

/// Arguments and variables for this program. `settings` is a file with Claude Code's settings, which have the key.
fn start(program: &OsStr, connection: &ConnectionInfo, settings: Option<&Path>) -> Start {
    match name_of(program) {
        CLAUDE => Start {
            // Its settings override the environment; these arguments override its settings.
            arguments: vec![
                "--settings".into(),
                settings.map_or_else(
                    || Value::Object(claude_code::settings_without_key(connection)).to_string(),
                    |path| path.display().to_string(),
                ),
            ],
            set: claude_code::environment(connection),
            remove: claude_code::RIVALS,
        },
        "codex" => Start {
            arguments: codex::arguments(connection),
            set: connection.key.iter().map(|key| (codex::KEY_VARIABLE, key.clone())).collect(),
            remove: &[],
        },
        "opencode" => Start {
            set: vec![(opencode::VARIABLE, Value::Object(opencode::configuration(connection)).to_string())],
            ..Start::default()
        },
        "kilo" | "kilocode" => Start {
            set: vec![(
                opencode::KILO_VARIABLE,
                Value::Object(opencode::kilo_configuration(connection)).to_string(),
            )],
            ..Start::default()
        },
        "copilot" => Start { set: snippets::copilot_cli(connection), ..Start::default() },
        _ => {
            let mut set = dotenv::environment(connection);
            set.push(("OPENAI_MODEL", connection.model_like(&["gpt"])));
            Start { set, ..Start::default() }
        }
    }
}

/// A proxy that the machine uses for the outside must not come between a client and this server.
fn without_proxy(before: Option<&str>) -> String {
    const HERE: &str = "127.0.0.1,localhost";
    match before.filter(|before| !before.is_empty()) {
        Some(before) => format!("{before},{HERE}"),
        None => HERE.to_owned(),
    }
}

/// Comes back only with an error.
#[cfg(unix)]
fn exec(mut command: Command) -> io::Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(command.exec())
}

#[cfg(not(unix))]
fn exec(mut command: Command) -> io::Result<ExitCode> {
    let status = command.status()?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::connection_info::tests::connection;

    fn started(program: &str) -> Start {
        start(OsStr::new(program), &connection(&["gpt-4o", "claude-sonnet-4"]), None)
    }

    #[test]
    fn program_is_recognized_by_its_file_name() {
        assert_eq!(started("/usr/local/bin/codex"), started("codex"));
        assert_eq!(started("codex.exe"), started("codex"));
        assert_ne!(started("codex"), started("other"));
    }

    #[test]
    fn any_other_program_gets_the_variables_of_the_sdks() {
        let Start { arguments, set, remove } = started("python3");
        assert_eq!((arguments.len(), remove.len()), (0, 0));
        assert!(set.contains(&("OPENAI_BASE_URL", "http://127.0.0.1:8080/v1".into())), "{set:?}");
        assert!(set.contains(&("ANTHROPIC_BASE_URL", "http://127.0.0.1:8080".into())), "{set:?}");
        assert!(set.contains(&("OPENAI_MODEL", "gpt-4o".into())), "{set:?}");
    }

    #[test]
    fn no_argument_has_the_key() {
        let connection = ConnectionInfo { key: Some("secret".into()), ..connection(&["gpt-4o"]) };
        for program in ["claude", "codex", "opencode", "kilo", "copilot", "other"] {
            let Start { arguments, set, .. } = start(OsStr::new(program), &connection, None);
            assert!(!arguments.iter().any(|argument| argument.contains("secret")), "{arguments:?}");
            assert!(set.iter().any(|(_, value)| value.contains("secret")), "{program}");
        }
    }

    #[test]
    fn no_proxy_keeps_its_entries() {
        assert_eq!(without_proxy(None), "127.0.0.1,localhost");
        assert_eq!(without_proxy(Some("")), "127.0.0.1,localhost");
        assert_eq!(without_proxy(Some("a.example")), "a.example,127.0.0.1,localhost");
    }
}

//! `copilot-proxy run -- CLIENT ARGS...`: starts a program that uses this server. No file is changed; how the
//! program ends is how this ends.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::{Command, ExitCode};

use serde_json::Value;

use super::api_client::ServerOption;
use super::clients::{claude_code, codex, dotenv, opencode};
use super::connection_info::{ConnectionInfo, NoSuchModel};

/// Options of `copilot-proxy run`.
#[derive(Clone, Debug, clap::Args)]
pub struct RunOptions {
    /// The model to use, by any name that the server understands [default: the newest of the client's kind]
    #[arg(long, value_name = "NAME")]
    pub model: Option<String>,

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
    /// The model that was named is not there.
    #[error(transparent)]
    NoSuchModel(#[from] NoSuchModel),
}

/// Arguments and environment of a program.
#[derive(Debug, Default, PartialEq, Eq)]
struct Start {
    /// Go before its own.
    arguments: Vec<String>,
    set: Vec<(&'static str, String)>,
    remove: &'static [&'static str],
}

/// Starts it and becomes it, or waits for its end where a program can't become another.
pub fn run(options: &RunOptions) -> Result<ExitCode, RunError> {
    let connection = ConnectionInfo::of(&options.server, options.model.as_deref())?;
    let mut words = options.command.iter();
    let program = words.next().cloned().unwrap_or_default();
    let Start { arguments, set, remove } = start(&program, &connection);
    let mut command = Command::new(&program);
    command.args(arguments).args(words).envs(set);
    for name in remove {
        command.env_remove(name);
    }
    for name in ["NO_PROXY", "no_proxy"] {
        command.env(name, without_proxy(std::env::var(name).ok().as_deref()));
    }
    exec(command).map_err(|error| RunError::Start { program, error })
}

/// Arguments and variables for this program.
fn start(program: &OsStr, connection: &ConnectionInfo) -> Start {
    match Path::new(program).file_stem().and_then(OsStr::to_str) {
        Some("claude") => Start {
            // Its settings override the environment; these arguments override its settings.
            arguments: vec![
                "--settings".into(),
                Value::Object(claude_code::settings(connection)).to_string(),
            ],
            set: claude_code::environment(connection),
            remove: claude_code::RIVALS,
        },
        Some("codex") => Start { arguments: codex::arguments(connection), ..Start::default() },
        Some("opencode") => Start {
            set: vec![(opencode::VARIABLE, Value::Object(opencode::configuration(connection)).to_string())],
            ..Start::default()
        },
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
        start(OsStr::new(program), &connection(&["gpt-4o", "claude-sonnet-4"]))
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
    fn no_proxy_keeps_its_entries() {
        assert_eq!(without_proxy(None), "127.0.0.1,localhost");
        assert_eq!(without_proxy(Some("")), "127.0.0.1,localhost");
        assert_eq!(without_proxy(Some("a.example")), "a.example,127.0.0.1,localhost");
    }
}

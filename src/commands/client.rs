//! The programs that can be set up, and how each is told which server to use: what its file is to hold, and
//! what it is to be started with. Pure; `setup` writes the files and `run` starts the programs.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::connection_info::ConnectionInfo;

pub mod claude_code;
pub mod codex;
pub mod dotenv;
mod jsonc;
pub mod opencode;
pub mod snippets;

use snippets::Snippet;

/// A program that can be set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Client {
    /// `~/.claude/settings.json`
    #[value(alias = "claude")]
    ClaudeCode,
    /// `~/.codex/config.toml`
    Codex,
    /// `~/.config/opencode/opencode.json`
    Opencode,
    /// A `.env` in this folder, for the SDKs and all that reads one
    #[value(alias = ".env")]
    Env,
    /// Text to copy
    Aider,
    /// Text to copy
    Continue,
    /// Text to copy
    Zed,
    /// Text to copy
    Llm,
    /// Text to copy
    Langchain,
    /// Text to copy, for programs that only know Ollama
    Ollama,
}

/// How it is set up.
pub enum SetupMethod {
    /// By a file that is written.
    File(PathBuf),
    /// By the person, who is told how.
    Text(Snippet),
}

/// Why a file can't be changed; nothing of it is.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; mend or move it first")]
pub struct Unreadable(pub(super) String);

/// Where programs keep their files, from the environment.
pub struct ConfigPaths {
    home: PathBuf,
    config: PathBuf,
    claude: Option<PathBuf>,
    codex: Option<PathBuf>,
    /// What is to be kept for `--undo`.
    pub state: PathBuf,
}

impl ConfigPaths {
    /// From these variables; none without a home.
    pub fn of(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<ConfigPaths> {
        let variable = |name| variable(name).filter(|value| !value.as_os_str().is_empty());
        let home = variable("HOME").or_else(|| variable("USERPROFILE"))?;
        Some(ConfigPaths {
            config: variable("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")),
            state: variable("XDG_STATE_HOME")
                .or_else(|| variable("LOCALAPPDATA"))
                .unwrap_or_else(|| home.join(".local").join("state"))
                .join("copilot-proxy"),
            claude: variable("CLAUDE_CONFIG_DIR"),
            codex: variable("CODEX_HOME"),
            home,
        })
    }

    fn file(&self, client: Client, exists: impl Fn(&Path) -> bool) -> Option<PathBuf> {
        let in_home = |name| self.home.join(name);
        match client {
            Client::ClaudeCode => {
                Some(self.claude.clone().unwrap_or_else(|| in_home(".claude")).join("settings.json"))
            }
            Client::Codex => {
                Some(self.codex.clone().unwrap_or_else(|| in_home(".codex")).join("config.toml"))
            }
            Client::Opencode => {
                let folder = self.config.join("opencode");
                let with_comments = folder.join("opencode.jsonc");
                Some(if exists(&with_comments) { with_comments } else { folder.join("opencode.json") })
            }
            Client::Env => Some(PathBuf::from(".env")),
            Client::Aider
            | Client::Continue
            | Client::Zed
            | Client::Llm
            | Client::Langchain
            | Client::Ollama => None,
        }
    }
}

impl Client {
    /// How it is set up.
    pub fn way(self, places: &ConfigPaths) -> SetupMethod {
        match places.file(self, Path::exists) {
            Some(file) => SetupMethod::File(file),
            None => SetupMethod::Text(snippets::of(self)),
        }
    }

    /// What its file is to hold, given what it holds.
    pub fn settled(self, before: Option<&str>, wiring: &ConnectionInfo) -> Result<String, Unreadable> {
        match self {
            Client::ClaudeCode => claude_code::settled(before, wiring),
            Client::Codex => codex::settled(before, wiring),
            Client::Opencode => opencode::settled(before, wiring),
            _ => Ok(dotenv::settled(before, wiring)),
        }
    }

    /// As it is said on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// As its makers write it.
    pub fn title(self) -> &'static str {
        match self {
            Client::ClaudeCode => "Claude Code",
            Client::Codex => "Codex",
            Client::Opencode => "opencode",
            Client::Env => ".env",
            Client::Aider => "aider",
            Client::Continue => "Continue",
            Client::Zed => "Zed",
            Client::Llm => "llm",
            Client::Langchain => "LangChain",
            Client::Ollama => "What only knows Ollama",
        }
    }

    /// What to do when it is set up.
    pub fn next_step(self) -> &'static str {
        match self {
            Client::ClaudeCode => "start it as ever: claude",
            Client::Codex => "start it as ever: codex",
            Client::Opencode => "start it as ever: opencode",
            _ => "the OpenAI and Anthropic SDKs find these variables once your program has loaded the file",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(variables: &'static [(&'static str, &'static str)]) -> ConfigPaths {
        let value =
            move |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        ConfigPaths::of(|name| value(name).map(PathBuf::from)).unwrap()
    }

    #[test]
    fn files_are_where_the_programs_look() {
        let usual = places(&[("HOME", "/h"), ("CODEX_HOME", "")]);
        let moved = places(&[
            ("HOME", "/h"),
            ("XDG_CONFIG_HOME", "/x"),
            ("XDG_STATE_HOME", "/s"),
            ("CLAUDE_CONFIG_DIR", "/c"),
            ("CODEX_HOME", "/d"),
        ]);
        let file = |places: &ConfigPaths, client| places.file(client, |_| false).unwrap();
        for (client, there, elsewhere) in [
            (Client::ClaudeCode, "/h/.claude/settings.json", "/c/settings.json"),
            (Client::Codex, "/h/.codex/config.toml", "/d/config.toml"),
            (Client::Opencode, "/h/.config/opencode/opencode.json", "/x/opencode/opencode.json"),
            (Client::Env, ".env", ".env"),
        ] {
            assert_eq!(file(&usual, client), Path::new(there));
            assert_eq!(file(&moved, client), Path::new(elsewhere));
        }
        assert_eq!(
            usual.file(Client::Opencode, |_| true).unwrap(),
            Path::new("/h/.config/opencode/opencode.jsonc")
        );
        assert_eq!(
            (usual.state.as_path(), moved.state.as_path()),
            (Path::new("/h/.local/state/copilot-proxy"), Path::new("/s/copilot-proxy"))
        );
    }
}

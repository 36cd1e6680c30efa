//! The clients that can be set up: their configuration files, and the texts for those that are set up by hand. Pure;
//! `setup` writes the files and `run` starts the programs.

use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::connection_info::ConnectionInfo;
use crate::usage_db::state_directory_by;

pub mod claude_code;
pub mod codex;
pub mod dotenv;
mod jsonc;
mod mcp;
pub mod opencode;
pub mod snippets;

use snippets::Snippet;

/// A client that can be set up.
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
    /// The editor's tools as an MCP server: `.mcp.json` in this folder
    ClaudeCodeMcp,
    /// The editor's tools as an MCP server: `~/.codex/config.toml`
    CodexMcp,
    /// The editor's tools as an MCP server: `~/.config/opencode/opencode.json`
    OpencodeMcp,
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
    /// Text to copy: the editor's tools for other clients that speak MCP
    Mcp,
}

/// The way a client is set up.
#[derive(Clone, Copy)]
pub enum SetupMethod {
    /// Its configuration file is written.
    Write(Configuration),
    /// The user copies a text.
    Copy(Snippet),
}

/// Finds the file; the function says whether a path exists.
type FilePath = fn(&ConfigPaths, &dyn Fn(&Path) -> bool) -> PathBuf;

/// Makes the new content from the old one.
type Apply = fn(Option<&str>, &ConnectionInfo) -> Result<String, Unreadable>;

/// The configuration file of a client that is set up by writing it.
#[derive(Clone, Copy)]
pub struct Configuration {
    file: FilePath,
    apply: Apply,
    /// Whether a model is written.
    pub names_model: bool,
    /// The step that follows, as a clause.
    pub next_step: &'static str,
}

impl Configuration {
    /// The path of the file.
    pub fn file(self, paths: &ConfigPaths) -> PathBuf {
        (self.file)(paths, &Path::exists)
    }

    /// The content of the file after set-up, given the one before.
    pub fn apply(self, before: Option<&str>, connection: &ConnectionInfo) -> Result<String, Unreadable> {
        (self.apply)(before, connection)
    }
}

/// A file that is not of the expected form; it is left as it is.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; fix or move the file first")]
pub struct Unreadable(pub(super) String);

/// Folders of configuration files, from the environment.
pub struct ConfigPaths {
    home: PathBuf,
    config: PathBuf,
    claude: Option<PathBuf>,
    codex: Option<PathBuf>,
    /// Folder of the undo log.
    pub state: PathBuf,
}

impl ConfigPaths {
    /// From these variables; none without a home or a state directory.
    pub fn of(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<ConfigPaths> {
        let variable = |name: &str| variable(name).filter(|value| !value.as_os_str().is_empty());
        let home = variable("HOME").or_else(|| variable("USERPROFILE"))?;
        Some(ConfigPaths {
            config: variable("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")),
            state: state_directory_by(
                |name| if name == "HOME" { Some(home.clone()) } else { variable(name) },
            )?,
            claude: variable("CLAUDE_CONFIG_DIR"),
            codex: variable("CODEX_HOME"),
            home,
        })
    }

    fn claude_code(&self) -> PathBuf {
        self.claude.clone().unwrap_or_else(|| self.home.join(".claude")).join("settings.json")
    }

    fn codex(&self) -> PathBuf {
        self.codex.clone().unwrap_or_else(|| self.home.join(".codex")).join("config.toml")
    }

    /// The variant with comments where the user has one.
    fn opencode(&self, exists: &dyn Fn(&Path) -> bool) -> PathBuf {
        let folder = self.config.join("opencode");
        let with_comments = folder.join("opencode.jsonc");
        if exists(&with_comments) { with_comments } else { folder.join("opencode.json") }
    }
}

impl Client {
    /// The one table of clients: the name that its makers use, and the way it is set up.
    fn entry(self) -> (&'static str, SetupMethod) {
        let copy = |into, text| SetupMethod::Copy(Snippet { into, text });
        match self {
            Client::ClaudeCode => (
                "Claude Code",
                SetupMethod::Write(Configuration {
                    file: |paths, _| paths.claude_code(),
                    apply: claude_code::apply,
                    names_model: true,
                    next_step: "start it as usual: claude",
                }),
            ),
            Client::Codex => (
                "Codex",
                SetupMethod::Write(Configuration {
                    file: |paths, _| paths.codex(),
                    apply: codex::apply,
                    names_model: true,
                    next_step: "start it as usual: codex",
                }),
            ),
            Client::Opencode => (
                "opencode",
                SetupMethod::Write(Configuration {
                    file: |paths, exists| paths.opencode(exists),
                    apply: opencode::apply,
                    names_model: true,
                    next_step: "start it as usual: opencode",
                }),
            ),
            Client::ClaudeCodeMcp => (
                "Claude Code: the editor's tools",
                SetupMethod::Write(Configuration {
                    file: |_, _| PathBuf::from(".mcp.json"),
                    apply: mcp::apply_claude_code,
                    names_model: false,
                    next_step: "start claude in this folder and allow the server `vscode`; /mcp shows it",
                }),
            ),
            Client::CodexMcp => (
                "Codex: the editor's tools",
                SetupMethod::Write(Configuration {
                    file: |paths, _| paths.codex(),
                    apply: mcp::apply_codex,
                    names_model: false,
                    next_step: "start it as usual: codex; /mcp shows the server `vscode`",
                }),
            ),
            Client::OpencodeMcp => (
                "opencode: the editor's tools",
                SetupMethod::Write(Configuration {
                    file: |paths, exists| paths.opencode(exists),
                    apply: mcp::apply_opencode,
                    names_model: false,
                    next_step: "start it as usual: opencode; `opencode mcp list` shows the server `vscode`",
                }),
            ),
            Client::Env => (
                ".env",
                SetupMethod::Write(Configuration {
                    file: |_, _| PathBuf::from(".env"),
                    apply: |before, connection| Ok(dotenv::apply(before, connection)),
                    names_model: true,
                    next_step: "the OpenAI and Anthropic SDKs find these variables once your program has loaded the \
                                file",
                }),
            ),
            Client::Aider => ("aider", copy("aider.sh", snippets::AIDER)),
            Client::Continue => ("Continue", copy("config.yaml", snippets::CONTINUE)),
            Client::Zed => ("Zed", copy("settings.jsonc", snippets::ZED)),
            Client::Llm => ("llm", copy("extra-openai-models.yaml", snippets::LLM)),
            Client::Langchain => ("LangChain", copy("langchain.py", snippets::LANGCHAIN)),
            Client::Ollama => ("Programs for Ollama only", copy("ollama.sh", snippets::OLLAMA)),
            Client::Mcp => ("Other MCP clients: the editor's tools", copy("mcp.json", snippets::MCP)),
        }
    }

    /// Whether its file belongs to a project, which others get copies of: it must not have a key.
    pub fn shares_file(self) -> bool {
        self == Client::ClaudeCodeMcp
    }

    /// The way it is set up.
    pub fn method(self) -> SetupMethod {
        self.entry().1
    }

    /// The name that its makers use.
    pub fn title(self) -> &'static str {
        self.entry().0
    }

    /// The name on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths_of(variables: &'static [(&'static str, &'static str)]) -> ConfigPaths {
        let value =
            move |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
        ConfigPaths::of(|name| value(name).map(PathBuf::from)).unwrap()
    }

    #[test]
    fn paths_are_those_that_the_clients_read() {
        let usual = paths_of(&[("HOME", "/h"), ("CODEX_HOME", "")]);
        let moved = paths_of(&[
            ("HOME", "/h"),
            ("XDG_CONFIG_HOME", "/x"),
            ("XDG_STATE_HOME", "/s"),
            ("CLAUDE_CONFIG_DIR", "/c"),
            ("CODEX_HOME", "/d"),
        ]);
        let file_if = |paths: &ConfigPaths, client: Client, exists: bool| match client.method() {
            SetupMethod::Write(configuration) => (configuration.file)(paths, &|_| exists),
            SetupMethod::Copy(_) => panic!("{client:?} has no file"),
        };
        let file = |paths: &ConfigPaths, client| file_if(paths, client, false);
        for (client, by_default, by_variable) in [
            (Client::ClaudeCode, "/h/.claude/settings.json", "/c/settings.json"),
            (Client::Codex, "/h/.codex/config.toml", "/d/config.toml"),
            (Client::Opencode, "/h/.config/opencode/opencode.json", "/x/opencode/opencode.json"),
            (Client::CodexMcp, "/h/.codex/config.toml", "/d/config.toml"),
            (Client::ClaudeCodeMcp, ".mcp.json", ".mcp.json"),
            (Client::Env, ".env", ".env"),
        ] {
            assert_eq!(file(&usual, client), Path::new(by_default));
            assert_eq!(file(&moved, client), Path::new(by_variable));
        }
        assert_eq!(file_if(&usual, Client::Opencode, true), Path::new("/h/.config/opencode/opencode.jsonc"));
        assert_eq!(
            (usual.state.as_path(), moved.state.as_path()),
            (Path::new("/h/.local/state/copilot-proxy"), Path::new("/s/copilot-proxy"))
        );
    }
}

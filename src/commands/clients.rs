//! The clients that can be set up: their configuration files, and the texts for those that are set up by hand. Pure;
//! `setup` writes the files and `run` starts the programs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use super::connection_info::ConnectionInfo;
use crate::usage_db::state_directory_by;

pub mod claude_code;
pub mod cline;
pub mod codex;
pub mod continue_cli;
pub mod crush;
pub mod dotenv;
pub mod gemini_cli;
mod jsonc;
pub mod junie;
mod mcp;
pub mod opencode;
pub mod qwen_code;
pub mod shell;
pub mod snippets;
mod yaml_models;
pub mod zed;

use snippets::Snippet;

/// A client that can be set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Client {
    /// Claude Code
    #[value(alias = "claude")]
    ClaudeCode,
    /// Codex
    Codex,
    /// opencode
    Opencode,
    /// Kilo's command line
    Kilo,
    /// Gemini CLI
    #[value(alias = "gemini")]
    GeminiCli,
    /// Qwen Code
    #[value(alias = "qwen")]
    QwenCode,
    /// Cline's command line
    Cline,
    /// Continue's command line and extensions
    Continue,
    /// Crush
    Crush,
    /// Junie's command line
    Junie,
    /// Zed
    Zed,
    /// A `.env` in this folder, for the SDKs and all that reads one
    #[value(alias = ".env")]
    Env,
    /// The editor's tools as an MCP server: `.mcp.json` in this folder
    ClaudeCodeMcp,
    /// The editor's tools as an MCP server: Codex
    CodexMcp,
    /// The editor's tools as an MCP server: opencode
    OpencodeMcp,
    /// Text to copy: Copilot CLI with its own providers
    #[value(alias = "copilot")]
    CopilotCli,
    /// Text to copy
    Goose,
    /// Text to copy
    Aider,
    /// Text to copy
    Llm,
    /// Text to copy
    Langchain,
    /// Text to copy: AI Assistant in `JetBrains`' IDEs
    Jetbrains,
    /// Text to copy: Xcode's coding assistant
    Xcode,
    /// Text to copy: gptel in Emacs
    Gptel,
    /// Text to copy
    OpenWebui,
    /// Text to copy
    N8n,
    /// Text to copy
    HomeAssistant,
    /// Text to copy, for programs that only know Ollama
    Ollama,
    /// Text to copy: the editor's tools for other clients that speak MCP
    Mcp,
}

/// The way a client is set up.
#[derive(Clone, Copy)]
pub enum SetupMethod {
    /// Its configuration files are written.
    Write(Configuration),
    /// The user copies a text.
    Copy(Snippet),
}

/// The range of a set-up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(test, derive(ts_rs::TS))]
pub enum Scope {
    /// All of this user's projects
    User,
    /// The folder where the command runs
    Project,
}

/// Finds a file; the function says whether a path exists.
type FilePath = fn(&ConfigPaths, &dyn Fn(&Path) -> bool) -> PathBuf;

/// Makes the new content from the old one.
type Apply = fn(Option<&str>, &ConnectionInfo) -> Result<String, Unreadable>;

/// The form in which a file holds the server's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyText {
    /// A key of the client's own, in the clear.
    Clear,
    /// A reference to the variable of the key, in the client's syntax: the file belongs to a project, which others get
    /// copies of. Written only while that variable is set.
    Reference(&'static str),
}

/// A configuration file of a client.
#[derive(Clone, Copy)]
pub struct ConfigFile {
    path: FilePath,
    apply: Apply,
    /// The key in it.
    pub key: KeyText,
    significant: fn(&str) -> String,
}

impl ConfigFile {
    const fn new(path: FilePath, apply: Apply) -> ConfigFile {
        ConfigFile { path, apply, key: KeyText::Clear, significant: str::to_owned }
    }

    const fn shared(path: FilePath, apply: Apply, reference: &'static str) -> ConfigFile {
        ConfigFile { key: KeyText::Reference(reference), ..ConfigFile::new(path, apply) }
    }

    /// A file that its client writes, too: only the content that the function returns counts as changed by the user.
    const fn rewritten(path: FilePath, apply: Apply, significant: fn(&str) -> String) -> ConfigFile {
        ConfigFile { significant, ..ConfigFile::new(path, apply) }
    }

    /// The part of the content that only the user changes.
    pub fn significant(self, text: &str) -> String {
        (self.significant)(text)
    }

    /// The path of the file; a project's is relative to the project's folder.
    pub fn path(self, paths: &ConfigPaths) -> PathBuf {
        (self.path)(paths, &Path::exists)
    }

    /// The content of the file after set-up, given the one before.
    pub fn apply(self, before: Option<&str>, connection: &ConnectionInfo) -> Result<String, Unreadable> {
        (self.apply)(before, connection)
    }
}

/// The configuration files of a client that is set up by writing them.
#[derive(Clone, Copy)]
pub struct Configuration {
    /// Files for all projects of the user; empty where a client has none.
    user: &'static [ConfigFile],
    /// Files of one project; empty where a client has none.
    project: &'static [ConfigFile],
    /// Whether a model is written.
    pub names_model: bool,
    /// The step that follows, as a clause.
    pub next_step: &'static str,
}

impl Configuration {
    /// The files of a scope; empty where a client doesn't have that scope.
    pub fn files(self, scope: Scope) -> &'static [ConfigFile] {
        match scope {
            Scope::User => self.user,
            Scope::Project => self.project,
        }
    }

    /// The scopes that the client has, the usual one first.
    pub fn scopes(self) -> impl Iterator<Item = Scope> {
        [Scope::User, Scope::Project].into_iter().filter(move |scope| !self.files(*scope).is_empty())
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
    /// Folders that variables of the clients name.
    named: HashMap<&'static str, PathBuf>,
    /// Folder of the undo log.
    pub state: PathBuf,
}

impl ConfigPaths {
    /// From these variables; none without a home or a state directory.
    pub fn of(variable: impl Fn(&str) -> Option<PathBuf>) -> Option<ConfigPaths> {
        let variable = |name: &str| variable(name).filter(|value| !value.as_os_str().is_empty());
        let home = variable("HOME").or_else(|| variable("USERPROFILE"))?;
        let names = [
            "APPDATA",
            "CLAUDE_CONFIG_DIR",
            "CODEX_HOME",
            "CONTINUE_GLOBAL_DIR",
            "JUNIE_HOME",
            "LOCALAPPDATA",
        ];
        Some(ConfigPaths {
            config: variable("XDG_CONFIG_HOME").unwrap_or_else(|| home.join(".config")),
            state: state_directory_by(
                |name| if name == "HOME" { Some(home.clone()) } else { variable(name) },
            )?,
            named: names.into_iter().filter_map(|name| Some((name, variable(name)?))).collect(),
            home,
        })
    }

    /// The folder that the variable names, else this one in the home directory.
    fn folder(&self, variable: &str, in_home: &str) -> PathBuf {
        self.named.get(variable).cloned().unwrap_or_else(|| self.home.join(in_home))
    }

    /// The first of these files that exists, else the last one.
    fn first_of(folder: &Path, names: &[&str], exists: &dyn Fn(&Path) -> bool) -> PathBuf {
        let paths = || names.iter().map(|name| folder.join(name));
        paths().find(|path| exists(path)).or_else(|| paths().next_back()).unwrap_or_else(|| folder.to_owned())
    }
}

/// A row of the table of clients.
struct Entry {
    title: &'static str,
    /// Its command, if it has one.
    program: Option<&'static str>,
    method: SetupMethod,
}

impl Client {
    /// The one table of clients: the name that its makers use, its command, and the way it is set up.
    fn entry(self) -> Entry {
        let write = |title, program, configuration| Entry {
            title,
            program,
            method: SetupMethod::Write(configuration),
        };
        let copy = |title, program, snippet| Entry { title, program, method: SetupMethod::Copy(snippet) };
        match self {
            Client::ClaudeCode => write("Claude Code", Some("claude"), claude_code::CONFIGURATION),
            Client::Codex => write("Codex", Some("codex"), codex::CONFIGURATION),
            Client::Opencode => write("opencode", Some("opencode"), opencode::CONFIGURATION),
            Client::Kilo => write("Kilo", Some("kilo"), opencode::KILO),
            Client::GeminiCli => write("Gemini CLI", Some("gemini"), gemini_cli::CONFIGURATION),
            Client::QwenCode => write("Qwen Code", Some("qwen"), qwen_code::CONFIGURATION),
            Client::Cline => write("Cline", Some("cline"), cline::CONFIGURATION),
            Client::Continue => write("Continue", Some("cn"), continue_cli::CONFIGURATION),
            Client::Crush => write("Crush", Some("crush"), crush::CONFIGURATION),
            Client::Junie => write("Junie", Some("junie"), junie::CONFIGURATION),
            Client::Zed => write("Zed", Some("zed"), zed::CONFIGURATION),
            Client::Env => write(".env", None, dotenv::CONFIGURATION),
            Client::ClaudeCodeMcp => {
                write("Claude Code: the editor's tools", Some("claude"), mcp::CLAUDE_CODE)
            }
            Client::CodexMcp => write("Codex: the editor's tools", Some("codex"), mcp::CODEX),
            Client::OpencodeMcp => write("opencode: the editor's tools", Some("opencode"), mcp::OPENCODE),
            Client::CopilotCli => copy("Copilot CLI", Some("copilot"), snippets::COPILOT_CLI),
            Client::Goose => copy("goose", Some("goose"), snippets::GOOSE),
            Client::Aider => copy("aider", Some("aider"), snippets::AIDER),
            Client::Llm => copy("llm", Some("llm"), snippets::LLM),
            Client::Langchain => copy("LangChain", None, snippets::LANGCHAIN),
            Client::Jetbrains => copy("JetBrains AI Assistant", None, snippets::JETBRAINS),
            Client::Xcode => copy("Xcode", Some("xcodebuild"), snippets::XCODE),
            Client::Gptel => copy("gptel (Emacs)", Some("emacs"), snippets::GPTEL),
            Client::OpenWebui => copy("Open WebUI", Some("open-webui"), snippets::OPEN_WEBUI),
            Client::N8n => copy("n8n", Some("n8n"), snippets::N8N),
            Client::HomeAssistant => copy("Home Assistant", Some("hass"), snippets::HOME_ASSISTANT),
            Client::Ollama => copy("Programs for Ollama only", None, snippets::OLLAMA),
            Client::Mcp => copy("Other MCP clients: the editor's tools", None, snippets::MCP),
        }
    }

    /// The way it is set up.
    pub fn method(self) -> SetupMethod {
        self.entry().method
    }

    /// The name that its makers use.
    pub fn title(self) -> &'static str {
        self.entry().title
    }

    /// Its command, if it has one.
    pub fn program(self) -> Option<&'static str> {
        self.entry().program
    }

    /// The name on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// The client of this name.
    pub fn named(name: &str) -> Option<Client> {
        Client::value_variants().iter().copied().find(|client| client.name() == name)
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

    fn files_if(paths: &ConfigPaths, client: Client, scope: Scope, exists: bool) -> Vec<PathBuf> {
        match client.method() {
            SetupMethod::Write(configuration) => {
                configuration.files(scope).iter().map(|file| (file.path)(paths, &|_| exists)).collect()
            }
            SetupMethod::Copy(_) => panic!("{client:?} has no file"),
        }
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
            ("JUNIE_HOME", "/j"),
            ("CONTINUE_GLOBAL_DIR", "/t"),
        ]);
        for (client, by_default, by_variable) in [
            (Client::ClaudeCode, "/h/.claude/settings.json", "/c/settings.json"),
            (Client::Codex, "/h/.codex/config.toml", "/d/config.toml"),
            (Client::Opencode, "/h/.config/opencode/opencode.json", "/x/opencode/opencode.json"),
            (Client::Kilo, "/h/.config/kilo/kilo.json", "/x/kilo/kilo.json"),
            (Client::QwenCode, "/h/.qwen/settings.json", "/h/.qwen/settings.json"),
            (
                Client::Cline,
                "/h/.cline/data/settings/providers.json",
                "/h/.cline/data/settings/providers.json",
            ),
            (Client::Continue, "/h/.continue/config.yaml", "/t/config.yaml"),
            (Client::Junie, "/h/.junie/models/copilot-proxy.json", "/j/models/copilot-proxy.json"),
            (Client::CodexMcp, "/h/.codex/config.toml", "/d/config.toml"),
        ] {
            assert_eq!(files_if(&usual, client, Scope::User, false), [Path::new(by_default)]);
            assert_eq!(files_if(&moved, client, Scope::User, false), [Path::new(by_variable)]);
        }
        #[cfg(not(windows))]
        for (client, by_default, by_variable) in [
            (Client::Crush, "/h/.config/crush/crush.json", "/x/crush/crush.json"),
            (Client::Zed, "/h/.config/zed/settings.json", "/x/zed/settings.json"),
        ] {
            assert_eq!(files_if(&usual, client, Scope::User, false), [Path::new(by_default)]);
            assert_eq!(files_if(&moved, client, Scope::User, false), [Path::new(by_variable)]);
        }
        assert_eq!(
            files_if(&usual, Client::GeminiCli, Scope::User, false),
            [Path::new("/h/.gemini/settings.json"), Path::new("/h/.gemini/.env")]
        );
        assert_eq!(
            files_if(&usual, Client::Opencode, Scope::User, true),
            [Path::new("/h/.config/opencode/opencode.jsonc")]
        );
        assert_eq!(
            (usual.state.as_path(), moved.state.as_path()),
            (Path::new("/h/.local/state/copilot-proxy"), Path::new("/s/copilot-proxy"))
        );
    }

    #[test]
    fn files_of_a_project_are_in_its_folder() {
        let paths = paths_of(&[("HOME", "/h")]);
        for client in Client::value_variants() {
            let SetupMethod::Write(configuration) = client.method() else { continue };
            assert!(configuration.scopes().next().is_some(), "{client:?}");
            for path in files_if(&paths, *client, Scope::Project, false) {
                assert!(path.is_relative(), "{client:?}: {}", path.display());
            }
            for path in files_if(&paths, *client, Scope::User, false) {
                assert!(path.is_absolute(), "{client:?}: {}", path.display());
            }
        }
    }

    #[test]
    fn clients_are_found_by_their_names() {
        for client in Client::value_variants() {
            assert_eq!(Client::named(&client.name()), Some(*client));
        }
        assert_eq!(Client::named("other"), None);
    }
}

//! Texts to copy, for clients whose configuration is not written; words in braces are placeholders.

use super::shell::Shell;
use crate::commands::connection_info::{ConnectionInfo, max_output_tokens};

/// A text for the user to copy.
#[derive(Clone, Copy)]
pub struct Snippet {
    /// File name that shows the text's language; for a recipe without the extension, which is the shell's.
    into: &'static str,
    text: Text,
}

/// The form of a text.
#[derive(Clone, Copy)]
enum Text {
    /// The same in every shell.
    Template(&'static str),
    /// Commands in the user's shell.
    Recipe(Recipe),
}

/// Commands in the user's shell.
#[derive(Clone, Copy)]
struct Recipe {
    /// Lines of explanation, as a template.
    comment: &'static str,
    variables: fn(&ConnectionInfo) -> Variables,
    /// The commands behind them, as a template.
    command: &'static str,
}

/// Names of variables and their values.
type Variables = Vec<(&'static str, String)>;

impl Snippet {
    const fn template(into: &'static str, text: &'static str) -> Snippet {
        Snippet { into, text: Text::Template(text) }
    }

    const fn recipe(into: &'static str, recipe: Recipe) -> Snippet {
        Snippet { into, text: Text::Recipe(recipe) }
    }

    /// The file name and the text for a server and a shell.
    pub fn for_server(self, connection: &ConnectionInfo, shell: Shell) -> (String, String) {
        match self.text {
            Text::Template(template) => (self.into.to_owned(), fill_in(template, connection, shell)),
            Text::Recipe(recipe) => {
                (format!("{}.{}", self.into, shell.extension()), recipe.lines(connection, shell))
            }
        }
    }
}

impl Recipe {
    fn lines(self, connection: &ConnectionInfo, shell: Shell) -> String {
        let comment = fill_in(self.comment, connection, shell);
        let variables = (self.variables)(connection).into_iter().map(|(name, value)| shell.set(name, &value));
        let command = fill_in(self.command, connection, shell);
        let comment = comment.lines().map(|line| format!("# {line}"));
        comment
            .chain(variables)
            .chain(command.lines().map(str::to_owned))
            .fold(String::new(), |text, line| text + &line + "\n")
    }
}

/// Fills the placeholders of a template with a server's values.
fn fill_in(template: &str, connection: &ConnectionInfo, shell: Shell) -> String {
    template
        .replace("{OPENAI_BASE}", &connection.openai_base())
        .replace("{BASE}", &connection.base)
        .replace("{AUTHORITY}", connection.authority())
        .replace("{PORT}", connection.port())
        .replace("{KEY}", connection.key_or_filler())
        .replace("{MODEL}", &model(connection))
        .replace(
            "{LLM_FOLDER}",
            &shell.output_of(match shell {
                Shell::Posix => "dirname \"$(llm logs path)\"",
                Shell::Powershell => "Split-Path (llm logs path)",
                Shell::Fish => "dirname (llm logs path)",
            }),
        )
}

fn model(connection: &ConnectionInfo) -> String {
    connection.model_like(&["gpt"])
}

pub(super) const AIDER: Snippet = Snippet::recipe(
    "aider",
    Recipe {
        comment: "",
        variables: |connection| {
            vec![
                ("OPENAI_API_BASE", connection.openai_base()),
                ("OPENAI_API_KEY", connection.key_or_filler().to_owned()),
            ]
        },
        command: "aider --model openai/{MODEL}",
    },
);

/// The variables of Copilot CLI's own providers; it needs no GitHub account then, and asks nothing else on the network.
pub fn copilot_cli(connection: &ConnectionInfo) -> Variables {
    let model = connection.model_like(&["sonnet", "claude", "gpt"]);
    let mut variables = vec![
        ("COPILOT_PROVIDER_BASE_URL", connection.openai_base()),
        ("COPILOT_PROVIDER_TYPE", "openai".to_owned()),
        ("COPILOT_PROVIDER_API_KEY", connection.key_or_filler().to_owned()),
        ("COPILOT_MODEL", model.clone()),
        ("COPILOT_OFFLINE", "true".to_owned()),
    ];
    if let Some(entry) = connection.entry(&model) {
        let limits = [
            ("COPILOT_PROVIDER_MAX_PROMPT_TOKENS", entry.model.max_input_tokens),
            ("COPILOT_PROVIDER_MAX_OUTPUT_TOKENS", max_output_tokens(entry)),
        ];
        variables.extend(limits.map(|(name, limit)| (name, limit.to_string())));
    }
    variables
}

pub(super) const COPILOT_CLI: Snippet = Snippet::recipe(
    "copilot",
    Recipe {
        comment: "Copilot CLI reads its provider from variables only. In the shell, or in the shell's profile:",
        variables: copilot_cli,
        command: "copilot",
    },
);

pub(super) const GOOSE: Snippet = Snippet::recipe(
    "goose",
    Recipe {
        comment: "In the shell, or in the shell's profile; goose keeps keys in the system's keyring, not in its config.yaml:",
        variables: |connection| {
            let mut variables = vec![
                ("GOOSE_PROVIDER", "openai".to_owned()),
                ("OPENAI_HOST", connection.base.clone()),
                ("OPENAI_API_KEY", connection.key_or_filler().to_owned()),
                ("GOOSE_MODEL", model(connection)),
            ];
            let limit = connection.entry(&model(connection)).map(|entry| entry.model.max_input_tokens);
            variables.extend(limit.map(|limit| ("GOOSE_CONTEXT_LIMIT", limit.to_string())));
            variables
        },
        command: "goose session",
    },
);

// Not among the variables that are set for every program: many ask one API for answers and an Ollama for embeddings.
pub(super) const OLLAMA: Snippet = Snippet::recipe(
    "ollama",
    Recipe {
        comment: "In the shell, or wherever the program asks for Ollama's address; there are no embeddings.\n\
                  Then start it, and choose a model of its list, or name one: {MODEL}",
        variables: |connection| {
            vec![
                ("OLLAMA_HOST", connection.base.clone()),
                ("OLLAMA_API_KEY", connection.key_or_filler().to_owned()),
            ]
        },
        command: "",
    },
);

pub(super) const OPEN_WEBUI: Snippet = Snippet::recipe(
    "open-webui",
    Recipe {
        comment: "Installed by pip or uv. In a container of Docker Desktop the address is http://host.docker.internal:{PORT}/v1;\n\
                  on Linux start the container with --network=host, and the address stays as it is. In the running program:\n\
                  Admin Panel, Settings, Connections, OpenAI API. Then choose {MODEL}, or another model of the list.",
        variables: |connection| {
            vec![
                ("OPENAI_API_BASE_URL", connection.openai_base()),
                ("OPENAI_API_KEY", connection.key_or_filler().to_owned()),
                ("ENABLE_OLLAMA_API", "false".to_owned()),
            ]
        },
        command: "open-webui serve --port 3000",
    },
);

pub(super) const LLM: Snippet = Snippet::template(
    "extra-openai-models.yaml",
    "\
# In extra-openai-models.yaml, in the folder {LLM_FOLDER};
# then: llm -m copilot-proxy 'hello'   (llm wants a key: llm keys set copilot-proxy --value {KEY})
- model_id: copilot-proxy
  model_name: {MODEL}
  api_base: {OPENAI_BASE}
  api_key_name: copilot-proxy
  supports_tools: true
",
);

pub(super) const LANGCHAIN: Snippet = Snippet::template(
    "langchain.py",
    "\
# pip install langchain-openai
from langchain_openai import ChatOpenAI

model = ChatOpenAI(base_url=\"{OPENAI_BASE}\", api_key=\"{KEY}\", model=\"{MODEL}\")
print(model.invoke(\"hello\").content)
",
);

pub(super) const GPTEL: Snippet = Snippet::template(
    "gptel.el",
    "\
;; In Emacs's init file; then M-x gptel
(setq gptel-model '{MODEL}
      gptel-backend (gptel-make-openai \"Copilot Proxy\"
                      :protocol \"http\"
                      :host \"{AUTHORITY}\"
                      :endpoint \"/v1/chat/completions\"
                      :stream t
                      :key \"{KEY}\"
                      :models '({MODEL})))
",
);

pub(super) const XCODE: Snippet = Snippet::template(
    "xcode.md",
    "\
In Xcode 26.3 or later: Settings, Intelligence, Add a Chat Provider (earlier: Add a Model Provider).

- Locally Hosted, port {PORT}, description Copilot Proxy: while you have made no key in VS Code.
- Internet Hosted, URL {BASE}, API key header x-api-key, API key {KEY}: once you have.

Xcode then lists the models, {MODEL} among them.
",
);

pub(super) const JETBRAINS: Snippet = Snippet::template(
    "jetbrains.md",
    "\
In the IDE: Settings, Tools, AI Assistant, Providers & API keys (earlier: Models), Third-party AI providers.

- Provider: OpenAI-compatible
- URL: {OPENAI_BASE}
- API key: {KEY}
- Model: {MODEL}

Test Connection, Apply; then choose the model in AI Chat. For Junie: copilot-proxy setup junie
",
);

pub(super) const N8N: Snippet = Snippet::template(
    "n8n.md",
    "\
In n8n: Create Credential, OpenAI.

- API key: {KEY}
- Base URL: {OPENAI_BASE}

Then choose the credential in an OpenAI Chat Model node, and {MODEL} by its name. In a container of Docker Desktop the base URL is
http://host.docker.internal:{PORT}/v1; on Linux start the container with --network=host, and the address stays as it is.
",
);

pub(super) const HOME_ASSISTANT: Snippet = Snippet::template(
    "home-assistant.md",
    "\
In Home Assistant: Settings, Devices & services, Add integration, Ollama.

- URL: {BASE}
- API key, if it asks for one: {KEY}

Then add a conversation agent with the model {MODEL}. The server accepts programs of this machine only. Where Home Assistant runs
on another, keep a tunnel open from here; it then finds the URL above on its own machine:

    ssh -N -R {PORT}:{AUTHORITY} USER@ITS-ADDRESS
",
);

pub(super) const MCP: Snippet = Snippet::template(
    "mcp.json",
    "\
// For clients that send requests (streamable HTTP): {BASE}/mcp, with the key as a bearer token if there is one.
// For Claude Desktop, Cursor and others that start a program, among their MCP servers:
{
  \"mcpServers\": {
    \"vscode\": { \"command\": \"copilot-proxy\", \"args\": [\"mcp\"] }
  }
}
",
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::connection_info::tests::connection;

    const ALL: &[Snippet] = &[
        AIDER,
        COPILOT_CLI,
        GOOSE,
        OLLAMA,
        OPEN_WEBUI,
        LLM,
        LANGCHAIN,
        GPTEL,
        XCODE,
        JETBRAINS,
        N8N,
        HOME_ASSISTANT,
    ];

    #[test]
    fn every_placeholder_is_filled_in() {
        for snippet in ALL {
            for shell in [Shell::Posix, Shell::Powershell, Shell::Fish] {
                let (_, text) = snippet.for_server(&connection(&["gpt-4o"]), shell);
                assert!(text.contains("127.0.0.1:8080") && text.contains("gpt-4o"), "{text}");
                assert!(!text.contains(['{', '}']), "{text}");
            }
        }
    }

    #[test]
    fn recipes_are_in_the_syntax_of_the_shell() {
        let there = connection(&["gpt-4o"]);
        assert_eq!(
            AIDER.for_server(&there, Shell::Posix),
            (
                "aider.sh".to_owned(),
                "export OPENAI_API_BASE=http://127.0.0.1:8080/v1\nexport OPENAI_API_KEY=unused\naider --model openai/gpt-4o\n"
                    .to_owned()
            )
        );
        let (name, text) = AIDER.for_server(&there, Shell::Powershell);
        assert_eq!(name, "aider.ps1");
        assert!(text.starts_with("$env:OPENAI_API_BASE = 'http://127.0.0.1:8080/v1'\n"), "{text}");
        let (name, text) = AIDER.for_server(&there, Shell::Fish);
        assert_eq!(name, "aider.fish");
        assert!(text.starts_with("set -gx OPENAI_API_BASE http://127.0.0.1:8080/v1\n"), "{text}");
    }
}

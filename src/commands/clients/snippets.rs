//! Texts to copy, for clients whose configuration is not written; words in braces are placeholders.

use crate::commands::connection_info::ConnectionInfo;

/// A text for the user to copy.
#[derive(Clone, Copy, Debug)]
pub struct Snippet {
    /// File name that shows the text's language.
    pub into: &'static str,
    /// Template with placeholders such as `{BASE}`.
    pub text: &'static str,
}

/// Fills the placeholders of a template with a server's values.
pub fn fill_in(template: &str, connection: &ConnectionInfo) -> String {
    let context = connection.models.iter().find(|listed| listed.id == connection.model_like(&["gpt"]));
    let context = context.map_or(128_000, |listed| listed.model.max_input_tokens);
    template
        .replace("{OPENAI_BASE}", &connection.openai_base())
        .replace("{BASE}", &connection.base)
        .replace("{KEY}", connection.key_or_filler())
        .replace("{MODEL}", &connection.model_like(&["gpt"]))
        .replace("{CONTEXT}", &context.to_string())
}

pub(super) const AIDER: &str = "\
# In the shell:
export OPENAI_API_BASE={OPENAI_BASE} OPENAI_API_KEY={KEY}
aider --model openai/{MODEL}
";

pub(super) const CONTINUE: &str = "\
# In ~/.continue/config.yaml, under `models:`
models:
  - name: Copilot Proxy
    provider: openai
    model: {MODEL}
    apiBase: {OPENAI_BASE}
    apiKey: {KEY}
    roles: [chat, edit, apply]
    capabilities: [tool_use]
";

pub(super) const ZED: &str = "\
// In Zed's settings.json; Zed asks for the key in its agent panel: {KEY}
{
  \"language_models\": {
    \"openai_compatible\": {
      \"Copilot Proxy\": {
        \"api_url\": \"{OPENAI_BASE}\",
        \"available_models\": [
          { \"name\": \"{MODEL}\", \"display_name\": \"{MODEL}\", \"max_tokens\": {CONTEXT} }
        ]
      }
    }
  }
}
";

pub(super) const LLM: &str = "\
# In extra-openai-models.yaml, in the folder that `dirname \"$(llm logs path)\"` tells;
# then: llm -m copilot-proxy 'hello'   (llm wants a key: llm keys set copilot-proxy --value {KEY})
- model_id: copilot-proxy
  model_name: {MODEL}
  api_base: {OPENAI_BASE}
  api_key_name: copilot-proxy
  supports_tools: true
";

pub(super) const LANGCHAIN: &str = "\
# pip install langchain-openai
from langchain_openai import ChatOpenAI

model = ChatOpenAI(base_url=\"{OPENAI_BASE}\", api_key=\"{KEY}\", model=\"{MODEL}\")
print(model.invoke(\"hello\").content)
";

// Not among the variables that are set for every program: many ask one API for answers and an Ollama for embeddings.
pub(super) const OLLAMA: &str = "\
# In the shell, or wherever the program asks for Ollama's address; there are no embeddings:
export OLLAMA_HOST={BASE} OLLAMA_API_KEY={KEY}
# Then start it, and choose a model of its list, or name one: {MODEL}
";

pub(super) const MCP: &str = "\
// For clients that send requests (streamable HTTP): {BASE}/mcp, with the key as a bearer token if there is one.
// For Claude Desktop, Cursor and others that start a program, among their MCP servers:
{
  \"mcpServers\": {
    \"vscode\": { \"command\": \"copilot-proxy\", \"args\": [\"mcp\"] }
  }
}
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::connection_info::tests::connection;

    #[test]
    fn every_placeholder_is_filled_in() {
        for template in [AIDER, CONTINUE, ZED, LLM, LANGCHAIN, OLLAMA] {
            let text = fill_in(template, &connection(&["gpt-4o"]));
            assert!(text.contains("http://127.0.0.1:8080") && text.contains("gpt-4o"), "{text}");
            for placeholder in ["{OPENAI_BASE}", "{BASE}", "{KEY}", "{MODEL}", "{CONTEXT}"] {
                assert!(!text.contains(placeholder), "{text}");
            }
        }
    }
}

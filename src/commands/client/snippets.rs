//! The programs that are told by hand: a text to copy each, with the words in braces filled in.

use super::Client;
use crate::commands::connection_info::ConnectionInfo;

/// What the person is to write.
#[derive(Clone, Copy, Debug)]
pub struct Snippet {
    /// The name of a file that holds the like: what it is written in.
    pub into: &'static str,
    /// With blanks.
    pub text: &'static str,
}

/// The text for a client that no file is written for.
pub(super) fn of(client: Client) -> Snippet {
    let (into, text) = match client {
        Client::Aider => ("aider.sh", AIDER),
        Client::Continue => ("config.yaml", CONTINUE),
        Client::Zed => ("settings.jsonc", ZED),
        Client::Llm => ("extra-openai-models.yaml", LLM),
        Client::Ollama => ("ollama.sh", OLLAMA),
        _ => ("langchain.py", LANGCHAIN),
    };
    Snippet { into, text }
}

/// The text with what this server is filled in.
pub fn filled_in(recipe: &str, wiring: &ConnectionInfo) -> String {
    let context = wiring.models.iter().find(|listed| listed.id == wiring.model_like(&["gpt"]));
    let context = context.map_or(128_000, |listed| listed.model.max_input_tokens);
    recipe
        .replace("{OPENAI_BASE}", &wiring.openai_base())
        .replace("{BASE}", &wiring.base)
        .replace("{KEY}", wiring.key_or_filler())
        .replace("{MODEL}", &wiring.model_like(&["gpt"]))
        .replace("{CONTEXT}", &context.to_string())
}

const AIDER: &str = "\
# In the shell:
export OPENAI_API_BASE={OPENAI_BASE} OPENAI_API_KEY={KEY}
aider --model openai/{MODEL}
";

const CONTINUE: &str = "\
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

const ZED: &str = "\
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

const LLM: &str = "\
# In extra-openai-models.yaml, in the folder that `dirname \"$(llm logs path)\"` tells;
# then: llm -m copilot-proxy 'hello'   (llm wants a key: llm keys set copilot-proxy --value {KEY})
- model_id: copilot-proxy
  model_name: {MODEL}
  api_base: {OPENAI_BASE}
  api_key_name: copilot-proxy
  supports_tools: true
";

const LANGCHAIN: &str = "\
# pip install langchain-openai
from langchain_openai import ChatOpenAI

model = ChatOpenAI(base_url=\"{OPENAI_BASE}\", api_key=\"{KEY}\", model=\"{MODEL}\")
print(model.invoke(\"hello\").content)
";

// Not among the variables that are set for every program: many ask one API for answers and an Ollama for embeddings.
const OLLAMA: &str = "\
# In the shell, or wherever the program asks for Ollama's address; there are no embeddings:
export OLLAMA_HOST={BASE} OLLAMA_API_KEY={KEY}
# Then start it, and choose a model of its list, or name one: {MODEL}
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::connection_info::tests::wiring;

    #[test]
    fn every_blank_is_filled_in() {
        const TEXTS: [Client; 6] =
            [Client::Aider, Client::Continue, Client::Zed, Client::Llm, Client::Langchain, Client::Ollama];
        for client in TEXTS {
            let text = filled_in(of(client).text, &wiring(&["gpt-4o"]));
            assert!(text.contains("http://127.0.0.1:8080") && text.contains("gpt-4o"), "{text}");
            for blank in ["{OPENAI_BASE}", "{BASE}", "{KEY}", "{MODEL}", "{CONTEXT}"] {
                assert!(!text.contains(blank), "{text}");
            }
        }
    }
}

//! Names of tools: the client's, with a namespace perhaps and a way of its own to say calls, and the model's,
//! which knows functions alone.

use std::collections::HashMap;

use super::client_tools::ClientTool;
use crate::conversation::web::WebKind;
use crate::dialect::common::web_tools;

/// Codex's namespace for tools without one; their calls carry none.
pub const NO_NAMESPACE: &str = "functions";

/// The client's name of a tool.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ToolName {
    pub namespace: Option<String>,
    pub name: String,
}

impl ToolName {
    /// A name as items and tools carry it.
    pub fn new(namespace: Option<String>, name: String) -> ToolName {
        let namespace = namespace.filter(|namespace| !namespace.is_empty() && namespace != NO_NAMESPACE);
        ToolName { namespace, name }
    }

    /// The name of a tool that the client runs. A function of the same name is another tool: an empty namespace can't
    /// come from a request.
    pub fn of_client_tool(tool: ClientTool) -> ToolName {
        ToolName { namespace: Some(String::new()), name: tool.kind().to_owned() }
    }

    /// The name of the tool that searches the web. It is no function of the client's, either.
    pub fn of_web_search() -> ToolName {
        ToolName { namespace: Some(String::new()), name: web_tools::name(WebKind::Search).to_owned() }
    }

    /// Both in one word. A namespace may end with the separator already: Codex's of MCP servers did.
    fn joined(&self) -> String {
        match &self.namespace {
            None => self.name.clone(),
            Some(namespace) if namespace.is_empty() => self.name.clone(),
            Some(namespace) if namespace.ends_with("__") => format!("{namespace}{}", self.name),
            Some(namespace) => format!("{namespace}__{}", self.name),
        }
    }
}

/// Form of a tool's calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallKind {
    /// `function_call`, with JSON arguments.
    Function,
    /// `custom_tool_call`, with free text.
    Custom,
    /// An item of the tool's own type.
    Client(ClientTool),
}

/// Names of the tools, by the client and by the model.
#[derive(Debug, Default)]
pub struct ToolNames {
    by_client: HashMap<ToolName, String>,
    by_model: HashMap<String, (ToolName, CallKind)>,
}

impl ToolNames {
    /// The name under which the model sees, or saw, a tool.
    pub fn to_model(&self, name: &ToolName) -> String {
        self.by_client.get(name).cloned().unwrap_or_else(|| name.joined())
    }

    /// The client's name of what the model calls; none for a tool that is not the client's.
    pub fn to_client(&self, name: &str) -> Option<&(ToolName, CallKind)> {
        self.by_model.get(name)
    }

    /// A name for the model that no other tool has; none if the tool has one already.
    pub fn add(&mut self, name: &ToolName, kind: CallKind) -> Option<String> {
        if self.by_client.contains_key(name) {
            return None;
        }
        let joined = name.joined();
        let free = std::iter::once(joined.clone())
            // One of these names is free, since there are as many as tools.
            .chain((2..=self.by_model.len() + 1).map(|number| format!("{joined}_{number}")))
            .find(|candidate| !self.by_model.contains_key(candidate))?;
        self.by_client.insert(name.clone(), free.clone());
        self.by_model.insert(free.clone(), (name.clone(), kind));
        Some(free)
    }
}

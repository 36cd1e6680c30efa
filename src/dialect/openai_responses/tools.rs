//! Reads tools and `tool_choice`.
//!
//! The API has tools in namespaces and tools that take free text; a model behind VS Code knows functions
//! alone. Both become functions here, and `names` turns their calls back.

use std::collections::HashMap;

use serde_json::Value;

use super::client_tools::ClientTool;
use super::tool_names::{CallKind, NO_NAMESPACE, ToolName, ToolNames};
use super::wire;
use crate::conversation::web::{Domains, WebKind, WebTool};
use crate::conversation::{Tool, ToolChoice};
use crate::dialect::common::body_json::read_value;
use crate::dialect::common::free_text;
use crate::dialect::common::tool_list::taken;
use crate::dialect::common::web_tools;
use crate::failure::{Failure, ResultExt};

/// Tools a request offers, as the model sees them.
#[derive(Debug, Default)]
pub struct OfferedTools {
    pub tools: Vec<Tool>,
    pub names: ToolNames,
    /// The tool that searches the web.
    pub web_search: Option<WebTool>,
    /// Whether a different tool of a name that is taken is ignored instead of refused: tools within the input were
    /// offered in earlier turns.
    pub first_wins: bool,
    /// Position of each tool by its name for the model.
    positions: HashMap<String, usize>,
}

impl OfferedTools {
    /// Takes in a tool, or all of a namespace.
    pub fn add(&mut self, tool: &Value) -> Result<(), Failure> {
        if kind_of(tool)? != "namespace" {
            return self.add_one(None, None, tool);
        }
        let space: wire::Namespace = read_value(tool)?;
        // The description is about all of them: the first carries it, and again where it is repeated.
        for (index, tool) in space.tools.iter().enumerate() {
            let is_first = space.tools.first() == Some(tool);
            let description = space.description.clone().filter(|_| is_first);
            self.add_one(Some(&space.name), description, tool).at(format_args!("tools[{index}]"))?;
        }
        Ok(())
    }

    /// A tool of a type that VS Code knows nothing like is left out: agents offer such ones beside their own.
    fn add_one(
        &mut self,
        space: Option<&str>,
        description_of_namespace: Option<String>,
        tool: &Value,
    ) -> Result<(), Failure> {
        match kind_of(tool)? {
            "function" => self.add_function(space, description_of_namespace, tool),
            "custom" => self.add_custom(space, description_of_namespace, tool),
            kind if is_web_search(kind) => self.add_web_search(tool),
            _ => match ClientTool::of(tool) {
                Some(tool) => {
                    let (kind, description) = (CallKind::Client(tool), tool.description().to_owned());
                    self.push_named(
                        &ToolName::of_client_tool(tool),
                        kind,
                        description,
                        Some(tool.schema()),
                        false,
                    )
                }
                None => Ok(()),
            },
        }
    }

    fn add_web_search(&mut self, tool: &Value) -> Result<(), Failure> {
        let name = ToolName::of_web_search();
        let Tool { description, input_schema, .. } = web_tools::tool(WebKind::Search, String::new());
        self.push_named(&name, CallKind::Function, description, input_schema, true)?;
        // Fields of other types are let through, like those of any tool that OpenAI itself would run.
        let hosts = |path: &str| {
            let hosts = tool.pointer(path)?.as_array()?;
            Some(hosts.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        };
        self.web_search = Some(WebTool {
            name: self.names.to_model(&name),
            path: "tools".into(),
            domains: Domains::new(hosts("/filters/allowed_domains"), hosts("/filters/blocked_domains")),
            ..WebTool::default()
        });
        Ok(())
    }

    fn add_function(
        &mut self,
        space: Option<&str>,
        description_of_namespace: Option<String>,
        tool: &Value,
    ) -> Result<(), Failure> {
        let tool: wire::FunctionTool = read_value(tool)?;
        let description = paragraphs([description_of_namespace, tool.description]);
        self.push(space, tool.name, CallKind::Function, description, tool.parameters.map(Value::Object))
    }

    fn add_custom(
        &mut self,
        space: Option<&str>,
        description_of_namespace: Option<String>,
        tool: &Value,
    ) -> Result<(), Failure> {
        let tool: wire::CustomTool = read_value(tool)?;
        let grammar = tool
            .format
            .and_then(|format| Some(free_text::grammar(format.syntax.as_deref(), &format.definition?)));
        let description = paragraphs([description_of_namespace, tool.description, grammar]);
        self.push(space, tool.name, CallKind::Custom, description, Some(free_text::schema()))
    }

    fn push(
        &mut self,
        space: Option<&str>,
        name: String,
        kind: CallKind,
        description: String,
        input_schema: Option<Value>,
    ) -> Result<(), Failure> {
        if name.is_empty() {
            return Err(Failure::invalid("name", "empty, expected a name"));
        }
        let client_name = ToolName::new(space.map(str::to_owned), name);
        // Codex repeats plain functions in its namespace for tools without one.
        let may_repeat = space == Some(NO_NAMESPACE);
        self.push_named(&client_name, kind, description, input_schema, may_repeat)
    }

    fn push_named(
        &mut self,
        client_name: &ToolName,
        kind: CallKind,
        description: String,
        input_schema: Option<Value>,
        may_repeat: bool,
    ) -> Result<(), Failure> {
        if let Some(name) = self.names.add(client_name, kind) {
            self.positions.insert(name.clone(), self.tools.len());
            self.tools.push(Tool { name, description, input_schema });
            return Ok(());
        }
        let again = Tool { name: self.names.to_model(client_name), description, input_schema };
        let offered = self.positions.get(&again.name).and_then(|position| self.tools.get(*position));
        let is_repeated = self.first_wins || may_repeat || offered == Some(&again);
        if is_repeated { Ok(()) } else { Err(taken(&client_name.name)) }
    }

    /// Reads a `tool_choice`. The editor's tools may join later: then a choice may name one of them.
    pub fn choose(&mut self, choice: Option<&Value>, more_will_come: bool) -> Result<ToolChoice, Failure> {
        let choice = match choice {
            None => ToolChoice::Auto,
            Some(choice) => match read_value(choice)? {
                wire::ToolChoice::Word(word) => from_word(word),
                wire::ToolChoice::Object(choice) => self.choose_named(choice)?,
            },
        };
        match &choice {
            ToolChoice::Allowed { names, is_required: true }
                if !more_will_come && !self.tools.iter().any(|tool| names.contains(&tool.name)) =>
            {
                Err(Failure::invalid("", "`required`, but the request offers none of the allowed tools"))
            }
            ToolChoice::Required if !more_will_come && self.tools.is_empty() => {
                Err(Failure::invalid("", "`required`, but the request offers no function to call"))
            }
            ToolChoice::Named(name)
                if !more_will_come && !self.tools.iter().any(|tool| tool.name == *name) =>
            {
                Err(Failure::invalid("name", format!("`{name}` is not among the tools of the request")))
            }
            _ => Ok(choice),
        }
    }

    fn choose_named(&mut self, choice: wire::Choice) -> Result<ToolChoice, Failure> {
        let missing = |field: &str| Failure::invalid(field, "required, but missing");
        match choice.kind.as_str() {
            "function" | "custom" => {
                let name = ToolName::new(choice.namespace, choice.name.ok_or_else(|| missing("name"))?);
                Ok(ToolChoice::Named(self.names.to_model(&name)))
            }
            "allowed_tools" => {
                let allowed = choice.tools.ok_or_else(|| missing("tools"))?;
                let mode = choice.mode.ok_or_else(|| missing("mode"))?;
                let names = self.allowed_names(&allowed);
                Ok(match mode {
                    wire::ChoiceWord::None => ToolChoice::None,
                    wire::ChoiceWord::Auto => ToolChoice::Allowed { names, is_required: false },
                    wire::ChoiceWord::Required => ToolChoice::Allowed { names, is_required: true },
                })
            }
            kind if is_web_search(kind) => {
                Ok(ToolChoice::Named(self.names.to_model(&ToolName::of_web_search())))
            }
            kind if let Some(tool) = ClientTool::of_kind(kind) => {
                Ok(ToolChoice::Named(self.names.to_model(&ToolName::of_client_tool(tool))))
            }
            kind => Err(Failure::unsupported(
                "type",
                format!("a tool of type `{kind}` can't be demanded here, only functions can"),
            )),
        }
    }

    /// The model's names of the tools that `references` mean, those that the editor may add included.
    fn allowed_names(&self, references: &[wire::ToolReference]) -> Vec<String> {
        let offered = self.tools.iter().filter(|tool| {
            let name = self.names.to_client(&tool.name);
            name.is_some_and(|(name, _)| references.iter().any(|one| is_of(name, one)))
        });
        let mut names: Vec<String> = offered.map(|tool| tool.name.clone()).collect();
        let functions = references.iter().filter(|one| one.kind.as_deref() == Some("function"));
        for name in functions.filter_map(|function| function.name.as_ref()) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        names
    }
}

/// Whether a type is one of those of the tool that searches the web.
fn is_web_search(kind: &str) -> bool {
    kind == "web_search" || kind.starts_with("web_search_2") || kind.starts_with("web_search_preview")
}

fn kind_of(tool: &Value) -> Result<&str, Failure> {
    #[derive(serde::Deserialize)]
    #[serde(expecting = "an object")]
    struct TypedTool<'a> {
        #[serde(rename = "type")]
        kind: &'a str,
    }
    read_value(tool).map(|TypedTool { kind }| kind)
}

fn is_of(name: &ToolName, reference: &wire::ToolReference) -> bool {
    if reference.kind.as_deref() == Some("namespace") {
        return reference.name.is_some() && reference.name == name.namespace;
    }
    if reference.kind.as_deref().is_some_and(is_web_search) {
        return ToolName::of_web_search() == *name;
    }
    if let Some(tool) = reference.kind.as_deref().and_then(ClientTool::of_kind) {
        return ToolName::of_client_tool(tool) == *name;
    }
    let wire::ToolReference { name: Some(wanted), namespace, .. } = reference else { return false };
    ToolName::new(namespace.clone(), wanted.clone()) == *name
}

fn from_word(word: wire::ChoiceWord) -> ToolChoice {
    match word {
        wire::ChoiceWord::None => ToolChoice::None,
        wire::ChoiceWord::Auto => ToolChoice::Auto,
        wire::ChoiceWord::Required => ToolChoice::Required,
    }
}

fn paragraphs<const N: usize>(texts: [Option<String>; N]) -> String {
    let texts: Vec<String> = texts.into_iter().flatten().filter(|text| !text.is_empty()).collect();
    texts.join("\n\n")
}

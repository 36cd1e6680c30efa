//! Reads tools, functions and `tool_choice`.

use std::collections::HashSet;

use serde_json::Value;

use super::wire;
use crate::conversation::{Tool, ToolChoice};
use crate::dialect::common::free_text;
use crate::dialect::common::string_or_object::WordOrObject;
use crate::dialect::common::tool_list::ToolList;
use crate::failure::{Failure, ResultExt};

/// The tool fields of a request.
pub struct OfferedTools {
    pub tools: Option<Vec<wire::Tool>>,
    pub choice: Option<WordOrObject<wire::ChoiceWord, wire::Choice>>,
    /// `tools`, as it was named before.
    pub functions: Option<Vec<wire::Function>>,
    /// `tool_choice`, as it was named before.
    pub function_call: Option<WordOrObject<wire::ChoiceWord, wire::Name>>,
    /// The editor's tools join these later: a choice may name one of them.
    pub more_will_come: bool,
}

/// The tools of a request as they have been read.
pub struct ReadTools {
    /// Tools that a model can be offered.
    pub tools: Vec<Tool>,
    /// Names of those that take free text.
    pub custom: HashSet<String>,
    pub choice: ToolChoice,
}

impl OfferedTools {
    /// Reads the tools and the choice.
    pub fn read(self) -> Result<ReadTools, Failure> {
        let mut tools = ToolList::default();
        let custom = add_tools(&mut tools, self.tools)?;
        for (index, function) in self.functions.into_iter().flatten().enumerate() {
            let function = read_function(function).and_then(|function| tools.add(function));
            function.at(format_args!("functions[{index}]"))?;
        }
        let tools = tools.into_tools();
        let (at, choice) = match (self.choice, self.function_call) {
            (Some(choice), _) => ("tool_choice", read_choice(choice)?),
            (None, Some(WordOrObject::Word(word))) => ("function_call", from_word(word)),
            (None, Some(WordOrObject::Object(function))) => {
                ("function_call", ToolChoice::Named(function.name))
            }
            (None, None) => ("tool_choice", ToolChoice::Auto),
        };
        if !self.more_will_come {
            check_that_it_can_be_met(at, &choice, &tools)?;
        }
        Ok(ReadTools { tools, custom, choice })
    }
}

/// Returns the functions that a model can be offered, for an API that has no other tools.
pub fn read_functions(offered: Option<Vec<wire::Tool>>) -> Result<Vec<Tool>, Failure> {
    let mut tools = ToolList::default();
    let mut offered = offered.unwrap_or_default();
    for tool in &mut offered {
        tool.custom = None;
    }
    add_tools(&mut tools, Some(offered))?;
    Ok(tools.into_tools())
}

/// Adds tools to the list. Returns the names of those that take free text.
fn add_tools(tools: &mut ToolList, offered: Option<Vec<wire::Tool>>) -> Result<HashSet<String>, Failure> {
    let mut custom = HashSet::new();
    for (index, tool) in offered.into_iter().flatten().enumerate() {
        let at = format!("tools[{index}]");
        let field = if is_custom(&tool) { "custom" } else { "function" };
        if let Some(tool) = read_tool(tool).at(&at)? {
            if field == "custom" {
                custom.insert(tool.name.clone());
            }
            tools.add(tool).at(field).at(at)?;
        }
    }
    Ok(custom)
}

fn is_custom(tool: &wire::Tool) -> bool {
    tool.kind.as_deref() == Some("custom")
}

/// Reads a tool. One of a type without a counterpart in VS Code is left out: agents send such tools beside their own.
fn read_tool(tool: wire::Tool) -> Result<Option<Tool>, Failure> {
    match (tool.kind.as_deref(), tool.function, tool.custom) {
        (Some("function") | None, Some(function), _) => read_function(function).map(Some).at("function"),
        (Some("custom"), _, Some(custom)) => read_custom(custom).map(Some).at("custom"),
        (Some("function"), None, _) => Err(Failure::invalid("function", "required, but missing")),
        (None, None, _) => Err(Failure::invalid("type", "required, but missing")),
        (Some(_), _, _) => Ok(None),
    }
}

/// Reads a tool that takes free text, as the function that stands for it.
fn read_custom(tool: wire::CustomTool) -> Result<Tool, Failure> {
    let grammar = tool.format.and_then(|format| format.grammar);
    let grammar = grammar.map(|grammar| free_text::grammar(grammar.syntax.as_deref(), &grammar.definition));
    let paragraphs = tool.description.into_iter().chain(grammar).filter(|text| !text.is_empty());
    Ok(Tool {
        name: named(tool.name)?,
        description: paragraphs.collect::<Vec<_>>().join("\n\n"),
        input_schema: Some(free_text::schema()),
    })
}

fn named(name: String) -> Result<String, Failure> {
    if name.is_empty() { Err(Failure::invalid("name", "empty, expected a name")) } else { Ok(name) }
}

fn read_function(function: wire::Function) -> Result<Tool, Failure> {
    Ok(Tool {
        name: named(function.name)?,
        description: function.description.unwrap_or_default(),
        input_schema: function.parameters.map(Value::Object),
    })
}

fn from_word(word: wire::ChoiceWord) -> ToolChoice {
    match word {
        wire::ChoiceWord::None => ToolChoice::None,
        wire::ChoiceWord::Auto => ToolChoice::Auto,
        wire::ChoiceWord::Required => ToolChoice::Required,
    }
}

/// Reads a `tool_choice`. Of `allowed_tools` only functions and tools with free text count, since the others are not
/// among the tools either.
fn read_choice(choice: WordOrObject<wire::ChoiceWord, wire::Choice>) -> Result<ToolChoice, Failure> {
    let choice = match choice {
        WordOrObject::Word(word) => return Ok(from_word(word)),
        WordOrObject::Object(choice) => choice,
    };
    match (choice.kind.as_deref(), choice.function.or(choice.custom), choice.allowed_tools) {
        (Some("function" | "custom") | None, Some(tool), _) => Ok(ToolChoice::Named(tool.name)),
        (Some(kind @ ("function" | "custom")), None, _) => {
            Err(Failure::invalid(format!("tool_choice.{kind}"), "required, but missing"))
        }
        (Some("allowed_tools"), _, Some(allowed)) => {
            let references = allowed.tools.into_iter().filter_map(|tool| tool.function.or(tool.custom));
            let names = references.map(|tool| tool.name).collect();
            Ok(match allowed.mode {
                wire::ChoiceWord::None => ToolChoice::None,
                wire::ChoiceWord::Auto => ToolChoice::Allowed { names, is_required: false },
                wire::ChoiceWord::Required => ToolChoice::Allowed { names, is_required: true },
            })
        }
        (Some("allowed_tools"), _, None) => {
            Err(Failure::invalid("tool_choice.allowed_tools", "required, but missing"))
        }
        (None, None, _) => Err(Failure::invalid("tool_choice.type", "required, but missing")),
        (Some(kind), ..) => Err(Failure::unsupported(
            "tool_choice.type",
            format!("a tool of type `{kind}` can't be demanded here, only functions can"),
        )),
    }
}

fn check_that_it_can_be_met(at: &str, choice: &ToolChoice, tools: &[Tool]) -> Result<(), Failure> {
    match choice {
        ToolChoice::Allowed { names, is_required: true }
            if !tools.iter().any(|tool| names.contains(&tool.name)) =>
        {
            Err(Failure::invalid(at, "`required`, but the request offers none of the allowed tools"))
        }
        ToolChoice::Required if tools.is_empty() => {
            Err(Failure::invalid(at, "`required`, but the request offers no function to call"))
        }
        ToolChoice::Named(name) if !tools.iter().any(|tool| tool.name == *name) => {
            Err(Failure::invalid(at, format!("`{name}` is not among the tools of the request")))
        }
        _ => Ok(()),
    }
}

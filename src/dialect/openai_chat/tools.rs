//! Reads tools, functions and `tool_choice`.

use serde_json::Value;

use super::wire;
use crate::conversation::{Tool, ToolChoice};
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

impl OfferedTools {
    /// Returns the tools that a model can be offered, and the choice.
    pub fn read(self) -> Result<(Vec<Tool>, ToolChoice), Failure> {
        let mut tools = ToolList::default();
        add_tools(&mut tools, self.tools)?;
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
        Ok((tools, choice))
    }
}

/// Returns the tools that a model can be offered.
pub fn read_tools(offered: Option<Vec<wire::Tool>>) -> Result<Vec<Tool>, Failure> {
    let mut tools = ToolList::default();
    add_tools(&mut tools, offered)?;
    Ok(tools.into_tools())
}

fn add_tools(tools: &mut ToolList, offered: Option<Vec<wire::Tool>>) -> Result<(), Failure> {
    for (index, tool) in offered.into_iter().flatten().enumerate() {
        let at = format!("tools[{index}]");
        if let Some(tool) = read_tool(tool).at(&at)? {
            tools.add(tool).at("function").at(at)?;
        }
    }
    Ok(())
}

/// Reads a tool. One of a type without a counterpart in VS Code is left out: agents send such tools beside their own.
fn read_tool(tool: wire::Tool) -> Result<Option<Tool>, Failure> {
    match (tool.kind.as_deref(), tool.function) {
        (Some("function") | None, Some(function)) => read_function(function).map(Some).at("function"),
        (Some("function"), None) => Err(Failure::invalid("function", "required, but missing")),
        (None, None) => Err(Failure::invalid("type", "required, but missing")),
        (Some(_), _) => Ok(None),
    }
}

fn read_function(function: wire::Function) -> Result<Tool, Failure> {
    if function.name.is_empty() {
        return Err(Failure::invalid("name", "empty, expected a name"));
    }
    Ok(Tool {
        name: function.name,
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

/// Reads a `tool_choice`. Of `allowed_tools` only functions count, since the others are not among the tools either.
fn read_choice(choice: WordOrObject<wire::ChoiceWord, wire::Choice>) -> Result<ToolChoice, Failure> {
    let choice = match choice {
        WordOrObject::Word(word) => return Ok(from_word(word)),
        WordOrObject::Object(choice) => choice,
    };
    match (choice.kind.as_deref(), choice.function, choice.allowed_tools) {
        (Some("function") | None, Some(function), _) => Ok(ToolChoice::Named(function.name)),
        (Some("function"), None, _) => Err(Failure::invalid("tool_choice.function", "required, but missing")),
        (Some("allowed_tools"), _, Some(allowed)) => {
            let functions = allowed.tools.into_iter().filter_map(|tool| tool.function);
            let names = functions.map(|function| function.name).collect();
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

//! Reads tools and `toolConfig`.

use serde_json::Value;

use super::{schema, wire};
use crate::conversation::web::{Domains, WebKind, WebTool, WebTools};
use crate::conversation::{Tool, ToolChoice};
use crate::dialect::common::tool_list::ToolList;
use crate::dialect::common::web_tools;
use crate::dialect::gemini::repeated::Repeated;
use crate::failure::{Failure, ResultExt, shortened};

/// Path of the choice.
const CONFIG: &str = "toolConfig.functionCallingConfig";

/// Returns the functions of all groups, the choice, and the tools that the server runs. Others of Google's own service are
/// left out. With
/// `more_will_come` the editor's tools join these later: a choice may name one of them.
pub fn read(
    tools: Option<Repeated<wire::Tool>>,
    config: Option<wire::ToolConfig>,
    more_will_come: bool,
) -> Result<(Vec<Tool>, ToolChoice, WebTools), Failure> {
    let mut list = ToolList::default();
    let mut offered = WebTools::default();
    for (group, tool) in tools.into_iter().flat_map(|Repeated(tools)| tools).enumerate() {
        note_web_tools(&tool, group, &mut offered);
        let functions = tool.function_declarations.into_iter().flat_map(|Repeated(functions)| functions);
        for (index, function) in functions.enumerate() {
            read_function(function)
                .and_then(|tool| list.add(tool))
                .at(format_args!("tools[{group}].functionDeclarations[{index}]"))?;
        }
    }
    let mut tools = list.into_tools();
    let web = WebTools {
        search: offered.search.map(|tool| web_tools::add(WebKind::Search, tool, &mut tools)),
        fetch: offered.fetch.map(|tool| web_tools::add(WebKind::Fetch, tool, &mut tools)),
    };
    let choice = config.and_then(|config| config.function_calling_config).map(read_choice).transpose()?;
    let choice = choice.unwrap_or_default();
    if !more_will_come {
        check_that_it_can_be_met(&choice, &tools)?;
    }
    Ok((tools, choice, web))
}

/// Notes which of the web tools a group has.
fn note_web_tools(tool: &wire::Tool, group: usize, web: &mut WebTools) {
    let at = |field: &str| format!("tools[{group}].{field}");
    if let Some(search) = &tool.google_search {
        let domains = Domains::new(None, search.exclude_domains.clone());
        web.search = Some(WebTool { path: at("googleSearch"), domains, ..WebTool::default() });
    } else if tool.google_search_retrieval.is_some() {
        web.search = Some(WebTool { path: at("googleSearchRetrieval"), ..WebTool::default() });
    }
    if tool.url_context.is_some() {
        web.fetch = Some(WebTool { path: at("urlContext"), ..WebTool::default() });
    }
}

fn read_function(function: wire::FunctionDeclaration) -> Result<Tool, Failure> {
    if function.name.is_empty() {
        return Err(Failure::invalid("name", "empty, expected a name"));
    }
    let own_form = function.parameters.map(schema::to_json_schema);
    Ok(Tool {
        name: function.name,
        description: function.description.unwrap_or_default(),
        input_schema: function.parameters_json_schema.map(Value::Object).or(own_form),
    })
}

fn read_choice(config: wire::FunctionCallingConfig) -> Result<ToolChoice, Failure> {
    let names = config.allowed_function_names.map_or_else(Vec::new, |Repeated(names)| names);
    let mode = config.mode.unwrap_or_default();
    // Some clients write it in lower case.
    Ok(match (mode.to_ascii_uppercase().as_str(), names.as_slice()) {
        ("NONE", _) => ToolChoice::None,
        ("" | "MODE_UNSPECIFIED" | "AUTO" | "VALIDATED", []) => ToolChoice::Auto,
        ("" | "MODE_UNSPECIFIED" | "AUTO" | "VALIDATED", _) => {
            ToolChoice::Allowed { names, is_required: false }
        }
        ("ANY", []) => ToolChoice::Required,
        ("ANY", [name]) => ToolChoice::Named(name.clone()),
        ("ANY", _) => ToolChoice::Allowed { names, is_required: true },
        _ => {
            let found = shortened(&mode);
            let message = format!("found `{found}`, expected `AUTO`, `ANY`, `NONE` or `VALIDATED`");
            return Err(Failure::invalid(format!("{CONFIG}.mode"), message));
        }
    })
}

fn check_that_it_can_be_met(choice: &ToolChoice, tools: &[Tool]) -> Result<(), Failure> {
    let has = |name: &String| tools.iter().any(|tool| tool.name == *name);
    let names = match choice {
        ToolChoice::Required if tools.is_empty() => {
            let message =
                "`ANY`, but the request offers no function; tools of Google's own service don't exist here";
            return Err(Failure::invalid(format!("{CONFIG}.mode"), message));
        }
        ToolChoice::Named(name) => std::slice::from_ref(name),
        ToolChoice::Allowed { names, .. } => names,
        ToolChoice::None | ToolChoice::Auto | ToolChoice::Required => return Ok(()),
    };
    match names.iter().enumerate().find(|(_, name)| !has(name)) {
        Some((index, name)) => Err(Failure::invalid(
            format!("{CONFIG}.allowedFunctionNames[{index}]"),
            format!("`{}` is not among the functions of the request", shortened(name)),
        )),
        None => Ok(()),
    }
}

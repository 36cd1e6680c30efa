//! Reads tools and `tool_choice`.

use std::collections::HashMap;

use serde_json::Value;

use super::{builtin_tools, wire};
use crate::conversation::web::{Domains, WebKind, WebTool, WebTools};
use crate::conversation::{Tool, ToolChoice};
use crate::dialect::common::tool_list::taken;
use crate::dialect::common::web_tools;
use crate::failure::{Failure, ResultExt};

/// The tool fields of a request.
pub struct OfferedTools {
    pub tools: Vec<wire::Tool>,
    pub choice: Option<wire::Choice>,
    /// Changes of the tool list within the messages.
    pub changes: Vec<ToolListChange>,
    /// The editor's tools join these later: a choice may name one of them.
    pub more_will_come: bool,
}

/// A change of the tool list within the conversation.
#[derive(Clone, Debug, PartialEq)]
pub enum ToolListChange {
    /// This one, deferred so far, is found.
    OfferedTools(String),
    /// This one is withdrawn.
    Withdraw(String),
    /// This one is new.
    Define(Tool),
}

/// The change that a system message's block makes; none where it is about something that doesn't exist here.
pub fn read_change(change: wire::ToolChange, comes: bool) -> Result<Option<ToolListChange>, Failure> {
    let wire::ToolChanged { kind, name, definition } = change.tool;
    match (kind.as_str(), name, definition) {
        ("tool_reference", Some(name), _) if comes => Ok(Some(ToolListChange::OfferedTools(name))),
        ("tool_reference", Some(name), _) => Ok(Some(ToolListChange::Withdraw(name))),
        ("tool_reference", None, _) => Err(missing("name")),
        ("tool_definition", _, Some(definition)) => {
            let tool = read_tool(definition).at("definition")?;
            Ok(tool.map(|tool| ToolListChange::Define(tool.tool)))
        }
        ("tool_definition", _, None) => Err(missing("definition")),
        _ => Ok(None),
    }
}

impl OfferedTools {
    /// Returns the tools that are offered after all changes, the choice, and those of the tools that the server runs.
    pub fn read(self) -> Result<(Vec<Tool>, ToolChoice, WebTools), Failure> {
        let left_out = LeftOut::of(&self.tools);
        let mut web = WebTools::default();
        let mut known: Vec<Known> = Vec::with_capacity(self.tools.len());
        let mut positions = HashMap::new();
        for (index, tool) in self.tools.into_iter().enumerate() {
            let at = format!("tools[{index}]");
            read_web_tool(&tool, &at, &mut web);
            let Some(tool) = read_tool(tool).at(&at)? else { continue };
            match positions.get(&tool.tool.name).and_then(|position| known.get_mut(*position)) {
                None => {
                    positions.insert(tool.tool.name.clone(), known.len());
                    known.push(tool);
                }
                // Agents offer a deferred tool again, loaded, beside the deferred one.
                Some(same) if same.tool == tool.tool => same.on_offer |= tool.on_offer,
                Some(_) => return Err(taken(&tool.tool.name).at_path(at)),
            }
        }
        if left_out.search {
            // The client can't load a deferred tool when the search would have been the server's to run.
            for tool in &mut known {
                tool.on_offer = true;
            }
        }
        for change in self.changes {
            apply(change, &mut known);
        }
        let tools: Vec<Tool> = known.into_iter().filter(|tool| tool.on_offer).map(|tool| tool.tool).collect();
        let choice = read_choice(self.choice)?;
        if !self.more_will_come {
            check_that_it_can_be_met(&choice, &tools, &left_out)?;
        }
        Ok((tools, choice, web))
    }
}

/// A tool that a model can be offered.
struct Known {
    tool: Tool,
    /// Whether it is offered; a deferred tool is not.
    on_offer: bool,
}

/// A tool; none where its type has no counterpart in VS Code: agents send such tools beside their own.
fn read_tool(tool: wire::Tool) -> Result<Option<Known>, Failure> {
    let on_offer = tool.defer_loading != Some(true);
    if let Some(kind) = tool.kind.as_deref().filter(|kind| *kind != "custom") {
        if let Some((kind, name)) = web_kind(kind).zip(tool.name.clone().filter(|name| !name.is_empty())) {
            // There is no search that could load it later.
            return Ok(Some(Known { tool: web_tools::tool(kind, name), on_offer: true }));
        }
        let tool = builtin_tools::tool(kind, tool.name.as_deref().unwrap_or_default());
        return Ok(tool.filter(|tool| !tool.name.is_empty()).map(|tool| Known { tool, on_offer }));
    }
    let name = tool.name.ok_or_else(|| missing("name"))?;
    if name.is_empty() {
        return Err(Failure::invalid("name", "empty, expected a name"));
    }
    let description = tool.description.unwrap_or_default();
    let input_schema = tool.input_schema.map(Value::Object);
    Ok(Some(Known { tool: Tool { name, description, input_schema }, on_offer }))
}

/// Characters of a token, on average.
const PER_TOKEN: u64 = 4;

/// Notes a tool that the server runs.
fn read_web_tool(tool: &wire::Tool, at: &str, web: &mut WebTools) {
    let Some(kind) = tool.kind.as_deref().and_then(web_kind) else { return };
    let place = match kind {
        WebKind::Search => &mut web.search,
        WebKind::Fetch => &mut web.fetch,
    };
    *place = Some(WebTool {
        name: tool
            .name
            .clone()
            .filter(|name| !name.is_empty())
            .unwrap_or_else(|| web_tools::name(kind).into()),
        path: at.to_owned(),
        max_uses: tool.max_uses,
        domains: Domains::new(tool.allowed_domains.clone(), tool.blocked_domains.clone()),
        max_characters: tool
            .max_content_tokens
            .map(|tokens| usize::try_from(tokens.saturating_mul(PER_TOKEN)).unwrap_or(usize::MAX)),
    });
}

fn web_kind(kind: &str) -> Option<WebKind> {
    if kind.starts_with("web_search_2") {
        Some(WebKind::Search)
    } else if kind.starts_with("web_fetch_2") {
        Some(WebKind::Fetch)
    } else {
        None
    }
}

fn apply(change: ToolListChange, known: &mut Vec<Known>) {
    let (name, on_offer) = match &change {
        ToolListChange::OfferedTools(name) => (name, true),
        ToolListChange::Withdraw(name) => (name, false),
        ToolListChange::Define(tool) => (&tool.name, true),
    };
    let place = position(known, name).and_then(|position| known.get_mut(position));
    match (place, change) {
        (Some(place), ToolListChange::Define(tool)) => *place = Known { tool, on_offer },
        (None, ToolListChange::Define(tool)) => known.push(Known { tool, on_offer }),
        (Some(place), _) => place.on_offer = on_offer,
        // Of a tool that this request no longer offers.
        (None, _) => {}
    }
}

fn position(known: &[Known], name: &str) -> Option<usize> {
    known.iter().position(|known| known.tool.name == name)
}

/// Tools that only Anthropic's own service has.
struct LeftOut {
    names_and_types: Vec<(String, String)>,
    /// One of them searches for deferred tools.
    search: bool,
}

impl LeftOut {
    fn of(tools: &[wire::Tool]) -> LeftOut {
        let names_and_types: Vec<_> = tools
            .iter()
            .filter_map(|tool| Some((tool.name.clone().unwrap_or_default(), tool.kind.clone()?)))
            .filter(|(_, kind)| kind != "custom")
            .collect();
        let search = names_and_types.iter().any(|(_, kind)| kind.starts_with("tool_search_tool"));
        LeftOut { names_and_types, search }
    }

    fn kind(&self, name: &str) -> Option<&str> {
        self.names_and_types.iter().find(|(left_out, _)| left_out == name).map(|(_, kind)| kind.as_str())
    }
}

fn read_choice(choice: Option<wire::Choice>) -> Result<ToolChoice, Failure> {
    let Some(choice) = choice else { return Ok(ToolChoice::Auto) };
    Ok(match choice.kind {
        wire::ChoiceKind::Auto => ToolChoice::Auto,
        wire::ChoiceKind::Any => ToolChoice::Required,
        wire::ChoiceKind::None => ToolChoice::None,
        wire::ChoiceKind::Tool => ToolChoice::Named(choice.name.ok_or_else(|| missing("tool_choice.name"))?),
    })
}

fn check_that_it_can_be_met(choice: &ToolChoice, tools: &[Tool], left_out: &LeftOut) -> Result<(), Failure> {
    match choice {
        ToolChoice::Required if tools.is_empty() => Err(Failure::invalid(
            "tool_choice",
            "`any`, but the request offers no tool that can be called here",
        )),
        ToolChoice::Named(name) if !tools.iter().any(|tool| tool.name == *name) => {
            let at = "tool_choice.name";
            Err(match left_out.kind(name) {
                Some(kind) => Failure::unsupported(
                    at,
                    format!(
                        "`{name}` is a tool of Anthropic's own service ({kind}), VS Code has none like it"
                    ),
                ),
                None => Failure::invalid(at, format!("`{name}` is not among the tools of the request")),
            })
        }
        _ => Ok(()),
    }
}

fn missing(at: &str) -> Failure {
    Failure::invalid(at, "required, but missing")
}

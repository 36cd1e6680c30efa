//! The tools of a request, each name once: an identical tool that is offered again is the same tool, and a different one
//! of the same name is a mistake, since the services behind VS Code want unique names.

use std::collections::HashMap;

use crate::conversation::Tool;
use crate::failure::Failure;

/// Tools with unique names, in the order in which they were offered first.
#[derive(Debug, Default)]
pub struct ToolList {
    tools: Vec<Tool>,
    positions: HashMap<String, usize>,
}

impl ToolList {
    /// Adds a tool; true if it is new. The failure's path is relative: the tool's name.
    pub fn add(&mut self, tool: Tool) -> Result<bool, Failure> {
        let offered = self.positions.get(&tool.name).and_then(|position| self.tools.get(*position));
        match offered {
            Some(offered) if *offered == tool => Ok(false),
            Some(_) => Err(taken(&tool.name)),
            None => {
                self.positions.insert(tool.name.clone(), self.tools.len());
                self.tools.push(tool);
                Ok(true)
            }
        }
    }

    /// The tools.
    pub fn into_tools(self) -> Vec<Tool> {
        self.tools
    }
}

/// The error for a second tool of the same name.
pub fn taken(name: &str) -> Failure {
    Failure::invalid("name", format!("`{name}` is the name of another tool already"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identical_tools_are_merged_and_different_ones_of_one_name_refused() {
        let tool = |name: &str, description: &str| Tool {
            name: name.into(),
            description: description.into(),
            input_schema: None,
        };
        let mut tools = ToolList::default();
        assert_eq!(tools.add(tool("a", "x")), Ok(true));
        assert_eq!(tools.add(tool("b", "x")), Ok(true));
        assert_eq!(tools.add(tool("a", "x")), Ok(false));
        assert_eq!(tools.add(tool("b", "y")), Err(taken("b")));
        assert_eq!(tools.into_tools(), [tool("a", "x"), tool("b", "x")]);
    }
}

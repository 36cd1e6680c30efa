//! Response fields of this server, under the key `copilot_proxy` that SDKs ignore; the same in every dialect.

use serde::Serialize;

use crate::conversation::{Event, ToolRan, UsageSource};

/// The value of `copilot_proxy`.
#[derive(Debug, Default, Serialize)]
pub struct ResponseExtensions<'a> {
    /// In a stream's last word on cost: who counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<UsageSource>,
    /// Tools that the proxy ran.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<&'a ToolRan>,
}

impl<'a> ResponseExtensions<'a> {
    /// Source of the usage.
    pub fn usage(source: UsageSource) -> ResponseExtensions<'a> {
        ResponseExtensions { usage: Some(source), tools: Vec::new() }
    }

    /// The tool that ran just now.
    pub fn tool(ran: &'a ToolRan) -> ResponseExtensions<'a> {
        ResponseExtensions { usage: None, tools: vec![ran] }
    }

    /// All tools that ran for a whole reply; none where none ran.
    pub fn tools(events: impl IntoIterator<Item = &'a Event>) -> Option<ResponseExtensions<'a>> {
        let ran = |event: &'a Event| match event {
            Event::ToolRan(ran) => Some(ran),
            _ => None,
        };
        let tools: Vec<_> = events.into_iter().filter_map(ran).collect();
        (!tools.is_empty()).then_some(ResponseExtensions { usage: None, tools })
    }
}

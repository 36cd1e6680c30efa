//! Response fields of this server, under the key `copilot_proxy` that SDKs ignore; the same in every dialect.

use serde::Serialize;

use crate::conversation::{Event, RoutedModel, ToolRan, Usage, UsageSource};

/// The value of `copilot_proxy`.
#[derive(Debug, Default, Serialize)]
pub struct ResponseExtensions<'a> {
    /// Source of the usage, in the last event of a stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<UsageSource>,
    /// In the last event of a stream: the model that `auto` was routed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routed_model: Option<RoutedModel>,
    /// Tools that the proxy ran.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<&'a ToolRan>,
    /// Number of the model's tool calls that were dropped, because the request forbids them.
    #[serde(skip_serializing_if = "is_zero")]
    pub dropped_calls: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl<'a> ResponseExtensions<'a> {
    /// Fields of the last event of a stream.
    pub fn last(usage: &Usage) -> ResponseExtensions<'a> {
        ResponseExtensions {
            usage: Some(usage.source),
            dropped_calls: usage.dropped_calls,
            routed_model: usage.routed_model,
            ..ResponseExtensions::default()
        }
    }

    /// A tool that has just run.
    pub fn tool(ran: &'a ToolRan) -> ResponseExtensions<'a> {
        ResponseExtensions { tools: vec![ran], ..ResponseExtensions::default() }
    }

    /// Fields of a whole response; `None` if no tool ran and no call was dropped.
    pub fn whole(events: impl IntoIterator<Item = &'a Event>) -> Option<ResponseExtensions<'a>> {
        let mut fields = ResponseExtensions::default();
        for event in events {
            match event {
                Event::ToolRan(ran) => fields.tools.push(ran),
                Event::Finish(_, usage) => {
                    fields.dropped_calls = fields.dropped_calls.saturating_add(usage.dropped_calls);
                }
                Event::Text(_) | Event::Thinking(_) | Event::ToolCall(_) => {}
            }
        }
        (!fields.tools.is_empty() || fields.dropped_calls > 0).then_some(fields)
    }
}

//! Response fields of this server, under the key `copilot_proxy` that SDKs ignore; the same in every dialect.

use serde::Serialize;

use crate::conversation::{
    Credits, CreditsSource, Event, PremiumRequests, Round, RoutedModel, ToolRan, Usage, UsageSource,
};

/// The value of `copilot_proxy`.
#[derive(Debug, Default, Serialize)]
pub struct ResponseExtensions<'a> {
    /// Source of the usage, in the last event of a stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub usage: Option<UsageSource>,
    /// In the last event of a stream: the model that `auto` was routed to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub routed_model: Option<RoutedModel>,
    /// Cost of the response in credits, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credits: Option<f64>,
    /// Whether the provider reported the cost or it is an estimate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credits_source: Option<CreditsSource>,
    /// Premium requests that the response counts as, for a model that is billed by the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub premium_requests: Option<f64>,
    /// The model requests of auto mode, one by one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rounds: Vec<RoundFields>,
    /// Tools that the proxy ran.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<&'a ToolRan>,
    /// Number of the model's tool calls that were dropped, because the request forbids them.
    #[serde(skip_serializing_if = "is_zero")]
    pub dropped_calls: u32,
}

/// One model request of auto mode.
#[derive(Debug, Serialize)]
pub struct RoundFields {
    round: u32,
    model: String,
    input_tokens: u64,
    output_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    credits: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    credits_source: Option<CreditsSource>,
    #[serde(skip_serializing_if = "Option::is_none")]
    premium_requests: Option<f64>,
}

impl From<&Round> for RoundFields {
    fn from(round: &Round) -> RoundFields {
        RoundFields {
            round: round.round,
            model: round.model.to_string(),
            input_tokens: round.input,
            output_tokens: round.output,
            credits: round.credits.map(Credits::amount),
            credits_source: round.credits.map(|credits| credits.source),
            premium_requests: round.premium_requests.map(PremiumRequests::amount),
        }
    }
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
            rounds: rounds_of(usage),
            ..ResponseExtensions::of_cost(usage.credits, usage.premium_requests)
        }
    }

    fn of_cost(
        credits: Option<Credits>,
        premium_requests: Option<PremiumRequests>,
    ) -> ResponseExtensions<'a> {
        ResponseExtensions {
            credits: credits.map(Credits::amount),
            credits_source: credits.map(|credits| credits.source),
            premium_requests: premium_requests.map(PremiumRequests::amount),
            ..ResponseExtensions::default()
        }
    }

    /// A tool that has just run.
    pub fn tool(ran: &'a ToolRan) -> ResponseExtensions<'a> {
        ResponseExtensions { tools: vec![ran], ..ResponseExtensions::default() }
    }

    /// Fields of a whole response; `None` if none has a value.
    pub fn whole(events: impl IntoIterator<Item = &'a Event>) -> Option<ResponseExtensions<'a>> {
        let mut fields = ResponseExtensions::default();
        let mut credits = None;
        let mut premium_requests = None;
        for event in events {
            match event {
                Event::ToolRan(ran) => fields.tools.push(ran),
                Event::Finish(_, usage) => {
                    fields.dropped_calls = fields.dropped_calls.saturating_add(usage.dropped_calls);
                    credits = Credits::sum(credits, usage.credits);
                    fields.rounds.extend(rounds_of(usage));
                    premium_requests = PremiumRequests::sum(premium_requests, usage.premium_requests);
                }
                Event::Text(_)
                | Event::Thinking(_)
                | Event::ToolCall(_)
                | Event::WebRan(_)
                | Event::Citation(_)
                | Event::Context(_) => {}
            }
        }
        let ResponseExtensions { tools, dropped_calls, rounds, .. } = fields;
        let has_cost = credits.is_some() || premium_requests.is_some();
        let is_empty = tools.is_empty() && rounds.is_empty() && dropped_calls == 0 && !has_cost;
        (!is_empty).then(|| ResponseExtensions {
            rounds,
            tools,
            dropped_calls,
            ..ResponseExtensions::of_cost(credits, premium_requests)
        })
    }
}

fn rounds_of(usage: &Usage) -> Vec<RoundFields> {
    usage.rounds.iter().flat_map(|rounds| rounds.iter()).map(RoundFields::from).collect()
}

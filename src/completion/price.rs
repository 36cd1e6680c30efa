//! Estimates the cost of a response from the model's price list, where the provider doesn't report it. Pure.

use std::ops::ControlFlow;

use super::filter::Filter;
use crate::bridge::protocol::ModelInfo;
use crate::conversation::{Credits, CreditsSource, Event, PremiumRequests, Usage};

/// Most tokens that cost the standard price with any model. Copilot doesn't tell extensions where the long-context price
/// of a model begins; the lowest length that GitHub has published is 128 000.
pub(super) const STANDARD_CONTEXT: u64 = 100_000;

/// Whether a model costs more beyond some length of the prompt.
pub(super) fn has_long_context_price(model: &ModelInfo) -> bool {
    model.extra.get(LONG_CONTEXT_INPUT).is_some_and(|cost| !cost.is_null())
}

/// The editor's property of a model with the price of input in a long context.
const LONG_CONTEXT_INPUT: &str = "longContextInputCost";

/// Price of a model.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Price {
    /// By tokens.
    Tokens(PriceList),
    /// By requests.
    Requests(PremiumRequests),
}

impl Price {
    /// The price that the editor shows for a model; `None` for one without, such as `auto`.
    pub fn of(model: &ModelInfo) -> Option<Price> {
        let multiplier = || PremiumRequests::of_price(model.extra.get("pricing")?.as_str()?);
        PriceList::of(model).map(Price::Tokens).or_else(|| multiplier().map(Price::Requests))
    }

    /// Adds the cost to a usage for which the provider hasn't reported it.
    pub fn add_to(&self, usage: Usage) -> Usage {
        match self {
            Price::Tokens(prices) if usage.credits.is_none() => {
                Usage { credits: Some(prices.estimate(&usage)), ..usage }
            }
            Price::Requests(requests) if usage.credits.is_none() => {
                Usage { premium_requests: Some(*requests), ..usage }
            }
            Price::Tokens(_) | Price::Requests(_) => usage,
        }
    }
}

/// Prices of a model, in credits per million tokens.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PriceList {
    standard: Prices,
    long_context: Option<Prices>,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Prices {
    input: f64,
    cached: f64,
    cache_write: f64,
    output: f64,
}

impl PriceList {
    /// The prices that the editor shows for a model; `None` for one without, such as `auto`, or with a price per request.
    pub fn of(model: &ModelInfo) -> Option<PriceList> {
        let prices = |[input, cached, cache_write, output]: [&str; 4]| {
            let price = |name: &str| model.extra.get(name)?.as_f64().filter(|price| *price >= 0.0);
            let input = price(input)?;
            Some(Prices {
                input,
                cached: price(cached).unwrap_or(input),
                cache_write: price(cache_write).unwrap_or(input),
                output: price(output)?,
            })
        };
        Some(PriceList {
            standard: prices(["inputCost", "cacheCost", "cacheWriteCost", "outputCost"])?,
            long_context: prices([
                LONG_CONTEXT_INPUT,
                "longContextCacheCost",
                "longContextCacheWriteCost",
                "longContextOutputCost",
            ]),
        })
    }

    /// The cost of a response. Where it is not sure which price applies, the higher one does: an estimate that is too low
    /// would let a budget be exceeded.
    pub fn estimate(&self, usage: &Usage) -> Credits {
        let prices = match self.long_context {
            Some(long_context) if usage.input > STANDARD_CONTEXT => long_context,
            _ => self.standard,
        };
        let fresh = usage.input.saturating_sub(usage.cached).saturating_sub(usage.cache_written);
        let nano = nano(fresh, prices.input)
            + nano(usage.cached, prices.cached)
            + nano(usage.cache_written, prices.cache_write)
            + nano(usage.output, prices.output);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "no price is negative")]
        let nano = nano.round() as u64;
        Credits { nano, source: CreditsSource::Estimated }
    }
}

/// Cost of tokens in billionths of a credit: a credit per million tokens is a thousand of them per token.
#[expect(clippy::cast_precision_loss, reason = "exact below 9e15 tokens")]
fn nano(tokens: u64, price: f64) -> f64 {
    tokens as f64 * price * 1000.0
}

/// Adds the cost to a finish for which the provider hasn't reported it.
pub(super) struct CostEstimate(pub Price);

impl Filter for CostEstimate {
    fn event(&mut self, event: Event, out: &mut Vec<Event>) -> ControlFlow<()> {
        out.push(match event {
            Event::Finish(finish, usage) => Event::Finish(finish, self.0.add_to(usage)),
            other => other,
        });
        ControlFlow::Continue(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Map, Value, json};

    use super::*;
    use crate::completion::filter::tests::run;
    use crate::conversation::Finish;

    fn model(prices: &Value) -> ModelInfo {
        let extra = prices.as_object().cloned().unwrap_or_else(Map::new);
        ModelInfo { extra, ..ModelInfo::default() }
    }

    fn priced() -> ModelInfo {
        model(&json!({
            "inputCost": 300, "cacheCost": 30, "cacheWriteCost": 375, "outputCost": 1500,
            "longContextInputCost": 600, "longContextOutputCost": 2250,
        }))
    }

    fn usage(input: u64) -> Usage {
        Usage { input, cached: 1000, cache_written: 100, output: 10, ..Usage::default() }
    }

    #[test]
    fn each_kind_of_token_has_its_price() {
        let estimate = PriceList::of(&priced()).unwrap().estimate(&usage(2000));
        let nano = (900 * 300 + 1000 * 30 + 100 * 375 + 10 * 1500) * 1000;
        assert_eq!(estimate, Credits { nano, source: CreditsSource::Estimated });
    }

    #[test]
    fn long_prompt_has_the_long_context_price_and_missing_cache_prices_are_those_of_input() {
        let estimate = PriceList::of(&priced()).unwrap().estimate(&usage(STANDARD_CONTEXT + 1));
        assert_eq!(estimate.nano, (100_001 * 600 + 10 * 2250) * 1000);
    }

    #[test]
    fn model_without_token_prices_has_no_estimate() {
        for prices in [
            json!({}),
            json!({ "pricing": "1x" }),
            json!({ "inputCost": 300 }),
            json!({ "inputCost": -1, "outputCost": 1 }),
        ] {
            assert_eq!(PriceList::of(&model(&prices)), None, "{prices}");
        }
    }

    #[test]
    fn reported_cost_is_kept() {
        let list = PriceList::of(&priced()).unwrap();
        let reported = Some(Credits { nano: 7, source: CreditsSource::Reported });
        let finish = |credits| Event::Finish(Finish::Stop, Usage { credits, ..usage(2000) });
        let estimated = Some(list.estimate(&usage(2000)));
        let price = Price::of(&priced()).unwrap();
        assert_eq!(run(&mut CostEstimate(price), [finish(reported)]), [finish(reported)]);
        assert_eq!(run(&mut CostEstimate(price), [finish(None)]), [finish(estimated)]);
    }

    #[test]
    fn multiplier_counts_each_request() {
        let price = Price::of(&model(&json!({ "pricing": "0.33x" }))).unwrap();
        let requests = Some(PremiumRequests { hundredths: 33 });
        assert_eq!(price.add_to(usage(7)), Usage { premium_requests: requests, ..usage(7) });
        let reported =
            Usage { credits: Some(Credits { nano: 7, source: CreditsSource::Reported }), ..usage(7) };
        assert_eq!(price.add_to(reported.clone()), reported);
    }
}

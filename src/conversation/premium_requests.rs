//! Premium requests: the unit of models that are billed by the request, with a multiplier in place of token prices.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Number of premium requests, in hundredths: multipliers are `0.25x`, `0.33x`, `1x`, `10x`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(ts_rs::TS))]
pub struct PremiumRequests {
    /// Hundredths of a premium request.
    #[cfg_attr(test, ts(type = "number"))]
    pub hundredths: u64,
}

impl PremiumRequests {
    /// One request to a model whose price is this text: `1x`. `None` for a price of another kind.
    pub fn of_price(pricing: &str) -> Option<PremiumRequests> {
        let multiplier: f64 = pricing.strip_suffix('x')?.parse().ok()?;
        let is_plausible = (0.0..=10_000.0).contains(&multiplier);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
        is_plausible.then(|| PremiumRequests { hundredths: (multiplier * 100.0).round() as u64 })
    }

    /// The number itself.
    #[expect(clippy::cast_precision_loss, reason = "no user has made that many requests")]
    pub fn amount(self) -> f64 {
        self.hundredths as f64 / 100.0
    }

    /// Sum of two responses; what has none counts nothing.
    pub fn sum(one: Option<PremiumRequests>, other: Option<PremiumRequests>) -> Option<PremiumRequests> {
        match (one, other) {
            (Some(one), Some(other)) => {
                Some(PremiumRequests { hundredths: one.hundredths.saturating_add(other.hundredths) })
            }
            (one, other) => one.or(other),
        }
    }
}

impl fmt::Display for PremiumRequests {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.amount().fmt(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiplier_is_the_price_of_a_request() {
        let hundredths = |text| PremiumRequests::of_price(text).map(|requests| requests.hundredths);
        for (text, wanted) in [
            ("1x", Some(100)),
            ("0.33x", Some(33)),
            ("0x", Some(0)),
            ("10x", Some(1000)),
            ("-1x", None),
            ("infx", None),
            ("nanx", None),
            ("In: 300", None),
            ("", None),
        ] {
            assert_eq!(hundredths(text), wanted, "{text}");
        }
    }
}

//! The ratio of reported to counted tokens, learned by model family: Claude's models count about a fifth more than
//! `o200k_base` does.

use std::collections::HashMap;

/// Ratios of reported to counted tokens, by model family.
#[derive(Clone, Debug, Default)]
pub struct Calibration {
    families: HashMap<String, Observed>,
}

/// Sums that forget slowly, so that the ratio follows a service that changes.
#[derive(Clone, Copy, Debug, Default)]
struct Observed {
    reported: f64,
    estimated: f64,
}

impl Calibration {
    /// In tokens. Shorter prompts say more about the provider's own system message (about 210) than about counting.
    const TELLING: u64 = 2000;
    /// Each observation takes a tenth of the earlier ones' weight.
    const KEPT: f64 = 0.9;
    /// No tokenizer is further from `o200k_base`. A lower report means that the provider has trimmed the prompt.
    const BELIEVABLE: std::ops::RangeInclusive<f64> = 0.8..=2.5;

    /// A prompt that was estimated so was reported so.
    pub fn observe(&mut self, family: &str, estimated: u64, reported: u64) {
        if estimated < Calibration::TELLING || !Calibration::BELIEVABLE.contains(&ratio(reported, estimated))
        {
            return;
        }
        let observed = self.families.entry(family.to_owned()).or_default();
        observed.reported = observed.reported * Calibration::KEPT + float(reported);
        observed.estimated = observed.estimated * Calibration::KEPT + float(estimated);
    }

    /// A count as the provider of this family is likely to report it.
    pub fn calibrated(&self, family: &str, estimated: u64) -> u64 {
        let Some(observed) = self.families.get(family) else {
            return estimated;
        };
        let calibrated = (float(estimated) * observed.reported / observed.estimated).round();
        // Both sums are positive and their ratio is small.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let calibrated = calibrated as u64;
        calibrated
    }
}

fn ratio(reported: u64, estimated: u64) -> f64 {
    float(reported) / float(estimated)
}

/// Token counts are far below 2^52.
#[allow(clippy::cast_precision_loss)]
fn float(tokens: u64) -> f64 {
    tokens as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_calibrated_per_family() {
        let mut calibration = Calibration::default();
        assert_eq!(calibration.calibrated("claude", 1000), 1000);
        calibration.observe("claude", 10_000, 12_000);
        assert_eq!(calibration.calibrated("claude", 1000), 1200);
        assert_eq!(calibration.calibrated("gpt", 1000), 1000);
        calibration.observe("claude", 10_000, 11_000);
        // (0.9 * 12 000 + 11 000) / (0.9 * 10 000 + 10 000)
        assert_eq!(calibration.calibrated("claude", 1900), 2180);
    }

    #[test]
    fn implausible_reports_are_ignored() {
        let mut calibration = Calibration::default();
        calibration.observe("gpt", 10, 230);
        calibration.observe("gpt", 10_000, 0);
        calibration.observe("gpt", 10_000, 90_000);
        // A trimmed prompt.
        calibration.observe("gpt", 10_000, 7_000);
        calibration.observe("gpt", 0, 0);
        assert_eq!(calibration.calibrated("gpt", 1000), 1000);
    }
}
